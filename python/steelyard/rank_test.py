"""Rank tests: do groups differ in the distribution of an answer?"""

from typing import Literal, TypeAlias

import numpy as np

from steelyard import _core
from steelyard.condition import Where
from steelyard.errors import EmptyDomain, InfiniteValues, NoVariation, error_in_rows
from steelyard.estimates import Estimates
from steelyard.explain import CORE_ERRORS, explain
from steelyard.hypothesis import HypothesisTest, t_test_of
from steelyard.mean_test import freedom_of_groups
from steelyard.sample import Sample
from steelyard.statistic import Statistic
from steelyard.terms import Term

RankScore: TypeAlias = Literal["wilcoxon", "van-der-waerden", "median"]

_NAMES = {
    "wilcoxon": ("Wilcoxon", "Kruskal–Wallis"),
    "van-der-waerden": ("van der Waerden", "van der Waerden"),
    "median": ("median", "median"),
}


def rank_test(
    sample: Sample, variable: str, by: str, score: RankScore, where: Where | None, level: float
) -> HypothesisTest:
    """Compare the mean rank scores of groups."""
    domain = sample.domain([by], where)
    numbers = sample.columns.numbers(variable)
    infinite = np.flatnonzero(np.isinf(np.asarray(numbers, dtype=np.float64)))
    if len(infinite) > 0:
        raise error_in_rows(
            InfiniteValues,
            variable,
            infinite.tolist(),
            f"column {variable!r} is infinite",
            "look for a division by zero, or make these values missing",
        )
    try:
        scores = _core.rank_scores(sample.design, domain.codes, variable, numbers, score)
    except CORE_ERRORS as error:
        raise explain(error, sample.names) from None
    name = f"rank of {variable}"
    term = Term(Statistic("mean", (name,)), (_core.mean(name, scores),), (None,), ("mean",))
    groups = sample.estimates_of([term], domain, level)
    answered = groups.rows(np.flatnonzero(groups.n > 0).tolist())
    if len(answered) < 2:
        raise EmptyDomain(
            f"column {by!r} has one group with answers to {variable!r}: nothing to compare with",
            column=by,
        )
    hypothesis = f"{variable} has one distribution in all groups of {by}"
    two, several = _NAMES[score]
    if len(answered) == 2:
        difference: Estimates = answered.rows([1]) - answered.rows([0])
        return t_test_of(
            difference.renamed(name),
            freedom_of_groups(sample, variable, by, difference, where, level),
            hypothesis=hypothesis,
            method=f"{two} test: t of the difference in mean rank score",
        )
    df = freedom_of_groups(sample, variable, by, answered, where, level, len(answered))
    try:
        found = answered.equality_test(df=df)
    except ValueError as error:
        raise NoVariation(f"{hypothesis}: {error}") from None
    return HypothesisTest(
        hypothesis,
        f"{several} test: F of the differences in mean rank score",
        found.name,
        found.statistic,
        found.ndf,
        found.ddf,
        found.p_value,
        answered,
    )
