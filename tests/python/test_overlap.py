"""What two surveys share: found by name, whatever the design and however large."""

from zlib import crc32

import numpy as np
import polars as pl
import pytest

import steelyard as sy


def wave(clusters: list[str], seed: int, **columns: object) -> pl.DataFrame:
    """Four answers from each cluster, with a level of its own in every cluster."""
    rng = np.random.default_rng(seed)
    level = {name: np.random.default_rng(crc32(name.encode())).normal() for name in clusters}
    names = [name for name in clusters for _ in range(4)]
    y = [level[name] + rng.normal(0, 0.3) for name in names]
    return pl.DataFrame({"cluster": names, "y": y, **columns})


def test_clusters_of_weight_zero_count_for_nothing() -> None:
    names = [f"c{i:02d}" for i in range(12)]
    weight = [0.0] * 24 + [1.0] * 24
    first = sy.Survey(wave(names, 1, w=weight), weights="w", clusters="cluster").mean("y")
    second = sy.Survey(wave(names[:6], 2), clusters="cluster").mean("y")
    assert (first.df, second.df) == (5, 5)
    assert (second - first).df == 11  # twelve clusters count in one of the two, one stratum
    again = (second - first) / first
    assert (again / first).df == 11


def test_names_of_several_parts_are_not_mixed_up() -> None:
    # "x / y" nested in "z" and "y / z" nested in "x" read alike when joined by " / ".
    def survey(stratum: str, cluster: str, seed: int) -> sy.Survey:
        names = [cluster, "p", "q", "r"]
        frame = wave(names, seed, stratum=[stratum] * 16)
        return sy.Survey(frame, strata="stratum", clusters="cluster", nest=True)

    change = sy.compare({1: survey("x / y", "z", 3), 2: survey("x", "y / z", 4)}, sy.mean("y"))
    assert change.overlap == {2: 0}


def test_a_large_panel_with_many_groups_keeps_what_it_shares() -> None:
    people = 60_000
    rng = np.random.default_rng(5)
    who = [f"p{i}" for i in range(people)]
    group = rng.integers(0, 20, people)
    level = rng.normal(size=people)

    def survey() -> sy.Survey:
        y = level + rng.normal(0, 0.1, people)
        return sy.Survey(pl.DataFrame({"who": who, "g": group, "y": y}), clusters="who")

    waves = {1: survey(), 2: survey()}
    change = sy.compare(waves, lambda s: s.mean("y", by="g"))
    assert change.overlap == {2: people}
    errors = change.differences[2].se
    size = np.bincount(group)
    # The same people: the change has the error of the differences, not of the levels.
    np.testing.assert_allclose(errors, np.sqrt(2) * 0.1 / np.sqrt(size), rtol=0.1)


def test_a_mean_is_not_compared_with_a_total() -> None:
    frame = wave(["a", "b", "c"], 6)
    survey = sy.Survey(frame, clusters="cluster")
    with pytest.raises(ValueError, match="two statistics are called 'y': name them"):
        survey.estimate([sy.mean("y"), sy.total("y")])
    both = survey.estimate({"m": sy.mean("y"), "t": sy.total("y")})
    with pytest.raises(sy.errors.EmptyDomain, match="no label in common"):
        sy.compare({1: survey.mean("y"), 2: survey.total("y")})
    assert both.contrast({"m": 1}).value == survey.mean("y").value


def test_a_census_has_no_sampling_error() -> None:
    frame = wave(["a", "b", "c"], 7, yes=[True] * 12, population=[3] * 12)
    census = sy.Survey(frame, clusters="cluster", fpc="population")
    share = census.proportion("yes", positive=True)
    assert share.ci().tolist() == [[1.0, 1.0]]
    assert share.notes == ["the whole population: no sampling error"]
    sample = sy.Survey(frame, clusters="cluster").proportion("yes", positive=True)
    assert sample.ci()[0, 0] == pytest.approx(0.05 ** (1 / 12), rel=1e-14)


def test_a_unit_taken_whole_is_known_alone() -> None:
    # R 4.2.2, survey 4.1.1: svymean of a stratum with fpc 1 has a standard error of 0.
    frame = wave(["a", "b", "c"], 8, stratum=["alone"] * 4 + ["rest"] * 8, n=[1] * 4 + [9] * 8)
    survey = sy.Survey(frame, strata="stratum", clusters="cluster", fpc="n")
    alone = survey.mean("y", by="stratum")["alone"]
    assert alone.se.tolist() == [0.0]
    assert alone.notes == ["the whole population: no sampling error"]
