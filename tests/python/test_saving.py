"""Saved estimates: the same as before, without the microdata; damaged and foreign files refused."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

import steelyard as sy
from steelyard.errors import SavedFileError
from steelyard.provenance import digest_of

DATA = Path(__file__).parent.parent / "data"
POSITIVE = ["Agree", "Strongly agree"]


def wave(year: int) -> sy.Survey:
    return sy.Survey(
        sy.datasets.simulate_evaluation(year, backend="polars"),
        weights="weight",
        strata="stratum",
        clusters="activity",
        fpc="activities_in_stratum",
    )


def twostage() -> sy.Survey:
    schools = sy.datasets.load("apiclus2", backend="polars")
    return sy.Survey(schools, clusters=["dnum", None], fpc=["fpc1", "fpc2"])


ASKED: dict[str, Callable[[sy.Survey], sy.Estimates]] = {
    "mean": lambda s: s.mean("satisfaction"),
    "mean by": lambda s: s.mean("satisfaction", by=["modality", "gender"]),
    "share": lambda s: s.proportion("relevance", positive=POSITIVE, by="region"),
    "levels": lambda s: s.proportion("relevance"),
    "several": lambda s: s.estimate({"a": sy.mean("satisfaction"), "n": sy.count()}),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_saved_wave_compares_as_the_one_in_memory_bit_for_bit(name: str, tmp_path: Path) -> None:
    before, after = ASKED[name](wave(2022)), ASKED[name](wave(2023))
    again = sy.Estimates.load(before.save(tmp_path / "2022.parquet"))
    assert again.to_dict() == before.to_dict()
    assert repr(again) == repr(before)
    kept = sy.compare({2022: before, 2023: after}, adjust="max-t")
    read = sy.compare({2022: again, 2023: after}, adjust="max-t")
    assert read.overlap == kept.overlap == {2023: 12}
    assert read.to_dict() == kept.to_dict()
    assert repr(read) == repr(kept)
    both = sy.Estimates.load(after.save(tmp_path / "2023.parquet"))
    assert sy.compare({2022: again, 2023: both}, adjust="max-t").to_dict() == kept.to_dict()


def test_what_was_made_of_estimates_is_saved_as_well(tmp_path: Path) -> None:
    change = wave(2023).mean("satisfaction") - wave(2022).mean("satisfaction")
    again = sy.Estimates.load(change.save(tmp_path / "change.parquet"))
    assert again.to_dict() == change.to_dict()
    assert len(again.presentation.sources) == 2


def test_saved_twice_and_loaded_in_any_order_it_is_the_same_sample(tmp_path: Path) -> None:
    survey = wave(2023)
    a = sy.Estimates.load(survey.mean("satisfaction").save(tmp_path / "a"))
    b = sy.Estimates.load(survey.mean("satisfaction").save(tmp_path / "b"))
    assert (a - b).se.tolist() == [0.0]


def test_the_file_says_where_it_is_from(tmp_path: Path) -> None:
    survey = wave(2023)
    file = survey.mean("satisfaction").save(tmp_path / "m.parquet")
    described = json.loads(pq.read_schema(file).metadata[b"steelyard"])
    assert described["schema"] == 1
    assert described["steelyard"] == sy.__version__
    digest = digest_of(survey.sample.columns)
    assert described["provenance"] == [{"design": survey.design_text, "digest": digest}]
    assert sy.Estimates.load(file).presentation.sources[0].digest == digest


def test_equal_data_have_equal_digests_in_any_frame() -> None:
    digests = {
        digest_of(sy.Survey(sy.datasets.load("apistrat", backend=backend)).sample.columns)
        for backend in ("polars", "pandas", "pyarrow")
    }
    assert len(digests) == 1
    frame = pl.DataFrame({"x": [1, None, 3], "t": ["a", None, "b"]})

    def digest(other: pl.DataFrame) -> str:
        return digest_of(sy.Survey(other).sample.columns)

    assert (
        digest(frame)
        == digest(frame.select("t", "x"))
        == digest(frame.with_columns(pl.col("x").cast(pl.Float64)))
    )
    assert digest(frame) != digest(frame.with_columns(x=pl.Series([1, None, 4])))
    assert digest(frame) != digest(frame.with_columns(t=pl.Series(["a", "", "b"])))
    assert digest(frame) != digest(frame.rename({"x": "y"}))


def test_no_row_of_the_data_is_in_the_file(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {"y": np.random.default_rng(1).normal(size=300), "g": ["a", "b", "c"] * 100}
    )
    est = sy.Survey(rows).mean("y", by="g")
    file = est.save(tmp_path / "elements.parquet")
    assert (
        pq.read_table(file).num_rows == 4
    )  # a square root of the covariance, and a row of nothing
    again = sy.Estimates.load(file)
    np.testing.assert_allclose(again.cov, est.cov, rtol=1e-12, atol=1e-18)
    assert (again.df, again.n.tolist()) == (est.df, est.n.tolist())


def test_rows_inside_named_clusters_are_not_kept_one_by_one(tmp_path: Path) -> None:
    est = twostage().mean("api00", by="stype")
    file = est.save(tmp_path / "two.parquet")
    assert pq.read_table(file).num_rows == 40 + len(est) + 1
    again = sy.Estimates.load(file)
    np.testing.assert_allclose(again.cov, est.cov, rtol=1e-12)
    assert again.df == est.df
    other = twostage().mean("api99", by="stype")
    np.testing.assert_allclose((again - other).df, (est - other).df)


def test_names_of_units_are_not_in_the_file(tmp_path: Path) -> None:
    file = wave(2023).mean("satisfaction").save(tmp_path / "m.parquet")
    frame = sy.datasets.simulate_evaluation(2023, backend="polars")
    assert isinstance(frame, pl.DataFrame)
    content = file.read_bytes() + str(pq.read_table(file).to_pylist()).encode()
    assert all(name.encode() not in content for name in frame["activity"].unique())


def test_without_units_only_the_covariance_is_kept(tmp_path: Path) -> None:
    est = wave(2022).mean("satisfaction", by="modality")
    file = est.save(tmp_path / "m.parquet", units=False)
    assert pq.read_table(file).num_rows == 4
    again = sy.Estimates.load(file)
    np.testing.assert_allclose(again.cov, est.cov, rtol=1e-12)
    change = sy.compare({2022: again, 2023: wave(2023).mean("satisfaction", by="modality")})
    apart = np.hypot(est.se, wave(2023).mean("satisfaction", by="modality").se)
    np.testing.assert_allclose(change.differences[2023].se, apart, rtol=1e-12)
    assert "independent samples" in repr(change)


def test_an_error_that_is_not_known_stays_so(tmp_path: Path) -> None:
    frame = pl.DataFrame({"g": list("aabb"), "c": list("ppqr"), "y": [1.0, 2, 3, 4]})
    for clusters in ("c", None):
        est = sy.Survey(frame, clusters=clusters).mean("y", by="g")
        again = sy.Estimates.load(est.save(tmp_path / "m.parquet"))
        assert again.notes == est.notes
        np.testing.assert_allclose(again.se, est.se, rtol=1e-12)


def test_quantiles_keep_the_interval_they_were_shown_with(tmp_path: Path) -> None:
    est = wave(2023).quantile("satisfaction", [0.25, 0.5])
    again = sy.Estimates.load(est.save(tmp_path / "q.parquet"))
    assert again.to_dict() == est.to_dict()
    for side in ("two", "lower", "upper"):
        assert again.ci(side=side).tolist() == est.ci(side=side).tolist()  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"known at level 0\.95 only"):
        again.ci(0.9)


@pytest.mark.parametrize("df", ["domain", "satterthwaite", "normal", 12.5])
def test_rules_for_degrees_of_freedom_are_kept(df: object, tmp_path: Path) -> None:
    frame = sy.datasets.load("apiclus1", backend="polars")
    est = sy.Survey(frame, weights="pw", clusters="dnum", df=df).mean("api00", by="stype")  # type: ignore[arg-type]
    again = sy.Estimates.load(est.save(tmp_path / "m.parquet"))
    assert again.degrees_of_freedom().tolist() == est.degrees_of_freedom().tolist()


def test_replicates_are_saved_as_a_covariance(tmp_path: Path) -> None:
    jackknife = wave(2023).replicated("jackknife").mean("satisfaction", by="modality")
    again = sy.Estimates.load(jackknife.save(tmp_path / "m.parquet"))
    np.testing.assert_allclose(again.cov, jackknife.cov, rtol=1e-12)
    assert again.presentation.replicated


# Saved by steelyard 0.1.0: Survey(apiclus1, weights="pw", clusters="dnum", fpc="fpc").mean("api00",
# by="stype").
def test_a_file_of_schema_1_is_read() -> None:
    saved = sy.Estimates.load(DATA / "saved_estimates_schema_1.parquet")
    frame = sy.datasets.load("apiclus1")
    now = sy.Survey(frame, weights="pw", clusters="dnum", fpc="fpc").mean("api00", by="stype")
    assert saved.labels.by["stype"] == ["E", "H", "M"]
    np.testing.assert_allclose(saved.estimate, now.estimate, rtol=1e-14)
    np.testing.assert_allclose(saved.cov, now.cov, rtol=1e-12)
    assert (saved.df, saved.n.tolist()) == (now.df, now.n.tolist())
    assert saved.presentation.sources[0].digest == now.presentation.sources[0].digest
    assert (now - saved).se.tolist() == pytest.approx([0, 0, 0], abs=1e-12)  # units found by name


# What goes wrong


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return wave(2023).mean("satisfaction", by="modality").save(tmp_path / "m.parquet")


def rewritten(file: Path, change: Callable[[dict[str, object]], None]) -> Path:
    table = pq.read_table(file)
    described = json.loads(table.schema.metadata[b"steelyard"])
    change(described)
    text = json.dumps(described).encode()
    pq.write_table(table.replace_schema_metadata({b"steelyard": text}), file)
    return file


def test_files_that_are_not_there_or_not_ours(tmp_path: Path) -> None:
    with pytest.raises(SavedFileError, match="there is no such file"):
        sy.Estimates.load(tmp_path / "none.parquet")
    text = tmp_path / "text.parquet"
    text.write_text("estimate,se\n1,2\n")
    with pytest.raises(SavedFileError, match="this is no Parquet file"):
        sy.Estimates.load(text)
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"x": [1]}), other)
    with pytest.raises(SavedFileError, match="no estimates saved by steelyard"):
        sy.Estimates.load(other)
    with pytest.raises(SavedFileError, match="there is no folder"):
        wave(2023).mean("satisfaction").save(tmp_path / "nowhere" / "m.parquet")
    assert not list(tmp_path.glob("*.part"))


def test_another_schema_is_refused_with_the_way_out(saved: Path) -> None:
    def newer(described: dict[str, object]) -> None:
        described |= {"schema": 2, "steelyard": "9.9"}

    with pytest.raises(SavedFileError, match=r"schema 2 by steelyard 9\.9.*upgrade steelyard"):
        sy.Estimates.load(rewritten(saved, newer))

    def older(described: dict[str, object]) -> None:
        described["schema"] = 0

    with pytest.raises(SavedFileError, match=r"schema 0 .*save it anew"):
        sy.Estimates.load(rewritten(saved, older))


def test_a_value_that_was_edited_is_refused(saved: Path) -> None:
    def edit(described: dict[str, object]) -> None:
        values = described["values"]
        assert isinstance(values, list)
        values[0] += 0.1

    with pytest.raises(SavedFileError, match="damaged"):
        sy.Estimates.load(rewritten(saved, edit))


def test_deviations_that_were_edited_are_refused(saved: Path) -> None:
    table = pq.read_table(saved)
    column = table.column("deviation_0").to_numpy() * 2
    edited = table.set_column(table.column_names.index("deviation_0"), "deviation_0", [column])
    pq.write_table(edited.replace_schema_metadata(table.schema.metadata), saved)
    with pytest.raises(SavedFileError, match="damaged"):
        sy.Estimates.load(saved)


def test_every_damaged_byte_is_refused_or_without_effect(saved: Path) -> None:
    whole = saved.read_bytes()
    good = sy.Estimates.load(saved).to_dict()
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        saved.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with suppress(SavedFileError):
            assert sy.Estimates.load(saved).to_dict() == good
    for size in range(0, len(whole), max(1, len(whole) // 12)):
        saved.write_bytes(whole[:size])
        with pytest.raises(SavedFileError):
            sy.Estimates.load(saved)


def test_a_failed_save_leaves_what_was_there(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        wave(2022).mean("satisfaction").save(saved)
    assert saved.read_bytes() == before
    assert not list(saved.parent.glob("*.part"))
