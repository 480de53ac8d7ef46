"""What waves share: paired analyses, sums over shared units, and other names for them."""

import itertools
import math
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy
from steelyard.errors import ColumnNotFound, DesignMismatch, MissingValues

Floats = npt.NDArray[np.float64]
DESIGN = {"weights": "w", "strata": "h", "clusters": "c", "fpc": "population"}
POPULATION = {"a": 60, "b": 40}


def wave(units: dict[str, str], seed: int) -> pl.DataFrame:
    """Answers of two to five from each cluster, whose level lasts; `units` maps to strata."""
    rng = np.random.default_rng(seed)
    rows = []
    for unit, stratum in units.items():
        level = np.random.default_rng(int(unit[1:])).normal(5, 1)
        for _ in range(rng.integers(2, 6)):
            rows.append((unit, stratum, level + rng.normal(0, 0.5), rng.uniform(1, 3)))
    frame = pl.DataFrame(rows, ["c", "h", "y", "w"], orient="row")
    return frame.with_columns(population=pl.col("h").replace_strict(POPULATION))


def numbered(first: int, last: int, stratum: str) -> dict[str, str]:
    return {f"u{i}": stratum for i in range(first, last)}


def deviations(frame: pl.DataFrame, finite: bool = True) -> dict[str, float]:
    """Of the mean, by cluster: sqrt((1 - f) n / (n - 1)) (z - mean of z), as in the textbooks."""
    weight, y = frame["w"].to_numpy(), frame["y"].to_numpy()
    z = weight * (y - np.average(y, weights=weight)) / weight.sum()
    totals = frame.with_columns(z=z).group_by("c").agg(pl.col("z").sum(), pl.col("h").first())
    found = {}
    for (stratum,), part in totals.group_by("h"):
        n = len(part)
        fraction = n / POPULATION[str(stratum)] if finite else 0.0
        scale = math.sqrt((1 - fraction) * n / (n - 1))
        found |= dict(zip(part["c"], scale * (part["z"] - part["z"].mean()), strict=True))
    return found


def covariance(first: dict[str, float], second: dict[str, float]) -> float:
    return sum(value * second[unit] for unit, value in first.items() if unit in second)


def change_covariance(before: pl.DataFrame, after: pl.DataFrame) -> float:
    """The same, times what is left of it in each stratum once chance is taken out.

    Qualité and Tillé (2008): S12 (m / (n1 n2) - 1 / N) instead of S12 m / (n1 n2).
    """
    first, second = deviations(before), deviations(after)
    total = 0.0
    for stratum, size in POPULATION.items():
        one, two = (set(f.filter(h=stratum)["c"]) for f in (before, after))
        n1, n2, m = len(one), len(two), len(one & two)
        left = max(0.0, 1 - n1 * n2 / (m * size)) / math.sqrt((1 - n1 / size) * (1 - n2 / size))
        total += left * sum(first[unit] * second[unit] for unit in one & two)
    return total


FRAMES = {
    2021: wave(numbered(0, 10, "a") | numbered(20, 26, "b"), 1),
    2022: wave(numbered(4, 13, "a") | numbered(20, 28, "b"), 2),
    2023: wave(numbered(7, 16, "a") | numbered(24, 31, "b"), 3),
}


@cache
def waves() -> dict[int, sy.Survey]:
    return {year: sy.Survey(frame, **DESIGN) for year, frame in FRAMES.items()}  # type: ignore[arg-type]


def people(names: list[str], seed: int, **columns: object) -> pl.DataFrame:
    level = [np.random.default_rng(int(name[1:])).normal(5, 1) for name in names]
    y = level + np.random.default_rng(seed).normal(0.3, 0.5, len(names))
    return pl.DataFrame({"who": names, "y": y, **columns})


PANEL = [f"p{i}" for i in range(25)]


# The same people twice


def test_a_panel_is_a_paired_analysis() -> None:
    before, after = people(PANEL, 1), people(PANEL, 2)
    pair = {y: sy.Survey(f, clusters="who") for y, f in ((1, before), (2, after))}
    change = sy.compare(pair, sy.mean("y")).differences[2]
    d = after["y"].to_numpy() - before["y"].to_numpy()
    assert change.value == pytest.approx(d.mean(), rel=1e-12)
    assert change.se[0] == pytest.approx(d.std(ddof=1) / 5, rel=1e-12)
    both = sy.Survey(before.with_columns(later=after["y"]), clusters="who")
    test = both.ttest("later", before="y")
    assert (test.estimates.value, test.estimates.se[0]) == pytest.approx(
        (change.value, change.se[0]), rel=1e-12
    )
    assert test.statistic == pytest.approx(change.value / change.se[0], rel=1e-12)


