"""Samples in stages by the formula of the textbook, and what must be equal whatever the data."""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy
from steelyard import _core

Floats = npt.NDArray[np.float64]

SEEDS = range(12)
GROUPS = ("g0", "g1", "g2")


def random_sample(seed: int, last_is_a_row: bool) -> pl.DataFrame:
    """Three stages with strata in each: some taken whole, some units alone in a population of one.

    Columns s1, u1, N1 and so on are strata, units and population counts of the stages.
    """
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []

    def draw(stage: int, above: dict[str, Any]) -> None:
        for h in range(random.integers(1, 3) if stage else 3):
            alone = bool(random.random() < 0.2) and stage > 0
            n = 1 if alone else int(random.integers(2, 5))
            population = n if alone or random.random() < 0.2 else n + int(random.integers(1, 9))
            for u in range(n):
                name = f"{h}.{u}"
                unit = {f"s{stage}": f"h{h}", f"u{stage}": name, f"N{stage}": population}
                if stage < 2:
                    draw(stage + 1, above | unit)
                else:
                    rows.extend([above | unit] * (1 if last_is_a_row else random.integers(1, 4)))

    draw(0, {})
    n = len(rows)
    y = random.normal(20, 5, n)
    y[random.random(n) < 0.1] = np.nan
    return pl.DataFrame(rows).with_columns(
        w=random.uniform(1, 30, n),
        y=y,
        x=random.uniform(1, 3, n),
        group=random.choice(GROUPS, n),
        yes=random.random(n) < 0.4,
    )


def parts(frame: pl.DataFrame, *names: str) -> list[npt.NDArray[np.intp]]:
    """Positions of the rows of each combination."""
    keys = list(zip(*(frame[name] for name in names), strict=True))
    return [
        np.array([i for i, key in enumerate(keys) if key == one]) for one in dict.fromkeys(keys)
    ]


def expanded(frame: pl.DataFrame, values: Floats, stage: int = 0) -> tuple[Floats, Floats]:
    """The estimated total of the population of a unit, and its estimated covariance matrix.

    Särndal, Swensson and Wretman (1992), result 4.3.1, for simple random sampling in strata at
    every stage: the sum over strata of N/n times the totals of units; of N^2 (1 - f) S^2 / n plus
    N/n times the variances within units.
    """
    size = values.shape[1]
    if stage == 3:
        return values.sum(axis=0), np.zeros((size, size))
    total, variance = np.zeros(size), np.zeros((size, size))
    for stratum in parts(frame, f"s{stage}"):
        inside = frame[stratum]
        population = float(inside[f"N{stage}"][0])
        found = [
            expanded(inside[unit], values[stratum][unit], stage + 1)
            for unit in parts(inside, f"u{stage}")
        ]
        totals = np.array([t for t, _ in found])
        n = len(found)
        total += population / n * totals.sum(axis=0)
        variance += population / n * np.sum([v for _, v in found], axis=0)
        if n > 1:
            spread = np.cov(totals, rowvar=False, ddof=1).reshape(size, size)
            variance += population**2 * (1 - n / population) / n * spread
    return total, variance


def inclusion(frame: pl.DataFrame) -> Floats:
    """The product of the sampling fractions of each row."""
    result = np.ones(len(frame))
    path: list[str] = []
    for stage in range(3):
        path.append(f"s{stage}")
        for stratum in parts(frame, *path):
            inside = frame[stratum]
            result[stratum] *= inside[f"u{stage}"].n_unique() / float(inside[f"N{stage}"][0])
        path.append(f"u{stage}")
    return result


def influence(frame: pl.DataFrame, weights: Floats, kind: str) -> tuple[Floats, Floats]:
    """Estimates by group and the influence of each row, without its weight."""
    y, x = frame["y"].to_numpy(), frame["x"].to_numpy()
    answered = ~np.isnan(y)
    if kind == "proportion":
        y, answered = frame["yes"].to_numpy().astype(float), np.ones(len(y), dtype=bool)
    below = x if kind == "ratio" else np.ones(len(y))
    values, columns = [], []
    for group in GROUPS:
        inside = (frame["group"] == group).to_numpy() & answered
        above = math.fsum(weights[inside] * y[inside])
        if kind == "total":
            values.append(above)
            columns.append(np.where(inside, y, 0))
            continue
        base = math.fsum(weights[inside] * below[inside])
        values.append(above / base)
        columns.append(np.where(inside, y - values[-1] * below, 0) / base)
    return np.array(values), np.column_stack(columns)


