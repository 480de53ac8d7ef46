"""Estimates: a table with a covariance."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import narwhals as nw
import numpy as np
import numpy.typing as npt

from steelyard import _core
from steelyard.errors import CovarianceUnknown, SteelyardError, nearest_text
from steelyard.levels import Level
from steelyard.render import html_table, text_table

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
IntervalMethod: TypeAlias = Literal[
    "t", "normal", "logit", "wilson", "beta", "korn-graubard", "clopper-pearson"
]
Side: TypeAlias = Literal["two", "lower", "upper"]
Cell: TypeAlias = Level

_PROPORTION_METHODS = {
    "logit": _core.ProportionInterval.logit,
    "wilson": _core.ProportionInterval.wilson,
    "beta": _core.ProportionInterval.beta,
    "korn-graubard": _core.ProportionInterval.korn_graubard,
    "clopper-pearson": _core.ProportionInterval.clopper_pearson,
}
NO_ANSWERS = "no answers"
ONE_UNIT = "answers from one unit only: error not estimable"
UNDEFINED = "not defined: division by zero"
ALIKE = "all answers alike: exact one-sided interval"


class LabelNotFound(SteelyardError, KeyError):
    """No estimate has that label."""


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
        shown: dict[str, list[Level]] = dict(self.by)
        shown["variable"] = list(self.variable)
        if any(level is not None for level in self.level):
            shown["level"] = self.level
        return shown

    def keys(self) -> list[tuple[Level, ...]]:
        """Everything that tells one row from another, as a tuple a row."""
        return list(zip(*self.by.values(), self.variable, self.level, strict=True))

    def holds(self, row: int, label: Level) -> bool:
        """Does any label of the row equal this one?"""
        mine = [values[row] for values in self.by.values()]
        return any(_same(label, own) for own in (*mine, self.variable[row], self.level[row]))

    def joined(self, other: "Labels", symbol: str, kind: str) -> "Labels":
        """Labels of a combination of two sets of estimates: what differs is spelt out."""

        def both(mine: Sequence[Level], theirs: Sequence[Level]) -> list[Level]:
            pairs = zip(mine, theirs, strict=True)
            return [a if _same(a, b) else f"{a} {symbol} {b}" for a, b in pairs]

        common = [name for name in self.by if name in other.by]
        return Labels(
            {name: both(self.by[name], other.by[name]) for name in common},
            [str(v) for v in both(self.variable, other.variable)],
            both(self.level, other.level),
            [kind] * len(self),
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands beside each estimate: counts of rows and units, and design effects."""

    n: Integers
    missing: Integers
    units: Integers
    strata: Integers
    deff: Floats
    deff_replace: Floats

    def select(self, rows: Sequence[int]) -> "Evidence":
        """Keep some rows."""
        i = list(rows)
        return Evidence(
            self.n[i],
            self.missing[i],
            self.units[i],
            self.strata[i],
            self.deff[i],
            self.deff_replace[i],
        )

    def with_other(self, other: "Evidence") -> "Evidence":
        """Evidence of a combination: the weaker of the two; no design effect."""
        nothing = np.full(len(self.n), np.nan)
        return Evidence(
            np.minimum(self.n, other.n),
            np.maximum(self.missing, other.missing),
            np.minimum(self.units, other.units),
            np.maximum(self.strata, other.strata),
            nothing,
            nothing,
        )

    @classmethod
    def pooled(cls, parts: Sequence["Evidence"]) -> "Evidence":
        """Evidence of one function of several samples: the sums over the first row of each."""

        def total(counts: Sequence[Integers]) -> Integers:
            return np.array([sum(int(count[0]) for count in counts)])

        nothing = np.array([np.nan])
        return cls(
            total([part.n for part in parts]),
            total([part.missing for part in parts]),
            total([part.units for part in parts]),
            total([part.strata for part in parts]),
            nothing,
            nothing,
        )

    def combined(self, size: int) -> "Evidence":
        """Evidence of `size` functions of all the estimates."""
        nothing = np.full(size, np.nan)
        return Evidence(
            np.full(size, self.n.min()),
            np.full(size, self.missing.max()),
            np.full(size, self.units.min()),
            np.full(size, self.strata.max()),
            nothing,
            nothing,
        )