def test_a_panel_has_the_p_value_of_the_mean_of_differences() -> None:
    before, after = people(PANEL, 3), people(PANEL, 4)
    pair = {y: sy.Survey(f, clusters="who") for y, f in ((1, before), (2, after))}
    compared = sy.compare(pair, sy.mean("y"), adjust="none")
    both = before.with_columns(d=after["y"] - pl.col("y"))
    alone = sy.Survey(both, clusters="who").mean("d")
    assert compared.differences[2].df == alone.df == 24
    assert compared.judged().p_value == pytest.approx(alone.p_value(), rel=1e-11)
    assert compared.differences[2].ci() == pytest.approx(alone.ci(), rel=1e-11)


def test_a_weighted_stratified_panel_against_r() -> None:
    # R 4.2.2, survey 4.1.1: s <- svydesign(id=~1, strata=~stype, weights=~pw, fpc=~fpc, apistrat)
    # svymean(~I(api00-api99), s); degf(s)
    frame = sy.datasets.load("apistrat", backend="polars")
    assert isinstance(frame, pl.DataFrame)
    pair = {
        year: sy.Survey(
            frame.select("cds", "stype", "pw", "fpc", score=f"api{year % 100:02d}"),
            weights="pw",
            strata="stype",
            fpc="fpc",
        )
        for year in (1999, 2000)
    }
    change = sy.compare(pair, sy.mean("score"), overlap="cds").differences[2000]
    assert change.value == pytest.approx(32.8925183753595931, rel=1e-9)
    assert change.se[0] == pytest.approx(2.0511124077106038, rel=1e-9)
    assert change.df == 197


# Some of the units


@pytest.mark.parametrize("years", [(2021, 2022), (2021, 2023), (2022, 2023)])
def test_a_partial_overlap_is_a_sum_over_shared_units(years: tuple[int, int]) -> None:
    first, second = (deviations(FRAMES[year]) for year in years)
    compared = sy.compare({year: waves()[year] for year in years}, sy.mean("y"))
    change = compared.changes[0]
    cov = change_covariance(*(FRAMES[year] for year in years))
    variances = covariance(first, first), covariance(second, second)
    shared = set(first) & set(second)
    assert change.shared_units == len(shared)
    assert change.shared_share == len(shared) / len(second)
    assert change.difference.se[0] == pytest.approx(math.sqrt(sum(variances) - 2 * cov), rel=1e-11)
    assert change.correlation == pytest.approx([cov / math.sqrt(math.prod(variances))], rel=1e-11)
    assert change.difference.df == len(set(first) | set(second)) - 2


def test_units_that_change_stratum_are_still_the_same() -> None:
    moved = wave(numbered(4, 10, "b") | numbered(20, 26, "a"), 5)
    first, second = deviations(FRAMES[2021], False), deviations(moved, False)
    pair = {
        2021: sy.Survey(FRAMES[2021], weights="w", strata="h", clusters="c"),
        2022: sy.Survey(moved, weights="w", strata="h", clusters="c"),
    }
    change = sy.compare(pair, sy.mean("y")).changes[0]
    assert change.shared_units == 12
    variance = covariance(first, first) + covariance(second, second) - 2 * covariance(first, second)
    assert change.difference.se[0] == pytest.approx(math.sqrt(variance), rel=1e-11)


def test_the_covariance_of_many_waves_is_a_gram_matrix() -> None:
    joint = sy.compare(waves(), sy.mean("y")).series().joint
    all_of = [deviations(frame) for frame in FRAMES.values()]
    units = sorted(set().union(*all_of))
    stacked = np.array([[own.get(unit, 0.0) for own in all_of] for unit in units])
    assert joint.cov == pytest.approx(stacked.T @ stacked, rel=1e-11)
    assert np.linalg.eigvalsh(joint.cov).min() >= 0


def test_many_groups_in_few_units_have_a_covariance_that_is_not_indefinite() -> None:
    compared = sy.compare(
        {
            year: sy.Survey(frame.with_columns(g=pl.int_range(pl.len()) % 12), clusters="c")
            for year, frame in FRAMES.items()
        },
        sy.mean("y"),
        by="g",
    )
    values = np.linalg.eigvalsh(compared.series().joint.cov)
    assert len(values) == 36
    assert values.min() > -1e-14 * values.max()


def test_each_wave_keeps_its_own_level_and_error() -> None:
    compared = sy.compare(waves(), sy.mean("y"))
    joint = compared.series().joint
    for i, (year, survey) in enumerate(waves().items()):
        alone = survey.mean("y")
        assert compared.levels[year].to_dict() == alone.to_dict()
        assert (joint.estimate[i], joint.se[i]) == pytest.approx((alone.value, alone.se[0]))