def survey(frame: pl.DataFrame, weights: str | None, last_is_a_row: bool) -> sy.Survey:
    return sy.Survey(
        frame.with_columns(u2=pl.concat_str("s2", "u2"), u1=pl.concat_str("s1", "u1")),
        weights,
        strata=["s0", "s1", "s2"],
        clusters=["u0", "u1", None if last_is_a_row else "u2"],
        fpc=["N0", "N1", "N2"],
        nest=True,
    )


KINDS: dict[str, Callable[[sy.Survey], sy.Estimates]] = {
    "mean": lambda s: s.mean("y", by="group"),
    "total": lambda s: s.total("y", by="group"),
    "ratio": lambda s: s.ratio("y", "x", by="group"),
    "proportion": lambda s: s.proportion("yes", positive=True, by="group"),
}


def order_of(est: sy.Estimates) -> list[int]:
    return [list(est.labels.by["group"]).index(group) for group in GROUPS]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("last_is_a_row", [True, False], ids=["rows", "clusters"])
@pytest.mark.parametrize("given", [None, "w"], ids=["fractions", "weights"])
def test_result_4_3_1(given: str | None, last_is_a_row: bool, kind: str) -> None:
    for seed in SEEDS:
        frame = random_sample(seed, last_is_a_row)
        share = inclusion(frame)
        weights = frame["w"].to_numpy() if given else 1 / share
        values, columns = influence(frame, weights, kind)
        # Weights that are not 1 / share: what they make of a row's value, before it is expanded.
        total, wanted = expanded(frame, np.nan_to_num(columns) * (weights * share)[:, None])
        est = KINDS[kind](survey(frame, given, last_is_a_row))
        est = est.rows(order_of(est))
        np.testing.assert_allclose(est.estimate, values, rtol=1e-12)
        if kind == "total":
            np.testing.assert_allclose(total, values, rtol=1e-12)
        root = np.sqrt(np.diag(wanted))
        assert root.min() > 0
        np.testing.assert_allclose(
            est.cov / np.outer(root, root), wanted / np.outer(root, root), rtol=0, atol=1e-11
        )


def test_two_stages_by_hand() -> None:
    # Two of four clusters, with 2 of 3 and 1 of 1 rows: totals 3/2 (1 + 3) = 6 and 5.
    frame = pl.DataFrame(
        {"c": ["a", "a", "b"], "y": [1.0, 3.0, 5.0], "N": [4, 4, 4], "M": [3, 3, 1]}
    )
    est = sy.Survey(frame, clusters=["c", None], fpc=["N", "M"]).total("y")
    assert est.value == pytest.approx(4 / 2 * (6 + 5), rel=1e-15)
    first = 4**2 * (1 - 2 / 4) / 2 * 0.5
    second = 4 / 2 * (3**2 * (1 - 2 / 3) / 2 * 2)
    assert est.se[0] ** 2 == pytest.approx(first + second, rel=1e-14)


# Nothing but rounding


