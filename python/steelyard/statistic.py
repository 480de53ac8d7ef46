"""What to estimate, as a value: a statistic of one or two columns, before any data."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import numpy as np

from steelyard.levels import Level

Kind: TypeAlias = Literal["mean", "total", "count", "proportion", "ratio"]
Missing: TypeAlias = Literal["exclude", "level", "fail"]
Levels: TypeAlias = Level | Iterable[Level]

MISSING_LABEL = "(missing)"


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic to be estimated by :meth:`Survey.estimate`.

    Made by :func:`mean`, :func:`total`, :func:`count`, :func:`proportion` and :func:`ratio`.
    """

    kind: Kind
    columns: tuple[str, ...]
    positive: tuple[Level, ...] | None = None
    missing: Missing = "exclude"
    name: str | None = None
    levels: tuple[Level, ...] = ()

    def __post_init__(self) -> None:
        if self.missing not in get_args(Missing):
            raise ValueError(
                f"missing={self.missing!r} is none of {', '.join(map(repr, get_args(Missing)))}"
            )
        if self.positive is not None and len(self.positive) == 0:
            raise ValueError("positive= is empty: name the answers that count as positive")
        for name in self.columns:
            if not isinstance(name, str):
                raise TypeError(f"one column is needed here, named by text, not {name!r}")

    @property
    def variable(self) -> str:
        """How results call it: the name it was given, or its columns."""
        return self.name or "/".join(self.columns) or "rows"

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
    return Statistic("count", columns, _as_levels(positive), missing, levels=tuple(levels))


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
    return Statistic("proportion", (variable,), _as_levels(positive), missing, levels=tuple(levels))


def _as_levels(positive: Levels) -> tuple[Level, ...] | None:
    if positive is None:
        return None
    if isinstance(positive, str) or not isinstance(positive, Iterable):
        return (positive,)
    return tuple(x.item() if isinstance(x, np.generic) else x for x in positive)
