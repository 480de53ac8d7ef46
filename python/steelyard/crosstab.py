"""Tables of two or more questions: cells, row and column shares, and tests of independence."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from steelyard import _core
from steelyard.columns import BoolArray, cross
from steelyard.condition import Where
from steelyard.domain import RESERVED, Domain
from steelyard.errors import EmptyDomain, ReservedName, TooManyLevels, UnknownLevel
from steelyard.estimates import Estimates
from steelyard.evidence import Integers
from steelyard.hypothesis import HypothesisTest
from steelyard.labels import Labels
from steelyard.levels import CodeArray, Factor, Level
from steelyard.render import html_table, text_table
from steelyard.sample import Sample
from steelyard.statistic import Statistic
from steelyard.table import Cell, Table, cells
from steelyard.terms import MOST_LEVELS, Term

IndependenceTest: TypeAlias = Literal[
    "F",
    "chi2",
    "first-order-F",
    "second-order-chi2",
    "saddlepoint",
    "exact",
    "wald",
    "adjusted-wald",
]
TableStatistic: TypeAlias = Literal["pearson", "likelihood-ratio"]

_CORRECTIONS = {
    "F": ("second-order-f", "Rao–Scott, second order, F"),
    "chi2": ("first-order", "Rao–Scott, first order, chi-square"),
    "first-order-F": ("first-order-f", "Rao–Scott, first order, F"),
    "second-order-chi2": ("second-order", "Rao–Scott, second order, chi-square"),
    "saddlepoint": ("saddlepoint-f", "weighted sum of chi-squares over F, by saddlepoint"),
    "exact": ("exact-f", "weighted sum of chi-squares over F, by integration"),
}
_FIGURES = ("count", "cell", "row", "column")
_WALD = {"wald": ("F", "Wald"), "adjusted-wald": ("adjusted-F", "Wald, adjusted F")}


class Crosstab(Table):
    """A table of answers by answers, with the shares, counts and tests that belong to it.

    Made by :meth:`Survey.tabulate`. The last variable makes the columns; the combinations of the
    others make the rows.
    """

    def __init__(
        self,
        sample: Sample,
        variables: Sequence[str],
        where: Where | None,
        level: float,
    ) -> None:
        if not variables:
            raise ValueError("variables= is empty: name at least one column to tabulate")
        if not 0 < level < 1:
            raise ValueError(f"level={level} is not a confidence level between 0 and 1")
        for name in variables[:-1]:
            if name in RESERVED or name in _FIGURES:
                raise ReservedName(
                    f"row variable {name!r} has the name of a column of the result: rename the "
                    "column",
                    column=name,
                )
        self._sample = sample
        self._level = level
        self._variables = tuple(variables)
        self._domain = sample.domain(None, where)
        inside = _inside(self._domain, sample)
        factors = [sample.columns.factor(name) for name in variables]
        self._columns = factors[-1]
        self._rows, self._row_labels = _row_factor(factors[:-1], inside)
        self._codes = _cell_codes(self._rows, self._columns, inside)
        if self._codes.max(initial=-1) < 0:
            raise EmptyDomain(f"no row has an answer to all of {list(variables)}")
        size = len(self._row_labels) * len(self._columns.levels)
        if size > MOST_LEVELS:
            raise TooManyLevels(
                f"the table of {list(variables)} has {size:,} cells: take columns with fewer levels"
            )

    @property
    def n(self) -> Integers:
        """Unweighted answers in each cell, rows by columns."""
        counts = np.bincount(self._codes[self._codes >= 0], minlength=self._size)
        return counts.reshape(len(self._row_labels), -1)

    @property
    def cell(self) -> Estimates:
        """Shares of the whole table, row after row."""
        return self._estimate("proportion")

    @property
    def count(self) -> Estimates:
        """Population elements in each cell."""
        return self._estimate("count")

    @property
    def row(self) -> Estimates:
        """Shares within each row."""
        return self._shares(self._codes // self._width, self._codes % self._width, by_row=True)

    @property
    def column(self) -> Estimates:
        """Shares within each column, column after column."""
        return self._shares(self._codes % self._width, self._codes // self._width, by_row=False)

    def test(
        self, test: IndependenceTest = "F", statistic: TableStatistic = "pearson"
    ) -> HypothesisTest:
        """Test that rows and columns are independent.

        Parameters
        ----------
        test : str
            Pearson's X² judged by its design effects: "F" (Rao–Scott of second order, the default
            of R and Stata), "chi2" (of first order), "first-order-F", "second-order-chi2",
            "saddlepoint" and "exact" (the law of the weighted sum of chi-squares); or a Wald test
            of the cells' residuals, "wald" and "adjusted-wald".
        statistic : {"pearson", "likelihood-ratio"}
            X² or G², for all but the Wald tests.

        Returns
        -------
        HypothesisTest

        Raises
        ------
        ValueError
            Fewer than two rows or columns have answers, or the table has no sampling error.

        Notes
        -----
        Rao and Scott (1984), Annals of Statistics 12; Thomas and Rao (1987), JASA 82; Koch, Freeman
        and Freeman (1975), International Statistical Review 43. X² scales by the answers in the
        table; R's ``svychisq`` also counts rows that lack one.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
        >>> found = svy.tabulate(["sch.wide", "stype"]).test()
        >>> round(found.statistic, 4), f"{found.p_value:.3g}"
        (17.2474, '2.04e-07')
        """
        if test not in (*_CORRECTIONS, *_WALD):
            known = ", ".join(map(repr, (*_CORRECTIONS, *_WALD)))
            raise ValueError(f"test={test!r} is none of {known}")
        rows = len(self._row_labels)
        n = float(self.n.sum())
        if test in _WALD:
            variant, words = _WALD[test]
            counts = self.count
            df = float(counts.degrees_of_freedom().min())
            found = _core.wald_independence_test(counts.core, rows, self._width, n, df, variant)
        else:
            correction, words = _CORRECTIONS[test]
            shares = self.cell
            df = float(shares.degrees_of_freedom().min())
            found = _core.independence_test(
                shares.core, rows, self._width, n, df, statistic, correction
            )
        named = " and ".join(self._variables)
        return _as_test(f"{named} are independent", words, found)

    def goodness_of_fit(
        self,
        proportions: Mapping[Level, float],
        test: Literal["F", "chi2", "first-order-F", "second-order-chi2", "saddlepoint", "exact"] = (
            "second-order-chi2"
        ),
        statistic: TableStatistic = "pearson",
    ) -> HypothesisTest:
        """Test that the population's shares are those given.

        Parameters
        ----------
        proportions : mapping of level to float
            The share of each answer, for a table of one variable; only their ratios count.
        test, statistic
            As for :meth:`test`; the default is R's ``svygofchisq``.

        Returns
        -------
        HypothesisTest

        Notes
        -----
        Rao and Scott (1981), JASA 76.

        Examples
        --------
        >>> import steelyard as sy
        >>> svy = sy.Survey(sy.datasets.load("apiclus1"), weights="pw", clusters="dnum", fpc="fpc")
        >>> table = svy.tabulate("stype")
        >>> round(table.goodness_of_fit({"E": 0.7, "H": 0.12, "M": 0.18}).p_value, 4)
        0.1305
        """
        if len(self._variables) != 1:
            raise ValueError("goodness of fit is tested for a table of one variable")
        levels = self._columns.levels
        unknown = [level for level in (*levels, *proportions) if level not in proportions]
        unknown += [level for level in proportions if level not in levels]
        if unknown:
            raise UnknownLevel(
                f"{unknown[0]!r} has no share, or is no answer of {self._variables[0]!r}: the "
                f"answers are {', '.join(map(repr, levels))}",
                column=self._variables[0],
            )
        if test not in _CORRECTIONS:
            known = ", ".join(map(repr, _CORRECTIONS))
            raise ValueError(f"test={test!r} is none of {known}")
        correction, words = _CORRECTIONS[test]
        counts = self.count
        found = _core.goodness_of_fit_test(
            counts.core,
            np.array([float(proportions[level]) for level in levels]),
            float(counts.estimate.sum()) if statistic == "pearson" else float(self.n.sum()),
            float(counts.degrees_of_freedom().min()),
            statistic,
            correction,
        )
        return _as_test(f"shares of {self._variables[0]} are those given", words, found)

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return the table, one cell a row: count, shares of the table, the row and the column."""
        size = (len(self._row_labels), self._width)
        shares = self.cell
        columns = self.column.estimate.reshape(size[::-1]).T.ravel()
        return {
            **shares.labels.columns(),
            "n": [int(n) for n in self.n.ravel()],
            "count": cells(self.count.estimate),
            "cell": cells(shares.estimate),
            "se": cells(shares.se),
            "row": cells(self.row.estimate),
            "column": cells(columns),
        }

    def __repr__(self) -> str:
        return text_table(self.to_dict(), self._footer())

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), self._footer())

    @property
    def _width(self) -> int:
        return len(self._columns.levels)

    @property
    def _size(self) -> int:
        return len(self._row_labels) * self._width

    def _footer(self) -> list[str]:
        lines = [
            "cell, row, column: shares of the table, of the row and of the column; se: of cell"
        ]
        if len(self._variables) > 1:
            try:
                found = self.test()
            except ValueError as error:
                lines.append(f"no test of independence: {error}")
            else:
                lines.append(
                    f"independence: F = {found.statistic:.4g} on {found.ndf:.3g} and "
                    f"{found.ddf:.4g} degrees of freedom, p = {found.p_value:.3g} "
                    f"({found.method})"
                )
        return lines

    def _labels(self, kind: str, *, transposed: bool = False) -> Labels:
        names = self._variables[:-1]
        pairs = [(row, level) for row in self._row_labels for level in self._columns.levels]
        if transposed:
            pairs = [(row, level) for level in self._columns.levels for row in self._row_labels]
        return Labels(
            {name: [row[i] for row, _ in pairs] for i, name in enumerate(names)},
            [self._variables[-1]] * len(pairs),
            [level for _, level in pairs],
            [kind] * len(pairs),
        )

    def _estimate(self, kind: Literal["proportion", "count"]) -> Estimates:
        codes = _core.Codes(self._codes, self._size)
        make = _core.proportion if kind == "proportion" else _core.count
        estimator = make(codes, np.eye(self._size))
        labels = self._labels(kind)
        term = Term(
            Statistic(kind, (self._variables[-1],)),
            (estimator,),
            tuple(labels.level),
            tuple(labels.kind),
        )
        return self._sample.estimates_of([term], self._domain, self._level, labels)

    def _shares(self, groups: CodeArray, answers: CodeArray, *, by_row: bool) -> Estimates:
        missing = self._codes < 0
        size = (len(self._row_labels), self._width)
        group_count, answer_count = size if by_row else size[::-1]
        domain = Domain(
            _core.Codes(np.where(missing, -1, groups).astype(np.int32), group_count),
            (),
            [()] * group_count,
            0,
        )
        codes = _core.Codes(np.where(missing, -1, answers).astype(np.int32), answer_count)
        labels = self._labels("proportion", transposed=not by_row)
        term = Term(
            Statistic("proportion", (self._variables[-1],)),
            (_core.proportion(codes, np.eye(answer_count)),),
            (None,) * answer_count,
            ("proportion",) * answer_count,
        )
        return self._sample.estimates_of([term], domain, self._level, labels)


