"""Regression of ordered answers."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from narwhals.typing import IntoDataFrame

from steelyard import _core
from steelyard.columns import Columns
from steelyard.condition import Where
from steelyard.estimates import Estimates
from steelyard.formula import INTERCEPT, read_new
from steelyard.hypothesis import HypothesisTest
from steelyard.levels import Level
from steelyard.likert import item_factor
from steelyard.model import (
    ModelCall,
    aliased_names,
    at_rows,
    coefficient_table,
    coefficients_of,
    convention_lines,
    fitted,
    model_call,
    test_of_terms,
)
from steelyard.render import html_table, text_table
from steelyard.sample import Sample
from steelyard.table import Cell, Table


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
        self._coefficients = coefficients_of(
            call, _core.ordinal_coefficients(fit), fit.aliased, thresholds=steps
        )

    @property
    def coefficients(self) -> Estimates:
        """Coefficients, then thresholds, with all their covariances."""
        return self._coefficients

    @property
    def aliased(self) -> list[str]:
        """Columns left out because they are combinations of earlier ones."""
        return [
            name for name in aliased_names(self._call.frame, self._fit.aliased) if name != INTERCEPT
        ]

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
        return test_of_terms(self._coefficients, terms)

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
        read = read_new(self._call.frame, rows)
        values, jacobian = _core.predict_ordinal(self._fit, read.core, "", None)
        return at_rows(self._coefficients, values, jacobian, self._answers)

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return coefficients and thresholds with their tests, one a row."""
        return coefficient_table(self._coefficients)

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
        return lines + convention_lines(self._coefficients)


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
    call = model_call(sample, formula, reference, where, level)
    factor = item_factor(sample.columns, call.frame.formula.response, levels)
    codes = factor.codes.to_numpy()
    inside = sample.design.row_weights() > 0
    if call.domain.codes is not None:
        inside &= call.domain.codes.to_numpy() >= 0
    counts = np.bincount(codes[inside & (codes >= 0)], minlength=len(factor.levels))
    answered = [known for known, count in zip(factor.levels, counts, strict=True) if count > 0]
    if len(answered) < len(factor.levels) and not levels:
        positions = {known: i for i, known in enumerate(answered)}
        moved = np.array([positions.get(known, -1) for known in (*factor.levels, None)], np.int32)
        kept = _core.Codes(moved[codes], len(answered))
    else:
        kept, answered = factor.codes, list(factor.levels)
    fit = fitted(
        call,
        lambda: _core.fit_ordinal(
            sample.design, call.domain.codes, call.frame.core, kept, link, "", None
        ),
        answered,
    )
    return OrdinalRegression(call, fit, answered)
