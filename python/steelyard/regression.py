"""Regression models fitted by the survey's weights, with errors by its design."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from narwhals.typing import IntoDataFrame

from steelyard import _core
from steelyard.columns import Columns, NumberArray, level_codes
from steelyard.condition import Where
from steelyard.domain import Domain
from steelyard.errors import FitFailed, FormulaError, nearest_text, rows_text
from steelyard.estimates import Estimates
from steelyard.evidence import Floats
from steelyard.explain import explain
from steelyard.formula import INTERCEPT, ModelFrame, parse, read_frame, read_numbers
from steelyard.hypothesis import HypothesisTest, wald_test_of
from steelyard.labels import Labels
from steelyard.levels import Level, with_levels
from steelyard.likert import item_factor
from steelyard.render import html_table, text_table
from steelyard.sample import Sample
from steelyard.statistic import Levels, Statistic
from steelyard.table import Cell, Table, cells
from steelyard.terms import Term

Family: TypeAlias = Literal[
    "gaussian", "binomial", "poisson", "gamma", "quasibinomial", "quasipoisson"
]
Link: TypeAlias = Literal["identity", "logit", "probit", "cloglog", "log", "inverse"]
Scale: TypeAlias = Literal["response", "link"]

Fit = TypeVar("Fit", _core.Regression, _core.Ordinal)

_DEFAULT_LINK: dict[str, Link] = {
    "gaussian": "identity",
    "binomial": "logit",
    "poisson": "log",
    "gamma": "inverse",
}


@dataclass(frozen=True, slots=True)
class ModelCall:
    """What was asked for: the sample, the rows of the model, and its formula."""

    sample: Sample
    domain: Domain
    frame: ModelFrame
    level: float
    text: str


class Regression(Table):
    """A fitted generalised linear model.

    Made by :meth:`Survey.glm`. The table shows its coefficients with t tests on the design's
    degrees of freedom plus one less the number of coefficients.
    """

    def __init__(self, call: ModelCall, fit: _core.Regression, family: Family, link: Link) -> None:
        self._call = call
        self._fit = fit
        self._family = family
        self._link = link
        self._coefficients = _coefficients(call, _core.regression_coefficients(fit), fit.aliased)

    @property
    def coefficients(self) -> Estimates:
        """The coefficients, labelled by term and level, with all their covariances."""
        return self._coefficients

    @property
    def aliased(self) -> list[str]:
        """Columns left out because they are combinations of earlier ones."""
        return _aliased(self._call.frame, self._fit.aliased)

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
        return _test_terms(self._coefficients, terms)

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
        read = read_frame(self._call.frame.formula, rows, self._call.frame.levels)
        values, jacobian = _core.predict_regression(self._fit, read.core, scale, "", None)
        return _at_rows(self._coefficients, values, jacobian, [None])

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
        return _coefficient_table(self._coefficients)

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
        return lines + _convention_lines(self._coefficients)

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
        if name in frame.factor_of:
            return _Effects(name, [frame.core], [frame.factor_of[name]], [None])
        levels = frame.levels.get(name)
        if levels is None:
            raise FormulaError(f"{name!r} makes several columns: it has no single slope")
        matrices = [frame.with_level(name, level) for level in levels]
        return _Effects(name, matrices, [None] * len(matrices), list(levels[1:]))

    def _averages(
        self, matrices: Sequence[_core.ModelMatrix], slopes: Sequence[int | None]
    ) -> Estimates:
        call = self._call
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
        averaged = _estimates(call, estimator, labels)
        return averaged.with_df(float(self._coefficients.degrees_of_freedom()[0]))


@dataclass(frozen=True, slots=True)
class _Effects:
    name: str
    matrices: list[_core.ModelMatrix]
    slopes: Sequence[int | None]
    labels: list[Level]


class OrdinalRegression(Table):
    """A fitted cumulative link model of ordered answers, such as the proportional-odds model.

    Made by :meth:`Survey.ologit`. A positive coefficient moves answers up: the probability of at
    most answer j is F(threshold_j - x b).
    """

    def __init__(self, call: ModelCall, fit: _core.Ordinal, answers: Sequence[Level]) -> None:
        self._call = call
        self._fit = fit
        self._answers = tuple(answers)
        steps = [f"{a} | {b}" for a, b in pairwise(answers)]
        self._coefficients = _coefficients(
            call, _core.ordinal_coefficients(fit), fit.aliased, thresholds=steps
        )

    @property
    def coefficients(self) -> Estimates:
        """Coefficients, then thresholds, with all their covariances."""
        return self._coefficients

    @property
    def aliased(self) -> list[str]:
        """Columns left out because they are combinations of earlier ones."""
        return [name for name in _aliased(self._call.frame, self._fit.aliased) if name != INTERCEPT]

    @property
    def n(self) -> int:
        """Rows used, unweighted."""
        return self._fit.used

    @property
    def missing(self) -> int:
        """Rows left out because a value is missing."""
        return self._fit.missing

    @property
    def deviance(self) -> float:
        """Minus twice the log-likelihood, at weights relative to their mean."""
        return self._fit.deviance

    def test(self, *terms: str) -> HypothesisTest:
        """Test that all coefficients of some terms are 0; see :meth:`Regression.test`."""
        return _test_terms(self._coefficients, terms)

    def predict(self, frame: IntoDataFrame) -> Estimates:
        """Predict the probability of each answer at given values of the variables.

        Parameters
        ----------
        frame : data frame
            One row a prediction, with the columns that the formula names.

        Returns
        -------
        Estimates
            Labelled by row and answer.
        """
        rows = Columns(frame)
        read = read_frame(self._call.frame.formula, rows, self._call.frame.levels)
        values, jacobian = _core.predict_ordinal(self._fit, read.core, "", None)
        return _at_rows(self._coefficients, values, jacobian, self._answers)

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return coefficients and thresholds with their tests, one a row."""
        return _coefficient_table(self._coefficients)

    def __repr__(self) -> str:
        return text_table(self.to_dict(), self._footer())

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), self._footer())

    def _footer(self) -> list[str]:
        lines = [
            f"{self._call.text}: cumulative link model, {self.n:,} rows"
            + (f" ({self.missing:,} left out: a value is missing)" if self.missing else "")
        ]
        if self.aliased:
            lines.append(f"left out, as combinations of other columns: {', '.join(self.aliased)}")
        return lines + _convention_lines(self._coefficients)


