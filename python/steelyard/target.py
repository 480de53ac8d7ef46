"""Targets: whether a figure meets one, how sure that is, and what is left to do."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from steelyard import _core
from steelyard.errors import FigureError
from steelyard.estimates import Estimates
from steelyard.evidence import Floats
from steelyard.findings import Findings
from steelyard.labels import SHARES
from steelyard.period import Period, time_of
from steelyard.published import Figure
from steelyard.render import html_table, number_text, text_table
from steelyard.series import label_text
from steelyard.table import Cell, Table, cells

Direction: TypeAlias = Literal["at least", "at most"]
TargetRounding: TypeAlias = Literal["exact", "as printed"]
Verdict: TypeAlias = Literal["met", "not met", "undetermined"]


@dataclass(frozen=True, slots=True)
class FormerTarget:
    """What a target was before it was changed, and why it was."""

    value: Figure
    reason: str


@dataclass(frozen=True, slots=True)
class Target:
    """A value to reach, and how that is judged.

    Attributes
    ----------
    value : Figure or float
        A share as printed ("75 per cent"), or a number in the unit of the estimate.
    years : tuple of int
        The years it is for; several are taken together.
    direction : {"at least", "at most"}
    history : tuple of FormerTarget
        What it was before it was changed, the oldest first.
    rounding : {"exact", "as printed"}
        "exact": the value itself is to be reached. "as printed": a figure that rounds to it, with
        its decimals, has reached it; 74.5 % reaches "75 per cent".
    """

    value: Figure | float
    years: tuple[int, ...] = ()
    direction: Direction = "at least"
    history: tuple[FormerTarget, ...] = ()
    rounding: TargetRounding = "exact"

    def __post_init__(self) -> None:
        if self.direction not in get_args(Direction):
            raise ValueError(f"direction={self.direction!r} is neither 'at least' nor 'at most'")
        if self.rounding not in get_args(TargetRounding):
            raise ValueError(f"rounding={self.rounding!r} is neither 'exact' nor 'as printed'")
        if self.rounding == "as printed" and not isinstance(self.value, Figure):
            raise ValueError("rounding='as printed' needs a figure as printed, as text")

    @property
    def period(self) -> str:
        """Its years in words: "2023", or "2022-2023"."""
        first, last = min(self.years), max(self.years)
        return str(first) if first == last else f"{first}-{last}"

    @property
    def printed(self) -> str:
        """The value as it was printed."""
        return self.value.text if isinstance(self.value, Figure) else number_text(self.value)

    @property
    def number(self) -> float:
        """The value, a share between 0 and 1."""
        return self.value.value if isinstance(self.value, Figure) else float(self.value)

    @property
    def goal(self) -> float:
        """The value that counts as reaching it, by the rounding rule."""
        if self.rounding == "exact" or not isinstance(self.value, Figure):
            return self.number
        half = self.value.half_unit
        return self.number - half if self.direction == "at least" else self.number + half

    @property
    def text(self) -> str:
        """The target in words."""
        value = str(self.value) if isinstance(self.value, Figure) else number_text(self.number)
        rule = ", rounded as printed" if self.rounding == "as printed" else ""
        return f"{self.direction} {value}{rule}"


class Judgement(Table):
    """Estimates judged against a target.

    Made by :func:`judge`. A row an estimate: verdict, one-sided bound, the confidence in the target
    being met, and the distance to it.
    """

    def __init__(self, estimates: Estimates, target: Target, level: float) -> None:
        self._estimates = estimates
        self._target = target
        self._level = level
        self._lower = estimates.ci(level, side="lower")[:, 0]
        self._upper = estimates.ci(level, side="upper")[:, 1]

    @property
    def estimates(self) -> Estimates:
        """What was judged."""
        return self._estimates

    @property
    def target(self) -> Target:
        """What it was judged against."""
        return self._target

    @property
    def level(self) -> float:
        """Confidence level of the one-sided intervals that the verdicts go by."""
        return self._level

    @property
    def verdicts(self) -> list[Verdict]:
        """A target is met, or not met, where the whole one-sided interval is on that side of it."""
        return [self._verdict(i) for i in range(len(self._estimates))]

    @property
    def verdict(self) -> Verdict:
        """The verdict, where there is one estimate."""
        if len(self._estimates) != 1:
            raise ValueError(f"there are {len(self._estimates)} estimates: see verdicts")
        return self._verdict(0)

    @property
    def confidence(self) -> Floats:
        """How sure it is that the target is met: the level at which the bound is the target.

        1 less this is the p-value of the hypothesis that it is not met. NaN without an error.
        """
        side = "lower" if self._target.direction == "at least" else "upper"
        return np.array([self._confidence(i, side) for i in range(len(self._estimates))])

    @property
    def bound(self) -> Floats:
        """The end of the one-sided interval on the side of the target, in the estimates' unit."""
        return self._lower if self._target.direction == "at least" else self._upper

    @property
    def distance(self) -> Floats:
        """Estimate less target, in the estimates' unit (0.02: two points)."""
        return self._estimates.estimate - self._target.number

    @property
    def statements(self) -> list[str]:
        """The verdict on each estimate as a sentence, with the statement of probability it is."""
        return [self._statement(i) for i in range(len(self._estimates))]

    def trajectory(self, now: Period, by: Period, *, row: int = 0) -> Findings:
        """What has to be reached each year to meet the target by a year, in equal steps.

        Parameters
        ----------
        now : year or other period
            When the estimate is of.
        by : year or other period
            When the target is to be met.
        row : int
            Which estimate, counted from 0.

        Returns
        -------
        Findings
            A row a year: the level needed, and the change needed each year. Nothing is needed where
            the estimate has reached the target.

        Raises
        ------
        ValueError
            A period names no time, or `by` is not later.
        """
        start, end = time_of(now), time_of(by)
        if start is None or end is None or not end > start:
            raise ValueError(f"by={by!r} is not a time after {now!r}")
        value, goal = float(self._estimates.estimate[row]), self._target.goal
        most = self._target.direction == "at most"
        short = min(goal - value, 0.0) if most else max(goal - value, 0.0)
        times = [*np.arange(start, end), end]
        levels = [value + short * (time - start) / (end - start) for time in times]
        columns: dict[str, list[Cell]] = {
            "time": [int(t) if float(t).is_integer() else round(float(t), 2) for t in times],
            "needed": cells(np.array(levels)),
        }
        each = short / (end - start)
        text = "reached already" if short == 0 else f"{self._points(each, signed=True)} each year"
        return Findings(
            f"What is needed to reach {self._target.text} by {by}?",
            columns,
            [text, "in equal steps from the estimate, without its error"],
        )

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return the table as a column of plain values a name; shares between 0 and 1.

        Columns of the labels, then estimate, target, distance, bound (of the one-sided interval),
        confidence (in the target being met), verdict, note.
        """
        size = len(self._estimates)
        return {
            **self._estimates.labels.columns(),
            "estimate": cells(self._estimates.estimate),
            "target": [self._target.number] * size,
            "distance": cells(self.distance),
            "bound": cells(self.bound),
            "confidence": cells(self.confidence),
            "verdict": list(self.verdicts),
            "note": list(self._estimates.notes),
        }

    def __repr__(self) -> str:
        return text_table(self.to_dict(), self._footer())

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), self._footer())

    def _footer(self) -> list[str]:
        side = "lower" if self._target.direction == "at least" else "upper"
        lines = [
            *self.statements,
            f"bound: {side} end of the one-sided {100 * self._level:g}% interval; met, or not met, "
            "when the whole one-sided interval is on that side of the target",
        ]
        if self._target.rounding == "as printed":
            lines.append(f"counts as reached from {self._points(self._target.goal)}")
        lines += [
            f"the target was {former.value}: {former.reason}" for former in self._target.history
        ]
        return lines

    def _verdict(self, i: int) -> Verdict:
        low, high = self._lower[i], self._upper[i]
        if np.isnan(low) or (low == high and not self._estimates.evidence.census[i]):
            return "undetermined"
        goal = self._target.goal
        if self._target.direction == "at most":
            low, high, goal = -high, -low, -goal
        if low >= goal:
            return "met"
        return "not met" if high < goal else "undetermined"

    def _confidence(self, i: int, side: str) -> float:
        estimates, evidence = self._estimates, self._estimates.evidence
        value, se = float(estimates.estimate[i]), float(estimates.se[i])
        df = float(estimates.degrees_of_freedom()[i])
        goal = self._target.goal
        if estimates.labels.kind[i] not in SHARES:
            return _core.confidence_in_bound(value, se, df, side, goal)
        census, n = bool(evidence.census[i]), int(evidence.n[i])
        if census and se == 0:
            return _core.confidence_in_bound(value, se, df, side, goal)
        return _core.confidence_in_share_bound(value, se, df, n, census, "logit", side, goal)

    def _statement(self, i: int) -> str:
        estimates = self._estimates
        name = label_text(estimates.labels.keys()[i])
        value = self._points(float(estimates.estimate[i]))
        verdict = self._verdict(i)
        head = f"{name}: {self._target.text}: {verdict}"
        sure = float(self.confidence[i])
        if np.isnan(sure):
            return f"{head}; {value}, and its error is not known"
        gap = float(self.distance[i])
        side = "above" if gap >= 0 else "below"
        return (
            f"{head}; {value} is {self._points(abs(gap))} {side}; confidence that it is reached "
            f"{percent_text(sure)}"
        )

    def _points(self, value: float, *, signed: bool = False) -> str:
        if all(kind in SHARES for kind in self._estimates.labels.kind):
            return f"{100 * value:+.1f} points" if signed else f"{100 * value:.1f}"
        return f"{value:+.3g}" if signed else number_text(value)


def judge(
    estimates: Estimates,
    target: Target | Figure | str | float,
    *,
    direction: Direction = "at least",
    level: float = 0.95,
) -> Judgement:
    """Judge estimates against a target.

    Parameters
    ----------
    estimates : Estimates
        Shares, means or any others.
    target : Target, Figure, str or float
        For shares a figure as printed ("75 per cent"); for others a number in their unit.
    direction : {"at least", "at most"}
        Of a target that is not a Target.
    level : float
        Confidence level of the one-sided intervals.

    Returns
    -------
    Judgement
        "met" where the one-sided interval lies on the right side of the target as a whole, "not
        met" where it lies on the wrong side as a whole, otherwise "undetermined".

    Raises
    ------
    FigureError
        The target of shares cannot be read as a share, or that of other figures is one.
    ValueError
        Shares stand beside other figures.

    Notes
    -----
    For proportions one-sided logit intervals, for others t intervals. The confidence is the level
    at which the bound is the target: 1 less the p-value of a one-sided test.

    Examples
    --------
    >>> import steelyard as sy
    >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
    >>> share = svy.proportion("sch.wide", positive="Yes")
    >>> sy.judge(share, "75 per cent").verdict
    'met'
    >>> sy.judge(share, "75 per cent").statements
    ['sch.wide / Yes: at least 75 %: met; 82.8 is 7.8 above; confidence that it is reached 99.7 %']
    """
    if not 0 < level < 1:
        raise ValueError(f"level={level} is not a confidence level between 0 and 1")
    if not isinstance(estimates, Estimates):
        raise TypeError(
            f"estimates are judged, and this is a {type(estimates).__name__}: of a comparison, "
            "judge one of its levels, as in judge(change.levels[2023], ...)"
        )
    shares = [kind in SHARES for kind in estimates.labels.kind]
    if any(shares) and not all(shares):
        raise ValueError("shares and other figures have no target in common: judge them apart")
    if not isinstance(target, Target):
        number = isinstance(target, int | float) and not isinstance(target, bool)
        value = Figure.parse(target) if any(shares) or not number else float(str(target))
        target = Target(value, direction=direction)
    if isinstance(target.value, Figure) and not any(shares):
        raise FigureError(
            f"{target.value.text!r} is a share, and a {estimates.labels.kind[0]} is judged: give a "
            "number in its unit"
        )
    return Judgement(estimates, target, level)


def percent_text(share: float) -> str:
    """A probability in per cent that never rounds to certainty."""
    if share > 0.9995:
        return "more than 99.9 %"
    return "less than 0.1 %" if share < 0.0005 else f"{100 * share:.1f} %"
