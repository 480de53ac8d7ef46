"""Bundled data: complete, the same in every kind of frame. Simulated data: as they promise."""

from __future__ import annotations

import csv
import gzip
import math
from fractions import Fraction
from typing import Any

import narwhals as nw
import numpy as np
import pytest

from steelyard import datafile, datasets
from steelyard.datasets import simulated_evaluation

BACKENDS = ("polars", "pandas", "pyarrow")
SHAPES = {
    "apiclus1": (183, 39),
    "apiclus2": (126, 40),
    "apipop": (6194, 37),
    "apistrat": (200, 39),
}
QUESTIONS = ("relevance", "theory_practice", "application", "example_given")
POSITIVE = ("Agree", "Strongly agree", "Yes")
# Final report, ITCILO training evaluation 2023, p. 6, as printed: decimals, then figures.
PUBLISHED = {2022: (0, ["95", "90", "94", "52"]), 2023: (1, ["96.9", "93.8", "93.6", "75.4"])}
RESPONSES = {2022: 589, 2023: 627}
SEEDS = range(40)
COLUMNS = [
    *("simulated", "year", "activity", "topic", "modality", "language", "price", "stratum"),
    *("activities_in_stratum", "enrolled", "weight", "participant", "gender", "region", "ldc"),
    *("relevance", "theory_practice", "application", "example_given"),
    *("competence_before", "competence_after", "resource_person", "satisfaction"),
]


def frame_of(native: Any) -> nw.DataFrame[Any]:
    return nw.from_native(native, eager_only=True)


def evaluation(year: int = 2023, seed: int = 2023, backend: str | None = None) -> dict[str, Any]:
    """Columns of the simulated evaluation, as lists; a missing answer is None."""
    frame = frame_of(datasets.simulate_evaluation(year, seed, backend=backend))
    return {c: [None if v != v else v for v in frame[c].to_list()] for c in frame.columns}


def weighted_percentage(columns: dict[str, Any], question: str) -> Fraction:
    """Percentage of positive answers among those given, without rounding."""
    answered = [
        (Fraction(float(weight)), answer in POSITIVE)
        for weight, answer in zip(columns["weight"], columns[question], strict=True)
        if answer is not None
    ]
    total = sum(weight for weight, _ in answered)
    return Fraction(100 * sum(weight for weight, positive in answered if positive), total)


def printed(value: Fraction, decimals: int) -> str:
    """Round half-up, as the report does."""
    return f"{math.floor(value * 10**decimals + Fraction(1, 2)) / 10**decimals:.{decimals}f}"


def values_by(columns: dict[str, Any], key: str, value: str) -> dict[str, set[Any]]:
    """Distinct values of one column within each value of another."""
    found: dict[str, set[Any]] = {k: set() for k in columns[key]}
    for k, v in zip(columns[key], columns[value], strict=True):
        found[k].add(v)
    return found


def test_every_name_is_a_file() -> None:
    assert datasets.names() == list(SHAPES)
    assert all(datasets.path(name).is_file() for name in SHAPES)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SHAPES)
def test_load_reads_every_row_and_makes_empty_cells_null(name: str, backend: str) -> None:
    pytest.importorskip(backend)
    native = datasets.load(name, backend=backend)
    assert type(native).__module__.split(".")[0] == backend
    frame = frame_of(native)
    assert frame.shape == SHAPES[name]
    assert "row_id" not in frame.columns

    file = datasets.path(name)
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open(newline="") as text:
        rows = list(csv.DictReader(text))
    empty = {column: sum(row[column] == "" for row in rows) for column in rows[0]}
    assert {column: int(frame[column].null_count()) for column in frame.columns} == empty


# R package survey 4.1.1: mean(apipop$api00); svymean(~api00, dstrat), 662.29 as printed.
def test_schools_have_the_known_means() -> None:
    population, sample = frame_of(datasets.load("apipop")), frame_of(datasets.load("apistrat"))
    assert round(population["api00"].mean(), 4) == 664.7126
    assert round((sample["pw"] * sample["api00"]).sum() / sample["pw"].sum(), 2) == 662.29


def test_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"'apistrata'; did you mean 'apistrat'\?.*apiclus1, "):
        datasets.load("apistrata")
    with pytest.raises(ValueError, match=r"'zzz'; There are: apiclus1"):
        datasets.path("zzz")


