"""One period against another: every way to say how much changed, and the verdict in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from steelyard import _core
from steelyard.breaks import Break
from steelyard.errors import BreakInSeries
from steelyard.estimates import Estimates
from steelyard.evidence import Floats
from steelyard.labels import SHARES, Labels
from steelyard.period import Period
from steelyard.render import number_text

ChangeKind: TypeAlias = Literal["difference", "relative", "ratio", "log-odds"]
MarginKind: TypeAlias = Literal["difference", "relative", "log-odds"]
NULL: dict[ChangeKind, float] = {"difference": 0.0, "relative": 0.0, "ratio": 1.0, "log-odds": 0.0}
_SYMBOL: dict[ChangeKind, str] = {
    "difference": "-",
    "relative": "/",
    "ratio": "/",
    "log-odds": "-",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """The same estimates before and after."""

    before: Estimates
    after: Estimates

    def change(self, kind: ChangeKind) -> Estimates:
        """How much each changed."""
        core = _core.change(self.before.core, self.after.core, kind)
        old = self.after.labels.joined(self.before.labels, _SYMBOL[kind], "function")
        labels = Labels(old.by, old.variable, old.level, ["function"] * len(old))
        evidence = self.after.evidence.with_other(self.before.evidence)
        return Estimates(core, labels, evidence, self.after.presentation)


@dataclass(frozen=True, slots=True)
class Change:
    """One period against its base: the rows that both have, and what the two share.

    Attributes
    ----------
    period, base : int, str or date
    shared_units : int
        Units of the first stage with the same name in both.
    shared_further : int
        The same of further stages.
    shared_share : float
        The same as a share of the period's own units.
    by_unit : bool
        Were deviations kept by unit in both, so that shared ones can be found?
    of_replicates : bool
        Do errors of either come from replicates, which know no units?
    refused : Break or None
        A break between the two that nothing links. There are no figures then.
    rounded : tuple of Pair or None
        With a published side: the pairs that change least and most, within the rounding.
    """

    period: Period
    base: Period
    pair: Pair
    shared_units: int
    shared_further: int
    shared_share: float
    by_unit: bool
    of_replicates: bool
    refused: Break | None = None
    rounded: tuple[Pair, Pair] | None = None

    @property
    def difference(self) -> Estimates:
        """Period minus base, in the units of the estimates (0.031 is 3.1 percentage points)."""
        return self.by("difference")

    @property
    def ratio(self) -> Estimates:
        """Period over base."""
        return self.by("ratio")

    @property
    def relative(self) -> Estimates:
        """The difference as a share of the base."""
        return self.by("relative")

    @property
    def log_odds(self) -> Estimates:
        """The change of the log odds; for shares."""
        return self.by("log-odds")

    def by(self, kind: ChangeKind) -> Estimates:
        """The change of one kind.

        Raises
        ------
        BreakInSeries
            A break lies between the two, and nothing links the series.
        ValueError
            There is no such kind.
        """
        if kind not in NULL:
            raise ValueError(f"kind={kind!r} is none of {', '.join(map(repr, NULL))}")
        if self.refused is not None:
            raise BreakInSeries(
                f"{self.period} and {self.base} are not comparable: {self.refused.text}"
            )
        return self.pair.change(kind)

    @property
    def correlation(self) -> Floats:
        """Correlation of each estimate with its base: what the overlap buys.

        NaN where either has no sampling error.
        """
        return _core.correlations(self.pair.before.core, self.pair.after.core)

    @property
    def of_shares(self) -> list[bool]:
        """Which estimates are shares, so that their differences are percentage points."""
        return [kind in SHARES for kind in self.pair.after.labels.kind]

    def possible(self, kind: ChangeKind) -> tuple[Estimates, Estimates]:
        """The least and the most the change can be, within the rounding of a published side."""
        least, most = self.rounded or (self.pair, self.pair)
        return least.change(kind), most.change(kind)


@dataclass(frozen=True, slots=True)
class Judged:
    """A family of changes with intervals and p-values.

    Attributes
    ----------
    estimates : Estimates
        The changes, all periods one below the other.
    low, high : array of float
        Bounds of the intervals; with a published side, of all values that its rounding allows.
    least, most : array of float
        The smallest and largest change within the rounding of a published side.
    p_value, p_adjusted : array of float
        Alone, and after all changes of the family were looked at; the largest that the rounding
        allows.
    """

    estimates: Estimates
    low: Floats
    high: Floats
    least: Floats
    most: Floats
    p_value: Floats
    p_adjusted: Floats


def change_text(judged: Judged, row: int, level: float, is_share: bool, tests: int) -> str | None:
    """The verdict on one difference in words; None where there is no error to judge by."""
    low, high = judged.low[row], judged.high[row]
    if np.isnan(low) or np.isnan(high):
        return None
    unit = " points" if is_share else ""
    scale = 100.0 if is_share else 1.0
    least, most = judged.least[row], judged.most[row]
    if np.isnan(judged.p_value[row]):
        return None if least == most else _as_printed(scale * least, scale * most, unit, is_share)
    if not low <= 0 <= high:
        sign = 1.0 if low > 0 else -1.0
        sizes = sorted(sign * scale * value for value in (least, most))
        ends = sorted(sign * scale * value for value in (low, high))
        text = (
            f"{'rose' if sign > 0 else 'fell'} by {_between(sizes, is_share)}{unit}, "
            f"{100 * level:g} % CI {_number(ends[0], is_share)} to {_number(ends[1], is_share)}"
        )
        if judged.p_adjusted[row] > 1 - level:
            text += (
                f", taken alone; not clear among {tests} changes looked at (adjusted p = "
                f"{judged.p_adjusted[row]:.2g})"
            )
        return text
    sizes = [scale * value for value in (least, most)]
    return (
        f"no clear change: {_between(sizes, is_share, signed=True)}{unit}, {100 * level:g} % CI "
        f"{_number(scale * low, is_share, signed=True)} to "
        f"{_number(scale * high, is_share, signed=True)}"
    )


def _as_printed(least: float, most: float, unit: str, is_share: bool) -> str:
    """What printed figures alone can say."""
    if least > 0 or most < 0:
        sizes = sorted((abs(least), abs(most)))
        verb = "rose" if least > 0 else "fell"
        what = f"{verb} by {_between(sizes, is_share)}{unit} as printed"
    else:
        what = f"changed by {_between((least, most), is_share, signed=True)}{unit} as printed"
    return f"{what}; no sampling error is known"


def _between(values: Sequence[float], is_share: bool, *, signed: bool = False) -> str:
    texts = [_number(value, is_share, signed=signed) for value in values]
    return texts[0] if texts[0] == texts[1] else " to ".join(texts)


def _number(value: float, is_share: bool, *, signed: bool = False) -> str:
    text = f"{value:.1f}" if is_share else number_text(value, 3)
    if float(text.replace(",", "")) == 0:
        return text.removeprefix("-")
    return f"+{text}" if signed and value > 0 else text
