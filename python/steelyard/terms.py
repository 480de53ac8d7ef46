"""From a statistic to the core's estimator of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steelyard import _core
from steelyard.columns import BoolArray, Columns, NumberArray, level_codes
from steelyard.errors import (
    DesignMismatch,
    EmptyDomain,
    MissingValues,
    NotNumeric,
    TooManyLevels,
    error_in_rows,
)
from steelyard.levels import Level, with_levels, with_missing_level
from steelyard.likert import MEAN, item_factor, item_sets, scale_estimators
from steelyard.statistic import MISSING_LABEL, Kind, Statistic

MOST_LEVELS = 1_000
MOST_ANSWERS = 100  # of a rating question
_STANDARD_LEVEL = 0.95  # of the interval that a quantile's standard error is read from
_MOMENTS = ("variance", "sd", "covariance", "correlation")


@dataclass(frozen=True, slots=True)
class Term:
    """A statistic, the core's estimators of it, and the level and kind of each of their figures."""

    statistic: Statistic
    estimators: tuple[_core.Estimator, ...]
    levels: tuple[Level, ...]
    kinds: tuple[str, ...]
    quantiles: _core.Quantiles | None = None
    values: NumberArray | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statistic is read from: the columns, and who is asked about."""

    columns: Columns
    design: _core.Design
    domains: _core.Codes | None
    df: float | None  # None: that of each domain


def term_of(source: Source, statistic: Statistic) -> Term:
    """Read what a statistic needs of a frame, and of a first pass where it needs one."""
    if statistic.missing == "fail":
        for name in statistic.columns:
            _refuse_missing(name, _is_missing(source.columns, name, statistic.kind))
    if statistic.kind in ("proportion", "count"):
        return _term_of_levels(source.columns, statistic)
    if statistic.missing == "level":
        raise NotNumeric(
            f"missing='level' has no meaning for the {statistic.kind} of "
            f"{statistic.variable!r}: a missing number is not a level"
        )
    if statistic.kind == "likert":
        return _term_of_item(source.columns, statistic)
    if statistic.kind == "scale":
        made = scale_estimators(source.columns, source.design, source.domains, statistic)
        return Term(statistic, tuple(made), (MEAN, "alpha"), ("mean", "alpha"))
    numbers = [source.columns.numbers(name) for name in statistic.columns]
    named = list(zip(statistic.columns, numbers, strict=True))
    if statistic.kind == "cdf":
        points = np.array([statistic.at])
        below = _core.distribution_function(*named[0], source.domains, points)
        return Term(statistic, (below,), statistic.at, ("cdf",) * len(statistic.at))
    if statistic.kind == "quantile":
        return _term_of_quantiles(source, statistic, numbers[0])
    return Term(statistic, (_estimator(source, statistic, named),), (None,), (statistic.kind,))


def _term_of_item(columns: Columns, statistic: Statistic) -> Term:
    factor = item_factor(columns, statistic.columns[0], statistic.levels)
    if len(factor.levels) > MOST_ANSWERS:
        raise TooManyLevels(
            f"column {statistic.columns[0]!r} has {len(factor.levels):,} distinct values: a rating "
            f"question has at most {MOST_ANSWERS} answers; take its mean",
            column=statistic.columns[0],
        )
    sets, kinds, labels = item_sets(statistic, factor)
    return Term(statistic, (_core.proportion(factor.codes, sets),), tuple(labels), tuple(kinds))


def _term_of_quantiles(source: Source, statistic: Statistic, numbers: NumberArray) -> Term:
    if statistic.interval == "replicate" and source.design.replicates == 0:
        raise DesignMismatch(
            "interval='replicate' needs replicates: make them with Survey.replicated(), or give "
            "those that came with the data"
        )
    found = _core.Quantiles(
        source.design,
        source.domains,
        statistic.columns[0],
        numbers,
        list(statistic.at),
        statistic.rule,
        statistic.interval,
        _STANDARD_LEVEL,
        float("inf") if statistic.interval == "normal" else source.df,
    )
    kinds = ("quantile",) * len(statistic.at)
    return Term(statistic, (found.estimator,), statistic.at, kinds, found, numbers)


def _term_of_levels(columns: Columns, statistic: Statistic) -> Term:
    make = _core.proportion if statistic.kind == "proportion" else _core.count
    if not statistic.columns:
        everyone = _core.Codes(np.zeros(len(columns), dtype=np.int32), 1)
        every = make(everyone, np.ones((1, 1)))
        return Term(statistic, (every,), (None,), (statistic.kind,))
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
        each = make(factor.codes, np.eye(size))
        return Term(statistic, (each,), factor.levels, (statistic.kind,) * size)
    positive = np.zeros((1, size))
    positive[0, level_codes(name, factor, statistic.positive)] = 1
    together = make(factor.codes, positive)
    return Term(statistic, (together,), (statistic.level,), (statistic.kind,))


def _is_missing(columns: Columns, name: str, kind: Kind) -> BoolArray:
    if kind in ("proportion", "count", "likert", "scale"):
        return columns.factor(name).codes.to_numpy() < 0
    numbers = columns.numbers(name)
    return np.isnan(numbers) if numbers.dtype.kind == "f" else np.zeros(len(numbers), np.bool_)


def _refuse_missing(name: str, missing: BoolArray) -> None:
    if not missing.any():
        return
    rows = np.flatnonzero(missing).tolist()
    remedy = "missing='fail' was asked for; use missing='exclude' to leave them out and count them"
    raise error_in_rows(MissingValues, name, rows, f"column {name!r} is missing", remedy)


def _estimator(
    source: Source, statistic: Statistic, columns: Sequence[tuple[str, NumberArray]]
) -> _core.Estimator:
    if statistic.kind in _MOMENTS:
        names, numbers = zip(*columns, strict=True)
        return _core.moment(
            statistic.kind, list(names), list(numbers), source.design, source.domains
        )
    if statistic.kind == "gini":
        return _core.gini(*columns[0], source.design, source.domains)
    if statistic.kind == "share_ratio":
        return _core.share_ratio(*columns[0], source.design, source.domains, *statistic.at)
    if statistic.kind == "mean":
        return _core.mean(*columns[0])
    if statistic.kind == "total":
        return _core.total(*columns[0])
    return _core.ratio(*columns[0], *columns[1])
