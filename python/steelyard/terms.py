"""From a statistic to the core's estimator of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steelyard import _core
from steelyard.columns import BoolArray, Columns, NumberArray, level_codes
from steelyard.errors import EmptyDomain, MissingValues, NotNumeric, TooManyLevels, error_in_rows
from steelyard.levels import Level, with_levels, with_missing_level
from steelyard.statistic import MISSING_LABEL, Kind, Statistic

MOST_LEVELS = 1_000
_MOMENTS = ("variance", "sd", "covariance", "correlation")


@dataclass(frozen=True, slots=True)
class Term:
    """A statistic, the core's estimator of it, and the level that each of its estimates is of."""

    statistic: Statistic
    estimator: _core.Estimator
    levels: tuple[Level, ...]


def term_of(
    columns: Columns, design: _core.Design, domains: _core.Codes | None, statistic: Statistic
) -> Term:
    """Read what a statistic needs of a frame, and of a first pass where it needs one."""
    if statistic.missing == "fail":
        for name in statistic.columns:
            _refuse_missing(name, _is_missing(columns, name, statistic.kind))
    if statistic.kind in ("proportion", "count"):
        return _term_of_levels(columns, statistic)
    numbers = [columns.numbers(name) for name in statistic.columns]
    if statistic.missing == "level":
        raise NotNumeric(
            f"missing='level' has no meaning for the {statistic.kind} of "
            f"{statistic.variable!r}: a missing number is not a level"
        )
    named = list(zip(statistic.columns, numbers, strict=True))
    if statistic.kind in _MOMENTS:
        moment = _core.moment(statistic.kind, list(statistic.columns), numbers, design, domains)
        return Term(statistic, moment, (None,))
    if statistic.kind == "cdf":
        points = np.array([statistic.at])
        below = _core.distribution_function(*named[0], domains, points)
        return Term(statistic, below, statistic.at)
    return Term(statistic, _column_estimator(statistic.kind, named), (None,))


def _term_of_levels(columns: Columns, statistic: Statistic) -> Term:
    make = _core.proportion if statistic.kind == "proportion" else _core.count
    if not statistic.columns:
        everyone = _core.Codes(np.zeros(len(columns), dtype=np.int32), 1)
        return Term(statistic, make(everyone, np.ones((1, 1))), (None,))
    name = statistic.columns[0]
    factor = with_levels(name, columns.factor(name), statistic.levels)
    if not factor.levels:
        raise EmptyDomain(f"column {name!r} has no answers at all", column=name)
    if statistic.missing == "level":
        factor = with_missing_level(factor, MISSING_LABEL)
    size = len(factor.levels)
    if statistic.positive is None and size > MOST_LEVELS:
        raise TooManyLevels(
            f"column {name!r} has {size:,} distinct values: name those that count in positive=, "
            "or take its mean",
            column=name,
        )
    if statistic.positive is None:
        return Term(statistic, make(factor.codes, np.eye(size)), factor.levels)
    positive = np.zeros((1, size))
    positive[0, level_codes(name, factor, statistic.positive)] = 1
    return Term(statistic, make(factor.codes, positive), (statistic.level,))


def _is_missing(columns: Columns, name: str, kind: Kind) -> BoolArray:
    if kind in ("proportion", "count"):
        return columns.factor(name).codes.to_numpy() < 0
    numbers = columns.numbers(name)
    return np.isnan(numbers) if numbers.dtype.kind == "f" else np.zeros(len(numbers), np.bool_)


def _refuse_missing(name: str, missing: BoolArray) -> None:
    if not missing.any():
        return
    rows = np.flatnonzero(missing).tolist()
    remedy = "missing='fail' was asked for; use missing='exclude' to leave them out and count them"
    raise error_in_rows(MissingValues, name, rows, f"column {name!r} is missing", remedy)


def _column_estimator(kind: Kind, columns: Sequence[tuple[str, NumberArray]]) -> _core.Estimator:
    if kind == "mean":
        return _core.mean(*columns[0])
    if kind == "total":
        return _core.total(*columns[0])
    return _core.ratio(*columns[0], *columns[1])