def _inside(domain: Domain, sample: Sample) -> BoolArray:
    """Rows of the domain that stand for somebody."""
    inside: BoolArray = sample.design.row_weights() != 0
    if domain.codes is not None:
        inside &= domain.codes.to_numpy() >= 0
    return inside


def _row_factor(
    factors: Sequence[Factor], inside: BoolArray
) -> tuple[CodeArray, list[tuple[Level, ...]]]:
    """The row of the table that each row of the frame belongs to."""
    if not factors:
        return np.zeros(len(inside), dtype=np.int32), [()]
    if len(factors) == 1:
        return factors[0].codes.to_numpy(), [(level,) for level in factors[0].levels]
    codes, labels, _ = cross(factors, inside, len(inside))
    return codes.to_numpy(), labels


def _cell_codes(rows: CodeArray, columns: Factor, inside: BoolArray) -> CodeArray:
    column = columns.codes.to_numpy()
    known = inside & (rows >= 0) & (column >= 0)
    return np.where(known, rows * len(columns.levels) + column, -1).astype(np.int32)


def _as_test(hypothesis: str, method: str, found: _core.TableTest) -> HypothesisTest:
    notes = []
    if found.rows_dropped or found.columns_dropped:
        notes.append(
            f"left out as empty: {found.rows_dropped} rows and {found.columns_dropped} columns"
        )
    if found.at_fitted:
        notes.append("empty cells: design effects taken at the fitted shares")
    if np.isfinite(found.uncorrected):
        notes.append(f"uncorrected: {found.uncorrected:.6g}")
    if len(found.design_effects) > 0:
        effects = ", ".join(f"{effect:.3g}" for effect in found.design_effects[:6])
        notes.append(f"generalised design effects: {effects}")
    result = found.result
    by_sum = found.uncorrected == result.statistic  # the statistic itself against its law
    name = "X2" if by_sum else "F" if np.isfinite(result.ddf) else "chi2"
    return HypothesisTest(
        hypothesis,
        method,
        name,
        result.statistic,
        result.ndf,
        result.ddf,
        result.p_value,
        notes=notes,
        uncorrected=found.uncorrected if np.isfinite(found.uncorrected) else None,
        design_effects=found.design_effects if len(found.design_effects) > 0 else None,
    )
