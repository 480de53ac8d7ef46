"""Rating questions: answers in order, what counts as positive, and what each scores."""

from collections.abc import Sequence

import narwhals as nw
import numpy as np

from steelyard import _core
from steelyard.columns import Columns, level_codes
from steelyard.errors import EmptyDomain, UnknownLevel, UnorderedLevels
from steelyard.evidence import Floats
from steelyard.levels import AnySeries, Factor, Level, with_levels
from steelyard.statistic import Statistic

POSITIVE, NEGATIVE, NET, MEAN = "positive", "negative", "net score", "mean score"


def item_factor(columns: Columns, name: str, levels: Sequence[Level]) -> Factor:
    """The answers of an item, in order.

    Raises
    ------
    UnorderedLevels
        The answers are words, and neither the column nor `levels` says in which order they are.
    """
    series = columns.series(name)
    if not levels and not (series.dtype.is_numeric() or _is_ordered(series)):
        known = ", ".join(repr(level) for level in columns.factor(name).levels[:7])
        raise UnorderedLevels(
            f"the answers of column {name!r} are words without an order ({known}): name them from "
            "the most negative to the most positive in levels=, or make the column an ordered "
            "categorical",
            column=name,
        )
    factor = with_levels(name, columns.factor(name), levels)
    if not factor.levels:
        raise EmptyDomain(f"column {name!r} has no answers at all", column=name)
    return factor


def _is_ordered(series: AnySeries) -> bool:
    if series.dtype in (nw.Enum, nw.Boolean):
        return True
    kind = getattr(series.to_native(), "type", None)  # an Arrow dictionary knows
    return bool(getattr(kind, "ordered", False))


def scores_of(statistic: Statistic, factor: Factor, name: str) -> Floats:
    """What each answer scores."""
    size = len(factor.levels)
    if not statistic.scores:
        numbers = [level for level in factor.levels if isinstance(level, int | float)]
        if len(numbers) == size and not any(isinstance(level, bool) for level in numbers):
            return np.array(numbers, dtype=np.float64)
        return np.arange(1.0, size + 1)
    if not np.isfinite(statistic.scores).all():
        raise ValueError("scores= are finite numbers")
    if len(statistic.scores) != size:
        raise UnknownLevel(
            f"scores= has {len(statistic.scores)} values and column {name!r} has {size} answers: "
            f"{', '.join(map(repr, factor.levels))}; name all answers in levels=",
            column=name,
        )
    return np.array(statistic.scores)


def item_sets(statistic: Statistic, factor: Factor) -> tuple[Floats, list[str], list[Level]]:
    """One row of level coefficients for each figure of an item; its kinds and its labels."""
    name = statistic.columns[0]
    size = len(factor.levels)
    taken = [level for level in factor.levels if level in (POSITIVE, NEGATIVE, NET, MEAN)]
    if taken:
        raise UnknownLevel(
            f"the answer {taken[0]!r} of column {name!r} has the name of a figure of the result: "
            "rename it",
            column=name,
        )
    by_default = statistic.positive is None or statistic.negative is None
    numbers = type(factor.levels[0]) in (int, float)
    if by_default and not statistic.levels and numbers:
        raise UnorderedLevels(
            f"the answers of column {name!r} are numbers ({', '.join(map(str, factor.levels[:9]))}"
            "), of which some may not have been given: name all that could be in levels=, or those "
            "that count in positive= and negative=",
            column=name,
        )
    top = 1 if size < 4 else 2
    positive = _chosen(name, factor, statistic.positive, range(size - top, size))
    negative = _chosen(name, factor, statistic.negative, range(top))
    both = [factor.levels[code] for code in positive if code in set(negative)]
    if both:
        raise UnknownLevel(
            f"{both[0]!r} of column {name!r} counts as positive and as negative: name the answers "
            "in positive= and negative=",
            column=name,
        )
    sets = np.zeros((size + 4, size))
    sets[:size] = np.eye(size)
    sets[size, positive] = 1
    sets[size + 1, negative] = 1
    sets[size + 2] = sets[size] - sets[size + 1]
    sets[size + 3] = scores_of(statistic, factor, name)
    kinds = ["proportion"] * (size + 2) + ["net", "mean"]
    return sets, kinds, [*factor.levels, POSITIVE, NEGATIVE, NET, MEAN]


def item_scores(columns: Columns, statistic: Statistic, name: str) -> Floats:
    """The score of every row on an item, NaN where it has no answer."""
    if not statistic.levels and not statistic.scores and columns.series(name).dtype.is_numeric():
        values = np.asarray(columns.numbers(name), dtype=np.float64)
    else:
        factor = item_factor(columns, name, statistic.levels)
        scores = np.append(scores_of(statistic, factor, name), np.nan)
        values = scores[factor.codes.to_numpy()]
    if name not in statistic.reverse:
        return values
    if statistic.levels or statistic.scores:
        known = scores_of(statistic, item_factor(columns, name, statistic.levels), name)
        return _reversed(known, values)
    raise UnorderedLevels(
        f"column {name!r} is to be reversed, and which numbers could be answered is not known: "
        "name all of them in levels=",
        column=name,
    )


def _reversed(known: Floats, values: Floats) -> Floats:
    turned: Floats = known.max() + known.min() - values
    return turned


def scale_estimators(
    columns: Columns, design: _core.Design, domains: _core.Codes | None, statistic: Statistic
) -> list[_core.Estimator]:
    """The mean score of a scale, and its reliability."""
    unknown = [name for name in statistic.reverse if name not in statistic.columns]
    if unknown:
        raise ValueError(f"reverse= names {unknown[0]!r}, which is not among the items")
    if len(statistic.columns) < 2 or len(set(statistic.columns)) < len(statistic.columns):
        raise ValueError("a scale has at least two items, each of them once")
    items = [item_scores(columns, statistic, name) for name in statistic.columns]
    together = np.mean(items, axis=0)
    return [
        _core.mean(statistic.variable, together),
        _core.cronbach_alpha(list(statistic.columns), items, design, domains),
    ]


def _chosen(
    name: str, factor: Factor, wanted: Sequence[Level] | None, default: Sequence[int]
) -> list[int]:
    return list(default) if wanted is None else level_codes(name, factor, wanted)
