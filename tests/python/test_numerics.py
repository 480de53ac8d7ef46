"""Numerical care in groups, in stages and in ratios: standard errors to 1e-9, by exact arithmetic.

The variances wanted are rational numbers: every double is one, and no sum or product is rounded.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy

Floats: TypeAlias = npt.NDArray[np.float64]

TOLERANCE = 1e-9
GROUPS = (0, 1, 2)
SECOND = 0.2  # sampling fraction of the second stage


@dataclass(frozen=True)
class Rows:
    """Rows of strata, clusters and groups; each may stand for several that are alike."""

    stratum: list[int]
    cluster: list[int]
    group: list[int]
    w: Floats
    y: Floats
    x: Floats
    yes: Floats
    copies: list[int]
    fraction: float = 0.3  # of the first stage

    def frame(self) -> pl.DataFrame:
        """All rows, in some order that is no order."""
        columns: dict[str, Any] = {
            name: np.repeat(getattr(self, name), self.copies)
            for name in ("stratum", "cluster", "group", "w", "y", "x", "yes")
        }
        order = np.random.default_rng(0).permutation(sum(self.copies))
        frame = pl.DataFrame({name: values[order] for name, values in columns.items()})
        return frame.with_columns(f1=pl.lit(self.fraction), f2=pl.lit(SECOND))


def exact_influence(rows: Rows, kind: str, group: int) -> tuple[Fraction, list[Fraction]]:
    """The estimate of one group, and w z of each row: for ratios w (y - R x) over sum of w x."""
    zero = Fraction(0)
    inside = [
        Fraction(float(w)) if g == group else zero for w, g in zip(rows.w, rows.group, strict=True)
    ]
    numerator = rows.yes if kind == "proportion" else rows.y
    above = [w * Fraction(float(v)) if w else zero for w, v in zip(inside, numerator, strict=True)]
    total = sum((v * n for v, n in zip(above, rows.copies, strict=True)), zero)
    if kind == "total":
        return total, above
    below = inside
    if kind == "ratio":
        below = [w * Fraction(float(v)) if w else zero for w, v in zip(inside, rows.x, strict=True)]
    base = sum((v * n for v, n in zip(below, rows.copies, strict=True)), zero)
    value = total / base
    return value, [(a - value * b) / base if b else zero for a, b in zip(above, below, strict=True)]


def spread(units: list[tuple[Fraction, int]], fraction: Fraction) -> Fraction:
    """(1 - f) n / (n - 1) times the sum of squares around the mean, of units and their copies."""
    n = sum(copies for _, copies in units)
    if n < 2:
        return Fraction(0)
    total = sum((z * copies for z, copies in units), Fraction(0))
    squares = sum((z * z * copies for z, copies in units), Fraction(0))
    return (1 - fraction) * Fraction(n, n - 1) * (squares - total * total / n)


def exact_variance(rows: Rows, z: list[Fraction], design: str) -> Fraction:
    """Särndal, Swensson and Wretman (1992), result 4.3.1, in terms of weighted values."""
    first = Fraction(rows.fraction)
    result = Fraction(0)
    for h in dict.fromkeys(rows.stratum):
        inside = [i for i, s in enumerate(rows.stratum) if s == h]
        if design == "elements":
            result += spread([(z[i], rows.copies[i]) for i in inside], first)
            continue
        clusters: dict[int, list[tuple[Fraction, int]]] = {}
        for i in inside:
            clusters.setdefault(rows.cluster[i], []).append((z[i], rows.copies[i]))
        totals = [sum((v * n for v, n in part), Fraction(0)) for part in clusters.values()]
        result += spread([(total, 1) for total in totals], first)
        if design == "stages":
            within = (spread(part, Fraction(SECOND)) for part in clusters.values())
            result += first * sum(within, Fraction(0))
    return result


DESIGNS: dict[str, dict[str, Any]] = {
    "elements": {"fpc": "f1"},
    "clusters": {"clusters": "cluster", "fpc": "f1"},
    "stages": {"clusters": ["cluster", None], "fpc": ["f1", "f2"]},
}
KINDS: dict[str, Callable[[sy.Survey], sy.Estimates]] = {
    "mean": lambda s: s.mean("y", by="group"),
    "total": lambda s: s.total("y", by="group"),
    "ratio": lambda s: s.ratio("y", "x", by="group"),
    "proportion": lambda s: s.proportion("yes", positive=1.0, levels=[0.0, 1.0], by="group"),
}


def expect_accurate(rows: Rows, design: str, kind: str, **policy: Any) -> None:
    svy = sy.Survey(rows.frame(), "w", strata="stratum", **DESIGNS[design], **policy)
    est = KINDS[kind](svy)
    for group in GROUPS:
        value, z = exact_influence(rows, kind, group)
        wanted = math.sqrt(exact_variance(rows, z, design))
        assert wanted > 0
        assert est[group].value == pytest.approx(float(value), rel=1e-11, abs=0)
        assert est[group].se[0] == pytest.approx(wanted, rel=TOLERANCE, abs=0)


def balanced(n: int, seed: int, **columns: Floats) -> Rows:
    """Rows in 2 strata of 8 clusters of equal size, all groups in every one."""
    random = np.random.default_rng(seed)
    given: dict[str, Any] = {
        "w": np.full(n, 3.7),
        "y": random.normal(20, 1, n),
        "x": random.uniform(1, 3, n),
        "yes": (random.random(n) < 0.4).astype(float),
    }
    return Rows(
        stratum=[i % 2 for i in range(n)],
        cluster=[i % 16 for i in range(n)],
        group=[i // 16 % 3 for i in range(n)],
        copies=[1] * n,
        **(given | columns),
    )


ROWS = 960


def normal(centre: float, seed: int, n: int = ROWS) -> Floats:
    return centre + np.random.default_rng(seed).normal(0, 1, n)


@cache
def far(weights: str) -> Rows:
    """Values around 1e12 with variance 1."""
    y = normal(1e12, 1)
    if weights == "equal":
        return balanced(ROWS, 2, y=y)
    return balanced(ROWS, 2, y=y, w=np.random.default_rng(3).uniform(1, 50, ROWS))


@pytest.mark.parametrize("kind", ["mean", "total", "ratio"])
@pytest.mark.parametrize("weights", ["equal", "unequal"])
@pytest.mark.parametrize("design", DESIGNS)
def test_values_far_from_zero(design: str, weights: str, kind: str) -> None:
    expect_accurate(far(weights), design, kind)


@pytest.mark.parametrize("weights", ["equal", "unequal"])
@pytest.mark.parametrize("design", DESIGNS)
def test_a_ratio_of_values_far_from_zero(design: str, weights: str) -> None:
    expect_accurate(replace(far(weights), x=normal(2e12, 4)), design, "ratio")


@cache
def many_magnitudes() -> Rows:
    """Weights from 1e-6 to 1e9."""
    exponents = np.random.default_rng(5).uniform(-6, 9, ROWS)
    exponents[:2] = -6, 9
    return balanced(ROWS, 6, y=normal(100, 7), w=10**exponents)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("design", DESIGNS)
def test_weights_of_many_magnitudes(design: str, kind: str) -> None:
    expect_accurate(many_magnitudes(), design, kind)


@cache
def one_large_cluster(centre: float) -> Rows:
    """A million rows in one cluster and 300 in each of the others, by a pattern of 4,000 rows."""
    n = 4000
    random = np.random.default_rng(8)
    small = [i >= 2000 for i in range(n)]
    return Rows(
        stratum=[0] * n,
        cluster=[1 + i % 4 if small[i] else 0 for i in range(n)],
        group=[int(g) for g in random.integers(0, 3, n)],
        w=np.where(small, 5000.3, random.choice([1.1, 2.3, 0.7], n)),
        y=normal(centre, 9, n),
        x=random.uniform(1, 3, n),
        yes=(random.random(n) < 0.4).astype(float),
        copies=[1 if alone else 500 for alone in small],
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("design", DESIGNS)
def test_a_million_rows_in_one_cluster(design: str, kind: str) -> None:
    expect_accurate(one_large_cluster(50), design, kind)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_million_rows_far_from_zero_in_one_cluster(design: str) -> None:
    expect_accurate(one_large_cluster(1e12), design, "mean")


# Clusters far apart


@pytest.mark.parametrize("kind", ["mean", "total"])
@pytest.mark.parametrize("design", DESIGNS)
def test_strata_far_apart(design: str, kind: str) -> None:
    y = normal(5, 10) + 1e9 * np.array([i % 2 for i in range(ROWS)])
    expect_accurate(balanced(ROWS, 11, y=y), design, kind)


@pytest.mark.parametrize("kind", ["mean", "total"])
def test_clusters_far_apart_that_were_all_taken(kind: str) -> None:
    # No variance between the clusters is left to hide what is lost within them.
    y = normal(5, 12) + 1e9 * np.array([i % 16 for i in range(ROWS)])
    expect_accurate(replace(balanced(ROWS, 13, y=y), fraction=1.0), "stages", kind)


# Policies


@pytest.mark.parametrize(
    "policy",
    [{"lonely": "adjust"}, {"lonely": "average"}, {"lonely_domain": "remove"}],
    ids=lambda policy: " ".join(f"{k} {v}" for k, v in policy.items()),
)
@pytest.mark.parametrize(
    ("design", "kind"),
    [
        ("elements", "mean"),
        ("elements", "total"),
        ("clusters", "mean"),
        ("clusters", "total"),
        ("stages", "mean"),
        ("stages", "total"),
    ],
)
def test_policies_lose_no_digits(design: str, kind: str, policy: dict[str, Any]) -> None:
    expect_accurate(far("equal"), design, kind, **policy)
