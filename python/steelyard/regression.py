"""Regression models fitted by the survey's weights, with errors by its design."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from narwhals.typing import IntoDataFrame

from steelyard import _core
from steelyard.bias_reduction import Errors, reduced_coefficients
from steelyard.columns import Columns, NumberArray, level_codes
from steelyard.condition import Where
from steelyard.errors import DesignMismatch, FormulaError, nearest_text
from steelyard.estimates import Estimates
from steelyard.formula import columns_of, read_new, read_numbers
from steelyard.hypothesis import HypothesisTest
from steelyard.labels import Labels
from steelyard.levels import Level
from steelyard.model import (
    ModelCall,
    aliased_names,
    at_rows,
    coefficient_table,
    coefficients_of,
    convention_lines,
    estimates_of,
    fitted,
    model_call,
    test_of_terms,
)
from steelyard.render import html_table, text_table
from steelyard.sample import Sample
from steelyard.statistic import Levels
from steelyard.table import Cell, Table

Family: TypeAlias = Literal[
    "gaussian", "binomial", "poisson", "gamma", "quasibinomial", "quasipoisson"
]
Link: TypeAlias = Literal["identity", "logit", "probit", "cloglog", "log", "inverse"]
Scale: TypeAlias = Literal["response", "link"]

_DEFAULT_LINK: dict[str, Link] = {
    "gaussian": "identity",
    "binomial": "logit",
    "poisson": "log",
    "gamma": "inverse",
}


@dataclass(frozen=True, slots=True)
class GlmOptions:
    """The family of a model, and how its response and errors are read."""

    family: Family = "gaussian"
    link: Link | None = None
    positive: Levels = None
    offset: str | None = None
    reference: Mapping[str, Level] | None = None
    errors: Errors = "linearized"


class Regression(Table):
    """A fitted generalised linear model.

    Made by :meth:`Survey.glm`. The table shows its coefficients with t tests on the design's
    degrees of freedom plus one less the number of coefficients.
    """

    def __init__(
        self, call: ModelCall, fit: _core.Regression, options: GlmOptions, link: Link
    ) -> None:
        self._call = call
        self._fit = fit
        self._family = options.family
        self._options = options
        self._link = link
        linearised = coefficients_of(call, _core.regression_coefficients(fit), fit.aliased)
        self._coefficients = (
            reduced_coefficients(call.sample, linearised, fit, call.domain.codes)
            if options.errors == "bell-mccaffrey"
            else linearised
        )

    @property
    def coefficients(self) -> Estimates:
        """The coefficients, labelled by term and level, with all their covariances."""
        return self._coefficients

    @property
    def aliased(self) -> list[str]:
        """Columns left out because they are combinations of earlier ones."""
        return aliased_names(self._call.frame, self._fit.aliased)

    @property
    def dispersion(self) -> float:
        """The variance of the Pearson residuals."""
        return self._fit.dispersion

    @property
    def deviance(self) -> float:
        """The deviance, at weights relative to their mean."""
        return self._fit.deviance

    @property
    def null_deviance(self) -> float:
        """The deviance of the constant alone."""
        return self._fit.null_deviance

    @property
    def n(self) -> int:
        """Rows used, unweighted."""
        return self._fit.used

    @property
    def missing(self) -> int:
        """Rows left out because a value is missing."""
        return self._fit.missing

    def test(self, *terms: str) -> HypothesisTest:
        """Test that all coefficients of some terms are 0, by Wald's F.

        Parameters
        ----------
        *terms : str
            As written in the formula, for example ``"region"``; without any, all but the
            intercept.

        Returns
        -------
        HypothesisTest
            As R's ``regTermTest``.

        Raises
        ------
        FormulaError
            The model has no such term.
        """
        return test_of_terms(self._coefficients, terms)

    def predict(self, frame: IntoDataFrame, *, scale: Scale = "response") -> Estimates:
        """Predict the mean response at given values of the variables.

        Parameters
        ----------
        frame : data frame
            One row a prediction, with the columns that the formula names.
        scale : {"response", "link"}
            The mean, or the linear predictor.

        Returns
        -------
        Estimates
            Labelled by row, with errors of the coefficients and all covariances.
        """
        rows = Columns(frame)
        read = read_new(self._call.frame, rows)
        offset = self._options.offset
        values, jacobian = _core.predict_regression(
            self._fit,
            read.core,
            scale,
            offset or "",
            None if offset is None else rows.numbers(offset),
        )
        return at_rows(self._coefficients, values, jacobian, [None])

    def column_means(self) -> Estimates:
        """Estimate the means of the model's columns, over the rows of the model.

        Returns
        -------
        Estimates
            Labelled as the coefficients. The sum of their products with these is the mean of the
            response, where the model is linear and has an intercept.
        """
        columns = self._call.frame.columns
        labels = Labels(
            {},
            [column.term for column in columns],
            [column.level for column in columns],
            ["mean"] * len(columns),
        )
        every = estimates_of(self._call, _core.column_means(self._fit), labels)
        return every.rows([i for i, out in enumerate(self._fit.aliased) if not out])

    def average_effects(self, *variables: str) -> Estimates:
        """Average marginal effects over the rows of the model.

        Parameters
        ----------
        *variables : str
            Variables of the formula; without any, all of them.

        Returns
        -------
        Estimates
            For a variable of numbers, the average derivative of the mean response; for a
            categorical one, the average difference that each level makes from the first. Errors
            have both parts: of the coefficients, and of averaging over a sample.

        Notes
        -----
        Graubard and Korn (1999), Biometrics 55(2); Deville (1999), Survey Methodology 25(2).
        """
        frame = self._call.frame
        wanted = variables or frame.formula.variables
        if not wanted:
            raise FormulaError("the model has no variables: it is a constant alone")
        parts = [self._effects_of(self._known(name)) for name in wanted]
        matrices = [matrix for part in parts for matrix in part.matrices]
        slopes = [slope for part in parts for slope in part.slopes]
        averaged = self._averages(matrices, slopes)
        rows = np.zeros((sum(len(part.labels) for part in parts), len(matrices)))
        at = row = 0
        for part in parts:
            for j in range(len(part.labels)):
                if part.slopes[0] is not None:
                    rows[row, at] = 1
                else:
                    rows[row, at + j + 1], rows[row, at] = 1, -1
                row += 1
            at += len(part.matrices)
        names = [part.name for part in parts for _ in part.labels]
        levels = [label for part in parts for label in part.labels]
        labels = Labels({}, names, levels, ["effect"] * len(names))
        return Estimates(
            averaged.core.contrast(rows),
            labels,
            averaged.evidence.of_functions(rows),
            averaged.presentation,
        )

    def average_predictions(self, variable: str | None = None) -> Estimates:
        """Average predictions over the rows of the model, with a variable set to each level.

        Parameters
        ----------
        variable : str, optional
            A categorical variable of the formula; without it, the average as the rows are.

        Returns
        -------
        Estimates
            Predictive margins, with both parts of their errors.

        Notes
        -----
        Graubard and Korn (1999), Biometrics 55(2).
        """
        if variable is None:
            return self._averages([self._call.frame.core], [None]).renamed("prediction")
        name = self._known(variable)
        levels = self._call.frame.levels.get(name)
        if levels is None:
            raise FormulaError(
                f"{variable!r} is not categorical: predict() takes any values of it",
                column=variable,
            )
        matrices = [self._call.frame.with_level(name, level) for level in levels]
        averaged = self._averages(matrices, [None] * len(matrices))
        labels = Labels({}, [name] * len(levels), list(levels), ["prediction"] * len(levels))
        return Estimates(averaged.core, labels, averaged.evidence, averaged.presentation)

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return the coefficients with their tests, one a row."""
        return coefficient_table(self._coefficients)

    def __repr__(self) -> str:
        return text_table(self.to_dict(), self._footer())

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), self._footer())

    def _footer(self) -> list[str]:
        lines = [
            f"{self._call.text}: {self._family}, {self._link} link, {self.n:,} rows"
            + (f" ({self.missing:,} left out: a value is missing)" if self.missing else ""),
            f"dispersion {self.dispersion:.4g}, deviance {self.deviance:.5g} "
            f"(of the constant alone {self.null_deviance:.5g})",
        ]
        if self.aliased:
            lines.append(f"left out, as combinations of other columns: {', '.join(self.aliased)}")
        return lines + convention_lines(self._coefficients)

    def _known(self, variable: str) -> str:
        names = self._call.frame.formula.variables
        if variable in names:
            return variable
        if f"C({variable})" in names:
            return f"C({variable})"
        raise FormulaError(
            f"the formula has no variable {variable!r}.{nearest_text(variable, names)}",
            column=variable,
        )

    def _effects_of(self, name: str) -> "_Effects":
        frame = self._call.frame
        self._refuse_shared(name)
        if name in frame.factor_of:
            return _Effects(name, [frame.core], [frame.factor_of[name]], [None])
        levels = frame.levels.get(name)
        if levels is None:
            raise FormulaError(f"{name!r} makes several columns: it has no single slope")
        matrices = [frame.with_level(name, level) for level in levels]
        return _Effects(name, matrices, [None] * len(matrices), list(levels[1:]))

    def _refuse_shared(self, name: str) -> None:
        """A variable that stands in another expression too has no effect of its own."""
        columns = self._call.sample.columns
        mine = columns_of(name, columns)
        for other in self._call.frame.formula.variables:
            if other != name and mine & columns_of(other, columns):
                raise FormulaError(
                    f"{name!r} also stands in {other!r}, which would move with it: compare "
                    "predict() at two values instead",
                    column=name,
                )

    def _averages(
        self, matrices: Sequence[_core.ModelMatrix], slopes: Sequence[int | None]
    ) -> Estimates:
        call = self._call
        if self._options.errors == "bell-mccaffrey":
            raise DesignMismatch(
                "averages over the rows have no Bell–McCaffrey errors: fit with "
                "errors='linearized', or predict() at chosen values"
            )
        estimator = _core.averages(
            self._fit,
            list(matrices),
            list(slopes),
            "response",
            call.sample.design,
            call.domain.codes,
        )
        size = len(matrices)
        labels = Labels({}, ["prediction"] * size, list(range(size)), ["prediction"] * size)
        averaged = estimates_of(call, estimator, labels)
        own = self._coefficients
        return averaged.with_df(float(own.degrees_of_freedom()[0])).with_convention(
            "degrees of freedom", own.conventions["degrees of freedom"]
        )


