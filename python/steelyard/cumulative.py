"""Several years taken together: a figure over all their answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from steelyard import _core
from steelyard.condition import Where
from steelyard.decomposition import Side, check_statistic, side_of
from steelyard.estimates import Estimates
from steelyard.evidence import Evidence
from steelyard.labels import SHARES, Labels
from steelyard.period import Period
from steelyard.propagation import join
from steelyard.statistic import Statistic
from steelyard.survey import Survey


def cumulative(
    waves: Mapping[Period, Survey] | Sequence[Survey],
    statistic: Statistic,
    *,
    where: Where | None = None,
    level: float = 0.95,
) -> Estimates:
    """Estimate a mean or a share over several surveys, such as the years of a biennium.

    Each survey enters with its own weights, so a year counts by the population it stands for, and
    the error of that is part of the result. For other weights of the years, see
    :meth:`Comparison.average`.

    Parameters
    ----------
    waves : mapping from period to Survey, or sequence of Survey
        One a year. Units of the same name covary.
    statistic : Statistic
        A mean, or a proportion of a set of answers.
    where, level
        As for :meth:`Survey.mean`.

    Returns
    -------
    Estimates
        One; n counts the answers of all surveys.

    Raises
    ------
    ValueError
        The statistic is none of these, or there is no survey.

    Notes
    -----
    Σ N r / Σ N over the surveys, with r the figure and N the weighted answers of each, by the delta
    method: the same as weighted sums over all rows.

    Examples
    --------
    >>> import steelyard as sy
    >>> waves = {
    ...     year: sy.Survey(
    ...         sy.datasets.simulate_evaluation(year),
    ...         weights="weight",
    ...         strata="stratum",
    ...         clusters="activity",
    ...     )
    ...     for year in (2022, 2023)
    ... }
    >>> int(sy.cumulative(waves, sy.mean("satisfaction")).n[0])
    1216
    """
    check_statistic(statistic)
    surveys = list(waves.values()) if isinstance(waves, Mapping) else list(waves)
    if not surveys:
        raise ValueError("there is no survey to take together")
    sides = [side_of(survey.sample, statistic, (), where, level) for survey in surveys]
    rates, sizes = sides[0].rates.core, sides[0].sizes.core
    for side in sides[1:]:
        rates, sizes = join(rates, side.rates.core), join(sizes, side.sizes.core)
    first = sides[0].rates
    labels = Labels({}, first.labels.variable, first.labels.level, first.labels.kind)
    evidence = Evidence.pooled([s.rates.evidence for s in sides], certain=any(map(_is_sure, sides)))
    evidence = replace(evidence, missing=np.array([sum(side.missing for side in sides)]))
    return Estimates(_core.standardised(rates, sizes), labels, evidence, first.presentation)


def _is_sure(side: Side) -> bool:
    return side.rates.labels.kind[0] in SHARES and bool(np.isin(side.rates.estimate[0], (0.0, 1.0)))
