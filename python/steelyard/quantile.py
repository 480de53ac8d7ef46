"""Intervals of quantiles, which are read back through the sample."""

from dataclasses import dataclass

from steelyard import _core
from steelyard.statistic import IntervalMethod


@dataclass(frozen=True, slots=True)
class QuantileInterval:
    """The interval of one quantile (Woodruff): that of the distribution function, read back."""

    source: _core.Quantiles
    domain: int
    position: int
    method: IntervalMethod

    def bounds(
        self, level: float, method: IntervalMethod | None, side: str, df: float
    ) -> tuple[float, float]:
        """Both bounds; infinite where the sample does not bound the quantile on that side."""
        chosen = method or self.method
        return self.source.interval(self.domain, self.position, chosen, level, side, df)