def fit_glm(
    sample: Sample,
    formula: str,
    family: Family,
    link: Link | None,
    positive: Levels,
    offset: str | None,
    reference: Mapping[str, Level] | None,
    where: Where | None,
    level: float,
) -> Regression:
    """Fit a generalised linear model."""
    base = family.removeprefix("quasi")
    if base not in _DEFAULT_LINK:
        raise ValueError(f"family={family!r} is none of {', '.join(map(repr, _DEFAULT_LINK))}")
    chosen = link or _DEFAULT_LINK[base]
    call = _call(sample, formula, reference, where, level)
    name = call.frame.formula.response
    response = _response(sample.columns, name, positive)
    fit = _fitted(
        call,
        lambda: _core.fit_regression(
            sample.design,
            call.domain.codes,
            call.frame.core,
            name,
            response,
            base,
            chosen,
            offset or "",
            None if offset is None else sample.columns.numbers(offset),
        ),
    )
    return Regression(call, fit, family, chosen)


def fit_ologit(
    sample: Sample,
    formula: str,
    levels: Sequence[Level],
    link: Literal["logit", "probit", "cloglog"],
    reference: Mapping[str, Level] | None,
    where: Where | None,
    level: float,
) -> OrdinalRegression:
    """Fit a cumulative link model."""
    call = _call(sample, formula, reference, where, level)
    factor = item_factor(sample.columns, call.frame.formula.response, levels)
    counts = factor.codes.counts
    answered = [known for known, count in zip(factor.levels, counts, strict=True) if count > 0]
    if len(answered) < len(factor.levels) and not levels:
        positions = {known: i for i, known in enumerate(answered)}
        codes = np.array([positions.get(known, -1) for known in (*factor.levels, None)], np.int32)
        kept = _core.Codes(codes[factor.codes.to_numpy()], len(answered))
    else:
        kept, answered = factor.codes, list(factor.levels)
    fit = _fitted(
        call,
        lambda: _core.fit_ordinal(
            sample.design, call.domain.codes, call.frame.core, kept, link, "", None
        ),
        answered,
    )
    return OrdinalRegression(call, fit, answered)


def _call(
    sample: Sample,
    formula: str,
    reference: Mapping[str, Level] | None,
    where: Where | None,
    level: float,
) -> ModelCall:
    if not 0 < level < 1:
        raise ValueError(f"level={level} is not a confidence level between 0 and 1")
    frame = read_frame(parse(formula), sample.columns, reference=reference)
    return ModelCall(sample, sample.domain(None, where), frame, level, formula)


def _response(columns: Columns, name: str, positive: Levels) -> NumberArray:
    """The response as numbers; answers that count are 1, others 0."""
    if positive is None:
        return read_numbers(name, columns)
    factor = with_levels(name, columns.factor(name), ())
    counts = np.full(len(factor.levels) + 1, 0.0)
    counts[level_codes(name, factor, positive)] = 1
    counts[-1] = np.nan
    return np.ascontiguousarray(counts[factor.codes.to_numpy()])


def _fitted(call: ModelCall, fit: Callable[[], Fit], answers: Sequence[Level] = ()) -> Fit:
    try:
        return fit()
    except _core.FitError as error:
        raise _explain_fit(error, call, answers) from None
    except _core.InvalidColumn as error:
        raise explain(error, call.sample.names) from None


