"""What a change of a mean is made of: who answered, or how answers depend on who they are."""

from collections.abc import Mapping

from steelyard import _core
from steelyard.condition import Where
from steelyard.decomposition import Decomposition, Reference, check_reference, groups_of_one
from steelyard.errors import FormulaError
from steelyard.estimates import Estimates
from steelyard.formula import INTERCEPT
from steelyard.labels import Labels
from steelyard.levels import Level
from steelyard.period import Period
from steelyard.propagation import join
from steelyard.regression import GlmOptions, fit_glm
from steelyard.sample import Sample
from steelyard.statistic import Levels
from steelyard.survey import Survey


def oaxaca(
    waves: Mapping[Period, Survey] | Survey,
    formula: str,
    *,
    between: tuple[str, Level, Level] | None = None,
    positive: Levels = None,
    reference: Reference = "average",
    where: Where | None = None,
    level: float = 0.95,
) -> Decomposition:
    """Part a change of a mean by a linear model: Oaxaca and Blinder's decomposition.

    Parameters
    ----------
    waves : mapping of two periods to Surveys, or one Survey
        Before and after.
    formula : str
        A linear model of the response, for example ``"satisfaction ~ modality + gender"``; it has
        an intercept. Needs formulaic (``pip install "steelyard[model]"``).
    between : (column, label, label), optional
        With one Survey: the column, and which of its values come before and after.
    positive : level or sequence of levels, optional
        Answers of the response that count as 1 (a linear model of a share).
    reference : {"average", "before", "after"}
        Whose means the coefficients' part is taken with, and whose coefficients the means': the
        mean of both, which leaves no interaction, or one side.
    where, level
        As for :meth:`Survey.mean`.

    Returns
    -------
    Decomposition
        "rates" is the part of the coefficients ("unexplained"), "composition" that of the means of
        the variables ("endowments", "explained"); `details` by coefficient. Coefficients and means
        are estimates, and covary within and between the sides.

    Raises
    ------
    FormulaError
        The formula has no intercept, or the two sides have other columns: a level that occurs on
        one side only, for example.
    ValueError
        The sides are not two.

    Notes
    -----
    Oaxaca (1973), International Economic Review 14(3); Blinder (1973), Journal of Human Resources
    8(4); errors by the delta method, as Jann (2008), Stata Journal 8(4). How the intercept's part
    and those of levels divide depends on the reference levels; their sums do not.

    Examples
    --------
    >>> import steelyard as sy
    >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
    >>> found = sy.oaxaca(svy, "api00 ~ meals + ell", between=("sch.wide", "No", "Yes"))
    >>> bool(abs(found.parts.estimate.sum() - found.total.value) < 1e-9)
    True
    """
    check_reference(reference)
    options = GlmOptions(positive=positive)
    ends, samples = groups_of_one(waves, between, where)
    sides = [_side(sample, formula, options, mask, level) for sample, mask in samples]
    (before_b, before_x), (after_b, after_x) = sides
    _check_columns(before_b, after_b, ends)
    parts = join(join(before_b.core, before_x.core), join(after_b.core, after_x.core))
    core = _core.oaxaca(parts, reference)
    figures = [float((b.estimate * x.estimate).sum()) for b, x in sides]
    everything = _labelled(core, before_b, after_b, reference)
    what = "mean" if positive is None else "share"
    method = f"Oaxaca–Blinder decomposition of a {what}, {formula}, reference {reference}"
    return Decomposition(
        ends, (figures[0], figures[1]), everything, method, is_of_shares=positive is not None
    )


def _side(
    sample: Sample, formula: str, options: GlmOptions, where: Where | None, level: float
) -> tuple[Estimates, Estimates]:
    model = fit_glm(sample, formula, options, where, level)
    coefficients = model.coefficients
    if INTERCEPT not in coefficients.labels.variable:
        raise FormulaError(f"{formula!r} has no intercept, so its parts do not add to the mean")
    return coefficients, model.column_means()


def _check_columns(
    before: Estimates, after: Estimates, ends: tuple[Period | Level, Period | Level]
) -> None:
    one, two = before.labels.keys(), after.labels.keys()
    for own, other, end in ((one, two, ends[1]), (two, one, ends[0])):
        lacking = [key for key in own if key not in other]
        if lacking:
            name = " / ".join(str(part) for part in lacking[0][:-1] if part is not None)
            raise FormulaError(
                f"the model of {end} has no coefficient of {name!r}, as the other side has: merge "
                "levels that occur on one side only, or leave the term out"
            )
    if one != two:
        raise FormulaError("the two sides have their levels in different orders: declare them")


def _labelled(
    core: _core.Estimates, before: Estimates, after: Estimates, reference: Reference
) -> Estimates:
    size = len(before)
    sums: list[Level] = ["total", "rates", "composition", "interaction"]
    terms: list[Level] = [
        variable if value is None else f"{variable}: {value}"
        for variable, value in zip(before.labels.variable, before.labels.level, strict=True)
    ]
    nothing: list[Level] = [None] * len(sums)
    parts: list[Level] = [*sums, *["rates"] * size, *["composition"] * size]
    labels = Labels(
        {"part": parts, "term": [*nothing, *terms, *terms]},
        ["change"] * len(parts),
        [None] * len(parts),
        ["contrast"] * len(parts),
    )
    both = before.evidence.with_other(after.evidence)
    weakest = [int(both.units.argmin())] * len(sums)
    evidence = both.select([*weakest, *range(size), *range(size)])
    made = Estimates(core, labels, evidence, before.presentation)
    if reference != "average":
        return made
    return made.rows([i for i in range(len(made)) if i != 3])  # there is no interaction
