"""The floor: each estimate and its standard error in plain NumPy, one thread, nothing checked.

It reads the same columns, and has what the other tools have in a warm design or a warm `by`
column: the unit of each row, the stratum of each row, and a code for each answer and group. It
relies on what is known of the data: no value is missing, and all strata have as many units.
Scratch arrays are kept between calls, so that no time goes into fresh pages of memory.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from . import job
from .data import ANSWERS, DOMAINS, GROUPS, SCORES, STRATA
from .job import Answer, Job, Label, Tool, ready

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
Pair = tuple[Floats, Floats]


def floor_tool(frame: pl.DataFrame) -> Tool:
    """There is no floor for text ids: NumPy cannot hash text."""
    floor = Floor(frame)
    score, other = SCORES[:2]
    groups = [(group, score) for group in GROUPS]
    levels = [(domain, "answer", answer) for domain in DOMAINS for answer in ANSWERS]
    jobs = {
        job.CONSTRUCTION_INTEGER: Job(
            ready(floor), Floor.check_design, lambda _: _as_answer([(score,)], floor.mean(score))
        ),
        job.MEAN: _job(floor, lambda f: f.mean(score), [(score,)]),
        job.MEAN_BY_GROUP: _job(floor, lambda f: f.mean_by_group(score), groups),
        job.TEN_MEANS: _job(floor, lambda f: f.means(SCORES), [(name,) for name in SCORES]),
        job.RATIO: _job(floor, lambda f: f.ratio(score, other), [(f"{score}/{other}",)]),
        job.PROPORTION: _job(floor, Floor.proportion_by_domain, levels),
        job.MEAN_ELEMENTS: _job(floor, lambda f: f.mean_of_elements(score), [(score,)]),
    }
    return Tool("floor", np.__version__, jobs)


class Floor:
    """Columns and codes, and what can be computed from them."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.weight = frame["weight"].to_numpy()
        self.columns = {name: frame[name].to_numpy() for name in SCORES}
        self.stratum = _codes(frame["stratum_id"])
        self.unit = _codes(frame["unit_id"])
        self.group = _codes(frame["group"].cast(pl.Enum(GROUPS)).to_physical())
        self.domain = _codes(frame["domain"].cast(pl.Enum(DOMAINS)).to_physical())
        self.answer = _codes(frame["answer"].cast(pl.Enum(ANSWERS)).to_physical())
        self.units = int(self.unit.max()) + 1
        self.scratch = np.empty_like(self.weight)
        self.cell = np.empty_like(self.unit)
        self.rows_in_stratum = _sums(self.stratum, np.ones(len(self.stratum)), STRATA)

    def check_design(self) -> bool:
        """Is every weight usable, no unit left out, and every unit in one stratum?"""
        stratum_of_unit = np.empty(self.units, dtype=np.intp)
        stratum_of_unit[self.unit] = self.stratum
        np.take(stratum_of_unit, self.unit, out=self.cell, mode="clip")
        return bool(
            np.isfinite(self.weight).all()
            and self.weight.min() >= 0
            and np.bincount(self.unit, minlength=self.units).all()
            and np.array_equal(self.cell, self.stratum)
        )

    def mean(self, name: str) -> Pair:
        return self._one_ratio(self.columns[name], None)

    def ratio(self, numerator: str, denominator: str) -> Pair:
        return self._one_ratio(self.columns[numerator], self.columns[denominator])

    def means(self, names: Sequence[str]) -> Pair:
        weight = self._by_unit(self.weight)
        totals = [self._by_unit(self._weighted(name)) for name in names]
        return _ratios(np.column_stack(totals), weight[:, None])

    def mean_by_group(self, name: str) -> Pair:
        cell, shape = self._cross((self.group, len(GROUPS)))
        weight = _sums(cell, self.weight, math.prod(shape)).reshape(shape)
        total = _sums(cell, self._weighted(name), math.prod(shape)).reshape(shape)
        return _ratios(total, weight)

    def proportion_by_domain(self) -> Pair:
        cell, shape = self._cross((self.domain, len(DOMAINS)), (self.answer, len(ANSWERS)))
        weight = _sums(cell, self.weight, math.prod(shape)).reshape(shape)
        value, error = _ratios(weight, weight.sum(axis=2, keepdims=True))
        return value.ravel(), error.ravel()

    def mean_of_elements(self, name: str) -> Pair:
        value, population, influence = self._residuals(self.columns[name], None)
        rows = self.rows_in_stratum
        first = _sums(self.stratum, influence, STRATA)
        influence *= influence
        second = _sums(self.stratum, influence, STRATA)
        variance = (rows / (rows - 1) * (second - first**2 / rows)).sum() / population**2
        return np.array([value]), np.sqrt([variance])

    def _one_ratio(self, above: Floats, below: Floats | None) -> Pair:
        """Fewer sums by unit than :func:`_ratios` needs, for one more pass over the rows."""
        value, population, residual = self._residuals(above, below)
        influence = self._by_unit(residual)[:, None] / population
        return np.array([value]), _errors(influence)

    def _residuals(self, above: Floats, below: Floats | None) -> tuple[float, float, Floats]:
        population = float(self.weight.sum() if below is None else self.weight @ below)
        value = float(self.weight @ above) / population
        residual = self.scratch
        if below is None:
            np.subtract(above, value, out=residual)
        else:
            np.multiply(below, -value, out=residual)
            residual += above
        residual *= self.weight
        return value, population, residual

    def _weighted(self, name: str) -> Floats:
        np.multiply(self.weight, self.columns[name], out=self.scratch)
        return self.scratch

    def _cross(self, *factors: tuple[Codes, int]) -> tuple[Codes, tuple[int, ...]]:
        """The cell of each row in a table of units by factors, and the table's shape."""
        cell = self.unit
        for codes, levels in factors:
            cell = np.multiply(cell, levels, out=self.cell)
            cell += codes
        return cell, (self.units, *(levels for _, levels in factors))

    def _by_unit(self, values: Floats) -> Floats:
        return _sums(self.unit, values, self.units)


def _ratios(above: Floats, below: Floats) -> Pair:
    """Ratios of totals and their errors, from totals by unit."""
    population = below.sum(axis=0)
    value = above.sum(axis=0) / population
    return value, _errors((above - value * below) / population)


def _errors(influence: Floats) -> Floats:
    """Standard errors from influence by unit; units are in order of stratum."""
    by_stratum = influence.reshape(STRATA, -1, *influence.shape[1:])
    units = by_stratum.shape[1]
    deviation = by_stratum - by_stratum.mean(axis=1, keepdims=True)
    deviation *= deviation
    error: Floats = np.sqrt(units / (units - 1) * deviation.sum(axis=(0, 1)))
    return error


def _sums(code: Codes, values: Floats, count: int) -> Floats:
    return np.bincount(code, values, count).astype(np.float64, copy=False)


def _codes(series: pl.Series) -> Codes:
    return np.ascontiguousarray(series.to_numpy(), dtype=np.intp)


def _job(floor: Floor, run: Callable[[Floor], Pair], labels: Sequence[Label]) -> Job:
    return Job(ready(floor), run, lambda pair: _as_answer(labels, pair))


def _as_answer(labels: Sequence[Label], pair: Pair) -> Answer:
    values, errors = (array.tolist() for array in pair)
    return dict(zip(labels, zip(values, errors, strict=True), strict=True))
