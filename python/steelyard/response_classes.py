"""Weighting classes for nonresponse, merged until each can carry its share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from steelyard import _core
from steelyard.levels import Level
from steelyard.render import html_table, text_table
from steelyard.table import Cell, Table

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ResponseClasses(Table):
    """Weighting classes, with their response.

    Attributes
    ----------
    codes : Codes
        The class of each row.
    labels : tuple
        Of each class, the combinations of levels that it is made of.
    rows, responded : tuple of int
        Rows that could respond, and that did.
    rates : tuple of float
        Weighted response rates.
    """

    codes: _core.Codes
    labels: tuple[tuple[tuple[Level, ...], ...], ...]
    rows: tuple[int, ...]
    responded: tuple[int, ...]
    rates: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Each class in words."""
        return tuple(
            " + ".join("/".join(str(level) for level in label) for label in merged) or "all"
            for merged in self.labels
        )

    @property
    def merged_text(self) -> str:
        """Which combinations were merged, in words."""
        merged = [
            name for name, parts in zip(self.names, self.labels, strict=True) if len(parts) > 1
        ]
        return f"; merged: {', '.join(merged)}" if merged else ""

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return one row a class."""
        return {
            "class": list(self.names),
            "rows": list(self.rows),
            "responded": list(self.responded),
            "response_rate": list(self.rates),
        }

    def __repr__(self) -> str:
        return text_table(self.to_dict(), ["response_rate: weighted"])

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), ["response_rate: weighted"])


@dataclass
class _Class:
    """A class while classes are merged."""

    members: list[int]
    labels: list[tuple[Level, ...]]
    rows: int
    responded: int
    weight: float
    response: float

    @property
    def rate(self) -> float:
        return self.response / self.weight if self.weight > 0 else 0.0

    def take(self, other: "_Class") -> None:
        self.members += other.members
        self.labels += other.labels
        self.rows += other.rows
        self.responded += other.responded
        self.weight += other.weight
        self.response += other.response


def response_classes(
    codes: _core.Codes,
    labels: Sequence[tuple[Level, ...]],
    weights: Floats,
    answered: npt.NDArray[np.bool_],
    minimum: int,
    most: float,
) -> ResponseClasses:
    """Count response in classes, and merge those with too little of it.

    The class with the fewest respondents, of those with fewer than `minimum` or a factor above
    `most`, is merged with the one nearest in response rate among those that share most of its
    leading labels; then again, until none is left or only one class is.
    """
    every = codes.to_numpy()
    size = len(labels)
    inside = every >= 0
    own = every[inside]

    def sums(values: npt.NDArray[np.generic]) -> Floats:
        found = np.zeros(size)
        np.add.at(found, own, values[inside])
        return found

    rows, responded = sums(np.ones(len(every))), sums(answered)
    weight, response = sums(weights), sums(weights * answered)
    classes = [
        _Class([i], [label], int(rows[i]), int(responded[i]), float(weight[i]), float(response[i]))
        for i, label in enumerate(labels)
    ]
    while len(classes) > 1:
        poor = [c for c in classes if c.responded < minimum or c.rate * most < 1]
        if not poor:
            break
        worst = min(poor, key=lambda c: (c.responded, c.labels))
        classes.remove(worst)
        _nearest(worst, classes).take(worst)
    renumbered = np.full(size + 1, -1, dtype=np.int32)
    for code, merged in enumerate(classes):
        renumbered[merged.members] = code
    return ResponseClasses(
        _core.Codes(renumbered[every], len(classes)),
        tuple(tuple(merged.labels) for merged in classes),
        tuple(merged.rows for merged in classes),
        tuple(merged.responded for merged in classes),
        tuple(merged.rate for merged in classes),
    )


def _nearest(worst: _Class, others: Sequence[_Class]) -> _Class:
    def shared(other: _Class) -> int:
        """Leading labels that both have."""
        return max(
            next(
                (i for i, (a, b) in enumerate(zip(x, y, strict=True)) if a != b),
                len(x),
            )
            for x in worst.labels
            for y in other.labels
        )

    return min(others, key=lambda other: (-shared(other), abs(other.rate - worst.rate)))
