"""Intervals of quantiles, which are read back through the sample."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from steelyard import _core
from steelyard.columns import NumberArray
from steelyard.statistic import IntervalMethod

QuantileMethod: TypeAlias = IntervalMethod | Literal["score"]


@dataclass(frozen=True, slots=True, eq=False)
class QuantileSample:
    """The rows that quantiles were read from, for intervals by the score."""

    design: _core.Design
    domains: _core.Codes | None
    name: str
    values: NumberArray
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SavedInterval:
    """The interval of a quantile as it was saved, at the confidence level then shown."""

    level: float
    low: float
    high: float
    lower: float
    lower_end: float
    upper_end: float
    upper: float

    def bounds(
        self, level: float, method: QuantileMethod | None, side: str, df: float
    ) -> tuple[float, float]:
        """Both bounds.

        Raises
        ------
        ValueError
            They were saved at another level or by another method.
        """
        if method is not None or level != self.level:
            raise ValueError(
                f"the interval of a saved quantile is known at level {self.level:g} only, by the "
                "method it was made with: others need the microdata"
            )
        if side == "two":
            return self.low, self.high
        return (self.lower, self.lower_end) if side == "lower" else (self.upper_end, self.upper)


@dataclass(frozen=True, slots=True, eq=False)
class QuantileInterval:
    """The interval of one quantile.

    That of the distribution function, read back (Woodruff), or the quantiles that a test does not
    reject (score).
    """

    source: _core.Quantiles
    sample: QuantileSample
    domain: int
    position: int
    method: QuantileMethod

    def bounds(
        self, level: float, method: QuantileMethod | None, side: str, df: float
    ) -> tuple[float, float]:
        """Both bounds; infinite where the sample does not bound the quantile on that side."""
        chosen = method or self.method
        if chosen == "score":
            s = self.sample
            found = _core.score_intervals(
                s.design, s.domains, s.name, s.values, list(s.probabilities), level, side, df
            )
            return found[self.domain * len(s.probabilities) + self.position]
        return self.source.interval(self.domain, self.position, chosen, level, side, df)
