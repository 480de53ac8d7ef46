"""A series: the levels of several periods as one set of estimates, with all covariances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from steelyard.estimates import Estimates
from steelyard.evidence import Evidence, Floats
from steelyard.labels import Labels
from steelyard.levels import Level
from steelyard.period import Period
from steelyard.propagation import join
from steelyard.provenance import merged

Key = tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """Levels of periods, and where each estimate stands in each of them.

    `conventions` are lines to be said under whatever is made of the series.
    """

    levels: Mapping[Period, Estimates]
    rows: Mapping[Key, Mapping[Period, int]]
    conventions: tuple[str, ...] = ()

    @classmethod
    def of(cls, levels: Mapping[Period, Estimates], conventions: Sequence[str] = ()) -> "Series":
        """Put the levels of several periods together."""
        rows: dict[Key, dict[Period, int]] = {}
        for period, estimates in levels.items():
            for i, key in enumerate(estimates.labels.keys()):
                rows.setdefault(key, {})[period] = i
        return cls(levels, rows, tuple(conventions))

    @property
    def periods(self) -> tuple[Period, ...]:
        """The periods, in the order given."""
        return tuple(self.levels)

    def known(self, key: Key) -> list[Period]:
        """The periods in which an estimate has a value and an error."""
        return [
            period
            for period, row in self.rows[key].items()
            if np.isfinite(self.levels[period].estimate[row])
            and np.isfinite(self.levels[period].se[row])
        ]

    @property
    def joint(self) -> Estimates:
        """All levels as one set of estimates with their joint covariance."""
        return stacked(self.levels)

    def of_one(self, key: Key, periods: Sequence[Period]) -> Estimates:
        """One estimate in some periods, with their covariances and no other period's units."""
        return stacked({p: self.levels[p].rows([self.rows[key][p]]) for p in periods})

    def combined(
        self, key: Key, periods: Sequence[Period], coefficients: Floats, names: Sequence[str]
    ) -> Estimates:
        """Linear combinations of one estimate's levels, each with a name in the column `period`."""
        joint = self.of_one(key, periods)
        *groups, variable, level, _ = key
        size = len(coefficients)
        columns = [name for name in joint.labels.by if name != "period"]
        by: dict[str, list[Level]] = {"period": list(names)}
        by |= {name: [group] * size for name, group in zip(columns, groups, strict=True)}
        labels = Labels(by, [str(variable)] * size, [level] * size, ["contrast"] * size)
        evidence = joint.evidence.of_functions(coefficients)
        if all(self.levels[period].evidence.df is None for period in periods):
            evidence = replace(evidence, df=None)  # those of the units of these periods
        core = joint.core.contrast(np.ascontiguousarray(coefficients))
        return Estimates(core, labels, evidence, joint.presentation)


def stacked(levels: Mapping[Period, Estimates]) -> Estimates:
    """Estimates of several periods as one set, told apart by a column `period`."""
    return together([in_period(period, part) for period, part in levels.items()])


def in_period(period: Period, estimates: Estimates) -> Estimates:
    """The same estimates with a column `period` among their labels."""
    label: Level = period if isinstance(period, int | str) else str(period)
    old = estimates.labels
    by: dict[str, list[Level]] = {"period": [label] * len(old)}
    labels = Labels(by | dict(old.by), old.variable, old.level, old.kind)
    return Estimates(estimates.core, labels, estimates.evidence, estimates.presentation)


def together(parts: Sequence[Estimates]) -> Estimates:
    """Estimates one set below the other, with the covariances of what they share.

    Each keeps its own degrees of freedom.
    """
    core = parts[0].core
    for part in parts[1:]:
        core = join(core, part.core)
    columns = list(dict.fromkeys(name for part in parts for name in part.labels.by))
    labels = Labels(
        {
            name: [x for part in parts for x in part.labels.by.get(name, [None] * len(part))]
            for name in columns
        },
        [x for part in parts for x in part.labels.variable],
        [x for part in parts for x in part.labels.level],
        [x for part in parts for x in part.labels.kind],
    )
    evidence = Evidence.stacked([part.evidence for part in parts])
    if len(parts) > 1:
        evidence = replace(evidence, df=np.concatenate([p.degrees_of_freedom() for p in parts]))
    conventions: dict[str, str] = {}
    for part in parts:
        conventions |= part.presentation.conventions
    sources = reduce(merged, [part.presentation.sources for part in parts])
    shown = replace(parts[0].presentation, conventions=conventions, sources=sources)
    return Estimates(core, labels, evidence, shown)


def label_text(key: Key) -> str:
    """The labels of an estimate in words, without its kind."""
    return " / ".join(str(part) for part in key[:-1] if part is not None)
