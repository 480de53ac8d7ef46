"""How near a weighted sample comes to what it stands for, before and after weighting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from steelyard import _core
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
        none = np.where(np.abs(distance) <= 1e-12 * np.abs(self.target), 0.0, np.nan)
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
    every = [_Moments(columns, weights) for weights in (base, kept, after)]
    whole, before, now = every
    rows: list[tuple[str, Level, float, float, float, float]] = []
    for name in dict.fromkeys([*variables, *against]):
        known = against.get(name)
        for level in _levels(columns, name):
            mean, sd = whole.of(name, level)
            target = mean if known is None else _known(name, level, known)
            rows.append(
                (name, level, target, before.of(name, level)[0], now.of(name, level)[0], sd)
            )
    numbers = np.array([row[2:] for row in rows], dtype=np.float64).reshape(len(rows), 4)
    return Balance([row[0] for row in rows], [row[1] for row in rows], *numbers.T.copy())


def _levels(columns: Columns, name: str) -> tuple[Level, ...]:
    """The levels of a column in words or categories; None alone for numbers."""
    try:
        columns.numbers(name)
    except NotNumeric:
        return columns.factor(name).levels
    return (None,)


def _known(name: str, level: Level, known: float | Mapping[Level, float]) -> float:
    if isinstance(known, Mapping):
        if level not in known:
            raise DesignMismatch(f"against= has no share of {name} {level!r}")
        total = sum(known.values())
        return known[level] / total
    if level is not None:
        raise DesignMismatch(f"against= needs a share for each level of {name!r}")
    return float(known)


class _Moments:
    """Means and standard deviations of columns by one set of weights."""

    def __init__(self, columns: Columns, weights: Floats) -> None:
        self._columns = columns
        stage = _core.Stage(None, None, "", None)
        values = np.ascontiguousarray(weights)
        self._design = _core.Design(
            len(columns), "weights", np.abs(values), [stage], "certainty", None, "equal"
        )
        self._found: dict[str, tuple[Floats, Floats]] = {}

    def of(self, name: str, level: Level) -> tuple[float, float]:
        if name not in self._found:
            self._found[name] = self._read(name)
        means, sds = self._found[name]
        at = 0 if level is None else self._columns.factor(name).levels.index(level)
        return float(means[at]), float(sds[at])

    def _read(self, name: str) -> tuple[Floats, Floats]:
        try:
            values = self._columns.numbers(name)
        except NotNumeric:
            factor = self._columns.factor(name)
            shares = self._estimate([_core.proportion(factor.codes, np.eye(len(factor.levels)))])
            return shares, np.sqrt(shares * (1 - shares))
        mean = _core.mean(name, values)
        sd = _core.moment("sd", [name], [values], self._design, None)
        found = self._estimate([mean, sd])
        return found[:1], found[1:]

    def _estimate(self, estimators: list[_core.Estimator]) -> Floats:
        nothing = np.zeros(0, dtype=np.uint64)
        keys = _core.SampleKeys(0, nothing, nothing)
        return _core.estimate(self._design, keys, None, estimators).estimates.values