@dataclass(frozen=True, slots=True)
class _Effects:
    name: str
    matrices: list[_core.ModelMatrix]
    slopes: Sequence[int | None]
    labels: list[Level]


def fit_glm(
    sample: Sample, formula: str, options: GlmOptions, where: Where | None, level: float
) -> Regression:
    """Fit a generalised linear model."""
    base = str(options.family).removeprefix("quasi")
    if options.family not in get_args(Family):
        known = ", ".join(map(repr, get_args(Family)))
        raise ValueError(f"family={options.family!r} is none of {known}")
    link = options.link or _DEFAULT_LINK[base]
    call = model_call(sample, formula, options.reference, where, level)
    name = call.frame.formula.response
    response = _response(sample.columns, name, options.positive)
    offset = options.offset
    fit = fitted(
        call,
        lambda: _core.fit_regression(
            sample.design,
            call.domain.codes,
            call.frame.core,
            name,
            response,
            base,
            link,
            offset or "",
            None if offset is None else sample.columns.numbers(offset),
        ),
    )
    return Regression(call, fit, options, link)


def _response(columns: Columns, name: str, positive: Levels) -> NumberArray:
    """The response as numbers; answers that count are 1, others 0."""
    if positive is None:
        return read_numbers(name, columns)
    factor = columns.factor(name)
    counts = np.full(len(factor.levels) + 1, 0.0)
    counts[level_codes(name, factor, positive)] = 1
    counts[-1] = np.nan
    return np.ascontiguousarray(counts[factor.codes.to_numpy()])