def permuted(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    order: list[int] = np.random.default_rng(seed).permutation(len(frame)).tolist()
    result: pl.DataFrame = frame[order]
    return result


@pytest.mark.parametrize("policy", [None, "remove", "certainty", "adjust"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("last_is_a_row", [True, False], ids=["rows", "clusters"])
def test_rows_in_another_order(last_is_a_row: bool, kind: str, policy: str | None) -> None:
    frame = random_sample(7, last_is_a_row)
    for seed in range(3):
        first, second = (
            KINDS[kind](
                sy.Survey(
                    f,
                    strata=["s0", "s1"],
                    clusters=["u0", "u1"],
                    fpc=["N0", "N1"],
                    nest=True,
                    lonely_domain=policy,  # type: ignore[arg-type]
                )
            )
            for f in (renamed(frame), permuted(renamed(frame), seed))
        )
        a, b = (est.rows(order_of(est)) for est in (first, second))
        np.testing.assert_allclose(b.estimate, a.estimate, rtol=1e-13)
        root = np.outer(a.se, a.se)
        np.testing.assert_allclose(b.cov / root, a.cov / root, rtol=0, atol=1e-12)
        assert (a.df, a.n.tolist()) == (b.df, b.n.tolist())


def renamed(frame: pl.DataFrame) -> pl.DataFrame:
    """Units with names of their own in every stratum."""
    return frame.with_columns(u1=pl.concat_str("s1", "u1"))


ROWS, DISTRICTS, SCHOOLS = 120_000, 40, 800


@cache
def columns() -> dict[str, npt.NDArray[Any]]:
    random = np.random.default_rng(3)
    row = np.arange(ROWS, dtype=np.int32)
    hours = random.gamma(2, 10, ROWS) + 1e4
    hours[random.random(ROWS) < 0.05] = np.nan
    return {
        "weight": random.uniform(0.5, 3, ROWS),
        "region": row % 4,
        "district": row % DISTRICTS,
        "kind": row % (2 * DISTRICTS),
        "school": row % SCHOOLS,
        "hours": hours,
        "group": random.integers(0, 3, ROWS).astype(np.int32),
        "answer": random.integers(0, 3, ROWS).astype(np.int32),
    }


def bits(threads: int, stages: int, policy: str | None) -> list[bytes]:
    c = columns()
    fpc = [np.full(ROWS, n) for n in (25.0, 30.0, 900.0)]
    design = _core.Design(
        ROWS,
        "weight",
        c["weight"],
        [
            _core.Stage(
                _core.Codes(c["region"], 4), _core.Codes(c["district"], DISTRICTS), "N1", fpc[0]
            ),
            _core.Stage(
                _core.Codes(c["kind"], 2 * DISTRICTS),
                _core.Codes(c["school"], SCHOOLS),
                "N2",
                fpc[1],
            ),
            _core.Stage(None, None, "N3", fpc[2]),
        ][:stages],
        "fail",
        policy,
        "equal",
    )
    estimators: Sequence[_core.Estimator] = [
        _core.mean("hours", c["hours"]),
        _core.total("hours", c["hours"]),
        _core.ratio("hours", c["hours"], "weight", c["weight"]),
        _core.proportion(_core.Codes(c["answer"], 3), np.eye(3)),
    ]
    empty = np.zeros(0, dtype=np.uint64)
    keys = _core.SampleKeys(1, empty, empty)
    result = _core.estimate(
        design,
        keys,
        _core.Codes(c["group"], 3),
        estimators,
        threads=threads,
        kept=_core.KEPT_DEVIATIONS,
    )
    estimates = result.estimates
    arrays = (
        estimates.values,
        estimates.deviations,
        estimates.covariance,
        result.deff,
        result.used,
    )
    assert estimates.deviations.shape[0] == DISTRICTS + SCHOOLS + (ROWS if stages == 3 else 0)
    assert np.isfinite(estimates.covariance).all()
    return [array.tobytes() for array in arrays]


@pytest.mark.parametrize(
    ("stages", "policy"), [(2, None), (2, "adjust"), (2, "average"), (3, None)]
)
def test_the_number_of_threads_changes_no_bit(stages: int, policy: str | None) -> None:
    one = bits(1, stages, policy)
    for threads in (2, 3, 8, 0):
        assert bits(threads, stages, policy) == one


# Two surveys that share units at both stages


def wave(seed: int, districts: Sequence[int], schools: Sequence[int]) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    rows = [(d, s) for d in districts for s in schools for _ in range(3)]
    n = len(rows)
    level = {key: np.random.default_rng([99, *key]).normal(0, 3) for key in rows}
    return pl.DataFrame(
        {
            "district": [d for d, _ in rows],
            "school": [s for _, s in rows],
            "region": [f"R{d % 2}" for d, _ in rows],
            "N1": [20.0] * n,
            "N2": [float(20 + d) for d, _ in rows],
            "y": [50 + level[key] + random.normal() for key in rows],
            "group": random.choice(GROUPS, n),
        }
    )


def two_stage(frame: pl.DataFrame, last: str | None = "school") -> sy.Survey:
    return sy.Survey(frame, strata=["region"], clusters=["district", last], fpc=["N1", "N2"])


def by_group(svy: sy.Survey) -> sy.Estimates:
    return svy.mean("y", by="group")


def test_a_survey_covaries_with_itself_as_with_its_double() -> None:
    frame = wave(1, range(8), range(4))
    first, second = by_group(two_stage(frame)), by_group(two_stage(frame))
    joint = _core.join(first.core, second.core).covariance
    np.testing.assert_allclose(joint, np.tile(first.cov, (2, 2)), rtol=1e-13)
    np.testing.assert_allclose((first + second).cov, 4 * first.cov, rtol=1e-13)
    assert np.abs((second - first).cov).max() < 1e-15
    assert (second - first).df == first.df == 6


@pytest.mark.parametrize("districts", [range(8), range(4, 12), range(8, 16)])
@pytest.mark.parametrize("schools", [range(4), range(2, 6), range(4, 8)])
def test_units_of_both_stages_are_aligned_by_name(districts: range, schools: range) -> None:
    first = by_group(two_stage(wave(1, range(8), range(4))))
    second = by_group(two_stage(wave(2, districts, schools)))
    joint = _core.join(first.core, second.core).covariance
    assert np.linalg.eigvalsh(joint).min() > -1e-13 * joint.max()
    np.testing.assert_allclose(joint[:3, :3], first.cov, rtol=1e-13)
    np.testing.assert_allclose(joint[3:, 3:], second.cov, rtol=1e-13)

    # Rows of deviations are districts, then schools in the order of their first rows.
    def named(ds: Sequence[int], ss: Sequence[int]) -> list[tuple[int, ...]]:
        return [(d,) for d in ds] + [(d, s) for d in ds for s in ss]

    here, there = named(range(8), range(4)), named(districts, schools)
    cross = np.zeros((3, 3))
    for i, name in enumerate(here):
        if name in there:
            j = there.index(name)
            cross += np.outer(first.core.deviations[i], second.core.deviations[j])
    scale = np.outer(first.se, second.se)
    np.testing.assert_allclose(joint[:3, 3:] / scale, cross / scale, rtol=0, atol=1e-13)
    change = second - first
    np.testing.assert_allclose(change.cov, first.cov + second.cov - cross - cross.T, rtol=1e-11)


def test_other_schools_of_the_same_districts_covary_less() -> None:
    base = by_group(two_stage(wave(1, range(8), range(4))))
    errors = {
        name: (by_group(two_stage(wave(2, districts, schools))) - base).se
        for name, districts, schools in (
            ("all", range(8), range(4)),
            ("districts", range(8), range(4, 8)),
            ("nothing", range(8, 16), range(4)),
        )
    }
    assert (errors["all"] < errors["nothing"]).all()
    assert (errors["all"] < errors["districts"]).all()


def test_rows_as_last_units_are_in_no_other_sample() -> None:
    frame = wave(1, range(8), range(4))
    first, second = by_group(two_stage(frame, None)), by_group(two_stage(frame, None))
    joint = _core.join(first.core, second.core).covariance
    d = first.core.deviations
    np.testing.assert_allclose(joint[:3, 3:], d[:8].T @ d[:8], rtol=1e-12)
    within = (second - first).cov
    np.testing.assert_allclose(within, 2 * d[8:].T @ d[8:], rtol=1e-10, atol=1e-16)


def test_a_nested_cluster_is_no_unit_of_a_second_stage() -> None:
    nested = pl.DataFrame({"h": ["A"] * 4 + ["B"] * 4, "c": [1, 1, 2, 2] * 2, "y": range(8)})
    stages = nested.with_columns(N1=pl.lit(5), N2=pl.lit(4))
    waves = {
        1: sy.Survey(nested, strata="h", clusters="c", nest=True),
        2: sy.Survey(stages, clusters=["h", "c"], fpc=["N1", "N2"]),
    }
    assert sy.compare(waves, sy.mean("y")).overlap == {2: 0}


def test_the_overlap_counts_units_of_the_first_stage() -> None:
    frame = wave(1, range(8), range(4))
    for last in ("school", None):
        waves = {k: two_stage(frame, last) for k in (1, 2)}
        change = sy.compare(waves, sy.mean("y"))
        assert change.overlap == {2: 8}
        assert change.changes[0].shared_share == 1
