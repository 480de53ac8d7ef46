"""A series: the levels of several periods as one set of estimates, with all covariances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from steelyard.estimates import Estimates
from steelyard.evidence import Evidence, Floats
from steelyard.labels import Labels
from steelyard.levels import Level
from steelyard.period import Period
from steelyard.propagation import join

Key = tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """Levels of periods, one below the other, and the row of each estimate in each period."""

    periods: tuple[Period, ...]
    joint: Estimates
    rows: Mapping[Key, Mapping[Period, int]]

    @classmethod
    def of(cls, levels: Mapping[Period, Estimates]) -> "Series":
        """Put the levels of several periods together."""
        rows: dict[Key, dict[Period, int]] = {}
        below = 0
        for period, estimates in levels.items():
            for i, key in enumerate(estimates.labels.keys()):
                rows.setdefault(key, {})[period] = below + i
            below += len(estimates)
        return cls(tuple(levels), stacked(levels), rows)

    def known(self, key: Key) -> tuple[list[Period], list[int]]:
        """The periods in which an estimate has a value and an error, and its rows."""
        errors, values = self.joint.se, self.joint.estimate
        found = [
            (period, row)
            for period, row in self.rows[key].items()
            if np.isfinite(values[row]) and np.isfinite(errors[row])
        ]
        return [period for period, _ in found], [row for _, row in found]

    def combined(
        self, key: Key, rows: Sequence[int], coefficients: Floats, names: Sequence[str], kind: str
    ) -> Estimates:
        """Linear combinations of one estimate's levels, each with a name in the column `period`."""
        wide = np.zeros((len(coefficients), len(self.joint)))
        wide[:, list(rows)] = coefficients
        *groups, variable, level, own_kind = key
        size = len(coefficients)
        columns = [name for name in self.joint.labels.by if name != "period"]
        by: dict[str, list[Level]] = {"period": list(names)}
        by |= {name: [group] * size for name, group in zip(columns, groups, strict=True)}
        labels = Labels(by, [str(variable)] * size, [level] * size, [kind or str(own_kind)] * size)
        evidence = self.joint.evidence.of_functions(wide)
        return Estimates(self.joint.core.contrast(wide), labels, evidence, self.joint.presentation)


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
    """Estimates one set below the other, with the covariances of what they share."""
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
    conventions: dict[str, str] = {}
    for part in parts:
        conventions |= part.presentation.conventions
    shown = replace(parts[0].presentation, conventions=conventions)
    return Estimates(core, labels, Evidence.stacked([part.evidence for part in parts]), shown)


def label_text(key: Key) -> str:
    """The labels of an estimate in words, without its kind."""
    return " / ".join(str(part) for part in key[:-1] if part is not None)
