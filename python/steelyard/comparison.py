"""Change over time: waves of a survey compared with all their covariances."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from steelyard import _core
from steelyard.errors import EmptyDomain, nearest_text
from steelyard.estimates import Estimates
from steelyard.render import html_table, text_table
from steelyard.statistic import Statistic
from steelyard.survey import Survey
from steelyard.table import Cell, Table, cells

Period: TypeAlias = int | str
P = TypeVar("P", bound=Period)
Wave: TypeAlias = Survey | Estimates


@dataclass(frozen=True, slots=True)
class Change:
    """One period against the base: rows both have, and the units they share."""

    period: Period
    difference: Estimates
    ratio: Estimates
    shared_units: int
    shared_share: float
    by_unit: bool
    of_replicates: bool


class Comparison(Table):
    """Levels of each period and their changes from the base.

    Made by :func:`compare`. Differences are in the units of the estimates (0.031 is 3.1 percentage
    points); ratios are of the period to the base.
    """

    def __init__(self, levels: Mapping[P, Estimates], base: P, changes: list[Change]) -> None:
        self._levels: dict[Period, Estimates] = dict(levels.items())
        self._base = base
        self._changes = changes
        self._unmatched = _unmatched(self._levels)

    @property
    def base(self) -> Period:
        """The period that the others are compared with."""
        return self._base

    @property
    def levels(self) -> dict[Period, Estimates]:
        """The estimates of each period, as they are on their own."""
        return dict(self._levels)

    @property
    def changes(self) -> tuple[Change, ...]:
        """Each period against the base."""
        return tuple(self._changes)

    @property
    def differences(self) -> dict[Period, Estimates]:
        """Period minus base."""
        return {change.period: change.difference for change in self._changes}

    @property
    def ratios(self) -> dict[Period, Estimates]:
        """Period over base."""
        return {change.period: change.ratio for change in self._changes}

    @property
    def overlap(self) -> dict[Period, int]:
        """Units (clusters of the same name) that each period shares with the base."""
        return {change.period: change.shared_units for change in self._changes}

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return the table as a column of plain values a name.

        Columns `statistic` ("level", "difference", "ratio"), `period` and `base` stand before those
        of the estimates; `p_value` tests no change.
        """
        table: dict[str, list[Cell]] = {}
        for period, level in self._levels.items():
            _append(table, _part("level", period, None, level, None))
        for change in self._changes:
            base = self._base
            _append(table, _part("difference", change.period, base, change.difference, 0.0))
        for change in self._changes:
            _append(table, _part("ratio", change.period, self._base, change.ratio, 1.0))
        return table

    def __repr__(self) -> str:
        return text_table(self.to_dict(), self._footer())

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), self._footer())

    def _footer(self) -> list[str]:
        lines = [
            f"only in {period}, so without a change: {', '.join(labels)}"
            for period, labels in self._unmatched.items()
            if labels
        ] + [self._overlap_text(change) for change in self._changes]
        first = next(iter(self._levels.values()))
        return lines + [f"{name}: {text}" for name, text in first.conventions.items()]

    def _overlap_text(self, change: Change) -> str:
        if not change.by_unit:
            return (
                f"{change.period} and {self._base} are compared as independent samples: there are "
                "too many rows to keep what each adds; name clusters to find shared units"
            )
        if change.of_replicates:
            return (
                f"{change.period} and {self._base} are compared as independent samples: replicates "
                "do not tell which units are shared; without them, clusters of one name do"
            )
        text = (
            f"{change.period} shares {change.shared_units:,} units with {self._base} "
            f"({change.shared_share:.0%} of its own)"
        )
        return text if change.shared_units else f"{text}: compared as independent samples"


