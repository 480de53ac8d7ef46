"""Tests of means: of one sample, of two groups, of before and after."""

from collections.abc import Sequence

import numpy as np

from steelyard import _core
from steelyard.columns import NumberArray
from steelyard.condition import Where
from steelyard.errors import TooManyLevels
from steelyard.estimates import Estimates
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
        method="t, one sample, on the design's degrees of freedom less one",
        null=null,
        effect=effect,
    )


def paired(
    sample: Sample, after: str, before: str, where: Where | None, level: float
) -> HypothesisTest:
    """Did the mean change between two answers of the same people?"""
    change = np.subtract(
        sample.columns.numbers(after), sample.columns.numbers(before), dtype=np.float64
    )
    name = f"{after} - {before}"
    both = _of_column(sample, name, change, where, level)
    effect = both.transform(lambda x: x[0] / x[1]).renamed(f"({name}) / sd")
    return t_test_of(
        both.rows([0]),
        _freedom(both),
        hypothesis=f"the mean of {name} is 0",
        method="t, paired, on the design's degrees of freedom less one",
        effect=effect,
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
    means = groups["mean"]
    difference = (means[second] - means[first]).renamed(variable)
    # Rows are mean and variance of the first group, then of the second.
    effect = groups.transform(lambda x: (x[2] - x[0]) / ((x[1] + x[3]) / 2).sqrt())
    return t_test_of(
        difference,
        _freedom(groups),
        hypothesis=f"the means of {variable} in {by} {first!r} and {second!r} are equal",
        method="t, two groups, on the design's degrees of freedom less one",
        effect=effect.renamed(f"{variable} by {by} / sd"),
    )


def group_labels(groups: Estimates, by: str) -> tuple[Level, Level]:
    """The labels of the two groups that are compared."""
    labels: Sequence[Level] = list(dict.fromkeys(groups.labels.by[by]))
    if len(labels) != 2:
        raise TooManyLevels(
            f"column {by!r} has {len(labels)} groups here ({', '.join(map(repr, labels[:6]))}): "
            "two are compared. Choose them with where=, or test all of them with "
            "mean(..., by=...).equality_test()",
            column=by,
        )
    return labels[0], labels[1]


def _of_column(
    sample: Sample, name: str, values: NumberArray, where: Where | None, level: float
) -> Estimates:
    """Mean and standard deviation of a column that is not in the frame."""
    domain = sample.domain(None, where)
    values = np.ascontiguousarray(values)
    spread = _core.moment("sd", [name], [values], sample.design, domain.codes)
    terms = [
        Term(Statistic("mean", (name,)), (_core.mean(name, values),), (None,), ("mean",)),
        Term(Statistic("sd", (name,)), (spread,), (None,), ("sd",)),
    ]
    return sample.estimates_of(terms, domain, level)


def _freedom(estimates: Estimates) -> float:
    return max(1.0, float(estimates.degrees_of_freedom()[0]) - 1)
