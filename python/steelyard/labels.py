"""What each estimate is of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from steelyard.levels import Level

SHARES = ("proportion", "cdf")  # kinds between 0 and 1, whose intervals are those of proportions


@dataclass(frozen=True, slots=True)
class Labels:
    """What each estimate is of: a value of every `by` column, a variable, a level and a kind."""

    by: Mapping[str, list[Level]]
    variable: list[str]
    level: list[Level]
    kind: list[str]

    def __len__(self) -> int:
        return len(self.variable)

    def select(self, rows: Sequence[int]) -> "Labels":
        """Keep some rows."""
        return Labels(
            {name: [values[i] for i in rows] for name, values in self.by.items()},
            [self.variable[i] for i in rows],
            [self.level[i] for i in rows],
            [self.kind[i] for i in rows],
        )

    def columns(self) -> dict[str, list[Level]]:
        """Label columns as they are shown: a level only where there is one."""
        shown: dict[str, list[Level]] = {name: list(values) for name, values in self.by.items()}
        shown["variable"] = list(self.variable)
        if any(level is not None for level in self.level):
            shown["level"] = list(self.level)
        return shown

    def keys(self) -> list[tuple[Level, ...]]:
        """Everything that tells one row from another, as a tuple a row."""
        return list(zip(*self.by.values(), self.variable, self.level, self.kind, strict=True))

    def holds(self, row: int, label: Level) -> bool:
        """Does any label of the row equal this one?"""
        mine = [values[row] for values in self.by.values()]
        return any(_same(label, own) for own in (*mine, self.variable[row], self.level[row]))

    def joined(self, other: "Labels", symbol: str, kind: str) -> "Labels":
        """Labels of a combination of two sets of estimates: what differs is spelt out."""

        def both(mine: Sequence[Level], theirs: Sequence[Level]) -> list[Level]:
            pairs = zip(mine, theirs, strict=True)
            return [a if _same(a, b) else f"{enclosed(a)} {symbol} {enclosed(b)}" for a, b in pairs]

        common = [name for name in self.by if name in other.by]
        return Labels(
            {name: both(self.by[name], other.by[name]) for name in common},
            [str(v) for v in both(self.variable, other.variable)],
            both(self.level, other.level),
            [kind] * len(self),
        )


def enclosed(label: Level) -> str:
    """Put brackets around a label that is a combination itself."""
    text = str(label)
    return f"({text})" if any(f" {symbol} " in text for symbol in ("-", "/", "*", "**")) else text


def _same(a: Level, b: Level) -> bool:
    return a == b and isinstance(a, bool) == isinstance(b, bool)
