"""Waves compared: figures against R, the table in every kind of frame, overlap, mistakes."""

import itertools
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import steelyard as sy
from steelyard import _core, errors, notes

Table = dict[str, list[Any]]


def api(name: str) -> pl.DataFrame:
    frame = sy.datasets.load(name, backend="polars")
    assert isinstance(frame, pl.DataFrame)
    return frame


@cache
def stratified() -> sy.Survey:
    return sy.Survey(api("apistrat"), weights="pw", strata="stype", fpc="fpc")


@cache
def clustered() -> sy.Survey:
    return sy.Survey(api("apiclus1"), weights="pw", clusters="dnum", fpc="fpc")


@cache
def waves() -> dict[int, sy.Survey]:
    """Simulated evaluations, which share 12 of 50 sampled activities."""
    return {
        year: sy.Survey(
            sy.datasets.simulate_evaluation(year, backend="polars"),
            weights="weight",
            strata="stratum",
            clusters="activity",
            fpc="activities_in_stratum",
        )
        for year in (2021, 2022, 2023)
    }


def two(*years: int) -> dict[int, sy.Survey]:
    return {year: waves()[year] for year in years or (2022, 2023)}


# R 4.2.2, survey 4.1.1: m <- svymean(~api99+api00, svydesign(id=~dnum, weights=~pw, fpc=~fpc,
# data=apiclus1)); d <- svycontrast(m, c(-1,1)); r <- svycontrast(m, quote(api00/api99));
# coef(), SE(), 2*pt(-abs(t), degf), confint(, df=degf); t of the ratio is (r - 1) / SE.
CLUSTERED = {
    "difference": [37.191256830601105, 3.0851969668994608, 8.8223272935177657e-09],
    "ratio": [1.0612728107529013, 0.0062308312166094136, 1.1491843061480389e-07],
}
CLUSTERED_INTERVALS = {
    "difference": [30.574167446390756, 43.808346214811451],
    "ratio": [1.0479090069048547, 1.0746366146009478],
}


def test_the_same_clusters_twice_against_r() -> None:
    year = {1999: "api99", 2000: "api00"}
    compared = sy.compare(
        {y: clustered().estimate({"score": sy.mean(name)}) for y, name in year.items()}
    )
    assert compared.overlap == {2000: 15}
    assert compared.changes[0].shared_share == 1
    table = rows_of(compared.to_dict())
    for kind, expected in CLUSTERED.items():
        (row,) = (row for row in table if row["statistic"] == kind)
        got = [row["estimate"], row["se"], row["p_value"]]
        assert got == pytest.approx(expected, rel=1e-9)
        assert [row["ci_low"], row["ci_high"]] == pytest.approx(CLUSTERED_INTERVALS[kind], rel=1e-9)
        assert row["df"] == 14


def test_shares_of_the_same_elements_against_r() -> None:
    # As above: s <- svydesign(id=~1, strata=~stype, weights=~pw, fpc=~fpc, data=apistrat);
    # svycontrast(svymean(~w+c, update(s, w=as.numeric(sch.wide=="Yes"), c=...comp.imp)), c(-1,1))
    wide, comparable = (
        stratified().estimate({"met": sy.proportion(name, positive="Yes")})
        for name in ("sch.wide", "comp.imp")
    )
    compared = sy.compare({"school": wide, "groups": comparable})
    difference = compared.differences["groups"]
    assert difference.value == pytest.approx(-0.17229899947184546, rel=1e-9)
    assert difference.se[0] == pytest.approx(0.031940825826090063, rel=1e-9)
    assert difference.p_value()[0] == pytest.approx(1.9599129447378979e-07, rel=1e-9)
    assert difference.df == 197
    low, high = difference.ci()[0]
    assert [low, high] == pytest.approx([-0.23528883240504855, -0.10930916653864238], rel=1e-9)