@dataclass(frozen=True, slots=True)
class Presentation:
    """How estimates are shown, and which conventions they follow."""

    level: float = 0.95
    ungrouped: int = 0
    implementation: nw.Implementation = nw.Implementation.UNKNOWN
    conventions: Mapping[str, str] = field(default_factory=dict)


class Estimates:
    """Estimates with their labels, covariances and the evidence behind each.

    Made by :class:`Survey`. Rows are in the order of the ``by=`` groups, then of the statistics,
    then of their levels. Select with labels, as in ``est["Blended"]``; combine with ``+ - * / **``,
    ``log``, ``exp`` and ``sqrt``, or any function through :meth:`transform`: standard errors follow
    by the delta method, with all covariances.
    """

    def __init__(
        self, core: _core.Estimates, labels: Labels, evidence: Evidence, shown: Presentation
    ) -> None:
        self._core = core
        self._labels = labels
        self._evidence = evidence
        self._shown = shown

    def __len__(self) -> int:
        return len(self._labels)

    def __iter__(self) -> Iterator["Estimates"]:
        return (self.rows([i]) for i in range(len(self)))

    @property
    def core(self) -> _core.Estimates:
        """Values and deviations, as the core holds them."""
        return self._core

    @property
    def labels(self) -> Labels:
        """What each estimate is of."""
        return self._labels

    @property
    def evidence(self) -> Evidence:
        """Counts of rows and units, and design effects, behind each estimate."""
        return self._evidence

    @property
    def presentation(self) -> Presentation:
        """How the estimates are shown."""
        return self._shown

    @property
    def estimate(self) -> Floats:
        """The estimates, in the units of their variables (proportions between 0 and 1)."""
        return self._core.values

    @property
    def se(self) -> Floats:
        """Standard errors; NaN where they cannot be estimated (see :attr:`notes`)."""
        return self._core.standard_errors

    @property
    def value(self) -> float:
        """The estimate, where there is just one.

        Raises
        ------
        ValueError
            There are several; select one by its labels.
        """
        if len(self) != 1:
            raise ValueError(f"there are {len(self)} estimates: select one by its labels")
        return float(self.estimate[0])

    @property
    def df(self) -> float:
        """Degrees of freedom of the design, for all estimates."""
        return self._core.degrees_of_freedom

    @property
    def df_domain(self) -> Integers:
        """Units minus strata among those with an answer in the domain."""
        return self._evidence.units - self._evidence.strata

    @property
    def n(self) -> Integers:
        """Rows used, unweighted."""
        return self._evidence.n

    @property
    def missing(self) -> Integers:
        """Rows left out because an answer is missing."""
        return self._evidence.missing

    @property
    def deff(self) -> Floats:
        """Design effects, against simple random sampling without replacement of as many rows."""
        return self._evidence.deff

    @property
    def deff_replace(self) -> Floats:
        """Design effects against simple random sampling with replacement."""
        return self._evidence.deff_replace

    @property
    def effective_n(self) -> Floats:
        """Rows of a simple random sample with replacement that would be as precise."""
        return self.n / self.deff_replace

    @property
    def cov(self) -> Floats:
        """Covariance matrix, in the order of the rows."""
        return self._core.covariance

    @property
    def conventions(self) -> dict[str, str]:
        """Which rules the figures follow, in words."""
        return {
            "interval": f"{self._shown.level:.0%}, t on the degrees of freedom shown"
            + (", logit for proportions" if "proportion" in self._labels.kind else ""),
            **self._shown.conventions,
        }

    @property
    def notes(self) -> list[str | None]:
        """A reason beside each estimate that is not what it seems, or None."""
        return [self._note(i) for i in range(len(self))]

    def ci(
        self,
        level: float | None = None,
        method: IntervalMethod | None = None,
        side: Side = "two",
    ) -> Floats:
        """Compute confidence intervals.

        Parameters
        ----------
        level : float, optional
            Confidence level between 0 and 1; as shown in the table if not given.
        method : str, optional
            "t": estimate -/+ t se, on the design's degrees of freedom; "normal". For proportions
            also "logit" (their default), "wilson", "beta" (Korn–Graubard as R's ``svyciprop``),
            "korn-graubard" (the same with the effective sample size limited to n, as NCHS),
            "clopper-pearson" (effective sample size without adjustment for degrees of freedom).
        side : {"two", "lower", "upper"}
            "lower" bounds only from below: the upper end is infinite, or 1 for proportions.

        Returns
        -------
        array of float, shape (estimates, 2)
            NaN where the error cannot be estimated.

        Raises
        ------
        ValueError
            The level is not between 0 and 1, or the method is for proportions only.

        Notes
        -----
        A proportion of 0 or 1 has the exact one-sided interval whatever the method. References:
        Korn and Graubard (1998), Survey Methodology 24(2); Parker et al. (2017), NCHS Vital Health
        Stat 2(175); Franco, Little, Louis and Slud (2019), J Surv Stat Methodol 7(3).

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> svy.proportion("sch.wide", positive="Yes").ci(0.9, "wilson").round(4).tolist()
        [[0.7841, 0.8644]]
        """
        level = self._shown.level if level is None else level
        bounds = np.empty((len(self), 2))
        shares = np.array([kind == "proportion" for kind in self._labels.kind], dtype=bool)
        if method in _PROPORTION_METHODS and not shares.all():
            raise ValueError(f"intervals by {method!r} are for proportions only; use 't'")
        for rows, chosen in ((shares, method or "logit"), (~shares, method or "t")):
            bounds[rows] = np.column_stack(self._bounds(np.flatnonzero(rows), chosen, level, side))
        return bounds

    def p_value(self, null: float = 0.0) -> Floats:
        """Two-sided p-values of the hypothesis that each estimate is `null`, by t."""
        pairs = zip(self.estimate.tolist(), self.se.tolist(), strict=True)
        return np.array([_core.two_sided_p_value(v, se, self.df, null) for v, se in pairs])

    def __getitem__(self, labels: Level | tuple[Level, ...]) -> "Estimates":
        """Select the rows that have all these labels, of whatever column.

        Raises
        ------
        LabelNotFound
            No row has the label; the nearest is offered.
        """
        rows = list(range(len(self)))
        for label in labels if isinstance(labels, tuple) else (labels,):
            found = [i for i in rows if self._labels.holds(i, label)]
            if not found:
                known = [x for column in self._labels.columns().values() for x in column]
                raise LabelNotFound(
                    f"no estimate is labelled {label!r}."
                    f"{nearest_text(label, list(dict.fromkeys(known)))}"
                )
            rows = found
        return self.rows(rows)

    def transform(
        self, function: Callable[[list[_core.Dual]], _core.Dual | Sequence[_core.Dual]]
    ) -> "Estimates":
        """Apply any smooth function, with standard errors by the delta method.

        Parameters
        ----------
        function : callable
            Takes the estimates as a list of numbers that know their derivatives, which support
            ``+ - * / **`` and ``.log() .exp() .sqrt()`` (``np.log`` and others work too); returns
            one such number or several.

        Returns
        -------
        Estimates

        Notes
        -----
        Deviations are multiplied by the Jacobian, found by automatic differentiation.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> counts = svy.count("sch.wide")
        >>> odds = counts.transform(lambda x: x[1] / x[0])
        >>> round(odds.value, 3), round(odds.se[0], 3)
        (4.812, 0.822)
        """
        result = function(_core.variables(self.estimate))
        results = [result] if isinstance(result, _core.Dual) else list(result)
        size = len(results)
        labels = Labels({}, ["function"] * size, [None] * size, ["function"] * size)
        return Estimates(
            propagate(self._core, results), labels, self._evidence.combined(size), self._shown
        )

    def contrast(self, coefficients: Mapping[Level | tuple[Level, ...], float]) -> "Estimates":
        """Form one linear combination, its coefficients given by label.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> gap = svy.mean("api00", by="stype").contrast({"E": 1, "H": -1})
        >>> round(gap.value, 2), round(gap.se[0], 2)
        (48.61, 19.4)
        """
        row = np.zeros((1, len(self)))
        for label, coefficient in coefficients.items():
            chosen = self[label]
            for key in chosen.labels.keys():  # noqa: SIM118
                row[0, self._labels.keys().index(key)] += coefficient
        labels = Labels({}, ["contrast"], [None], ["contrast"])
        return Estimates(
            self._core.contrast(row), labels, self._evidence.combined(1), self._shown
        )

    def __neg__(self) -> "Estimates":
        return self._unary(operator.neg, "-{}")

    def __add__(self, other: "Estimates | float") -> "Estimates":
        return self._binary(other, operator.add, "+")

    def __sub__(self, other: "Estimates | float") -> "Estimates":
        return self._binary(other, operator.sub, "-")

    def __mul__(self, other: "Estimates | float") -> "Estimates":
        return self._binary(other, operator.mul, "*")

    def __truediv__(self, other: "Estimates | float") -> "Estimates":
        return self._binary(other, operator.truediv, "/")

    def __pow__(self, other: "Estimates | float") -> "Estimates":
        return self._binary(other, operator.pow, "**")

    def __radd__(self, other: float) -> "Estimates":
        return self._binary(other, lambda a, b: b + a, "+")

    def __rsub__(self, other: float) -> "Estimates":
        return self._binary(other, lambda a, b: b - a, "-")

    def __rmul__(self, other: float) -> "Estimates":
        return self._binary(other, lambda a, b: b * a, "*")

    def __rtruediv__(self, other: float) -> "Estimates":
        return self._binary(other, lambda a, b: b / a, "/")

    def log(self) -> "Estimates":
        """Natural logarithm."""
        return self._unary(lambda x: x.log(), "log({})")

    def exp(self) -> "Estimates":
        """Exponential."""
        return self._unary(lambda x: x.exp(), "exp({})")

    def sqrt(self) -> "Estimates":
        """Square root."""
        return self._unary(lambda x: x.sqrt(), "sqrt({})")

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return the table as a column of plain values a name; None where there is no figure."""
        bounds = self.ci()
        size = len(self)
        return {
            **self._labels.columns(),
            "estimate": cells(self.estimate),
            "se": cells(self.se),
            "ci_low": cells(bounds[:, 0]),
            "ci_high": cells(bounds[:, 1]),
            "df": cells(np.full(size, self.df)),
            "n": self.n.tolist(),
            "missing": self.missing.tolist(),
            "deff": cells(self.deff),
            "note": list(self.notes),
        }

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table as a pandas frame."""
        return nw.from_dict(framed(self.to_dict()), backend="pandas").to_native()  # type: ignore[no-any-return]

    def to_polars(self) -> "pl.DataFrame":
        """Return the table as a Polars frame."""
        return nw.from_dict(framed(self.to_dict()), backend="polars").to_native()  # type: ignore[no-any-return]

    def to_arrow(self) -> "pa.Table":
        """Return the table as a PyArrow table."""
        return nw.from_dict(framed(self.to_dict()), backend="pyarrow").to_native()  # type: ignore[no-any-return]

    def to_native(self) -> object:
        """Return the table in the kind of frame that the survey was made from."""
        return nw.from_dict(
            framed(self.to_dict()), backend=self._shown.implementation
        ).to_native()

    def __repr__(self) -> str:
        return text_table(self.to_dict(), self._footer())

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), self._footer())

    def _footer(self) -> list[str]:
        lines = [f"{name}: {text}" for name, text in self.conventions.items()]
        if self._shown.ungrouped:
            lines.append(f"{self._shown.ungrouped:,} rows belong to no group: a label is missing")
        return lines

    def _note(self, row: int) -> str | None:
        if self.n[row] == 0:
            return NO_ANSWERS
        if not np.isfinite(self.estimate[row]):
            return UNDEFINED
        if np.isnan(self.se[row]):
            return ONE_UNIT
        if self._labels.kind[row] == "proportion" and self.estimate[row] in (0.0, 1.0):
            return ALIKE
        return None

    def _bounds(
        self, rows: Integers, method: str, level: float, side: Side
    ) -> tuple[Floats, Floats]:
        values, ses = self.estimate[rows], self.se[rows]
        shares = [self._labels.kind[i] == "proportion" for i in rows]
        if method in _PROPORTION_METHODS or (shares and all(shares)):
            return _core.proportion_intervals(
                values,
                ses,
                np.inf if method == "normal" else self.df,
                self.n[rows],
                _PROPORTION_METHODS.get(method, _core.ProportionInterval.wald),
                level,
                _core.Side[side],
            )
        if method not in ("t", "normal"):
            known = ["t", "normal", *_PROPORTION_METHODS]
            raise ValueError(f"there is no interval {method!r}.{nearest_text(method, known)}")
        df = np.inf if method == "normal" else self.df
        return _core.wald_intervals(values, ses, df, level, _core.Side[side])

    def rows(self, rows: Sequence[int]) -> "Estimates":
        """Select rows by position, counted from 0."""
        return Estimates(
            self._core.select(list(rows)),
            self._labels.select(rows),
            self._evidence.select(rows),
            self._shown,
        )

    def _unary(self, function: Callable[[_core.Dual], _core.Dual], text: str) -> "Estimates":
        core = propagate(self._core, [function(x) for x in _core.variables(self.estimate)])
        labels = Labels(
            self._labels.by,
            [text.format(v) for v in self._labels.variable],
            self._labels.level,
            ["function"] * len(self),
        )
        return Estimates(core, labels, self._evidence.with_other(self._evidence), self._shown)

    def _binary(
        self,
        other: "Estimates | float",
        function: Callable[[_core.Dual, _core.Dual], _core.Dual],
        symbol: str,
    ) -> "Estimates":
        if not isinstance(other, Estimates):
            constant = _core.Dual(float(other))
            return self._unary(lambda x: function(x, constant), f"{{}} {symbol} {other:g}")
        size = max(len(self), len(other))
        if len(self) not in (1, size) or len(other) not in (1, size):
            raise ValueError(
                f"cannot combine {len(self)} with {len(other)} estimates: select one, or as many "
                "on both sides"
            )
        mine = self if len(self) == size else self.rows([0] * size)
        theirs = other if len(other) == size else other.rows([0] * size)
        both = join(mine._core, theirs._core)
        x = _core.variables(both.values)
        core = propagate(both, [function(x[i], x[size + i]) for i in range(size)])
        labels = mine._labels.joined(theirs._labels, symbol, "function")
        return Estimates(core, labels, mine._evidence.with_other(theirs._evidence), self._shown)