def test_the_covariance_is_understated_as_the_notes_say() -> None:
    # All samples of 3 units in each wave, 1 of them in both, of answers that are -1 or 1.
    n, m = 3, 1
    found = []
    for answers in itertools.product((-1.0, 1.0), repeat=2 * n - m):
        first, second = answers[:n], answers[n - m :]
        pair = {
            0: sy.Survey(pl.DataFrame({"c": ["a", "b", "x"], "y": first}), clusters="c"),
            1: sy.Survey(pl.DataFrame({"c": ["x", "d", "e"], "y": second}), clusters="c"),
        }
        found.append(sy.compare(pair, sy.mean("y")).series().joint.cov[0, 1])
    truth = m / n**2  # the variance of an answer is 1
    assert np.mean(found) == pytest.approx(truth * (n**2 - 2 * n + m) / (n**2 - n), rel=1e-12)


# Samples drawn apart


def test_without_overlap_squares_of_errors_add_up() -> None:
    compared = sy.compare(waves(), sy.mean("y"), overlap="none")
    apart = [survey.mean("y").se[0] for survey in waves().values()]
    assert compared.differences[2022].se[0] == pytest.approx(math.hypot(*apart[:2]), rel=1e-12)
    assert compared.differences[2023].se[0] == pytest.approx(
        math.hypot(apart[0], apart[2]), rel=1e-12
    )
    assert compared.overlap == {2022: 0, 2023: 0}
    assert compared.changes[0].correlation.tolist() == [0]
    assert compared.differences[2022].df == 14 + 15
    assert "compared as independent samples" in repr(compared)


def test_samples_apart_stay_apart_from_each_other_in_a_series() -> None:
    joint = sy.compare(waves(), sy.mean("y"), overlap="none").series().joint
    assert joint.cov == pytest.approx(np.diag(joint.se**2), rel=1e-12)


def test_one_sample_told_apart_has_the_same_levels() -> None:
    svy = waves()[2021]
    apart = sy.compare({1: svy, 2: svy}, sy.mean("y"), overlap="none")
    assert apart.differences[2].value == 0
    assert apart.differences[2].se[0] == pytest.approx(math.sqrt(2) * svy.mean("y").se[0])
    together = sy.compare({1: svy, 2: svy}, sy.mean("y"))
    assert together.differences[2].se[0] == 0


def test_what_is_shared_is_known_and_shown() -> None:
    compared = sy.compare(waves(), sy.mean("y"))
    for change in compared.changes:
        (found,) = change.correlation
        text = f"{change.period} shares {change.shared_units} units with 2021"
        assert text in repr(compared)
        assert f"correlation of the levels {found:.2f}" in " ".join(repr(compared).split())
    shown = compared.to_polars().filter(statistic="difference")
    assert shown["correlation"].to_list() == [c.correlation[0] for c in compared.changes]


def test_replicates_know_no_units() -> None:
    frames = [frame.drop("population") for frame in FRAMES.values()]
    jackknifed = {
        i: sy.Survey(frame, weights="w", strata="h", clusters="c").replicated("jackknife")
        for i, frame in enumerate(frames)
    }
    compared = sy.compare(jackknifed, sy.mean("y"))
    apart = [svy.mean("y").se[0] for svy in jackknifed.values()]
    assert compared.differences[1].se[0] == pytest.approx(math.hypot(*apart[:2]), rel=1e-12)
    assert "replicates do not tell which units are shared" in " ".join(repr(compared).split())


# Other names for the units


def test_rows_are_named_by_a_column() -> None:
    before, after = people(PANEL, 5), people(PANEL[5:], 6)
    rows = {1: sy.Survey(before), 2: sy.Survey(after)}
    clusters = {1: sy.Survey(before, clusters="who"), 2: sy.Survey(after, clusters="who")}
    assert sy.compare(rows, sy.mean("y")).overlap == {2: 0}
    named = sy.compare(rows, sy.mean("y"), overlap="who")
    assert named.overlap == {2: 20}
    known = sy.compare(clusters, sy.mean("y")).differences[2]
    assert named.differences[2].se == pytest.approx(known.se, rel=1e-12)
    assert named.differences[2].df == known.df
    of_estimates = {k: s.identified_by("who").mean("y") for k, s in rows.items()}
    assert sy.compare(of_estimates).to_dict() == named.to_dict()