def compare(
    waves: Mapping[P, Wave],
    statistic: Statistic | Callable[[Survey], Estimates] | None = None,
    *,
    base: P | None = None,
) -> Comparison:
    """Compare waves of a survey: levels, differences and ratios, with their covariances.

    Parameters
    ----------
    waves : mapping from period to Survey or Estimates
        In the order to be shown.
    statistic : Statistic or callable, optional
        What to estimate in each Survey: for example ``sy.mean("hours")``, or
        ``lambda s: s.proportion("relevance", positive=[...], by="modality")``. Not needed where
        all waves are Estimates.
    base : period, optional
        What the others are compared with; the first if not given.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        Fewer than two waves, or a base that is not one of them.
    TypeError
        A wave is a Survey and no statistic was given.
    EmptyDomain
        Two waves have no estimate in common.

    Notes
    -----
    Clusters with the same name are the same unit: their deviations are aligned, and what they share
    is the covariance of the two waves. Waves that share none are independent. Each wave keeps its
    own level and standard error. Degrees of freedom of a change are units minus strata over both
    waves, shared units counted once.

    Examples
    --------
    >>> import steelyard as sy
    >>> waves = {
    ...     year: sy.Survey(
    ...         sy.datasets.simulate_evaluation(year),
    ...         weights="weight",
    ...         strata="stratum",
    ...         clusters="activity",
    ...         fpc="activities_in_stratum",
    ...     )
    ...     for year in (2022, 2023)
    ... }
    >>> change = sy.compare(waves, sy.mean("satisfaction"))
    >>> change.overlap
    {2023: 12}
    """
    if not isinstance(waves, Mapping):
        raise TypeError("waves= maps each period to a Survey: compare({2022: svy22, 2023: svy23})")
    for period, wave in waves.items():
        if not isinstance(wave, Survey | Estimates):
            raise TypeError(f"{period!r} is a {type(wave).__name__}: make a Survey of it first")
    if len(waves) < 2:
        raise ValueError("compare needs at least two waves")
    first = next(iter(waves)) if base is None else base
    if first not in waves:
        raise ValueError(f"base {first!r} is not a wave.{nearest_text(first, list(waves))}")
    levels = {period: _level(wave, statistic) for period, wave in waves.items()}
    rules = dict.fromkeys(str(level.presentation.df) for level in levels.values())
    if len(rules) > 1:
        raise ValueError(
            f"the waves follow different rules for degrees of freedom ({', '.join(rules)}): make "
            "their Surveys with one df="
        )
    changes = [
        _change(period, levels[first], estimates)
        for period, estimates in levels.items()
        if period != first
    ]
    return Comparison(levels, first, changes)


def _level(wave: Wave, statistic: Statistic | Callable[[Survey], Estimates] | None) -> Estimates:
    if isinstance(wave, Estimates):
        return wave
    if statistic is None:
        raise TypeError("say what to compare: a wave is a Survey, and no statistic was given")
    if isinstance(statistic, Statistic):
        return wave.estimate(statistic)
    if not callable(statistic):
        raise TypeError(
            f"statistic={statistic!r} is neither a statistic, such as sy.mean('hours'), nor a "
            "function of a Survey"
        )
    return statistic(wave)


def _change(period: Period, base: Estimates, wave: Estimates) -> Change:
    position = {key: i for i, key in enumerate(wave.labels.keys())}
    pairs = [(i, position[key]) for i, key in enumerate(base.labels.keys()) if key in position]
    if not pairs:
        raise EmptyDomain(f"the estimates of {period!r} have no label in common with the base")
    before = base.rows([i for i, _ in pairs])
    after = wave.rows([j for _, j in pairs])
    shared = _core.shared_units(before.core, after.core)
    return Change(
        period,
        difference=after - before,
        ratio=after / before,
        shared_units=shared,
        shared_share=shared / max(1, after.core.counted_units),
        by_unit=before.core.by_unit and after.core.by_unit,
        of_replicates=before.presentation.replicated or after.presentation.replicated,
    )


def _unmatched(levels: Mapping[Period, Estimates]) -> dict[Period, list[str]]:
    """Labels of the rows that not every period has."""
    keys = {period: estimates.labels.keys() for period, estimates in levels.items()}
    common = set.intersection(*(set(each) for each in keys.values()))
    return {
        period: [
            " / ".join(str(part) for part in key[:-1] if part is not None)
            for key in each
            if key not in common
        ]
        for period, each in keys.items()
    }


def _part(
    statistic: str,
    period: Period,
    base: Period | None,
    estimates: Estimates,
    null: float | None,
) -> dict[str, list[Cell]]:
    """One block of the table: the same statistic, period and base in every row."""
    size = len(estimates)
    table = estimates.to_dict()
    note = table.pop("note")
    p_values = None if null is None else estimates.p_value(null)
    return {
        "statistic": [statistic] * size,
        "period": [period] * size,
        "base": [base] * size,
        **table,
        "p_value": [None] * size if p_values is None else cells(p_values),
        "note": note,
    }


def _append(table: dict[str, list[Cell]], part: dict[str, list[Cell]]) -> None:
    """Add a block below; a column that only one of them has is empty in the other."""
    rows = len(next(iter(table.values()), []))
    more = len(part["statistic"])
    for name in [*table, *(name for name in part if name not in table)]:
        table.setdefault(name, [None] * rows).extend(part.get(name, [None] * more))