def test_independent_samples_against_r() -> None:
    # dd <- svymean(~api00, clus1) - svymean(~api00, strat); sqrt(SE1^2 + SE2^2); df = 197 + 14
    compared = sy.compare({"strat": stratified(), "clus1": clustered()}, sy.mean("api00"))
    (difference,) = compared.differences.values()
    assert difference.value == pytest.approx(-18.117964252216893, rel=1e-9)
    assert difference.se[0] == pytest.approx(25.352815699922257, rel=1e-9)
    assert difference.df == 211
    assert difference.p_value()[0] == pytest.approx(0.4756256000569804, rel=1e-9)
    assert compared.overlap == {"clus1": 0}
    assert "clus1 shares 0 units with strat (0% of its own): compared as" in repr(compared)


# R: 2 * pt(-abs(t), df)
P_VALUES = {
    (0.0, 5.0): 1.0,
    (1.5, 1.0): 0.3743340836219976,
    (2.5, 14.0): 0.025466664614062152,
    (30.0, 197.0): 2.193976274930785e-75,
    (-12.3, 3.0): 0.0011574882762946203,
    (1e-8, 50.0): 0.99999999206094636,
    (2.5, math.inf): 0.01241933065155227,
}


@pytest.mark.parametrize(("t", "df"), P_VALUES)
def test_p_values_against_r(t: float, df: float) -> None:
    for se, null in itertools.product((1.0, 0.125, 1024.0), (0.0, 0.5)):
        got = _core.two_sided_p_value(null + t * se, se, df, null)
        assert got == pytest.approx(P_VALUES[t, df], rel=1e-9 if null == 0 else 1e-6)


def test_p_values_and_intervals_agree() -> None:
    est = waves()[2023].mean("satisfaction", by="modality")
    for level in (0.5, 0.9, 0.95, 0.999):
        for i, bounds in enumerate(est.ci(level)):
            for bound in bounds.tolist():
                assert est.p_value(bound)[i] == pytest.approx(1 - level, rel=1e-9)


# The table

BEFORE = ["statistic", "period", "base"]
FIGURES = ["estimate", "se", "ci_low", "ci_high", "df", "n", "missing", "deff"]
TESTED = ["p_value", "p_adjusted", "correlation", "verdict"]
POSITIVE = ["Agree", "Strongly agree"]
COLUMNS: dict[str, tuple[Callable[[sy.Survey], sy.Estimates], list[str]]] = {
    "mean": (lambda s: s.mean("satisfaction"), ["variable"]),
    "mean by two": (
        lambda s: s.mean("satisfaction", by=["gender", "ldc"]),
        ["gender", "ldc", "variable"],
    ),
    "share": (lambda s: s.proportion("relevance", positive=POSITIVE), ["variable", "level"]),
    "levels by": (
        lambda s: s.proportion("relevance", by="gender"),
        ["gender", "variable", "level"],
    ),
}