def test_clusters_whose_names_change_are_named_by_what_lasts() -> None:
    renamed = {
        year: sy.Survey(
            frame.with_columns(course="c", c=pl.col("c") + f" in {year}"),
            **DESIGN,  # type: ignore[arg-type]
        )
        for year, frame in FRAMES.items()
    }
    assert sy.compare(renamed, sy.mean("y")).overlap == {2022: 0, 2023: 0}
    found = sy.compare(renamed, sy.mean("y"), overlap="course")
    known = sy.compare(waves(), sy.mean("y"))
    assert found.overlap == known.overlap == {2022: 12, 2023: 5}
    for year in (2022, 2023):
        assert found.differences[year].se == pytest.approx(known.differences[year].se, rel=1e-12)
        assert found.levels[year].se.tolist() == known.levels[year].se.tolist()


def test_names_of_units_change_no_error_of_a_wave() -> None:
    svy = sy.Survey(people(PANEL, 7, g=["x", "y", "z", "x", "y"] * 5), strata="g")
    assert svy.identified_by("who").mean("y").to_dict() == svy.mean("y").to_dict()


def two_stages(activities: str, seed: int, whole: list[str]) -> pl.DataFrame:
    """Four of 20 participants of each activity, of which 4 of 8 were taken; none comes twice."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(whole)[: 4 * len(activities)].tolist()
    frame = people(chosen, seed, activity=[a for a in activities for _ in range(4)])
    return frame.with_columns(n1=pl.lit(8), n2=pl.lit(20))


def test_participants_shared_at_the_second_stage() -> None:
    whole = [f"p{i}" for i in range(20)]
    frames = [two_stages("abcd", 1, whole), two_stages("efgh", 2, whole)]
    design = {"clusters": ["activity", "participant"], "fpc": ["n1", "n2"]}
    pair = {
        i: sy.Survey(
            frame.with_columns(participant=pl.col("activity") + pl.col("who")),
            **design,  # type: ignore[arg-type]
        )
        for i, frame in enumerate(frames)
    }
    # The second stage: sqrt(f1 (1 - f2) n / (n - 1)) (z - mean of its activity).
    scale = math.sqrt(4 / 8 * (1 - 4 / 20) * 4 / 3)
    second = []
    for frame in frames:
        z = (frame["y"] - frame["y"].mean()) / 16
        centred = frame.with_columns(z=z).with_columns(
            d=scale * (pl.col("z") - pl.col("z").mean().over("activity"))
        )
        second.append(dict(zip(frame["who"], centred["d"], strict=True)))
    cov = covariance(*second)
    apart = sum(svy.mean("y").se[0] ** 2 for svy in pair.values())
    found = sy.compare(pair, sy.mean("y"), overlap="who").differences[1]
    assert abs(cov) > 1e-4
    assert found.se[0] == pytest.approx(math.sqrt(apart - 2 * cov), rel=1e-11)


def test_participants_are_named_within_their_activity_unless_a_column_says_otherwise() -> None:
    whole = [f"p{i}" for i in range(20)]
    frames = [two_stages(which, seed, whole) for seed, which in ((1, "abcd"), (2, "efgh"))]
    design = {"clusters": ["activity", "who"], "fpc": ["n1", "n2"]}
    pair = {i: sy.Survey(frame, **design) for i, frame in enumerate(frames)}  # type: ignore[arg-type]
    within = sy.compare(pair, sy.mean("y"))
    assert within.changes[0].correlation.tolist() == [0]
    across = sy.compare(pair, sy.mean("y"), overlap="who")
    assert across.changes[0].correlation[0] != 0


# Refusals


def test_a_column_that_names_no_units_is_refused() -> None:
    frame = people(
        PANEL, 8, cluster=[f"c{i // 5}" for i in range(25)], half=["x", "y"] * 12 + ["x"]
    )
    svy = sy.Survey(frame.with_columns(third=pl.col("cluster").str.slice(0, 1)), clusters="cluster")
    with pytest.raises(DesignMismatch, match="'half' does not name the sampling units"):
        svy.identified_by("half")
    with pytest.raises(DesignMismatch, match="several have the same value"):
        svy.identified_by("third")
    with pytest.raises(DesignMismatch, match="clusters='who'"):
        svy.identified_by("who")
    with pytest.raises(ColumnNotFound):
        sy.compare({1: svy, 2: svy}, sy.mean("y"), overlap="clutser")


def test_a_unit_without_a_name_is_refused() -> None:
    frame = people(PANEL, 9).with_columns(name=pl.Series([None, *PANEL[1:]]))
    with pytest.raises(MissingValues, match="name"):
        sy.Survey(frame).identified_by("name")


def test_estimates_have_no_columns() -> None:
    estimates = {year: svy.mean("y") for year, svy in waves().items()}
    with pytest.raises(TypeError, match=r"survey\.identified_by\('c'\)"):
        sy.compare(estimates, overlap="c")
