"""What to estimate, as a value: a statistic of one or two columns, before any data."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Literal, TypeAlias, get_args

import numpy as np

from steelyard.levels import Level

Kind: TypeAlias = Literal[
    "mean",
    "total",
    "count",
    "proportion",
    "ratio",
    "variance",
    "sd",
    "covariance",
    "correlation",
    "cdf",
    "quantile",
    "likert",
    "scale",
    "gini",
    "share_ratio",
]
QuantileRule: TypeAlias = Literal[
    "math",
    "school",
    "shahvaish",
    "hf1",
    "hf2",
    "hf3",
    "hf4",
    "hf5",
    "hf6",
    "hf7",
    "hf8",
    "hf9",
    "sas1",
    "sas2",
    "sas3",
    "sas4",
    "sas5",
    "surveymeans",
    "stata",
]
IntervalMethod: TypeAlias = Literal[
    "t",
    "normal",
    "logit",
    "wilson",
    "beta",
    "korn-graubard",
    "clopper-pearson",
    "agresti-coull",
    "arcsine",
    "likelihood",
]
QuantileErrors: TypeAlias = IntervalMethod | Literal["score", "replicate"]
Missing: TypeAlias = Literal["exclude", "level", "fail"]
Levels: TypeAlias = Level | Iterable[Level]

MISSING_LABEL = "(missing)"


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic to be estimated by :meth:`Survey.estimate`.

    Made by the functions of this module, such as :func:`mean` and :func:`proportion`. `at` holds
    the points of a cdf or the probabilities of quantiles, and `rule` how quantiles are defined.
    """

    kind: Kind
    columns: tuple[str, ...]
    positive: tuple[Level, ...] | None = None
    missing: Missing = "exclude"
    name: str | None = None
    levels: tuple[Level, ...] = ()
    negative: tuple[Level, ...] | None = None
    scores: tuple[float, ...] = ()
    reverse: tuple[str, ...] = ()
    at: tuple[float, ...] = ()
    rule: QuantileRule = "math"
    interval: QuantileErrors = "t"

    def __post_init__(self) -> None:
        if self.missing not in get_args(Missing):
            raise ValueError(
                f"missing={self.missing!r} is none of {', '.join(map(repr, get_args(Missing)))}"
            )
        for role, chosen in (("positive", self.positive), ("negative", self.negative)):
            if chosen is not None and len(chosen) == 0:
                raise ValueError(f"{role}= is empty: name the answers that count as {role}")
        for name in self.columns:
            if not isinstance(name, str):
                raise TypeError(f"one column is needed here, named by text, not {name!r}")

    @property
    def variable(self) -> str:
        """How results call it: the name it was given, or its columns."""
        joint = " + " if self.kind == "scale" else "/"
        return self.name or joint.join(self.columns) or "rows"

    @property
    def level(self) -> str | None:
        """How results call a set of positive answers."""
        if self.positive is None:
            return None
        return " + ".join(str(level) for level in self.positive)

    def named(self, name: str) -> "Statistic":
        """Return the same statistic under another name."""
        return replace(self, name=name)


def mean(variable: str, *, missing: Missing = "exclude") -> Statistic:
    """Weighted mean of a column: sum of w y over sum of w.

    Parameters
    ----------
    variable : str
        Column of numbers.
    missing : {"exclude", "fail"}
        Leave out rows without an answer (and count them), or refuse.

    Returns
    -------
    Statistic

    Examples
    --------
    >>> import steelyard as sy
    >>> sy.mean("hours").variable
    'hours'
    """
    return Statistic("mean", (variable,), missing=missing)


def total(variable: str, *, missing: Missing = "exclude") -> Statistic:
    """Weighted total of a column: sum of w y. Parameters as for :func:`mean`."""
    return Statistic("total", (variable,), missing=missing)


def ratio(numerator: str, denominator: str, *, missing: Missing = "exclude") -> Statistic:
    """Ratio of two weighted totals: sum of w y over sum of w x.

    A row enters when both columns have an answer. Parameters otherwise as for :func:`mean`.
    """
    return Statistic("ratio", (numerator, denominator), missing=missing)


def variance(variable: str, *, missing: Missing = "exclude") -> Statistic:
    """Population variance of a column: n / (n - 1) times the weighted mean of (y - mean)^2.

    Parameters as for :func:`mean`.
    """
    return Statistic("variance", (variable,), missing=missing)


def sd(variable: str, *, missing: Missing = "exclude") -> Statistic:
    """Population standard deviation of a column, the root of :func:`variance`."""
    return Statistic("sd", (variable,), missing=missing)


