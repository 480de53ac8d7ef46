"""How near a weighted sample comes to what it stands for, before and after weighting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from steelyard.columns import Columns
from steelyard.errors import DesignMismatch, NotNumeric
from steelyard.levels import Level
from steelyard.render import html_table, text_table
from steelyard.table import Cell, Table, cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Balance(Table):
    """Means and shares of a sample before and after weighting, beside those it stands for.

    Made by :meth:`Weighting.balance`. Differences are over the standard deviation in the whole
    sample by base weights: below 0.1 they are usually taken for small.

    Attributes
    ----------
    variable, level : list
        What each row is of.
    target, before, after, sd : array of float
        Means, or shares of levels.
    """

    variable: list[str]
    level: list[Level]
    target: Floats
    before: Floats
    after: Floats
    sd: Floats

    @property
    def difference_before(self) -> Floats:
        """Standardised differences from the target by the weights before."""
        return self._standardised(self.before)

    @property
    def difference_after(self) -> Floats:
        """Standardised differences from the target by the weights after."""
        return self._standardised(self.after)

    def _standardised(self, means: Floats) -> Floats:
        distance = means - self.target
        # What was met but for rounding differs by nothing.
        size = np.maximum(np.abs(self.target), self.sd)
        distance[np.abs(distance) <= 1e-12 * size] = 0
        none = np.where(distance == 0, 0.0, np.nan)
        return np.divide(distance, self.sd, out=none, where=self.sd > 0)

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return one row a mean or share."""
        return {
            "variable": list(self.variable),
            "level": list(self.level),
            "target": cells(self.target),
            "before": cells(self.before),
            "after": cells(self.after),
            "difference_before": cells(self.difference_before),
            "difference_after": cells(self.difference_after),
        }

    def __repr__(self) -> str:
        return text_table(self.to_dict(), [_FOOTER])

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), [_FOOTER])

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the differences before and after, a line each (love plot).

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib Axes
        """
        from steelyard.plots import plot_balance

        return plot_balance(self, ax)


_FOOTER = "difference: from the target, in standard deviations of the whole sample by base weights"


def balance_of(
    columns: Columns,
    variables: Sequence[str],
    against: Mapping[str, float | Mapping[Level, float]],
    base: Floats,
    after: Floats,
) -> Balance:
    """Compare means by three sets of weights.

    `against` holds known means, and shares of levels; other targets are those of all rows by
    `base`.
    """
    kept = np.where(after != 0, base, 0.0)
    names = list(dict.fromkeys([*variables, *against]))
    categorical = frozenset(
        name
        for name in names
        if isinstance(against.get(name), Mapping) or not _is_numeric(columns, name)
    )
    whole, before, now = (_Moments(columns, w, categorical) for w in (base, kept, after))
    rows: list[tuple[str, Level, float, float, float, float]] = []
    for name in names:
        levels = columns.factor(name).levels if name in categorical else (None,)
        known = _targets(name, levels, against.get(name))
        for level in levels:
            mean, sd = whole.of(name, level)
            target = mean if known is None else known[level]
            found = before.of(name, level)[0], now.of(name, level)[0]
            rows.append((name, level, target, *found, sd))
    numbers = np.array([row[2:] for row in rows], dtype=np.float64).reshape(len(rows), 4)
    return Balance([row[0] for row in rows], [row[1] for row in rows], *numbers.T.copy())


def _is_numeric(columns: Columns, name: str) -> bool:
    try:
        columns.numbers(name)
    except NotNumeric:
        return False
    return True


def _targets(
    name: str, levels: tuple[Level, ...], known: float | Mapping[Level, float] | None
) -> dict[Level, float] | None:
    """What is known of a column: its mean, or the share of each level."""
    if known is None:
        return None
    if not isinstance(known, Mapping):
        if levels != (None,):
            raise DesignMismatch(f"against= needs a share for each level of {name!r}")
        if not np.isfinite(known):
            raise DesignMismatch(f"against= has {known} for the mean of {name!r}")
        return {None: float(known)}
    absent = [level for level in levels if level not in known]
    if absent:
        raise DesignMismatch(f"against= has no share of {name} {absent[0]!r}")
    idle = [level for level in known if level not in levels]
    if idle:
        raise DesignMismatch(f"against= has a share of {name} {idle[0]!r}, which does not occur")
    total = sum(known.values())
    if not (np.isfinite(total) and total > 0 and min(known.values()) >= 0):
        raise DesignMismatch(f"against= of {name!r}: shares are at least 0, one above it")
    return {level: share / total for level, share in known.items()}


class _Moments:
    """Means of columns by one set of weights, of which some may be negative."""

    def __init__(self, columns: Columns, weights: Floats, categorical: frozenset[str]) -> None:
        self._columns = columns
        self._weights = weights
        self._categorical = categorical

    def of(self, name: str, level: Level) -> tuple[float, float]:
        """Mean and standard deviation of a column, or of the indicator of a level."""
        if name not in self._categorical:
            values = self._columns.numbers(name).astype(np.float64)
            known = np.isfinite(values)
        else:
            factor = self._columns.factor(name)
            codes = factor.codes.to_numpy()
            known = codes >= 0
            values = (codes == factor.levels.index(level)).astype(np.float64)
        w, y = self._weights[known], values[known]
        mean = float((w * y).sum() / w.sum())
        n = int((w != 0).sum())
        spread = float((w * (y - mean) ** 2).sum() / w.sum()) * n / max(1, n - 1)
        return mean, float(np.sqrt(max(0.0, spread)))
