"""What regression models share: reading the formula, coefficients, tests and tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from steelyard import _core
from steelyard.condition import Where
from steelyard.domain import Domain
from steelyard.errors import FitFailed, FormulaError, nearest_text, rows_text
from steelyard.estimates import Estimates
from steelyard.evidence import Floats
from steelyard.explain import CORE_ERRORS, explain
from steelyard.formula import INTERCEPT, ModelFrame, parse, read_frame
from steelyard.hypothesis import HypothesisTest, wald_test_of
from steelyard.labels import Labels
from steelyard.levels import Level
from steelyard.notes import without_variation
from steelyard.sample import Sample
from steelyard.statistic import Statistic
from steelyard.table import Cell, cells
from steelyard.terms import Term

THRESHOLD = "(Threshold)"  # of an ordinal model, as INTERCEPT
MOST_PREDICTED = 2**27  # deviations of predictions, 1 GiB

Fit = TypeVar("Fit", _core.Regression, _core.Ordinal)


@dataclass(frozen=True, slots=True)
class ModelCall:
    """What was asked for: the sample, the rows of the model, and its formula."""

    sample: Sample
    domain: Domain
    frame: ModelFrame
    level: float
    text: str


def model_call(
    sample: Sample,
    formula: str,
    reference: Mapping[str, Level] | None,
    where: Where | None,
    level: float,
) -> ModelCall:
    """Read the formula and the rows of a model."""
    if not 0 < level < 1:
        raise ValueError(f"level={level} is not a confidence level between 0 and 1")
    domain = sample.domain(None, where)
    inside = sample.design.row_weights() > 0
    if domain.codes is not None:
        inside &= domain.codes.to_numpy() >= 0
    frame = read_frame(parse(formula), sample.columns, inside, reference)
    return ModelCall(sample, domain, frame, level, formula)


def fitted(call: ModelCall, fit: Callable[[], Fit], answers: Sequence[Level] = ()) -> Fit:
    """Fit, and say in words what went wrong."""
    try:
        return fit()
    except _core.FitError as error:
        raise _explain_fit(error, call, answers) from None
    except CORE_ERRORS as error:
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
        where = f" in {named}" if named else ""
        text = f"the fit does not converge{where}: rescale columns, or leave some out"
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


def coefficients_of(
    call: ModelCall,
    estimator: _core.Estimator,
    aliased: Sequence[bool],
    thresholds: Sequence[str] = (),
) -> Estimates:
    """Coefficients that are not aliased, with their degrees of freedom."""
    kept = [column for column, out in zip(call.frame.columns, aliased, strict=True) if not out]
    size = len(kept) + len(thresholds)
    labels = Labels(
        {},
        [column.term for column in kept] + [THRESHOLD] * len(thresholds),
        [column.level for column in kept] + list(thresholds),
        ["coefficient"] * size,
    )
    made = estimates_of(call, estimator, labels)
    constant = 0 if thresholds else 1  # thresholds are the constant of an ordinal model
    left = float(made.degrees_of_freedom().min()) + constant - len(kept)
    rule = made.conventions["degrees of freedom"]
    text = f"{rule}, {'plus one, ' if constant else ''}less the coefficients"
    return made.with_df(max(1.0, left)).with_convention("degrees of freedom", text)


def estimates_of(call: ModelCall, estimator: _core.Estimator, labels: Labels) -> Estimates:
    """Estimates of a model's own estimator, over the rows of the model."""
    term = Term(
        Statistic("mean", (call.frame.formula.response,)),
        (estimator,),
        tuple(labels.level),
        tuple(labels.kind),
    )
    return call.sample.estimates_of([term], call.domain, call.level, labels)


def test_of_terms(coefficients: Estimates, terms: Sequence[str]) -> HypothesisTest:
    """Test that all coefficients of some terms are 0; without terms, of all of them."""
    names = coefficients.labels.variable
    known = [n for n in dict.fromkeys(names) if n not in (INTERCEPT, THRESHOLD)]
    wanted = list(terms) or known
    if not wanted:
        raise FormulaError("the model has no terms to test: it is a constant alone")
    for term in wanted:
        if term not in known:
            raise FormulaError(f"the model has no term {term!r}.{nearest_text(term, known)}")
    rows = [i for i, name in enumerate(names) if name in wanted]
    chosen = coefficients.rows(rows)
    df = float(chosen.degrees_of_freedom().min())
    found = wald_test_of(chosen, np.zeros(len(rows)), "F", df)
    return replace(found, hypothesis=f"all coefficients of {', '.join(wanted)} are 0")


def at_rows(
    coefficients: Estimates,
    values: Floats,
    jacobian: Floats,
    answers: Sequence[Level],
) -> Estimates:
    """Predictions as functions of the coefficients, labelled by row."""
    size = coefficients.core.deviations.shape[0] * len(values)
    if size > MOST_PREDICTED:
        raise ValueError(
            f"{len(values):,} predictions with the covariances of all pairs are too many for "
            f"{size // len(values):,} units: predict fewer rows at once, or ask for averages over "
            "the rows"
        )
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


def coefficient_table(coefficients: Estimates) -> dict[str, list[Cell]]:
    """Coefficients with their tests, one a row."""
    bounds = coefficients.ci()
    notes = coefficients.notes
    flat = without_variation(coefficients.estimate, coefficients.se)
    errors = np.where(flat, 0.0, coefficients.se)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = coefficients.estimate / errors
    return {
        **coefficients.labels.columns(),
        "estimate": cells(coefficients.estimate),
        "se": cells(errors),
        "t": cells(t),
        "p_value": cells(coefficients.p_value()),
        "ci_low": cells(bounds[:, 0]),
        "ci_high": cells(bounds[:, 1]),
        "df": cells(coefficients.degrees_of_freedom()),
        **({"note": list(notes)} if any(notes) else {}),
    }


def convention_lines(coefficients: Estimates) -> list[str]:
    """What errors and tests rest on, in words."""
    conventions = coefficients.conventions
    df = np.unique(coefficients.degrees_of_freedom())
    on = f"{df[0]:g}" if len(df) == 1 else f"{df[0]:.3g} to {df[-1]:.3g}"
    return [
        f"errors: {conventions['variance']}",
        f"t on {on} degrees of freedom: {conventions['degrees of freedom']}",
    ]


def aliased_names(frame: ModelFrame, aliased: Sequence[bool]) -> list[str]:
    """Columns left out as combinations of earlier ones."""
    return [
        column.term if column.level is None else f"{column.term}[{column.level}]"
        for column, out in zip(frame.columns, aliased, strict=True)
        if out
    ]