def covariance(first: str, second: str, *, missing: Missing = "exclude") -> Statistic:
    """Population covariance of two columns, over the rows that have both."""
    return Statistic("covariance", (first, second), missing=missing)


def correlation(first: str, second: str, *, missing: Missing = "exclude") -> Statistic:
    """Population correlation (Pearson) of two columns, over the rows that have both."""
    return Statistic("correlation", (first, second), missing=missing)


def gini(variable: str, *, missing: Missing = "exclude") -> Statistic:
    """Gini coefficient of a column of values that are not negative.

    Parameters as for :func:`mean`.
    """
    return Statistic("gini", (variable,), missing=missing)


def share_ratio(
    variable: str,
    *,
    richest: float = 0.2,
    poorest: float = 0.2,
    missing: Missing = "exclude",
) -> Statistic:
    """What the richest have in all over what the poorest have: S80/S20, or other shares.

    Parameters
    ----------
    variable : str
        Column of numbers, such as income.
    richest, poorest : float
        Parts of the population, between 0 and 1; 0.1 and 0.4 give the Palma ratio.
    missing : {"exclude", "fail"}
        Leave out rows without an answer (and count them), or refuse.

    Returns
    -------
    Statistic
    """
    if not (0 < richest < 1 and 0 < poorest < 1):
        raise ValueError("richest= and poorest= are parts of the population between 0 and 1")
    return Statistic("share_ratio", (variable,), missing=missing, at=(richest, poorest))


def likert(
    variable: str,
    *,
    positive: Levels = None,
    negative: Levels = None,
    levels: Iterable[Level] = (),
    scores: Iterable[float] = (),
    missing: Missing = "exclude",
) -> Statistic:
    """Everything that is reported of one rating question, with all covariances.

    The share of each answer, of the positive and of the negative ones, the net score (positive
    less negative) and the mean score.

    Parameters
    ----------
    variable : str
        Categorical column whose answers are in order, from the most negative to the most positive:
        an ordered categorical, numbers, or with `levels`.
    positive, negative : level or sequence of levels, optional
        Answers that count as positive and as negative. Without them, the upper and the lower two,
        or of three and fewer answers the upper and the lower one.
    levels : iterable of levels
        Answers that could be given, in order.
    scores : iterable of float
        What each answer scores, in the order of the levels; without it 1, 2, 3 and so on.
    missing : {"exclude", "fail"}
        Leave out rows without an answer (and count them), or refuse.

    Returns
    -------
    Statistic
    """
    return Statistic(
        "likert",
        (variable,),
        as_levels(positive),
        missing,
        levels=tuple(levels),
        negative=as_levels(negative),
        scores=tuple(float(score) for score in scores),
    )


def scale(
    items: Sequence[str],
    *,
    levels: Iterable[Level] = (),
    scores: Iterable[float] = (),
    reverse: Iterable[str] = (),
    missing: Missing = "exclude",
) -> Statistic:
    """Mean score of several rating questions taken together, and Cronbach's alpha.

    Parameters
    ----------
    items : sequence of str
        Two columns or more, of numbers or of answers in order.
    levels, scores
        As for :func:`likert`, the same for all items.
    reverse : iterable of str
        Items that were asked the other way round: their scores are reversed.
    missing : {"exclude", "fail"}
        A row enters when all items are answered; or refuse rows that lack one.

    Returns
    -------
    Statistic
    """
    if isinstance(items, str):
        raise TypeError(f"items= are several columns, not one name {items!r}")
    return Statistic(
        "scale",
        tuple(items),
        missing=missing,
        levels=tuple(levels),
        scores=tuple(float(score) for score in scores),
        reverse=tuple(reverse),
    )


def cdf(variable: str, at: float | Iterable[float], *, missing: Missing = "exclude") -> Statistic:
    """Distribution function of a column: the weighted share of values at or below some points.

    Parameters
    ----------
    variable : str
        Column of numbers.
    at : float or iterable of float
        The points, in the unit of the column; in ascending order they become the `level` of the
        result.
    missing : {"exclude", "fail"}
        Leave out rows without an answer (and count them), or refuse.

    Returns
    -------
    Statistic

    Examples
    --------
    >>> import steelyard as sy
    >>> sy.cdf("hours", [10, 20]).at
    (10.0, 20.0)
    """
    points = sorted(set(as_numbers("at", at)))
    return Statistic("cdf", (variable,), missing=missing, at=tuple(points))


