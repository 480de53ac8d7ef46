"""Do the tools compute the same? Checked before anything is timed."""

import math
from collections.abc import Mapping

from .job import Answer

TOLERANCE = 1e-9


class Disagreement(Exception):
    """Two tools give different estimates or standard errors: their times say nothing."""


def check_agreement(case: str, answers: Mapping[str, Answer]) -> float:
    """Return the largest relative difference of any tool from the first."""
    (first, expected), *others = answers.items()
    largest = 0.0
    for name, answer in others:
        if answer.keys() != expected.keys():
            odd = sorted(answer.keys() ^ expected.keys())[:3]
            raise Disagreement(f"{case}: only one of {first} and {name} has {odd}")
        for label, pair in answer.items():
            difference = max(map(_relative, pair, expected[label]))
            if not difference <= TOLERANCE:
                raise Disagreement(
                    f"{case}, {label}: (estimate, SE) is {expected[label]} by {first} and {pair} "
                    f"by {name}"
                )
            largest = max(largest, difference)
    return largest


def _relative(a: float, b: float) -> float:
    if a == b:
        return 0.0
    scale = max(abs(a), abs(b))
    return abs(a - b) / scale if math.isfinite(scale) else math.inf
