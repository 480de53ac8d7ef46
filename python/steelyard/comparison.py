"""Change over time: waves of a survey compared with all their covariances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from steelyard.breaks import Break, breaks_between, linked
from steelyard.change import NULL, Change, ChangeKind, Judged, MarginKind, change_text
from steelyard.comparison_table import (
    append,
    block,
    difference_cells,
    level_row,
    overlap_text,
    period_cell,
    refused_block,
    unmatched,
)
from steelyard.estimates import Estimates
from steelyard.evidence import Floats
from steelyard.multiplicity import TEXT, Adjustment, adjusted, max_t
from steelyard.period import Period, in_order
from steelyard.published_wave import PublishedLevels
from steelyard.render import html_table, text_table
from steelyard.series import Series, in_period, together
from steelyard.statistic import IntervalMethod
from steelyard.table import Cell, Table, cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from steelyard.average import Weighting
    from steelyard.findings import Findings

_BLOCKS: tuple[ChangeKind, ...] = ("difference", "relative", "ratio", "log-odds")
_BLOCK_NAME: dict[ChangeKind, str] = {
    "difference": "difference",
    "relative": "relative change",
    "ratio": "ratio",
    "log-odds": "log-odds change",
}


@dataclass(frozen=True, slots=True)
class Conventions:
    """How changes are judged: confidence level, adjustment of p-values, seed of its draws."""

    level: float
    adjust: Adjustment
    seed: int


class Comparison(Table):
    """Levels of each period and how they changed, with verdicts in words.

    Made by :func:`compare`. Differences are in the units of the estimates (0.031 is 3.1 percentage
    points); ratios are of the period to its base.
    """

    def __init__(
        self,
        levels: Mapping[Period, Estimates | PublishedLevels],
        changes: Sequence[Change],
        breaks: Sequence[Break],
        conventions: Conventions,
    ) -> None:
        self._given = dict(levels)
        self._changes = tuple(changes)
        self._breaks = tuple(breaks)
        self._conventions = conventions

    @property
    def base(self) -> Period:
        """The period that the first change is from."""
        return self._changes[0].base

    @property
    def periods(self) -> tuple[Period, ...]:
        """The periods, in the order given."""
        return tuple(self._given)

    @property
    def breaks(self) -> tuple[Break, ...]:
        """The breaks that were declared."""
        return self._breaks

    @property
    def levels(self) -> dict[Period, Estimates]:
        """The estimates of each period, as they are on their own; published ones as printed."""
        return {period: printed_of(level) for period, level in self._given.items()}

    @property
    def changes(self) -> tuple[Change, ...]:
        """Each period against its base."""
        return self._changes

    @property
    def comparable(self) -> tuple[Change, ...]:
        """The changes that no break refuses."""
        return tuple(change for change in self._changes if change.refused is None)

    @property
    def differences(self) -> dict[Period, Estimates]:
        """Period minus base, of the pairs that are comparable."""
        return {change.period: change.difference for change in self.comparable}

    @property
    def relative_changes(self) -> dict[Period, Estimates]:
        """Period minus base, as shares of the base."""
        return {change.period: change.relative for change in self.comparable}

    @property
    def ratios(self) -> dict[Period, Estimates]:
        """Period over base."""
        return {change.period: change.ratio for change in self.comparable}

    @property
    def log_odds_changes(self) -> dict[Period, Estimates]:
        """Changes of the log odds, of shares."""
        return {change.period: change.log_odds for change in self.comparable}

    @property
    def overlap(self) -> dict[Period, int]:
        """Units of the same name that each period shares with its base."""
        return {change.period: change.shared_units for change in self._changes}

    @property
    def verdicts(self) -> list[str | None]:
        """The verdict on each difference in words, in the order of :meth:`judged`."""
        return self._words(self.judged("difference"))

    def _words(self, found: Judged) -> list[str | None]:
        tests = int(np.isfinite(found.p_value).sum())
        level = self._conventions.level
        rows = [
            (share, self.uncounted(change))
            for change in self.comparable
            for share in change.of_shares
        ]
        texts = [change_text(found, i, level, share, tests) for i, (share, _) in enumerate(rows)]
        return [
            f"{text}; without the sampling error of {unknown}, which is not known"
            if text and unknown and np.isfinite(found.p_value[i])
            else text
            for i, (text, (_, unknown)) in enumerate(zip(texts, rows, strict=True))
        ]

    def uncounted(self, change: Change) -> str:
        """The side of a change whose sampling error is not known, as it was published so."""
        for period in (change.base, change.period):
            given = self._given[period]
            if isinstance(given, PublishedLevels) and given.source.n is None:
                return str(period)
        return ""

    def left_unsaid(self) -> list[str]:
        """What must be said under any table made of the changes."""
        lines = [
            f"{change.base} and {change.period} are not comparable, so left out: "
            f"{change.refused.text}"
            for change in self._changes
            if change.refused is not None
        ]
        unknown = dict.fromkeys(self.uncounted(change) for change in self.comparable)
        lines += [
            f"{period} is published without its number of answers: its sampling error is not "
            "counted"
            for period in unknown
            if period
        ]
        notes = (note for change in self.comparable for note in change.difference.notes)
        return lines + [note for note in dict.fromkeys(notes) if note]

    def together(self, kind: ChangeKind) -> tuple[Estimates, Estimates, Estimates]:
        """All changes of one kind; and the least and the most that a rounding lets them be."""
        changes = self.comparable
        shown = together([in_period(c.period, c.by(kind)) for c in changes])
        if all(change.rounded is None for change in changes):
            return shown, shown, shown
        least, most = (
            together([in_period(c.period, c.possible(kind)[end]) for c in changes])
            for end in (0, 1)
        )
        return shown, least, most

    def judged(self, kind: ChangeKind = "difference") -> Judged:
        """Intervals and p-values of all changes of one kind, adjusted for their number.

        Parameters
        ----------
        kind : {"difference", "relative", "ratio", "log-odds"}

        Returns
        -------
        Judged

        Notes
        -----
        With a published side, intervals cover every value that its rounding allows, and p-values
        are the largest of those values.
        """
        level, null = self._conventions.level, NULL[kind]
        shown, *ends = self.together(kind)
        least, most = (end.estimate for end in ends)
        low, high = ends[0].ci(level)[:, 0], ends[1].ci(level)[:, 1]
        p_value = _largest([end.p_value(null) for end in ends], least, most, null)
        p_adjusted = adjusted(p_value, self._conventions.adjust)
        if self._conventions.adjust == "max-t":
            found = [max_t(shown, null, level=level, seed=self._conventions.seed)] * 2
            if ends[0] is not ends[1]:
                found = [max_t(e, null, level=level, seed=self._conventions.seed) for e in ends]
            if found[0] is not None and found[1] is not None:
                low = ends[0].estimate - found[0].critical * ends[0].se
                high = ends[1].estimate + found[1].critical * ends[1].se
                p_adjusted = _largest([f.p_values for f in found if f], least, most, null)
        return Judged(shown, low, high, least, most, p_value, p_adjusted)

    def series(self) -> Series:
        """The levels of all periods as one set of estimates, linked across breaks.

        Raises
        ------
        BreakInSeries
            A break lies among the periods, and nothing links the series.
        ValueError
            A published figure has no sampling error, as its number of answers is not known.
        """
        ordered = in_order(self.periods)
        lines = []
        for period, given in self._given.items():
            if isinstance(given, PublishedLevels):
                if given.source.n is None:
                    raise ValueError(
                        f"the figure published for {period} has no sampling error: say how many "
                        "answers it is from, as in Published('95 %', n=600, deff=1.4)"
                    )
                lines.append(f"{period} is published and taken as printed, {given.source.text}")
        levels = {
            period: linked(
                self.levels[period],
                breaks_between(period, ordered[-1], self._breaks, self.periods),
            )
            for period in ordered
        }
        return Series.of(levels, lines)

    def equivalence(
        self, margin: float, *, alpha: float = 0.05, kind: MarginKind = "difference"
    ) -> "Findings":
        """Test whether changes are smaller than a margin either way; see :mod:`equivalence`."""
        from steelyard.equivalence import check_margin, equivalence

        check_margin(self, margin, kind)
        return equivalence(self, -margin, margin, alpha, kind)

    def noninferiority(
        self,
        margin: float,
        *,
        better: Literal["higher", "lower"] = "higher",
        alpha: float = 0.05,
        kind: MarginKind = "difference",
    ) -> "Findings":
        """Test whether nothing got worse by more than a margin; see :mod:`equivalence`.

        Worse is lower, or with better="lower" higher.
        """
        from steelyard.equivalence import check_margin, equivalence

        check_margin(self, margin, kind)
        if better not in ("higher", "lower"):
            raise ValueError(f"better={better!r} is neither 'higher' nor 'lower'")
        infinite = float("inf")
        low, high = (-margin, infinite) if better == "higher" else (-infinite, margin)
        return equivalence(self, low, high, alpha, kind)

    def detectable(self, power: float = 0.8) -> "Findings":
        """Say which changes the design could have found; see :mod:`equivalence`."""
        from steelyard.equivalence import detectable

        return detectable(self, power, self._conventions.level)

    def between_groups(self, reference: str | int | bool, column: str | None = None) -> Estimates:
        """Differences in differences: how much more each group changed than a reference group.

        Parameters
        ----------
        reference : label
            The group that the others are compared with.
        column : str, optional
            The ``by=`` column it is a group of; not needed where there is one.

        Returns
        -------
        Estimates
            One a period, group other than the reference, and combination of other labels.

        Raises
        ------
        ValueError
            There are no groups, or several columns and none was named.
        LabelNotFound
            There is no such group.

        Examples
        --------
        >>> import steelyard as sy
        >>> waves = {
        ...     year: sy.Survey(
        ...         sy.datasets.simulate_evaluation(year),
        ...         weights="weight",
        ...         strata="stratum",
        ...         clusters="activity",
        ...     )
        ...     for year in (2022, 2023)
        ... }
        >>> change = sy.compare(waves, sy.mean("satisfaction"), by="modality")
        >>> more = change.between_groups("Distance")
        >>> more.labels.by["modality"]
        ['Blended - Distance', 'Face-to-face - Distance']
        """
        from steelyard.group_changes import between_groups

        return between_groups(self.comparable, reference, column)

    def average(
        self, weights: "Weighting" = "equal", periods: Sequence[Period] | None = None
    ) -> Estimates:
        """Average several periods, with the covariances of what they share; see :mod:`average`."""
        from steelyard.average import average

        return average(self.series(), weights, periods)

    def moving_average(self, window: int, weights: "Weighting" = "equal") -> Estimates:
        """Average `window` periods one after the other; see :mod:`average`."""
        from steelyard.average import moving_average

        return moving_average(self.series(), window, weights)

    def net_change(
        self, before: Sequence[Period], after: Sequence[Period], weights: "Weighting" = "equal"
    ) -> Estimates:
        """The average of later periods less that of earlier ones; see :mod:`average`."""
        from steelyard.average import net_change

        return net_change(self.series(), before, after, weights)

    def trend(
        self,
        degree: int = 1,
        *,
        times: Sequence[float] | None = None,
        weights: Literal["equal", "precision"] = "equal",
    ) -> "Findings":
        """Test for a linear trend, or with degree 2 a quadratic one; see :mod:`trend`."""
        from steelyard.trend import trend

        return trend(self.series(), degree, times, weights, self._conventions.level)

    def joinpoint(
        self, *, times: Sequence[float] | None = None, seed: int | None = None
    ) -> "Findings":
        """Look for the one period at which the trend changed; see :mod:`trend`."""
        from steelyard.trend import joinpoint

        draws = self._conventions.seed if seed is None else seed
        return joinpoint(self.series(), times, self._conventions.level, draws)

    def monotonicity(self, *, seed: int | None = None) -> "Findings":
        """Test whether the series rose every time, and whether it ever fell; see :mod:`trend`."""
        from steelyard.trend import monotonicity

        draws = self._conventions.seed if seed is None else seed
        return monotonicity(self.series(), self._conventions.level, draws)

    def plot(
        self, kind: Literal["dumbbell", "slope"] = "dumbbell", ax: "Axes | None" = None
    ) -> "Axes":
        """Draw the levels with their intervals: a dumbbell for each row, or lines over time.

        Needs matplotlib (``pip install "steelyard[plot]"``).
        """
        from steelyard.change_plots import plot_dumbbell, plot_slope

        if kind not in ("dumbbell", "slope"):
            raise ValueError(f"kind={kind!r} is neither 'dumbbell' nor 'slope'")
        return plot_dumbbell(self, ax) if kind == "dumbbell" else plot_slope(self, ax)

    def level_bounds(self, period: Period) -> Floats:
        """Intervals of the levels of a period; of a published one, over all its rounding allows.

        NaN where no sampling error is known.
        """
        given, level = self._given[period], self._conventions.level
        if isinstance(given, Estimates):
            return given.ci(level)
        if given.source.n is None:
            return np.full((len(given.printed), 2), np.nan)
        exact: IntervalMethod = "clopper-pearson"
        both = (given.lowest, given.highest)
        ends = [end.with_df("normal").ci(level, exact) for end in both]
        return np.column_stack([ends[0][:, 0], ends[1][:, 1]])

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return the table as a column of plain values a name.

        Columns `statistic` ("level", "difference", "relative change", "ratio", "log-odds change"),
        `period` and `base` stand before those of the estimates; `p_value` tests no change, and
        `p_adjusted` allows for the number of changes; `correlation` is that of the two levels, and
        `verdict` the difference in words.
        """
        table: dict[str, list[Cell]] = {}
        for period in self._given:
            append(table, self._level_block(period))
        kinds = _BLOCKS if all(all(c.of_shares) for c in self._changes) else _BLOCKS[:3]
        for kind in kinds:
            judged = self.judged(kind)
            words = self._words(judged) if kind == "difference" else None
            append(table, self._change_block(kind, judged, words))
        for change in self._changes:
            if change.refused is not None:
                append(table, refused_block(change))
        return table

    def __repr__(self) -> str:
        return text_table(self._shown(), self._footer())

    def _repr_html_(self) -> str:
        return html_table(self._shown(), self._footer())

    def _level_block(self, period: Period) -> dict[str, list[Cell]]:
        point, bounds = self.levels[period], self.level_bounds(period)
        table = point.to_dict()
        table["ci_low"], table["ci_high"] = cells(bounds[:, 0]), cells(bounds[:, 1])
        given = self._given[period]
        if isinstance(given, PublishedLevels):
            table["se"] = [None if given.source.n is None else se for se in table["se"]]
            table["df"] = [None] * len(point)
            table["note"] = [f"published, {given.source.text}"] * len(point)
        return block("level", period, None, table)

    def _change_block(
        self, kind: ChangeKind, judged: Judged, words: list[str | None] | None
    ) -> dict[str, list[Cell]]:
        table = judged.estimates.to_dict()
        periods = [c.period for c in self.comparable for _ in range(len(c.pair.after))]
        bases = [c.base for c in self.comparable for _ in range(len(c.pair.after))]
        correlation = np.concatenate([c.correlation for c in self.comparable])
        table |= {
            "ci_low": cells(judged.low),
            "ci_high": cells(judged.high),
            "p_value": cells(judged.p_value),
            "p_adjusted": cells(judged.p_adjusted),
            "correlation": cells(correlation),
            "verdict": [None] * len(periods) if words is None else list(words),
        }
        printed = [c.rounded is not None for c in self.comparable for _ in c.of_shares]
        note = [
            "published figures only: no sampling error is known"
            if only and np.isnan(judged.p_value[i])
            else text
            for i, (only, text) in enumerate(zip(printed, table.pop("note"), strict=True))
        ]
        del table["period"]
        size = len(periods)
        return {
            "statistic": [_BLOCK_NAME[kind]] * size,
            "period": [period_cell(period) for period in periods],
            "base": [period_cell(base) for base in bases],
            **table,
            "note": note,
        }

    def _shown(self) -> dict[str, list[Cell]]:
        """The table for people: a row a period and estimate, shares in per cent."""
        rows: list[dict[str, Cell]] = []
        found = self.judged("difference")
        verdicts = iter(self._words(found))
        position = 0
        by_period = {change.period: change for change in self._changes}
        published = {p for p, level in self._given.items() if isinstance(level, PublishedLevels)}
        for period, level in self.levels.items():
            change = by_period.get(period)
            of_row = {}
            if change is not None and change.refused is None:
                for key in change.pair.after.labels.keys():  # noqa: SIM118
                    of_row[key] = (position, next(verdicts))
                    position += 1
            bounds = self.level_bounds(period)
            for i, key in enumerate(level.labels.keys()):
                row = level_row(period, level, i, bounds[i], period in published)
                row |= difference_cells(change, found, of_row.get(key), row)
                rows.append(row)
        found_names = dict.fromkeys(name for row in rows for name in row)
        last = ("%", "value", "interval", "n", "change", "p", "note")  # figures stand together
        names = [n for n in found_names if n not in last] + [n for n in last if n in found_names]
        return {name: [row.get(name) for row in rows] for name in names}

    def _footer(self) -> list[str]:
        conventions = self._conventions
        lines = [
            f"only in {period}, so without a change: {', '.join(labels)}"
            for period, labels in unmatched(self.levels).items()
            if labels
        ]
        lines += [overlap_text(change) for change in self.comparable]
        lines += [
            f"{period} is published, {given.source.text}"
            for period, given in self._given.items()
            if isinstance(given, PublishedLevels)
        ]
        crossed = dict.fromkeys(
            each
            for change in self._changes
            for each in breaks_between(change.base, change.period, self._breaks, self.periods)
        )
        lines += [
            f"linked across the {b.text}; {b.link.source}: {b.link.text}"
            for b in crossed
            if b.link is not None
        ]
        lines.append(
            f"changes: {100 * conventions.level:g}% intervals, "
            + ("simultaneous" if conventions.adjust == "max-t" else "each on its own")
            + f"; p-values {TEXT[conventions.adjust]}"
        )
        first = next((x for x in self._given.values() if isinstance(x, Estimates)), None)
        if first is None:
            return lines
        return lines + [f"{name}: {text}" for name, text in first.conventions.items()]


def _largest(p_values: Sequence[Floats], least: Floats, most: Floats, null: float) -> Floats:
    """The largest p-value within a rounding; 1 where it leaves open on which side the change is."""
    result = np.maximum(*p_values)
    open_ended = (least < null) & (null < most) & np.isfinite(result)
    return np.where(open_ended, 1.0, result)


def printed_of(levels: Estimates | PublishedLevels) -> Estimates:
    """Estimates of a wave; of published figures, as they were printed."""
    return levels.printed if isinstance(levels, PublishedLevels) else levels
