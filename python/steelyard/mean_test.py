"""Tests of means: of one sample, of two groups, of before and after."""

from collections.abc import Sequence

import numpy as np

from steelyard import _core
from steelyard.columns import NumberArray
from steelyard.condition import Where
from steelyard.errors import EmptyDomain, InfiniteValues, TooManyLevels, error_in_rows
from steelyard.estimates import Estimates
from steelyard.explain import explain
from steelyard.hypothesis import HypothesisTest, t_test_of
from steelyard.levels import Level
from steelyard.sample import Sample
from steelyard.statistic import Statistic
from steelyard.terms import Term


def one_sample(
    sample: Sample, variable: str, null: float, where: Where | None, level: float
) -> HypothesisTest:
    """Is the mean `null`?"""
    statistics = [Statistic("mean", (variable,)), Statistic("sd", (variable,))]
    both = sample.estimate([s.named(s.kind) for s in statistics], None, where, level)
    effect = both.transform(lambda x: (x[0] - null) / x[1]).renamed(f"({variable} - {null:g}) / sd")
    return t_test_of(
        both["mean"].renamed(variable),
        _freedom(both),
        hypothesis=f"the mean of {variable} is {null:g}",
        method="t, one sample, on the degrees of freedom less one",
        null=null,
        effect=effect,
    )


def paired(
    sample: Sample, after: str, before: str, where: Where | None, level: float
) -> HypothesisTest:
    """Did the mean change between two answers of the same people?"""
    earlier, later = sample.columns.numbers(before), sample.columns.numbers(after)
    for name, numbers in ((before, earlier), (after, later)):
        rows = np.flatnonzero(np.isinf(np.asarray(numbers, dtype=np.float64)))
        if len(rows) > 0:
            raise error_in_rows(
                InfiniteValues,
                name,
                rows.tolist(),
                f"column {name!r} is infinite",
                "look for a division by zero, or make these values missing",
            )
    if after == before:
        raise ValueError(f"before={before!r} is the column itself: name the earlier answer")
    change = np.subtract(later, earlier, dtype=np.float64)
    name = f"{after} - {before}"
    both = _of_column(sample, name, change, where, level)
    hypothesis = f"the mean of {name} is 0"
    return t_test_of(
        both.rows([0]),
        _freedom(both),
        hypothesis=hypothesis,
        method="t, paired, on the degrees of freedom less one",
        effect=both.transform(lambda x: x[0] / x[1]).renamed(f"({name}) / sd"),
    )


def two_groups(
    sample: Sample, variable: str, by: str, where: Where | None, level: float
) -> HypothesisTest:
    """Do the means of two groups differ?"""
    statistics = [
        Statistic("mean", (variable,)).named("mean"),
        Statistic("variance", (variable,)).named("variance"),
    ]
    groups = sample.estimate(statistics, [by], where, level)
    first, second = group_labels(groups, by)
    # Rows are mean and variance of the first group, then of the second.
    difference = (groups.rows([2]) - groups.rows([0])).renamed(variable)
    effect = groups.transform(lambda x: (x[2] - x[0]) / ((x[1] + x[3]) / 2).sqrt())
    return t_test_of(
        difference,
        freedom_of_groups(sample, variable, by, difference, where, level),
        hypothesis=f"the means of {variable} in {by} {first!r} and {second!r} are equal",
        method="t, two groups, on the degrees of freedom less one",
        effect=effect.renamed(f"{variable} by {by} / sd"),
    )


def freedom_of_groups(
    sample: Sample,
    variable: str,
    by: str,
    difference: Estimates,
    where: Where | None,
    level: float,
    groups: int = 2,
) -> float:
    """Degrees of freedom of groups compared: those of all of them, less what the groups take."""
    if sample.policy.df == "satterthwaite":
        free = float(difference.degrees_of_freedom().min())
    else:
        codes = sample.domain([by], where).codes
        grouped = where if codes is None else codes.to_numpy() >= 0
        together = sample.estimate([Statistic("mean", (variable,))], None, grouped, level)
        free = float(together.degrees_of_freedom()[0])
    return max(1.0, free - (groups - 1))


def group_labels(groups: Estimates, by: str) -> tuple[Level, Level]:
    """The labels of the two groups that are compared."""
    labels: Sequence[Level] = list(dict.fromkeys(groups.labels.by[by]))
    if len(labels) == 2 and (groups.n == 0).any():
        empty = labels[0] if groups.n[0] == 0 else labels[1]
        raise EmptyDomain(f"group {empty!r} of {by!r} has no answers: there is nothing to compare")
    if len(labels) != 2:
        known = ", ".join(map(repr, labels[:6]))
        counted = f"{len(labels)} group{'' if len(labels) == 1 else 's'}"
        raise TooManyLevels(
            f"column {by!r} has {counted} here ({known}): two are compared. Choose them with "
            "where=, or test all of them with mean(..., by=...).equality_test()",
            column=by,
        )
    return labels[0], labels[1]


def _of_column(
    sample: Sample, name: str, values: NumberArray, where: Where | None, level: float
) -> Estimates:
    """Mean and standard deviation of a column that is not in the frame."""
    domain = sample.domain(None, where)
    values = np.ascontiguousarray(values)
    try:
        spread = _core.moment("sd", [name], [values], sample.design, domain.codes)
    except _core.InvalidColumn as error:
        raise explain(error, sample.names) from None
    terms = [
        Term(Statistic("mean", (name,)), (_core.mean(name, values),), (None,), ("mean",)),
        Term(Statistic("sd", (name,)), (spread,), (None,), ("sd",)),
    ]
    return sample.estimates_of(terms, domain, level)


def _freedom(estimates: Estimates) -> float:
    return max(1.0, float(estimates.degrees_of_freedom()[0]) - 1)