def test_backend_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="choose one of: polars, pandas, pyarrow"):
        datasets.load("apistrat", backend="dask")
    monkeypatch.setattr(datafile, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pandas is not installed: pip install pandas"):
        datasets.load("apistrat", backend="pandas")
    with pytest.raises(ImportError, match="none is installed: pip install polars"):
        datasets.simulate_evaluation()


def test_default_backend_is_the_first_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    monkeypatch.setattr(datafile, "find_spec", lambda name: None if name == "polars" else name)
    assert type(datasets.load("apistrat")).__module__.split(".")[0] == "pandas"


@pytest.mark.parametrize("year", PUBLISHED)
@pytest.mark.parametrize("seed", [*SEEDS, 2023])
def test_weighted_figures_print_as_published_for_every_seed(year: int, seed: int) -> None:
    columns = simulated_evaluation.simulated_columns(year, seed)
    decimals, figures = PUBLISHED[year]
    exact = [weighted_percentage(columns, question) for question in QUESTIONS]
    assert [printed(value, decimals) for value in exact] == figures
    nearest = max(abs(value - Fraction(text)) for value, text in zip(exact, figures, strict=True))
    assert nearest < Fraction(1, 2) / 10**decimals - Fraction(5, 1000)
    assert len(columns["weight"]) == RESPONSES[year]


def test_calibration_that_cannot_succeed_is_an_error() -> None:
    everyone = np.ones(10)
    with pytest.raises(RuntimeError, match=r"'relevance' to 96\.9 %; change the seed"):
        simulated_evaluation._calibrated(np.arange(10.0), everyone, everyone > 0, 96.9, "relevance")


@pytest.mark.parametrize("seed", SEEDS)
def test_sample_is_fifty_activities_in_valid_strata(seed: int) -> None:
    columns = evaluation(seed=seed)
    assert list(columns) == COLUMNS
    assert set(columns["simulated"]) == {"simulated"}
    assert len(set(columns["activity"])) == 50
    assert len(set(columns["participant"])) == 627

    for column in ("stratum", "topic", "language", "enrolled", "weight"):
        assert all(len(v) == 1 for v in values_by(columns, "activity", column).values())
    sampled = values_by(columns, "stratum", "activity")
    population = values_by(columns, "stratum", "activities_in_stratum")
    assert len(sampled) == 6
    assert all(len(counts) == 1 for counts in population.values())
    assert all(2 <= len(sampled[s]) <= min(population[s]) for s in sampled)
    assert 400 <= sum(min(counts) for counts in population.values()) <= 450
    assert columns["stratum"] == [
        f"{m} / {p}" for m, p in zip(columns["modality"], columns["price"], strict=True)
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_stand_for_everyone_enrolled(seed: int) -> None:
    columns = evaluation(seed=seed)
    in_sample = {s: len(a) for s, a in values_by(columns, "stratum", "activity").items()}
    responses = {a: columns["activity"].count(a) for a in set(columns["activity"])}
    for row, weight in enumerate(columns["weight"]):
        of = {name: columns[name][row] for name in ("stratum", "activity", "enrolled")}
        design = columns["activities_in_stratum"][row] / in_sample[of["stratum"]]
        assert responses[of["activity"]] <= of["enrolled"]
        assert weight == pytest.approx(design * of["enrolled"] / responses[of["activity"]])
        assert weight >= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_are_on_their_scales_and_a_few_are_missing(seed: int) -> None:
    columns = evaluation(seed=seed)
    likert = {"Strongly disagree", "Disagree", "Neutral", *POSITIVE[:2], None}
    for question in QUESTIONS[:3]:
        assert {"Agree", "Strongly agree", "Neutral", None} <= set(columns[question]) <= likert
    assert set(columns["example_given"]) == {"Yes", "No", None}
    assert all(0 < columns[question].count(None) < 0.08 * 627 for question in QUESTIONS)
    for column in ("competence_before", "competence_after", "satisfaction"):
        assert {3, 4, 5} <= set(columns[column]) <= {1, 2, 3, 4, 5}
    assert sum(columns["competence_after"]) > sum(columns["competence_before"]) + 627 * 0.5
    assert set(columns["gender"]) <= {"Female", "Male", "Other"}
    assert len(set(columns["region"])) == 5
    assert set(columns["ldc"]) == {"Yes", "No"}


@pytest.mark.parametrize("seed", SEEDS)
def test_panel_recurs_in_its_strata_with_half_of_its_participants(seed: int) -> None:
    before, now = evaluation(2022, seed), evaluation(2023, seed)
    strata = [values_by(columns, "activity", "stratum") for columns in (before, now)]
    shared = sorted(strata[0].keys() & strata[1].keys())
    assert shared == [f"P-{number:02d}" for number in range(1, 13)]
    assert all(strata[0][activity] == strata[1][activity] for activity in shared)

    people = [values_by(columns, "activity", "participant") for columns in (before, now)]
    again = sum(len(people[0][activity] & people[1][activity]) for activity in shared)
    assert 0.35 < again / sum(len(people[1][activity]) for activity in shared) < 0.65
    assert again == len(set(before["participant"]) & set(now["participant"]))
    for column in ("gender", "region", "ldc"):
        then, later = (values_by(columns, "participant", column) for columns in (before, now))
        assert all(then[person] == later[person] for person in then.keys() & later.keys())


def test_same_seed_same_data_in_every_kind_of_frame() -> None:
    first = evaluation()
    for backend in BACKENDS:
        pytest.importorskip(backend)
        assert evaluation(backend=backend) == first
    assert evaluation(seed=2024)["weight"] != first["weight"]
    assert evaluation(seed=2024)["relevance"] != first["relevance"]


# Frozen: a change here changes every published example that uses the data.
def test_default_data_do_not_drift() -> None:
    columns = evaluation()
    assert columns["activity"][:1] + columns["activity"][-1:] == ["P-01", "A2023-410"]
    assert [columns[question].count(None) for question in QUESTIONS] == [9, 22, 22, 17]
    assert sum(columns["satisfaction"]) == 2636


@pytest.mark.parametrize("year", [2015, 2019, 2021, 2024, 2030, 2035])
def test_other_years_have_plausible_levels(year: int) -> None:
    columns = evaluation(year)
    assert 570 <= len(columns["weight"]) <= 630
    assert set(columns["year"]) == {year}
    levels = [float(weighted_percentage(columns, question)) for question in QUESTIONS]
    assert all(80 < level < 99 for level in levels[:3])
    assert 40 < levels[3] < 85


def test_year_and_seed_are_checked() -> None:
    for year in (2014, 2036):
        with pytest.raises(ValueError, match=f"year is {year}; choose one from 2015 to 2035"):
            datasets.simulate_evaluation(year)
    with pytest.raises(ValueError, match="seed is -1"):
        datasets.simulate_evaluation(seed=-1)
    with pytest.raises(TypeError):
        datasets.simulate_evaluation(2023.5)  # type: ignore[arg-type]


def test_simulation_says_so() -> None:
    text = datasets.simulate_evaluation.__doc__ or ""
    assert "SIMULATED" in text
    assert "not public" in text
    assert "Turin" in text
