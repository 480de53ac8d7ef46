"""Estimates: a table with a covariance."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import narwhals as nw
import numpy as np

from steelyard import _core
from steelyard.design import DfRule, check_df, df_text
from steelyard.errors import DesignMismatch, LabelNotFound, nearest_text
from steelyard.evidence import UNKNOWN, Evidence, Floats, Integers
from steelyard.labels import SHARES, Labels, enclosed
from steelyard.levels import Level
from steelyard.notes import notes_of, without_variation
from steelyard.propagation import jacobian_of, join, propagate
from steelyard.provenance import Provenance, merged
from steelyard.render import html_table, text_table
from steelyard.statistic import IntervalMethod
from steelyard.table import Cell, Table, cells, framed

if TYPE_CHECKING:
    from steelyard.hypothesis import HypothesisTest

WaldVariant: TypeAlias = Literal["F", "adjusted-F", "chi2"]
Side: TypeAlias = Literal["two", "lower", "upper"]


@dataclass(frozen=True, slots=True)
class Presentation:
    """How estimates are shown, and which conventions they follow."""

    level: float = 0.95
    ungrouped: int = 0
    df: DfRule | float = "design"
    implementation: nw.Implementation = nw.Implementation.UNKNOWN
    conventions: Mapping[str, str] = field(default_factory=dict)
    undefined_df: tuple[DfRule, ...] = ()
    replicated: bool = False
    sources: tuple[Provenance, ...] = ()


class Estimates(Table):
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

    def __float__(self) -> float:
        return self.value

    @property
    def df(self) -> float:
        """Degrees of freedom of the design: units of the first stage minus strata."""
        return self._core.degrees_of_freedom

    def degrees_of_freedom(self, rule: DfRule | float | None = None) -> Floats:
        """Degrees of freedom of each estimate, by a rule.

        Parameters
        ----------
        rule : {"design", "domain", "satterthwaite", "normal"} or float, optional
            Units minus strata of the design; the same among those with an answer in the domain
            (at least 1); Satterthwaite's for strata that vary by different amounts; infinitely
            many; or a number. If not given, as the Survey was made with (``df=``).

        Returns
        -------
        array of float, shape (estimates,)

        Raises
        ------
        ValueError
            The rule is none of these, or a number that is not positive; or Satterthwaite's is
            asked of a sample with too many units to keep a deviation for each.
        DesignMismatch
            The rule goes by units or strata, which the errors do not come from.

        Notes
        -----
        Satterthwaite (1946), Biometrics Bulletin 2(6); Cochran (1977), section 5.4.
        """
        if rule is None and self._evidence.df is not None:
            return self._evidence.df
        chosen = check_df(self._shown.df if rule is None else rule)
        self._refuse_undefined(chosen)
        if chosen == "satterthwaite":
            return self._core.satterthwaite
        if chosen == "domain":
            return np.maximum(self.df_domain, 1).astype(np.float64)
        if chosen == "design":
            return np.full(len(self), self.df)
        if chosen == "normal":
            return np.full(len(self), np.inf)
        return np.full(len(self), float(chosen))

    def _refuse_undefined(self, rule: DfRule | float) -> None:
        if rule in self._shown.undefined_df:
            raise DesignMismatch(
                f"df={rule!r} goes by the units and strata that add to a variance, and these "
                "errors come from replicates or from pairs of units: choose 'design', or give a "
                "number"
            )

    @property
    def df_domain(self) -> Integers:
        """Units minus strata among those with an answer in the domain."""
        self._refuse_undefined("domain")
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
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.n / self.deff_replace

    @property
    def cov(self) -> Floats:
        """Covariance matrix, in the order of the rows."""
        return self._core.covariance

    @property
    def conventions(self) -> dict[str, str]:
        """Which rules the figures follow, in words."""
        return {
            "interval": f"{100 * self._shown.level:g}%, t on the degrees of freedom shown"
            + (", logit for proportions" if not set(SHARES).isdisjoint(self._labels.kind) else ""),
            **self._shown.conventions,
        }

    @property
    def notes(self) -> list[str | None]:
        """A reason beside each estimate that is not what it seems, or None."""
        return notes_of(self.estimate, self.se, self._labels.kind, self._evidence)

    def ci(
        self,
        level: float | None = None,
        method: IntervalMethod | Literal["score"] | None = None,
        side: Side = "two",
        df: DfRule | float | None = None,
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
            "clopper-pearson" (effective sample size without adjustment for degrees of freedom),
            "agresti-coull", "arcsine", "likelihood" (Rao–Scott). For quantiles the method is that
            of the distribution function, whose interval is read back through the sample
            (Woodruff), or "score": the quantiles that a test does not reject.
        side : {"two", "lower", "upper"}
            "lower" bounds only from below: the upper end is infinite, or 1 for proportions.
        df : {"design", "domain", "satterthwaite", "normal"} or float, optional
            As for :meth:`degrees_of_freedom`.

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
        shares = np.array([kind in SHARES for kind in self._labels.kind], dtype=bool)
        own = np.array([own is not None for own in self._evidence.own] or [False] * len(self))
        of_shares = method in get_args(IntervalMethod)[2:]
        if method == "score" and not own.all():
            raise ValueError("score intervals are for quantiles only; use 't'")
        if of_shares and not (shares | own).any():
            raise ValueError(f"intervals by {method!r} are for proportions only; use 't'")
        free = self.degrees_of_freedom("normal" if method == "normal" else df)
        for i, interval in enumerate(self._evidence.own):
            if interval is not None:
                bounds[i] = interval.bounds(level, method, side, free[i])
        for rows, chosen in (
            (shares, method or "logit"),
            (~shares & ~own, "t" if of_shares else method or "t"),
        ):
            if rows.any():
                found = self._bounds(np.flatnonzero(rows), chosen, level, side, df)
                bounds[rows] = np.column_stack(found)
        return bounds

    def p_value(self, null: float = 0.0, df: DfRule | float | None = None) -> Floats:
        """Two-sided p-values of the hypothesis that each estimate is `null`, by t.

        NaN where there is no error to compare with. `df` as for :meth:`degrees_of_freedom`.
        """
        errors = np.where(without_variation(self.estimate, self.se), 0.0, self.se)
        rows = zip(self.estimate, errors, self.degrees_of_freedom(df), strict=True)
        return np.array([_core.two_sided_p_value(v, se, free, null) for v, se, free in rows])

    def wald_test(
        self,
        null: float | Sequence[float] = 0.0,
        *,
        variant: WaldVariant = "F",
        df: DfRule | float | None = None,
    ) -> "HypothesisTest":
        """Test that all estimates are `null` at once.

        Parameters
        ----------
        null : float or sequence of float
            One value for all, or one for each.
        variant : {"F", "adjusted-F", "chi2"}
            W / k on k and d; (d - k + 1) / (d k) W on k and d - k + 1; or W on k, with W the Wald
            statistic, k the rank of the covariance and d the degrees of freedom.
        df : optional
            As for :meth:`degrees_of_freedom`; the smallest is taken.

        Returns
        -------
        HypothesisTest

        Raises
        ------
        ValueError
            An error is not estimable, there is no sampling error at all, or the degrees of freedom
            do not suffice.

        Notes
        -----
        Korn and Graubard (1990), The American Statistician 44; Thomas and Rao (1987), JASA 82.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> both = svy.mean(["api00", "api99"])
        >>> round(both.wald_test([660, 630]).p_value, 4)
        0.3303
        """
        from steelyard.hypothesis import wald_test_of  # it shows estimates itself

        given = np.asarray(null, dtype=np.float64)
        if given.ndim > 0 and given.shape != (len(self),):
            raise ValueError(f"null= has {given.size} values, and there are {len(self)} estimates")
        values = np.broadcast_to(given, len(self))
        free = float(self.degrees_of_freedom(df).min())
        return wald_test_of(self, np.ascontiguousarray(values), variant, free)

    def equality_test(
        self, *, variant: WaldVariant = "F", df: DfRule | float | None = None
    ) -> "HypothesisTest":
        """Test that all estimates are equal, as the means of several groups.

        Parameters as for :meth:`wald_test`, of the differences from the first estimate.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> svy.mean("api00", by="stype").equality_test().ndf
        2.0
        """
        if len(self) < 2:
            raise ValueError("two estimates or more can be equal or not: there is one")
        rows = np.hstack([-np.ones((len(self) - 1, 1)), np.eye(len(self) - 1)])
        labels = Labels(
            {}, ["difference"] * len(rows), [None] * len(rows), ["contrast"] * len(rows)
        )
        differences = Estimates(
            self._core.contrast(rows), labels, self._evidence.of_functions(rows), self._shown
        )
        found = differences.wald_test(variant=variant, df=df)
        return replace(found, hypothesis=f"the {len(self)} estimates are equal")

    def with_df(self, df: DfRule | float) -> "Estimates":
        """Return the same estimates with other degrees of freedom."""
        conventions = {**self._shown.conventions, "degrees of freedom": df_text(check_df(df))}
        shown = replace(self._shown, df=df, conventions=conventions)
        return Estimates(self._core, self._labels, replace(self._evidence, df=None), shown)

    def with_convention(self, name: str, text: str) -> "Estimates":
        """Return the same estimates with one of their conventions in other words."""
        shown = replace(self._shown, conventions={**self._shown.conventions, name: text})
        return Estimates(self._core, self._labels, self._evidence, shown)

    def renamed(self, variable: str) -> "Estimates":
        """Return the same estimates under another name."""
        labels = Labels(
            self._labels.by, [variable] * len(self), self._labels.level, self._labels.kind
        )
        return Estimates(self._core, labels, self._evidence, self._shown)

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
        >>> round(odds.value, 3), odds.se.round(3).tolist()
        (4.812, [0.822])
        """
        result = function(_core.variables(self.estimate))
        results = [result] if isinstance(result, _core.Dual) else list(result)
        size = len(results)
        labels = Labels({}, ["function"] * size, [None] * size, ["function"] * size)
        evidence = self._evidence.of_functions(jacobian_of(results, len(self)))
        return Estimates(propagate(self._core, results), labels, evidence, self._shown)

    def contrast(self, coefficients: Mapping[Level | tuple[Level, ...], float]) -> "Estimates":
        """Form one linear combination, its coefficients given by label.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> gap = svy.mean("api00", by="stype").contrast({"E": 1, "H": -1})
        >>> round(gap.value, 2), gap.se.round(2).tolist()
        (48.61, [19.4])
        """
        row = np.zeros((1, len(self)))
        for label, coefficient in coefficients.items():
            chosen = self[label]
            for key in chosen.labels.keys():  # noqa: SIM118
                row[0, self._labels.keys().index(key)] += coefficient
        labels = Labels({}, ["contrast"], [None], ["contrast"])
        evidence = self._evidence.of_functions(row)
        return Estimates(self._core.contrast(row), labels, evidence, self._shown)

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
        return self._reflected(other, operator.add, "+")

    def __rsub__(self, other: float) -> "Estimates":
        return self._reflected(other, operator.sub, "-")

    def __rmul__(self, other: float) -> "Estimates":
        return self._reflected(other, operator.mul, "*")

    def __rtruediv__(self, other: float) -> "Estimates":
        return self._reflected(other, operator.truediv, "/")

    def __rpow__(self, other: float) -> "Estimates":
        return self._reflected(other, operator.pow, "**")

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: "Estimates | float", **kwargs: object
    ) -> "Estimates":
        """Let NumPy's functions work: np.log(est), np.float64(2) * est."""
        function = _UFUNCS.get(ufunc.__name__)
        if function is None or method != "__call__" or kwargs:
            return NotImplemented  # type: ignore[no-any-return]
        return function(*(x if isinstance(x, Estimates) else float(x) for x in inputs))

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
        return {
            **self._labels.columns(),
            "estimate": cells(self.estimate),
            "se": cells(self.se),
            "ci_low": cells(bounds[:, 0]),
            "ci_high": cells(bounds[:, 1]),
            "df": cells(self.degrees_of_freedom()),
            "n": [None if n == UNKNOWN else n for n in self.n.tolist()],
            "missing": self.missing.tolist(),
            "deff": cells(self.deff),
            "note": list(self.notes),
        }

    def save(self, path: str | Path, *, units: bool = True) -> Path:
        """Write the estimates to one file, to be compared later without the microdata.

        Parameters
        ----------
        path : str or Path
            A Parquet file, by convention ending in ``.parquet``.
        units : bool
            Keep what each named unit adds to the errors, by a hash of its name: later waves then
            find the units they share. A unit of one or a few rows may show what they answered; with
            False only the covariance is kept, and comparisons count the waves as independent.

        Returns
        -------
        Path
            The file written.

        Raises
        ------
        SavedFileError
            The folder does not exist.
        ImportError
            pyarrow is not installed.

        Notes
        -----
        The file holds labels, values, deviations by hashed unit, degrees of freedom, conventions
        and where the data are from (version of the package, design, digest of the data): no row of
        the data. Rows that are units without a name are not kept one by one, so that estimates of
        one sample that were saved apart covary through named units only: save together what shall
        be compared with each other. Written aside and moved.

        Examples
        --------
        >>> import steelyard as sy, tempfile, pathlib
        >>> svy = sy.Survey(sy.datasets.load("apiclus1"), weights="pw", clusters="dnum")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = svy.mean("api00").save(pathlib.Path(folder) / "api00.parquet")
        ...     again = sy.Estimates.load(file)
        >>> again.se.tolist() == svy.mean("api00").se.tolist()
        True
        """
        from steelyard.saving import save  # which reads estimates itself

        return save(self, path, units=units)

    @classmethod
    def load(cls, path: str | Path) -> "Estimates":
        """Read estimates that were written by :meth:`save`.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        Estimates
            As they were: the same values, errors and covariances, and the same comparison with
            another wave. Intervals of quantiles are known at the confidence level they were shown
            at.

        Raises
        ------
        SavedFileError
            There is no such file, it is none of ours, it is damaged, or of another schema version.
        ImportError
            pyarrow is not installed.
        """
        from steelyard.saving import load

        return load(path)

    def to_native(self) -> object:
        """Return the table in the kind of frame that the survey was made from."""
        backend = self._shown.implementation
        frame = nw.from_dict(framed(self.to_dict()), backend=backend)  # type: ignore[arg-type]
        return frame.to_native()

    def __repr__(self) -> str:
        return text_table(self.to_dict(), self._footer())

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), self._footer())

    def _footer(self) -> list[str]:
        lines = [f"{name}: {text}" for name, text in self.conventions.items()]
        if (~np.isfinite(self.deff) & np.isfinite(self.deff_replace)).any():
            lines.append(
                "no deff: the weights add up to the sample, so there is no sampling without "
                "replacement to compare with; see deff_replace"
            )
        if self._shown.ungrouped:
            lines.append(f"{self._shown.ungrouped:,} rows belong to no group: a label is missing")
        return lines

    def _bounds(
        self,
        rows: Integers,
        method: str,
        level: float,
        side: Side,
        df_rule: DfRule | float | None,
    ) -> tuple[Floats, Floats]:
        values, ses = self.estimate[rows], self.se[rows]
        df = self.degrees_of_freedom("normal" if method == "normal" else df_rule)[rows]
        n, census = self.n[rows], self._evidence.census[rows]
        if all(self._labels.kind[i] in SHARES for i in rows):
            return _core.proportion_intervals(values, ses, df, n, census, method, level, side)
        if method not in ("t", "normal"):
            raise ValueError(f"there is no interval {method!r}: choose one of 't', 'normal'")
        return _core.wald_intervals(values, ses, df, level, side)

    def rows(self, rows: Sequence[int]) -> "Estimates":
        """Select rows by position, counted from 0."""
        return Estimates(
            self._core.select(list(rows)),
            self._labels.select(rows),
            self._evidence.select(rows),
            self._shown,
        )

    def _reflected(
        self,
        other: float,
        function: Callable[[_core.Dual, _core.Dual], _core.Dual],
        symbol: str,
    ) -> "Estimates":
        if not isinstance(other, Real):
            return NotImplemented  # type: ignore[no-any-return]
        constant = _core.Dual(float(other))
        return self._unary(lambda x: function(constant, x), f"{other:g} {symbol} {{}}")

    def _unary(self, function: Callable[[_core.Dual], _core.Dual], text: str) -> "Estimates":
        core = propagate(self._core, [function(x) for x in _core.variables(self.estimate)])
        labels = Labels(
            self._labels.by,
            [text.format(enclosed(v)) for v in self._labels.variable],
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
        if isinstance(other, Real):
            constant = _core.Dual(float(other))
            return self._unary(lambda x: function(x, constant), f"{{}} {symbol} {other:g}")
        if not isinstance(other, Estimates):
            return NotImplemented  # type: ignore[no-any-return]
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
        shown = replace(self._shown, sources=merged(self._shown.sources, other._shown.sources))
        return Estimates(core, labels, mine._evidence.with_other(theirs._evidence), shown)


_UFUNCS: dict[str, Callable[..., Estimates]] = {
    "log": Estimates.log,
    "exp": Estimates.exp,
    "sqrt": Estimates.sqrt,
    "negative": operator.neg,
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
}