def rows_of(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """None and NaN of frames alike; years as text where a frame holds no mixed columns."""

    def cell(value: Any) -> Any:
        if value is None or value != value:
            return None
        return float(value) if isinstance(value, int | float) and value is not True else value

    return [{name: cell(value) for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_estimates(name: str) -> None:
    estimate, labels = COLUMNS[name]
    est = estimate(waves()[2023])
    table = est.to_dict()
    assert list(table) == [*labels, *FIGURES, "note"]
    assert {len(column) for column in table.values()} == {len(est)}
    same_in_every_frame(est, table)


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_a_comparison(name: str) -> None:
    estimate, labels = COLUMNS[name]
    compared = sy.compare(two(), estimate)
    table = compared.to_dict()
    assert list(table) == [*BEFORE, *labels, *FIGURES, *TESTED, "note"]
    blocks = [(r["statistic"], r["period"], r["base"]) for r in rows_of(table)]
    assert [key for key, _ in itertools.groupby(blocks)] == [
        ("level", 2022, None),
        ("level", 2023, None),
        ("difference", 2023, 2022),
        ("relative change", 2023, 2022),
        ("ratio", 2023, 2022),
        *([("log-odds change", 2023, 2022)] if "level" in labels else []),
    ]
    for year in (2022, 2023):
        assert blocks.count(("level", year, None)) == len(estimate(waves()[year]))
    same_in_every_frame(compared, table)


def same_in_every_frame(shown: sy.Estimates | sy.Comparison, table: Table) -> None:
    polars, pandas, arrow = shown.to_polars(), shown.to_pandas(), shown.to_arrow()
    assert polars.columns == list(pandas.columns) == arrow.column_names == list(table)
    expected = plain(rows_of(table))
    assert plain(polars.to_dicts()) == expected
    assert plain(arrow.to_pylist()) == expected
    assert plain(rows_of({name: list(pandas[name]) for name in pandas.columns})) == expected


def test_figures_of_a_frame_are_numbers() -> None:
    schema = sy.compare(two(), sy.mean("satisfaction")).to_polars().schema
    assert all(schema[name] == pl.Float64 for name in ("estimate", "se", "ci_low", "df", "p_value"))
    assert schema["n"] == schema["missing"] == pl.Int64
    assert schema["period"] == schema["base"] == pl.Int64


def test_figures_that_are_not_known_are_numbers_as_well() -> None:
    est = waves()[2023].mean("satisfaction", where={"activity": "P-01"})
    assert est.notes[0] is not None
    assert est.to_polars().schema["se"] == pl.Float64
    assert est.to_pandas()["se"].dtype == np.float64


def test_results_come_back_in_the_callers_kind_of_frame() -> None:
    for backend in ("polars", "pandas", "pyarrow"):
        svy = sy.Survey(sy.datasets.load("apistrat", backend=backend), weights="pw")
        native = svy.mean("api00").to_native()
        assert type(native).__module__.split(".")[0] == backend


def test_levels_differences_and_ratios() -> None:
    compared = sy.compare(two(), lambda s: s.mean("satisfaction", by="gender"))
    before, after = (svy.mean("satisfaction", by="gender") for svy in two().values())
    assert compared.base == 2022
    assert compared.levels[2022].to_dict() == before.to_dict()
    assert compared.levels[2023].to_dict() == after.to_dict()
    assert (
        compared.differences[2023].estimate.tolist() == (after.estimate - before.estimate).tolist()
    )
    assert compared.ratios[2023].estimate.tolist() == (after.estimate / before.estimate).tolist()
    table = compared.to_dict()
    tested = [(s, p is not None) for s, p in zip(table["statistic"], table["p_value"], strict=True)]
    assert all(known == (statistic != "level") for statistic, known in tested)
    difference, ratio = compared.differences[2023], compared.ratios[2023]
    relative = compared.relative_changes[2023]
    expected = [*difference.p_value(0), *relative.p_value(0), *ratio.p_value(1)]
    assert [p for p in table["p_value"] if p is not None] == expected


def test_every_way_to_say_what_is_compared() -> None:
    statistic = sy.compare(two(), sy.mean("satisfaction")).to_dict()
    assert sy.compare(two(), lambda s: s.mean("satisfaction")).to_dict() == statistic
    estimates = {year: svy.mean("satisfaction") for year, svy in two().items()}
    assert sy.compare(estimates).to_dict() == statistic
    mixed: dict[int, sy.Survey | sy.Estimates] = {2022: two()[2022], 2023: estimates[2023]}
    assert sy.compare(mixed, sy.mean("satisfaction")).to_dict() == statistic


def test_overlap_counts_the_units_of_one_name() -> None:
    compared = sy.compare(waves(), sy.mean("satisfaction"))
    assert compared.overlap == {2022: 12, 2023: 12}
    assert [change.shared_share for change in compared.changes] == [0.24, 0.24]
    assert "2023 shares 12 units with 2021 (24% of its own)" in repr(compared)
    names = [
        set(pl.DataFrame(sy.datasets.simulate_evaluation(y, backend="polars"))["activity"])  # type: ignore[arg-type]
        for y in (2022, 2023)
    ]
    assert len(names[0] & names[1]) == 12


def test_an_overlap_is_taken_into_account() -> None:
    change = sy.compare(two(), sy.mean("satisfaction")).differences[2023]
    apart = math.hypot(*(svy.mean("satisfaction").se[0] for svy in two().values()))
    assert change.se[0] != pytest.approx(apart, rel=1e-3)
    # Units minus strata over both waves: the 12 shared activities and their strata count once.
    frame = sy.datasets.simulate_evaluation(2023, backend="polars")
    assert isinstance(frame, pl.DataFrame)
    panel = frame.filter(pl.col("activity").str.starts_with("P-"))
    assert change.df == 44 + 44 - 12 + panel["stratum"].n_unique()


def test_any_wave_may_be_the_base() -> None:
    forth = sy.compare(two(), sy.mean("satisfaction"))
    back = sy.compare(two(), sy.mean("satisfaction"), base=2023)
    assert back.base == 2023
    assert back.differences[2022].value == -forth.differences[2023].value
    assert back.differences[2022].se[0] == pytest.approx(forth.differences[2023].se[0], rel=1e-12)
    three = sy.compare(waves(), sy.mean("satisfaction"), base=2022)
    assert list(three.differences) == [2021, 2023]
    assert list(three.levels) == [2021, 2022, 2023]
    named = sy.compare({"before": two()[2022], "after": two()[2023]}, sy.mean("satisfaction"))
    assert named.to_dict()["period"] == ["before", "after", "after", "after", "after"]


def test_the_level_of_confidence_is_kept() -> None:
    narrow = sy.compare(two(), lambda s: s.mean("satisfaction", level=0.8))
    difference = narrow.differences[2023]
    assert difference.ci().tolist() == difference.ci(0.8).tolist()
    assert "interval: 80%" in repr(narrow)


# What goes wrong


def shares(*answers: str) -> sy.Survey:
    levels = pl.Series("agrees", answers, pl.Enum(["No", "Yes"]))
    frame = pl.DataFrame({"agrees": levels, "hours": [float(a == "Yes") for a in answers]})
    return sy.Survey(frame)


def test_a_ratio_to_nothing_has_a_reason() -> None:
    nobody, some = shares(*["No"] * 6), shares("No", "Yes", "Yes", "No", "No", "No")
    for statistic in (sy.proportion("agrees", positive="Yes"), sy.mean("hours")):
        table = sy.compare({1: nobody, 2: some}, statistic).to_dict()
        ratio = next(row for row in rows_of(table) if row["statistic"] == "ratio")
        assert ratio["note"] == notes.UNDEFINED
        assert [ratio[x] for x in ("estimate", "se", "ci_low", "ci_high", "p_value")] == [None] * 5


def grouped(groups: str) -> sy.Survey:
    return sy.Survey(pl.DataFrame({"g": list(groups), "y": range(len(groups))}))


def test_groups_are_compared_by_label() -> None:
    compared = sy.compare(
        {1: grouped("aabbcc"), 2: grouped("ccddaa")}, lambda s: s.mean("y", by="g")
    )
    assert compared.levels[1].labels.by["g"] == ["a", "b", "c"]
    assert compared.differences[2].labels.by["g"] == ["a", "c"]
    assert compared.differences[2].estimate.tolist() == [4.0, -4.0]


def test_a_group_of_one_wave_only_is_named() -> None:
    compared = sy.compare({1: grouped("aabb"), 2: grouped("aacc")}, lambda s: s.mean("y", by="g"))
    *_, footer = repr(compared).split("ratio")
    assert "b" in footer.split("units")[0] or "only" in footer


def test_mistakes() -> None:
    one = {2023: waves()[2023]}
    with pytest.raises(ValueError, match="compare needs at least two waves"):
        sy.compare(one, sy.mean("satisfaction"))
    with pytest.raises(ValueError, match=r"base 2032 is not a wave. Did you mean '2023'\?"):
        sy.compare(two(), sy.mean("satisfaction"), base=2032)
    with pytest.raises(TypeError, match="no statistic was given"):
        sy.compare(two())
    with pytest.raises(errors.EmptyDomain, match="2023 have no label in common with the base"):
        sy.compare({2022: two()[2022].mean("satisfaction"), 2023: two()[2023].count()})
    with pytest.raises(errors.ColumnNotFound, match="Did you mean 'satisfaction'"):
        sy.compare(two(), sy.mean("satisfacton"))


def test_a_column_is_not_a_statistic() -> None:
    with pytest.raises(TypeError, match=r"sy\.mean"):
        sy.compare(two(), "satisfaction")  # type: ignore[arg-type]
