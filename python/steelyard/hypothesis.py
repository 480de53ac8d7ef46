"""A test of a hypothesis: its statistic, what it is compared with, and the estimates behind it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from steelyard import _core
from steelyard.errors import NoVariation
from steelyard.estimates import Estimates, WaldVariant
from steelyard.evidence import Floats
from steelyard.notes import NO_VARIATION
from steelyard.render import html_table, number_text, text_table
from steelyard.table import Cell, Table, cells


@dataclass(frozen=True, slots=True, eq=False)
class HypothesisTest(Table):
    """A test statistic with its degrees of freedom and probability.

    Attributes
    ----------
    hypothesis : str
        What is tested, in words.
    method : str
        How.
    name : {"t", "F", "chi2", "X2"}
        What the statistic is compared with; X2: with a weighted sum of chi-squares.
    statistic : float
    ndf, ddf : float
        Degrees of freedom: of the hypothesis (1 for t), and of the variance (infinite for chi2).
    p_value : float
        The probability of a statistic as far out, if the hypothesis holds; two-sided for t.
    estimates : Estimates or None
        What the test is about: a difference, or the estimates that are compared.
    effect : Estimates or None
        The difference in standard deviations.
    notes : sequence of str
        What else must be known.
    uncorrected : float or None
        Of a table: X² or G² as it would be under simple random sampling.
    design_effects : array of float or None
        Of a table: the generalised design effects that it is judged by, largest first.
    """

    hypothesis: str
    method: str
    name: str
    statistic: float
    ndf: float
    ddf: float
    p_value: float
    estimates: Estimates | None = None
    effect: Estimates | None = None
    notes: Sequence[str] = field(default=())
    uncorrected: float | None = None
    design_effects: Floats | None = None

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return the test as one row of plain values."""
        figures = np.array([self.statistic, self.ndf, self.ddf, self.p_value])
        values = cells(figures)
        return {
            "hypothesis": [self.hypothesis],
            self.name: [values[0]],
            "ndf": [values[1]],
            "ddf": [values[2]],
            "p_value": [values[3]],
        }

    def __repr__(self) -> str:
        table = self.to_dict()
        del table["hypothesis"]
        return "\n".join([self.hypothesis, text_table(table, self._footer())])

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), self._footer())

    def _footer(self) -> list[str]:
        lines = [f"method: {self.method}"]
        for what, shown in (("estimate", self.estimates), ("effect size", self.effect)):
            if shown is not None and len(shown) == 1:
                low, high = shown.ci()[0]
                lines.append(
                    f"{what}: {number_text(shown.value)} "
                    f"({100 * shown.presentation.level:g}% from {number_text(low)} to "
                    f"{number_text(high)})"
                )
        return [*lines, *self.notes]


def t_test_of(
    estimate: Estimates,
    df: float,
    *,
    hypothesis: str,
    method: str,
    null: float = 0.0,
    effect: Estimates | None = None,
) -> HypothesisTest:
    """Test that an estimate is `null`, by t."""
    value, error = estimate.value, float(estimate.se[0])
    if not np.isfinite(null):
        raise ValueError(f"null={null} is no value to test against")
    if not (error > 0 and np.isfinite(value)) or estimate.notes[0] == NO_VARIATION:
        reason = estimate.notes[0] or "it does not vary"
        raise NoVariation(f"{hypothesis}: there is no sampling error to test against ({reason})")
    statistic = (value - null) / error
    p_value = _core.two_sided_p_value(value, error, df, null)
    shown = estimate.with_df(df)
    return HypothesisTest(hypothesis, method, "t", statistic, 1.0, df, p_value, shown, effect)


def wald_test_of(
    estimates: Estimates, null: Floats, variant: WaldVariant, df: float
) -> HypothesisTest:
    """Test that all estimates are those of the hypothesis at once."""
    found = _core.wald_test(estimates.core, df, variant, null)
    same = len(set(null.tolist())) == 1
    return HypothesisTest(
        f"all {len(estimates)} estimates are {null[0]:g}"
        if same
        else f"the {len(estimates)} estimates are those given",
        {"F": "Wald, F", "adjusted-F": "Wald, adjusted F", "chi2": "Wald, chi-square"}[variant],
        "chi2" if variant == "chi2" else "F",
        found.statistic,
        found.ndf,
        found.ddf,
        found.p_value,
        estimates,
        notes=(
            "degrees of freedom: from the smallest of those of the estimates, which have their own",
        )
        if estimates.evidence.df is not None
        else (),
    )