def _explain_fit(error: _core.FitError, call: ModelCall, answers: Sequence[Level]) -> FitFailed:
    _, problem, columns, count, rows, codes = error.args
    named = ", ".join(repr(column) for column in columns)
    if problem == "separation":
        text = (
            f"the response is separated by {named}: their coefficients have no finite value. "
            "Merge levels, or leave the term out"
        )
    elif problem == "no_convergence":
        text = f"the fit does not converge in {named}: rescale or leave out these columns"
    elif problem == "out_of_range":
        text = (
            f"{named} has values that the family does not allow, in {rows_text(count, rows)}: name "
            "the answers that count in positive=, or choose another family"
        )
    elif problem == "empty_category":
        which = ", ".join(repr(answers[code]) for code in codes)
        text = f"nobody gave the answer {which}: leave it out of levels=, or merge it"
    else:
        text = "no row has a value of all variables, or none of them varies"
    return FitFailed(f"{call.text!r}: {text}", count=count, rows=rows)


def _coefficients(
    call: ModelCall,
    estimator: _core.Estimator,
    aliased: Sequence[bool],
    thresholds: Sequence[str] = (),
) -> Estimates:
    kept = [column for column, out in zip(call.frame.columns, aliased, strict=True) if not out]
    size = len(kept) + len(thresholds)
    labels = Labels(
        {},
        [column.term for column in kept] + ["threshold"] * len(thresholds),
        [column.level for column in kept] + list(thresholds),
        ["coefficient"] * size,
    )
    made = _estimates(call, estimator, labels)
    constant = 0 if thresholds else 1  # thresholds are the constant of an ordinal model
    left = float(made.degrees_of_freedom().min()) + constant - len(kept)
    return made.with_df(max(1.0, left))


def _estimates(call: ModelCall, estimator: _core.Estimator, labels: Labels) -> Estimates:
    term = Term(
        Statistic("mean", (call.frame.formula.response,)),
        (estimator,),
        tuple(labels.level),
        tuple(labels.kind),
    )
    return call.sample.estimates_of([term], call.domain, call.level, labels)


def _test_terms(coefficients: Estimates, terms: Sequence[str]) -> HypothesisTest:
    names = coefficients.labels.variable
    known = [n for n in dict.fromkeys(names) if n not in (INTERCEPT, "threshold")]
    wanted = list(terms) or known
    for term in wanted:
        if term not in known:
            raise FormulaError(f"the model has no term {term!r}.{nearest_text(term, known)}")
    rows = [i for i, name in enumerate(names) if name in wanted]
    chosen = coefficients.rows(rows)
    df = float(chosen.degrees_of_freedom()[0])
    found = wald_test_of(chosen, np.zeros(len(rows)), "F", df)
    return HypothesisTest(
        f"all coefficients of {', '.join(wanted)} are 0",
        found.method,
        found.name,
        found.statistic,
        found.ndf,
        found.ddf,
        found.p_value,
        chosen,
    )


def _at_rows(
    coefficients: Estimates,
    values: Floats,
    jacobian: Floats,
    answers: Sequence[Level],
) -> Estimates:
    """Predictions as functions of the coefficients, labelled by row."""
    copies = len(values) // len(answers)
    labels = Labels(
        {"row": [row for row in range(copies) for _ in answers]},
        ["prediction"] * len(values),
        list(answers) * copies,
        ["prediction"] * len(values),
    )
    core = coefficients.core.delta(values, np.ascontiguousarray(jacobian))
    evidence = coefficients.evidence.of_functions(np.ones((len(values), len(coefficients))))
    return Estimates(core, labels, evidence, coefficients.presentation)


def _coefficient_table(coefficients: Estimates) -> dict[str, list[Cell]]:
    bounds = coefficients.ci()
    with np.errstate(divide="ignore", invalid="ignore"):
        t = coefficients.estimate / coefficients.se
    return {
        **coefficients.labels.columns(),
        "estimate": cells(coefficients.estimate),
        "se": cells(coefficients.se),
        "t": cells(t),
        "p_value": cells(coefficients.p_value()),
        "ci_low": cells(bounds[:, 0]),
        "ci_high": cells(bounds[:, 1]),
        "df": cells(coefficients.degrees_of_freedom()),
    }


def _convention_lines(coefficients: Estimates) -> list[str]:
    conventions = coefficients.conventions
    df = coefficients.degrees_of_freedom()[0]
    return [
        f"errors: {conventions['variance']}",
        f"t on {df:g} degrees of freedom: {conventions['degrees of freedom']}, plus one, less the "
        "coefficients",
    ]


def _aliased(frame: ModelFrame, aliased: Sequence[bool]) -> list[str]:
    return [
        column.term if column.level is None else f"{column.term}[{column.level}]"
        for column, out in zip(frame.columns, aliased, strict=True)
        if out
    ]
