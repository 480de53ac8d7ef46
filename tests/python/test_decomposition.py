"""What a change is made of: against Kitagawa's sums by hand, and errors against the jackknife."""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy
from steelyard.errors import EmptyDomain

Floats = npt.NDArray[np.float64]

# Printed to be worked through by hand: answers and positive ones, by mode of teaching.
#             2022       2023
# online   20: 10     60: 36     rates 0.50, 0.60; shares 0.2, 0.6
# on site  80: 64     40: 34     rates 0.80, 0.85; shares 0.8, 0.4
COUNTS = {
    2022: {"online": (20, 10), "on site": (80, 64)},
    2023: {"online": (60, 36), "on site": (40, 34)},
}
YES = sy.proportion("yes", positive=True)


def counted(year: int) -> sy.Survey:
    rows = [(mode, i < positive) for mode, (n, positive) in COUNTS[year].items() for i in range(n)]
    return sy.Survey(pl.DataFrame(rows, ["mode", "yes"], orient="row"))


def printed() -> dict[Any, sy.Survey]:
    return {year: counted(year) for year in COUNTS}


def frame(seed: int, shift: float) -> pl.DataFrame:
    """Clusters of people in two strata, with a mix of three groups that moves with the shift."""
    rng = np.random.default_rng(seed)
    rows = []
    for c in range(24):
        level = np.random.default_rng(c).normal(0, 0.4)
        for _ in range(rng.integers(6, 14)):
            g = rng.choice(["a", "b", "c"], p=[0.5 - shift / 2, 0.3, 0.2 + shift / 2])
            y = 3 + level + {"a": 0, "b": 0.5, "c": 1.0}[g] * (1 + shift) + rng.normal(0, 1)
            rows.append((f"c{c:02d}", "h" + str(c % 2), g, "mn"[c % 3 // 2], y, rng.uniform(1, 4)))
    names = ["cluster", "stratum", "g", "site", "y", "w"]
    return pl.DataFrame(rows, names, orient="row").with_columns(yes=pl.col("y") > 3.5)


@cache
def frames() -> dict[int, pl.DataFrame]:
    return {2022: frame(1, 0.0), 2023: frame(2, 0.3)}


def survey(frame: pl.DataFrame) -> sy.Survey:
    return sy.Survey(frame, weights="w", strata="stratum", clusters="cluster")


@cache
def waves() -> dict[Any, sy.Survey]:
    return {year: survey(f) for year, f in frames().items()}


def rates_and_shares(f: pl.DataFrame, weight: Floats, by: str = "g") -> tuple[Floats, Floats]:
    y, groups = f["y"].to_numpy(), f[by].to_numpy()
    each = [groups == g for g in sorted(set(groups))]
    sizes = np.array([weight[g].sum() for g in each])
    return np.array([np.average(y[g], weights=weight[g]) for g in each]), sizes / sizes.sum()


def kitagawa(before: tuple[Floats, Floats], after: tuple[Floats, Floats]) -> Floats:
    """Total, rates and composition, with the averages of both sides."""
    (r0, s0), (r1, s1) = before, after
    return np.array([r1 @ s1 - r0 @ s0, (s0 + s1) / 2 @ (r1 - r0), (r0 + r1) / 2 @ (s1 - s0)])


# The parts


def test_kitagawa_by_hand() -> None:
    found = sy.decompose(printed(), YES, by="mode")
    # Rates: 0.4 * 0.10 + 0.6 * 0.05; composition: 0.4 * 0.55 - 0.4 * 0.825.
    assert found.total.value == pytest.approx(0.70 - 0.74, rel=1e-12)
    assert found.parts.estimate == pytest.approx([0.07, -0.11], rel=1e-12)
    assert found.parts.labels.by["part"] == ["rates", "composition"]
    assert found.levels == pytest.approx((0.74, 0.70), rel=1e-12)
    assert (found.before, found.after) == (2022, 2023)
    assert found.is_of_shares


def test_the_part_of_each_group_by_hand() -> None:
    found = sy.decompose(printed(), YES, by="mode").details
    assert found.labels.by["part"] == ["rates", "rates", "composition", "composition"]
    part = dict(zip(found.labels.by["mode"][:2], found.estimate[:2], strict=True))
    assert part == pytest.approx({"online": 0.4 * 0.1, "on site": 0.6 * 0.05}, rel=1e-12)
    # Composition counts from the mean of both levels, 0.72: more of those above it is a gain.
    mix = dict(zip(found.labels.by["mode"][2:], found.estimate[2:], strict=True))
    expected = {"online": 0.4 * (0.55 - 0.72), "on site": -0.4 * (0.825 - 0.72)}
    assert mix == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("before", [0.2 * 0.1 + 0.8 * 0.05, 0.4 * 0.5 - 0.4 * 0.8, 0.4 * 0.1 - 0.4 * 0.05]),
        ("after", [0.6 * 0.1 + 0.4 * 0.05, 0.4 * 0.6 - 0.4 * 0.85, -(0.4 * 0.1 - 0.4 * 0.05)]),
    ],
)
def test_one_side_as_reference_leaves_an_interaction(reference: Any, parts: list[float]) -> None:
    found = sy.decompose(printed(), YES, by="mode", reference=reference)
    assert found.parts.labels.by["part"] == ["rates", "composition", "interaction"]
    assert found.parts.estimate == pytest.approx(parts, rel=1e-12)
    assert found.parts.estimate.sum() == pytest.approx(found.total.value, rel=1e-12)


@pytest.mark.parametrize("reference", ["average", "before", "after"])
@pytest.mark.parametrize("by", ["g", ["g", "site"]])
def test_the_parts_add_up(reference: Any, by: Any) -> None:
    found = sy.decompose(waves(), sy.mean("y"), by=by, reference=reference)
    change = sy.compare(waves(), sy.mean("y")).differences[2023]
    assert found.total.value == pytest.approx(change.value, rel=1e-10)
    assert found.total.se[0] == pytest.approx(change.se[0], rel=1e-10)
    assert found.total.df == change.df
    assert found.parts.estimate.sum() == pytest.approx(change.value, rel=1e-10)
    names = found.details.labels.by["part"]
    for i, name in enumerate(("rates", "composition")):
        own = [x for x, part in zip(found.details.estimate, names, strict=True) if part == name]
        assert sum(own) == pytest.approx(found.parts.estimate[i], rel=1e-10)


def test_a_decomposition_of_weighted_means_by_hand() -> None:
    sides = [rates_and_shares(f, f["w"].to_numpy()) for f in frames().values()]
    found = sy.decompose(waves(), sy.mean("y"), by="g")
    got = [found.total.value, *found.parts.estimate]
    assert got == pytest.approx(kitagawa(sides[0], sides[1]).tolist(), rel=1e-10)
    assert not found.is_of_shares


def test_errors_are_near_those_of_the_jackknife() -> None:
    apart = {
        year: survey(f.with_columns(pl.col("cluster", "stratum") + f" in {year}"))
        for year, f in frames().items()
    }
    found = sy.decompose(apart, sy.mean("y"), by="g")
    variance = np.zeros(3)
    for year, f in frames().items():
        weights = apart[year].replicated("jackknife").weights_frame()
        assert isinstance(weights, pl.DataFrame)
        fixed = {y: rates_and_shares(g, g["w"].to_numpy()) for y, g in frames().items()}
        full = kitagawa(fixed[2022], fixed[2023])
        for name in weights.columns[1:]:  # 12 clusters in each of two strata
            again = {**fixed, year: rates_and_shares(f, weights[name].to_numpy())}
            variance += 11 / 12 * (kitagawa(again[2022], again[2023]) - full) ** 2
    got = [found.total.se[0], *found.parts.se]
    assert got == pytest.approx(np.sqrt(variance).tolist(), rel=0.04)


def test_errors_of_the_same_clusters_are_near_those_of_the_jackknife() -> None:
    found = sy.decompose(waves(), sy.mean("y"), by="g")
    kept = [f["w"].to_numpy() for f in frames().values()]
    variance = np.zeros(3)
    sides = [rates_and_shares(f, w) for f, w in zip(frames().values(), kept, strict=True)]
    full = kitagawa(sides[0], sides[1])
    for c in range(24):
        again = []
        for f, w in zip(frames().values(), kept, strict=True):
            own = (f["cluster"] == f"c{c:02d}").to_numpy()
            same = (f["stratum"] == f"h{c % 2}").to_numpy()
            again.append(rates_and_shares(f, w * np.where(own, 0, np.where(same, 12 / 11, 1))))
        variance += 11 / 12 * (kitagawa(again[0], again[1]) - full) ** 2
    got = [found.total.se[0], *found.parts.se]
    assert got == pytest.approx(np.sqrt(variance).tolist(), rel=0.04)


# Two groups of one survey


def test_two_groups_of_one_survey() -> None:
    found = sy.decompose(waves()[2023], sy.mean("y"), by="g", between=("site", "m", "n"))
    f = frames()[2023]
    sides = [f.filter(site=site) for site in ("m", "n")]
    expected = kitagawa(*(rates_and_shares(s, s["w"].to_numpy()) for s in sides))
    assert (found.before, found.after) == ("m", "n")
    assert [found.total.value, *found.parts.estimate] == pytest.approx(expected.tolist(), rel=1e-10)
    gap = waves()[2023].mean("y", by="site").contrast({"n": 1, "m": -1})
    assert found.total.se[0] == pytest.approx(gap.se[0], rel=1e-10)


def test_two_groups_within_a_condition() -> None:
    svy, where = waves()[2023], {"g": ["a", "b"]}
    found = sy.decompose(svy, YES, by="g", between=("site", "m", "n"), where=where)
    share = svy.proportion("yes", positive=True, by="site", where=where)
    assert found.levels == pytest.approx((share["m"].value, share["n"].value), rel=1e-12)
    assert set(found.details.labels.by["g"]) == {"a", "b"}


# What is left out, and what cannot be


def test_those_without_an_answer_or_a_group_are_left_out() -> None:
    index = pl.int_range(pl.len())
    holes = {
        year: f.with_columns(
            y=pl.when(index % 7 != 0).then(pl.col("y")),
            g=pl.when(index % 11 != 0).then(pl.col("g")),
        )
        for year, f in frames().items()
    }
    found = sy.decompose({k: survey(f) for k, f in holes.items()}, sy.mean("y"), by="g")
    known = [f.drop_nulls(["y", "g"]) for f in holes.values()]
    sides = [rates_and_shares(f, f["w"].to_numpy()) for f in known]
    expected = kitagawa(sides[0], sides[1])
    assert [found.total.value, *found.parts.estimate] == pytest.approx(expected.tolist(), rel=1e-10)


def test_the_confidence_level_is_that_asked_for() -> None:
    found = sy.decompose(waves(), sy.mean("y"), by="g", level=0.8)
    assert found.parts.ci().tolist() == found.parts.ci(0.8).tolist()
    assert "interval: 80%" in repr(found)
    assert found.to_dict()["ci_low"][0] == pytest.approx(found.total.ci(0.8)[0, 0], rel=1e-12)


def test_decompositions_that_cannot_be() -> None:
    one, pair = waves()[2022], waves()
    lacking = {2022: pair[2022], 2023: survey(frames()[2023].filter(pl.col("g") != "c"))}
    with pytest.raises(EmptyDomain, match=r"group 'c' has no answers in 2023.*merge it"):
        sy.decompose(lacking, sy.mean("y"), by="g")
    with pytest.raises(EmptyDomain, match="group 'c' has no answers in 2022"):
        sy.decompose({2023: pair[2023], 2022: lacking[2023]}, sy.mean("y"), by="g")
    with pytest.raises(ValueError, match="a total has no rate in each group"):
        sy.decompose(pair, sy.total("y"), by="g")
    with pytest.raises(ValueError, match="a proportion has no rate in each group"):
        sy.decompose(pair, sy.proportion("yes"), by="g")
    with pytest.raises(ValueError, match="two waves are decomposed"):
        sy.decompose({**pair, 2024: one}, sy.mean("y"), by="g")
    with pytest.raises(ValueError, match=r"with between=\(column, before, after\)"):
        sy.decompose(one, sy.mean("y"), by="g")
    with pytest.raises(ValueError, match="between= is for groups of one Survey"):
        sy.decompose(pair, sy.mean("y"), by="g", between=("site", "m", "n"))
    with pytest.raises(ValueError, match="reference='both' is none of"):
        sy.decompose(pair, sy.mean("y"), by="g", reference="both")  # type: ignore[arg-type]
    with pytest.raises(sy.errors.UnknownLevel):
        sy.decompose(one, sy.mean("y"), by="g", between=("site", "m", "x"))


# As a table and a picture


def test_the_table_of_a_decomposition() -> None:
    found = sy.decompose(printed(), YES, by="mode")
    table = found.to_dict()
    assert " ".join(table) == "part mode estimate se ci_low ci_high p_value share"
    assert table["part"] == [
        "total",
        *["rates", "composition"],
        *["rates"] * 2,
        *["composition"] * 2,
    ]
    assert table["share"][:3] == pytest.approx([1, -7 / 4, 11 / 4], rel=1e-10)
    polars, pandas, arrow = found.to_polars(), found.to_pandas(), found.to_arrow()
    assert polars.columns == list(pandas.columns) == arrow.column_names == list(table)
    assert polars["se"].to_list() == arrow["se"].to_pylist() == table["se"]
    shown = repr(found)
    assert shown.startswith("2022: 0.7400, 2023: 0.7000\n")
    assert "Kitagawa's decomposition of a share, reference average" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_labels_of_a_decomposition_are_escaped() -> None:
    renamed = {
        f"<script>{year}": sy.Survey(f.with_columns(pl.col("g") + "<b>"))
        for year, f in frames().items()
    }
    html = sy.decompose(renamed, sy.mean("y"), by="g")._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "a&lt;b&gt;" in html


def test_a_waterfall_draws_the_parts() -> None:
    found = sy.decompose(printed(), YES, by="mode")
    ax = found.plot()
    bars = [(bar.get_y(), bar.get_height()) for bar in ax.patches]
    tops = [max(y, y + height) for y, height in bars]
    assert (tops[0], tops[1]) == pytest.approx((74, 70), rel=1e-12)
    assert bars[2] == pytest.approx((74, 7), rel=1e-10)
    assert bars[3] == pytest.approx((81, -11), rel=1e-10)
    errors = [line.get_ydata() for line in ax.lines if line.get_xdata()[0] == line.get_xdata()[1]]
    for i, base in enumerate((74, 81)):
        assert list(errors[i]) == pytest.approx((base + 100 * found.parts.ci()[i]).tolist())
    names = [text.get_text() for text in ax.get_xticklabels()]
    assert names == ["2022", "rates", "composition", "2023"]


# Levels with one composition


def test_standardised_levels_are_shares_times_rates() -> None:
    found = sy.standardised_levels(waves(), sy.mean("y"), adjust="g", to=2022)
    f22, f23 = frames().values()
    _, shares = rates_and_shares(f22, f22["w"].to_numpy())
    rates, _ = rates_and_shares(f23, f23["w"].to_numpy())
    assert found[2023].value == pytest.approx(rates @ shares, rel=1e-11)
    assert found[2022].value == pytest.approx(waves()[2022].mean("y").value, rel=1e-11)
    assert found[2022].se[0] == pytest.approx(waves()[2022].mean("y").se[0], rel=1e-10)
    assert found[2023].conventions["composition"] == "of 2022, by g"


def test_standardised_levels_equal_those_of_fixed_shares() -> None:
    found = sy.standardised_levels(waves(), YES, adjust=["g", "site"], to=2022)
    sizes = waves()[2022].estimate(sy.count(), by=["g", "site"])
    keys = zip(sizes.labels.by["g"], sizes.labels.by["site"], strict=True)
    shares = dict(zip(keys, sizes.estimate.tolist(), strict=True))
    fixed = waves()[2023].standardize(YES, adjust=["g", "site"], shares=shares)
    assert found[2023].value == pytest.approx(fixed.value, rel=1e-11)


def test_a_standardised_change_is_that_of_rates_alone() -> None:
    levels = sy.standardised_levels(waves(), sy.mean("y"), adjust="g", to=2022)
    change = sy.compare(levels).differences[2023]
    parts = sy.decompose(waves(), sy.mean("y"), by="g", reference="before").parts
    assert change.value == pytest.approx(parts.estimate[0], rel=1e-10)
    assert change.se[0] == pytest.approx(parts.se[0], rel=1e-10)


def test_levels_that_cannot_be_standardised() -> None:
    with pytest.raises(ValueError, match="to=2021 is none of the waves"):
        sy.standardised_levels(waves(), sy.mean("y"), adjust="g", to=2021)
    with pytest.raises(ValueError, match="a total has no rate"):
        sy.standardised_levels(waves(), sy.total("y"), adjust="g", to=2022)
    lacking = {**waves(), 2023: survey(frames()[2023].filter(pl.col("g") != "c"))}
    with pytest.raises(EmptyDomain, match="group 'c' has no answers in 2023"):
        sy.standardised_levels(lacking, sy.mean("y"), adjust="g", to=2022)
