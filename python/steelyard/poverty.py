"""Poverty relative to a line that the whole sample sets."""

from collections.abc import Sequence

import numpy as np

from steelyard import _core
from steelyard.condition import Where
from steelyard.estimates import Estimates
from steelyard.evidence import Evidence
from steelyard.explain import CORE_ERRORS, explain
from steelyard.labels import Labels
from steelyard.sample import Sample
from steelyard.statistic import Statistic
from steelyard.terms import Term

RATE, GAP, LINE = "rate", "gap", "line"


def poverty(
    sample: Sample,
    variable: str,
    share: float,
    probability: float,
    line: float | None,
    by: str | Sequence[str] | None,
    where: Where | None,
    level: float,
) -> Estimates:
    """The line, and the rate and gap of each group under it, with all covariances."""
    if line is not None and not 0 < line < float("inf"):
        raise ValueError(f"line={line} is no line: a positive number in the unit of {variable!r}")
    numbers = sample.columns.numbers(variable)
    groups = sample.domain(by, where)
    try:
        found = _core.PovertyLine(variable, numbers, sample.design, share, probability, line)
    except CORE_ERRORS as error:
        raise explain(error, sample.names) from None
    size = len(groups.labels)
    estimators = [] if line is not None else [found.threshold()]
    for code in range(size):
        estimators += [found.rate(groups.codes, code), found.gap(groups.codes, code)]
    everyone = sample.domain(None, None)
    lines = len(estimators) - 2 * size
    of_line: list[str | None] = [None] * lines
    labels = Labels(
        {
            name: [*of_line, *(label[i] for label in groups.labels for _ in range(2))]
            for i, name in enumerate(groups.columns)
        },
        [variable] * len(estimators),
        [*([LINE] * lines), *([RATE, GAP] * size)],
        [*(["threshold"] * lines), *(["proportion", "gap"] * size)],
    )
    term = Term(
        Statistic("mean", (variable,)),
        tuple(estimators),
        tuple(labels.level),
        tuple(labels.kind),
    )
    joint = sample.estimates_of([term], everyone, level, labels)
    below = _core.share_below(variable, numbers, groups.codes, found.threshold_value)
    counted = sample.estimates_of(
        [Term(Statistic("mean", (variable,)), (below,), (None,), ("proportion",))], groups, level
    )
    evidence = _evidence(joint.evidence, counted.evidence, lines)
    return Estimates(joint.core, labels, evidence, counted.presentation)


def _evidence(joint: Evidence, groups: Evidence, lines: int) -> Evidence:
    """Counts of each group for its rate and gap, those of the sample for the line."""
    twice = np.repeat(np.arange(len(groups.n)), 2)
    nothing = np.full(lines + len(twice), np.nan)
    return Evidence(
        np.concatenate([joint.n[:lines], groups.n[twice]]),
        np.concatenate([joint.missing[:lines], groups.missing[twice]]),
        np.concatenate([joint.units[:lines], groups.units[twice]]),
        np.concatenate([joint.strata[:lines], groups.strata[twice]]),
        nothing,
        nothing.copy(),
        np.concatenate([joint.certain[:lines], groups.certain[twice]]),
        np.concatenate([joint.census[:lines], groups.census[twice]]),
    )