def join(first: _core.Estimates, second: _core.Estimates) -> _core.Estimates:
    """Put two sets of estimates side by side, covarying through the units they share."""
    try:
        return _core.join(first, second)
    except ValueError as error:
        raise CovarianceUnknown(
            f"{error}. Ask for both in one call, as in survey.estimate({{...}})"
        ) from None


def propagate(core: _core.Estimates, results: Sequence[_core.Dual]) -> _core.Estimates:
    """Functions of estimates, with their deviations: the delta method."""
    values = np.array([result.value for result in results])
    jacobian = np.zeros((len(results), len(core)))
    for i, result in enumerate(results):
        if len(result.gradient) > 0:
            jacobian[i] = result.gradient
    return core.delta(values, jacobian)


def _same(a: Level, b: Level) -> bool:
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def framed(columns: Mapping[str, list[Cell]]) -> dict[str, list[Cell]]:
    """Make each column of one type, as frames need it: mixed labels become text."""
    result = dict(columns)
    for name, values in columns.items():
        kinds = {type(v) for v in values if v is not None}
        if len(kinds) > 1 and kinds != {int, float}:
            result[name] = [None if v is None else str(v) for v in values]
    return result


def cells(values: Floats) -> list[Cell]:
    return [float(v) if np.isfinite(v) else None for v in values]
