"""The reason beside an estimate that is not what it seems."""

from collections.abc import Sequence

import numpy as np

from steelyard.evidence import Evidence, Flags, Floats
from steelyard.labels import SHARES

ROUNDING = 1e-13
NO_ANSWERS = "no answers"
ONE_UNIT = "answers from one unit only: error not estimable"
NOT_ESTIMABLE = "made from an estimate whose error is not estimable"
NO_VARIANCE = "the design gives no variance here: error not estimable"
UNBOUNDED = "the sample does not bound the quantile: error not estimable"
UNDEFINED = "not defined for these values"
NOBODY = "nobody gave this answer: exact one-sided interval"
EVERYBODY = "everybody gave this answer: exact one-sided interval"
ONE_SIDE = "made from a share of 0 or 1, whose error is not known: interval too narrow"
CENSUS = "the whole population: no sampling error"
LEFT_OUT = "not defined under {} of the replicates, which are left out"
NO_VARIATION = "no variation between units: an error of 0 is not certainty"


def notes_of(
    values: Floats, errors: Floats, kinds: Sequence[str], evidence: Evidence
) -> list[str | None]:
    """A note for each estimate, or None where there is nothing to say."""
    flat = without_variation(values, errors)
    rows = zip(values, errors, kinds, flat, strict=True)
    return [_note(i, *row, evidence) for i, row in enumerate(rows)]


def without_variation(values: Floats, errors: Floats) -> Flags:
    """Which errors are nothing but rounding."""
    flags: Flags = errors <= ROUNDING * np.abs(values)
    return flags


def _not_estimable(row: int, kind: str, evidence: Evidence) -> str:
    if evidence.units[row] < 2:
        return ONE_UNIT
    if kind in ("function", "contrast"):
        return NOT_ESTIMABLE
    return UNBOUNDED if kind == "quantile" else NO_VARIANCE


def _note(
    row: int, value: float, error: float, kind: str, flat: bool, evidence: Evidence
) -> str | None:
    if evidence.n[row] == 0:
        return NO_ANSWERS
    if not np.isfinite(value):
        return UNDEFINED
    if not np.isfinite(error):
        return _not_estimable(row, kind, evidence)
    if evidence.census[row]:
        return CENSUS
    if evidence.certain[row]:
        if kind not in SHARES or value not in (0.0, 1.0):
            return ONE_SIDE
        return NOBODY if value == 0 else EVERYBODY
    if flat:
        return NO_VARIATION
    left_out = 0 if evidence.left_out is None else int(evidence.left_out[row])
    return LEFT_OUT.format(left_out) if left_out > 0 else None