def quantile(
    variable: str,
    probabilities: float | Iterable[float],
    *,
    rule: QuantileRule = "math",
    interval: QuantileErrors = "t",
    missing: Missing = "exclude",
) -> Statistic:
    """Quantiles of a column, such as the median.

    Parameters
    ----------
    variable : str
        Column of numbers.
    probabilities : float or iterable of float
        Within [0, 1]; in ascending order they become the `level` of the result.
    rule : str
        How the quantile is read off the cumulative weights: "math" (the inverse of the distribution
        function), "school" (the mean of two values at a tie), "shahvaish", "hf1" to "hf9" (Hyndman
        and Fan's), "sas1" to "sas5", "surveymeans" (SAS), "stata".
    interval : str
        Interval of the distribution function that standard errors are read from: "t", or any for
        proportions, such as "logit"; or "score", the quantiles that a test does not reject; or
        "replicate", the quantiles under each replicate's weights.
    missing : {"exclude", "fail"}
        Leave out rows without an answer (and count them), or refuse.

    Returns
    -------
    Statistic

    Examples
    --------
    >>> import steelyard as sy
    >>> sy.quantile("hours", [0.25, 0.5, 0.75]).at
    (0.25, 0.5, 0.75)
    """
    choices = (
        ("rule", rule, get_args(QuantileRule)),
        ("interval", interval, (*get_args(IntervalMethod), "score", "replicate")),
    )
    for name, value, known in choices:
        if value not in known:
            raise ValueError(f"{name}={value!r} is none of {', '.join(map(repr, known))}")
    points = sorted(set(as_numbers("probabilities", probabilities)))
    if not 0 <= points[0] <= points[-1] <= 1:
        raise ValueError(f"probabilities= {list(points)} do not all lie between 0 and 1")
    return Statistic(
        "quantile", (variable,), missing=missing, at=tuple(points), rule=rule, interval=interval
    )


def count(
    variable: str | None = None,
    *,
    positive: Levels = None,
    levels: Iterable[Level] = (),
    missing: Missing = "exclude",
) -> Statistic:
    """Weighted number of population elements: in all, by level, or in a set of levels.

    Parameters
    ----------
    variable : str, optional
        Categorical column; without it, all rows are counted.
    positive : level or sequence of levels, optional
        Count these levels together, instead of each level apart.
    levels : iterable of levels
        Answers that could be given, in order. Those that nobody gave count 0; a value that is none
        of them, such as a misspelt answer, is an error.
    missing : {"exclude", "level", "fail"}
        Leave out rows without an answer, count them as a level of their own, or refuse.

    Returns
    -------
    Statistic
    """
    columns = () if variable is None else (variable,)
    return Statistic("count", columns, as_levels(positive), missing, levels=tuple(levels))


def proportion(
    variable: str,
    *,
    positive: Levels = None,
    levels: Iterable[Level] = (),
    missing: Missing = "exclude",
) -> Statistic:
    """Weighted proportion of each level, or of a set of levels such as "agree or strongly agree".

    Parameters
    ----------
    variable : str
        Categorical column: text, categorical, boolean or numbers with few values.
    positive : level or sequence of levels, optional
        Answers to take together; the result is then one proportion instead of one a level.
    levels : iterable of levels
        Answers that could be given, in order. Those that nobody gave count 0; a value that is none
        of them, such as a misspelt answer, is an error.
    missing : {"exclude", "level", "fail"}
        Leave rows without an answer out of the base, make them a level, or refuse.

    Returns
    -------
    Statistic

    Examples
    --------
    >>> import steelyard as sy
    >>> sy.proportion("relevance", positive=["Agree", "Strongly agree"]).level
    'Agree + Strongly agree'
    """
    return Statistic("proportion", (variable,), as_levels(positive), missing, levels=tuple(levels))


def as_levels(positive: Levels) -> tuple[Level, ...] | None:
    """One level or several, as a tuple."""
    if positive is None:
        return None
    if isinstance(positive, str) or not isinstance(positive, Iterable):
        return (positive,)
    return tuple(x.item() if isinstance(x, np.generic) else x for x in positive)


def as_numbers(role: str, values: float | Iterable[float]) -> tuple[float, ...]:
    """One number or several, as a tuple.

    Raises
    ------
    TypeError
        They are no numbers.
    ValueError
        There are none, or one is NaN.
    """
    scalar = isinstance(values, str | Real) or getattr(values, "ndim", 1) == 0
    given = [values] if scalar or not isinstance(values, Iterable) else values
    numbers: list[float] = []
    for item in given:
        value = item.item() if isinstance(item, np.ndarray) and item.ndim == 0 else item
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(f"{role}= needs numbers, not {value!r}")
        numbers.append(float(value))
    if not numbers or any(math.isnan(number) for number in numbers):
        raise ValueError(f"{role}= needs at least one number, and no NaN")
    return tuple(numbers)
