"""Several questions asked at once: p-values and intervals that allow for all of them."""

from typing import Literal, TypeAlias, get_args

import numpy as np

from steelyard import _core
from steelyard.estimates import Estimates, Side
from steelyard.evidence import Floats

Adjustment: TypeAlias = Literal[
    "none", "bonferroni", "holm", "hochberg", "benjamini-hochberg", "max-t"
]
DRAWS = 100_000
TEXT: dict[Adjustment, str] = {
    "none": "not adjusted",
    "bonferroni": "adjusted by Bonferroni",
    "holm": "adjusted by Holm",
    "hochberg": "adjusted by Hochberg",
    "benjamini-hochberg": "adjusted by Benjamini–Hochberg (false discovery rate)",
    "max-t": "adjusted by the largest t (simultaneous)",
}


def check_adjustment(adjustment: Adjustment) -> Adjustment:
    """Refuse what is no adjustment."""
    if adjustment not in get_args(Adjustment):
        raise ValueError(
            f"adjust={adjustment!r} is none of {', '.join(map(repr, get_args(Adjustment)))}"
        )
    return adjustment


def adjusted(p_values: Floats, adjustment: Adjustment) -> Floats:
    """P-values after all of them were looked at; those that are NaN are none of the tests."""
    if adjustment in ("none", "max-t"):
        return p_values.copy()
    return _core.adjusted_p_values(np.ascontiguousarray(p_values), adjustment)


def max_t(
    estimates: Estimates,
    null: float = 0.0,
    *,
    side: Side = "two",
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 1,
) -> _core.MaxT | None:
    """The largest of several t statistics, by their joint covariance; None where none has an error.

    Degrees of freedom are the smallest of the estimates'.
    """
    if not (np.isfinite(estimates.se) & (estimates.se > 0)).any():
        return None
    values = np.full(len(estimates), float(null))
    df = float(estimates.degrees_of_freedom().min())
    return _core.max_t(estimates.core, values, df, side, level, draws, seed)
