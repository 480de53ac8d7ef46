"""Replicate weights: those made here, those that came with the data, and what they say."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from reference import frame_of

import steelyard as sy

STRATIFIED: dict[str, Any] = {"weights": "pw", "strata": "stype", "fpc": "fpc"}
CLUSTERED: dict[str, Any] = {"weights": "pw", "clusters": "dnum"}
TWO_STAGES: dict[str, Any] = {"clusters": ["dnum", "snum"], "fpc": ["fpc1", "fpc2"]}


def schools(name: str, **arguments: Any) -> sy.Survey:
    return sy.Survey(sy.datasets.load(name, backend="polars"), **arguments)


def stratified() -> sy.Survey:
    return schools("apistrat", **STRATIFIED)


def clustered() -> sy.Survey:
    return schools("apiclus1", **CLUSTERED)


def two_stages() -> sy.Survey:
    return sy.Survey(frame_of("clus2_fpc2"), **TWO_STAGES)


def pairs(strata: int, units: int = 2) -> pl.DataFrame:
    """Strata of a few units each, of three rows each, with weights that differ."""
    rng = np.random.default_rng(strata * 100 + units)
    unit = np.repeat(np.arange(strata * units), 3)
    return pl.DataFrame(
        {
            "stratum": unit // units,
            "unit": unit,
            "w": rng.uniform(1, 5, len(unit)),
            "y": rng.normal(10, 3, len(unit)) + unit % 7,
            "x": rng.uniform(1, 2, len(unit)),
        }
    )


PAIRED: dict[str, Any] = {"weights": "w", "strata": "stratum", "clusters": "unit"}


@pytest.mark.parametrize("survey", [stratified, clustered])
def test_the_jackknife_of_a_total_is_taylor(survey: Any) -> None:
    svy = survey()
    for by in (None, "comp.imp"):
        plain, jack = (s.total(["api00", "enroll"], by=by) for s in (svy, svy.replicated()))
        assert jack.cov == pytest.approx(plain.cov, rel=1e-10, abs=1e-6)
        assert jack.df == plain.df


@pytest.mark.parametrize("strata", [1, 3, 4, 11, 23, 60])
@pytest.mark.parametrize("rho", [0.0, 0.3])
def test_half_samples_of_pairs_give_taylor(strata: int, rho: float) -> None:
    svy = sy.Survey(pairs(strata), **PAIRED)
    method = {"method": "brr"} if rho == 0 else {"method": "fay", "rho": rho}
    half = svy.replicated(**method)
    assert half.total("y").se == pytest.approx(svy.total("y").se, rel=1e-10)
    # Balanced in full: the mean over replicates is the estimate.
    mse = svy.replicated(**method, mse=True)
    assert mse.total("y").se == pytest.approx(half.total("y").se, rel=1e-10)


@pytest.mark.parametrize("units", [3, 4, 5])
def test_half_samples_of_any_number_of_units_keep_totals(units: int) -> None:
    svy = sy.Survey(pairs(5, units), **PAIRED)
    weights = svy.replicated("fay", rho=0.3).weights_frame()
    every = np.asarray(weights.select(pl.exclude("weight")))
    assert every.mean(axis=1) == pytest.approx(np.asarray(weights["weight"]), rel=1e-12)
    assert every.min() > 0
    # Each set of pairs estimates the variance of a total without bias: over many orders of the
    # units of a stratum, the mean is Taylor's.
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        order = rng.permutation(units)
        unit = np.repeat(np.arange(5 * units), 3)
        renamed = pairs(5, units).with_columns(unit=unit - unit % units + order[unit % units])
        found.append(float(sy.Survey(renamed, **PAIRED).replicated("brr").total("y").se[0]) ** 2)
    error = np.std(found) / math.sqrt(len(found))
    assert np.mean(found) == pytest.approx(float(svy.total("y").se[0]) ** 2, abs=4 * error)


def test_successive_differences_are_those_of_neighbours() -> None:
    frame = pairs(3, 9)
    svy = sy.Survey(frame, **PAIRED)
    z = (
        frame.group_by("stratum", "unit", maintain_order=True)
        .agg(z=(pl.col("w") * pl.col("y")).sum())
        .sort("unit")
    )
    wanted = 0.0
    for _, part in z.group_by("stratum"):
        values = part["z"].to_numpy()
        wanted += ((values - np.roll(values, -1)) ** 2).sum() / 2
    for replicates in (28, 80):
        got = svy.replicated("successive-difference", replicates=replicates, mse=True)
        assert float(got.total("y").se[0]) ** 2 == pytest.approx(wanted, rel=1e-10)


def test_successive_differences_use_rows_again_where_units_are_many() -> None:
    svy = sy.Survey(pairs(1, 400), weights="w", clusters="unit")
    got = svy.replicated("successive-difference").total("y")
    assert svy.replicated("successive-difference").sample.design.replicates == 80
    assert got.se == pytest.approx(svy.total("y").se, rel=0.3)


BOOTSTRAPS = [
    ("rao-wu", stratified),
    ("canty-davison", stratified),
    ("preston", stratified),
    ("preston", two_stages),
    ("rao-wu-yue-beaumont", stratified),
    ("rao-wu-yue-beaumont", two_stages),
    ("generalised", stratified),
    ("generalised", two_stages),
]


@pytest.mark.parametrize(("method", "survey"), BOOTSTRAPS)
def test_bootstraps_come_to_taylor(method: Any, survey: Any) -> None:
    svy = survey()
    replicates = 4000
    boot = svy.replicated(method, replicates=replicates, seed=7)
    plain, found = svy.total(["api00", "enroll"]), boot.total(["api00", "enroll"])
    # The relative error of a variance from R replicates is sqrt(2 / R) or so, and Canty and
    # Davison's rounds N_h / n_h.
    assert found.se == pytest.approx(plain.se, rel=4 * math.sqrt(0.5 / replicates) + 0.01)
    # A half of a first stage is far from the whole: R's Preston gives 33.8 for 30.1 too.
    slack = 0.2 if method == "preston" else 0.08
    assert boot.mean("api00").se == pytest.approx(svy.mean("api00").se, rel=slack)
    assert found.df == svy.degrees_of_freedom


def test_the_generalised_bootstrap_serves_designs_without_units() -> None:
    rng = np.random.default_rng(3)
    rows = pl.DataFrame({"p": rng.uniform(0.1, 0.6, 60), "y": rng.normal(50, 9, 60)})
    for pps in ("brewer", sy.Pps("hartley-rao", variance="yates-grundy")):
        svy = sy.Survey(rows, fpc="p", pps=pps)
        boot = svy.replicated("generalised", replicates=4000)
        assert boot.total("y").se == pytest.approx(svy.total("y").se, rel=0.06)
        weights = np.asarray(boot.weights_frame())
        assert weights.min() > 0


def test_poisson_stages_vary_without_regard_to_their_strata() -> None:
    # Response as a stage: sum of (1 - p) (w y)^2, beside a first stage that is a census.
    rng = np.random.default_rng(4)
    rows = pl.DataFrame({"p": rng.uniform(0.3, 0.9, 80), "y": rng.normal(50, 9, 80)})
    svy = sy.Survey(rows, fpc="p", pps="brewer")
    boot = svy.replicated("rao-wu-yue-beaumont", replicates=6000, draws=["poisson"])
    z = (rows["y"] / rows["p"]).to_numpy()
    wanted = math.sqrt(((1 - rows["p"].to_numpy()) * z**2).sum())
    assert float(boot.total("y").se[0]) == pytest.approx(wanted, rel=0.05)


def test_random_groups_are_balanced() -> None:
    svy = sy.Survey(pairs(4, 15), **PAIRED)
    groups = svy.replicated("random-groups", replicates=10, seed=5)
    every = np.asarray(groups.weights_frame().select(pl.exclude("weight")))
    left_out = (every == 0).sum(axis=0) / 3
    assert left_out.tolist() == [6.0] * 10
    assert groups.degrees_of_freedom == 9
    one_each = svy.replicated("random-groups", replicates=15)
    assert one_each.mean("y").se == pytest.approx(svy.mean("y").se, rel=0.5)


@pytest.mark.parametrize(
    "method",
    ["rao-wu", "canty-davison", "preston", "rao-wu-yue-beaumont", "generalised", "random-groups"],
)
def test_a_seed_settles_the_replicates(method: Any) -> None:
    svy = stratified()
    first, again, other = (
        np.asarray(svy.replicated(method, replicates=20, seed=s).weights_frame()) for s in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


# Written down once: another machine, thread count or version must make the same.
KNOWN: dict[Any, float] = {
    "rao-wu": 106750.18165046489,
    "canty-davison": 97364.05503933934,
    "preston": 134067.3508980604,
    "rao-wu-yue-beaumont": 106750.18165046496,
    "generalised": 106243.36069586172,
    "random-groups": 121755.8616002502,
}


@pytest.mark.parametrize("method", KNOWN)
def test_replicates_are_the_same_everywhere(method: Any) -> None:
    svy = stratified().replicated(method, replicates=20, seed=1)
    assert svy.total("enroll").se[0] == pytest.approx(KNOWN[method], rel=1e-12)


def statistics() -> list[sy.Statistic]:
    return [
        sy.mean("api00"),
        sy.total("enroll").named("pupils"),
        sy.ratio("api.stu", "enroll"),
        sy.proportion("stype", levels=["E", "M", "H"]),
        sy.variance("api99"),
        sy.correlation("api00", "meals"),
        sy.quantile("ell", (0.25, 0.5)),
        sy.cdf("meals", (20, 50)),
        sy.gini("enroll"),
    ]


def supplied(svy: sy.Survey, kind: Any, dtype: Any = pl.Float64, **arguments: Any) -> sy.Survey:
    """The same replicates, as if they had come with the data."""
    weights = svy.weights_frame()
    frame = pl.concat(
        [svy.sample.columns.frame.to_native(), weights.select(pl.all().cast(dtype))],
        how="horizontal",
    )
    given = sy.ReplicateWeights("replicate_", kind, **arguments)
    return sy.Survey(frame, weights="weight", replicates=given)


@pytest.mark.parametrize("by", [None, "comp.imp"])
def test_made_and_supplied_replicates_say_the_same(by: str | None) -> None:
    made = clustered().replicated()
    given = supplied(made, "jk1")
    first, second = (s.estimate(statistics(), by=by) for s in (made, given))
    assert second.estimate == pytest.approx(first.estimate, rel=1e-12)
    assert second.cov == pytest.approx(first.cov, rel=1e-8, abs=1e-12, nan_ok=True)
    assert second.df == first.df


def test_every_figure_follows_the_replicates() -> None:
    """Each is computed anew under each replicate's weights, as one would by hand."""
    made = clustered().replicated()
    frame = made.sample.columns.frame.to_native()
    weights = np.asarray(made.weights_frame())
    for statistic in statistics():
        found = made.estimate(statistic)
        if statistic.kind == "quantile":
            continue  # its error is that of the distribution function
        by_hand = []
        for r in range(1, weights.shape[1]):
            svy = sy.Survey(frame.with_columns(own=weights[:, r]), weights="own")
            # As R's, the factor n / (n - 1) of a variance is that of the sample.
            n = float((weights[:, r] > 0).sum())
            again = n / (n - 1) / (183 / 182) if statistic.kind == "variance" else 1
            by_hand.append(svy.estimate(statistic).estimate / again)
        spread = np.array(by_hand)
        spread = spread - spread.mean(axis=0)
        wanted = np.sqrt((14 / 15 * spread**2).sum(axis=0))
        assert found.se == pytest.approx(wanted, rel=1e-8), statistic.kind


def test_models_are_fitted_under_each_replicate() -> None:
    made = clustered().replicated()
    frame = made.sample.columns.frame.to_native()
    weights = np.asarray(made.weights_frame())
    fit = made.glm("api00 ~ ell + meals")
    ordered = made.ologit("stype ~ meals", levels=["E", "M", "H"])
    average = made.glm("`sch.wide` ~ ell", family="binomial", positive="Yes").average_effects()
    by_hand = []
    for r in range(1, weights.shape[1]):
        svy = sy.Survey(frame.with_columns(own=weights[:, r]), weights="own")
        by_hand.append(
            [
                *svy.glm("api00 ~ ell + meals").coefficients.estimate,
                *svy.ologit("stype ~ meals", levels=["E", "M", "H"]).coefficients.estimate,
                *svy.glm("`sch.wide` ~ ell", family="binomial", positive="Yes")
                .average_effects()
                .estimate,
            ]
        )
    spread = np.array(by_hand)
    spread = spread - spread.mean(axis=0)
    wanted = np.sqrt((14 / 15 * spread**2).sum(axis=0))
    found = np.concatenate([fit.coefficients.se, ordered.coefficients.se, average.se])
    assert found == pytest.approx(wanted, rel=1e-6)


def test_quantiles_under_each_replicate() -> None:
    made = clustered().replicated()
    frame = made.sample.columns.frame.to_native()
    weights = np.asarray(made.weights_frame())
    got = made.quantile("api00", (0.25, 0.5), interval="replicate", by="comp.imp")
    by_hand = [
        sy.Survey(frame.with_columns(own=weights[:, r]), weights="own")
        .quantile("api00", (0.25, 0.5), by="comp.imp")
        .estimate
        for r in range(1, weights.shape[1])
    ]
    spread = np.array(by_hand) - np.mean(by_hand, axis=0)
    assert got.se == pytest.approx(np.sqrt((14 / 15 * spread**2).sum(axis=0)), rel=1e-10)
    with pytest.raises(sy.errors.DesignMismatch, match="replicates"):
        clustered().quantile("api00", interval="replicate")


def test_weights_are_read_in_single_precision_and_summed_in_double() -> None:
    made = clustered().replicated()
    first, second = made.mean("api00"), supplied(made, "jk1", pl.Float32).mean("api00")
    assert second.se == pytest.approx(first.se, rel=1e-5)
    assert second.estimate == pytest.approx(first.estimate, rel=1e-6)


def test_weights_as_an_array_and_as_factors() -> None:
    made = clustered().replicated()
    weights = np.asarray(made.weights_frame())
    frame = made.sample.columns.frame.to_native()
    wanted = made.mean("api00").se
    for array in (weights[:, 1:], np.asfortranarray(weights[:, 1:])):
        given = sy.ReplicateWeights(array, "jk1")
        found = sy.Survey(frame, weights="pw", replicates=given)
        assert found.mean("api00").se == pytest.approx(wanted, rel=1e-12)
    factors = sy.ReplicateWeights(weights[:, 1:] / weights[:, :1], "jk1", combined=False)
    found = sy.Survey(frame, weights="pw", replicates=factors)
    assert found.mean("api00").se == pytest.approx(wanted, rel=1e-12)
    assert found.degrees_of_freedom == 14


def test_the_callers_array_is_not_kept() -> None:
    made = clustered().replicated()
    array = np.array(made.weights_frame())[:, 1:]
    frame = made.sample.columns.frame.to_native()
    svy = sy.Survey(frame, weights="pw", replicates=sy.ReplicateWeights(array, "jk1"))
    before = svy.mean("api00").se[0]
    array[:] = 1
    assert svy.mean("api00").se[0] == before


@pytest.mark.parametrize(
    ("kind", "arguments", "wanted"),
    [
        ("jk1", {}, 0.9),
        ("jkn", {"rscales": 0.5}, 0.5),
        ("jk2", {}, 1.0),
        ("brr", {}, 0.1),
        ("fay", {"rho": 0.5}, 0.4),
        ("bootstrap", {}, 1 / 9),
        ("sdr", {}, 0.4),
        ("acs", {}, 0.4),
        ("other", {"scale": 0.25, "rscales": 2.0}, 0.5),
        ("bootstrap", {"scale": 0.2}, 0.2),
    ],
)
def test_scales_are_those_of_the_kind(kind: Any, arguments: Any, wanted: float) -> None:
    given = sy.ReplicateWeights("w", kind, **arguments)
    assert given.scales(10) == pytest.approx([wanted] * 10, rel=1e-14)


def test_a_replicate_without_the_figure_is_left_out_and_said() -> None:
    rng = np.random.default_rng(8)
    rows = pl.DataFrame(
        {
            "unit": np.repeat(np.arange(6), 4),
            "y": rng.normal(5, 1, 24),
            "group": ["a"] * 4 + ["b"] * 16 + ["a"] * 4,
            "rare": ["r"] * 4 + ["s"] * 20,
        }
    )
    svy = sy.Survey(rows, clusters="unit").replicated()
    every = svy.mean("y", by="group")
    assert every.notes == [None, None]
    rare = svy.mean("y", by="rare")
    assert math.isnan(rare["r"].se[0])
    assert "one unit" in str(rare["r"].notes[0])
    fit = svy.glm("y ~ rare").coefficients
    assert fit.notes[1] == "not defined under 1 of the replicates, which are left out"
    assert np.isfinite(fit.se).all()


def test_tests_and_comparisons_follow_the_replicates() -> None:
    made = clustered().replicated()
    given = supplied(made, "jk1")
    for found in (made, given):
        test = found.ttest("api00", by="comp.imp")
        assert test.statistic == pytest.approx(made.ttest("api00", by="comp.imp").statistic)
        table = found.tabulate(["stype", "comp.imp"]).test()
        wanted = made.tabulate(["stype", "comp.imp"]).test()
        assert table.statistic == pytest.approx(wanted.statistic, rel=1e-9)
    both = made.mean(["api00", "api99"])
    change = both["api00"] - both["api99"]
    by_hand = made.sample.columns.frame.to_native().with_columns(
        change=pl.col("api00") - pl.col("api99")
    )
    direct = sy.Survey(by_hand, **CLUSTERED).replicated().mean("change")
    assert change.se == pytest.approx(direct.se, rel=1e-9)
    # Two waves of which each has replicates are independent.
    waves = sy.compare({2022: clustered().replicated(), 2023: made}, sy.mean("api00"))
    variance = 2 * float(made.mean("api00").se[0]) ** 2
    assert waves.differences[2023].se[0] == pytest.approx(math.sqrt(variance), rel=1e-12)


def test_conventions_name_the_replicates() -> None:
    made = stratified().replicated("rao-wu", replicates=30, seed=3)
    assert "Rao–Wu" in made.mean("api00").conventions["variance"]
    assert "seed 3" in made.mean("api00").conventions["variance"]
    assert made.degrees_of_freedom == 29
    assert repr(made).endswith("3 strata, 30 replicates, 29 degrees of freedom")
    given = supplied(clustered().replicated(), "jk1")
    assert "JK1" in given.mean("api00").conventions["variance"]
    assert repr(given) == "Survey: 183 rows, 15 replicate weights, 14 degrees of freedom"


def test_degrees_of_freedom_can_be_stated() -> None:
    frame = clustered().replicated().weights_frame()
    rows = pl.concat([sy.datasets.load("apiclus1", backend="polars"), frame], how="horizontal")
    given = sy.ReplicateWeights("replicate_", "jk1")
    svy = sy.Survey(rows, weights="weight", replicates=given, df=7)
    assert svy.mean("api00").degrees_of_freedom().tolist() == [7.0]
    normal = sy.Survey(rows, weights="weight", replicates=given, df="normal")
    low, high = normal.mean("api00").ci()[0]
    assert (high - low) / 2 == pytest.approx(1.959963984540054 * normal.mean("api00").se[0])
    with pytest.raises(sy.errors.DesignMismatch, match="rank of the weights"):
        sy.Survey(rows, weights="weight", replicates=given, df="domain")
    with pytest.raises(sy.errors.DesignMismatch, match="choose 'design'"):
        svy.mean("api00").degrees_of_freedom("satterthwaite")


def replicate_frame(**changes: Any) -> pl.DataFrame:
    columns = {"w": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 5.0, 2.0, 7.0]}
    columns |= {f"r{i}": [float(i != k) * 4 / 3 * (k + 1) for k in range(4)] for i in range(4)}
    return pl.DataFrame({**columns, **changes})


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"r2": [1.0, None, 3.0, 4.0]}, r"'r2' are missing in 1 row .*row 1"),
        ({"r2": [1.0, 2.0, math.inf, 4.0]}, r"'r2' are infinite in 1 row .*row 2"),
        ({"r2": ["1", "2", "3", "4"]}, "replicate weights: column 'r2' is text"),
    ],
)
def test_faults_of_replicate_weights_are_named(changes: Any, fault: str) -> None:
    given = sy.ReplicateWeights("r", "jk1")
    with pytest.raises(sy.errors.InvalidWeights, match=fault):
        sy.Survey(replicate_frame(**changes), weights="w", replicates=given)


def test_what_does_not_go_with_replicate_weights_is_refused() -> None:
    frame = replicate_frame()
    given = sy.ReplicateWeights("r", "jk1")
    with pytest.raises(sy.errors.DesignMismatch, match="strata= and replicates= are not combined"):
        sy.Survey(frame, weights="w", strata="y", replicates=given)
    with pytest.raises(sy.errors.DesignMismatch, match="needs weights="):
        sy.Survey(frame, replicates=given)
    with pytest.raises(sy.errors.ColumnNotFound, match="'repwt' and a number"):
        sy.Survey(frame, weights="w", replicates=sy.ReplicateWeights("repwt", "jk1"))
    with pytest.raises(sy.errors.ColumnNotFound, match="Did you mean 'r3'"):
        sy.Survey(frame, weights="w", replicates=sy.ReplicateWeights(["r1", "rr3"], "jk1"))
    with pytest.raises(sy.errors.DesignMismatch, match=r"shape \(3, 2\)"):
        sy.Survey(frame, weights="w", replicates=sy.ReplicateWeights(np.ones((3, 2)), "jk1"))
    with pytest.raises(sy.errors.DesignMismatch, match="two replicates or more"):
        sy.Survey(frame, weights="w", replicates=sy.ReplicateWeights(["r1"], "jk1"))
    with pytest.raises(ValueError, match="'jkn' needs rscales="):
        sy.ReplicateWeights("r", "jkn")
    with pytest.raises(ValueError, match="rho= goes with"):
        sy.ReplicateWeights("r", "fay")
    with pytest.raises(sy.errors.DesignMismatch, match="rscales= has 2 values, for 4"):
        sy.Survey(
            frame, weights="w", replicates=sy.ReplicateWeights("r", "jkn", rscales=[1.0, 2.0])
        )


def test_what_cannot_be_replicated_is_refused() -> None:
    alone = pl.DataFrame({"h": [1, 1, 2], "y": [1.0, 2.0, 3.0], "p": [0.2, 0.5, 0.4]})
    centred = sy.Survey(alone, strata="h", lonely="adjust")
    with pytest.raises(sy.errors.DesignMismatch, match="adjusted or averaged"):
        centred.replicated("brr")
    pairs_known = sy.Survey(alone, fpc="p", pps="overton")
    with pytest.raises(sy.errors.DesignMismatch, match="generalised"):
        pairs_known.replicated("jackknife")
    with pytest.raises(sy.errors.DesignMismatch, match="has replicates"):
        clustered().replicated().replicated()
    with pytest.raises(ValueError, match="rho= has no meaning for 'brr'"):
        clustered().replicated("brr", rho=0.3)
    with pytest.raises(ValueError, match="'fay' replicates need rho="):
        clustered().replicated("fay")
    with pytest.raises(ValueError, match="is none of"):
        clustered().replicated("jk3")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bias reduction is not defined for a design with repl"):
        clustered().replicated().mean("api00", errors="bell-mccaffrey")


def test_a_replicate_with_negative_weights_fits_nothing() -> None:
    frame = replicate_frame(r1=[-1.0, 2.0, 3.0, 4.0])
    svy = sy.Survey(frame, weights="w", replicates=sy.ReplicateWeights("r", "jk1"))
    assert np.isfinite(svy.mean("y").se).all()  # a sum can have negative weights
    with pytest.raises(ValueError, match="negative weights"):
        svy.quantile("y", interval="replicate")


def test_an_empty_replicate_is_left_out() -> None:
    frame = replicate_frame(r1=[0.0, 0.0, 0.0, 0.0])
    svy = sy.Survey(frame, weights="w", replicates=sy.ReplicateWeights("r", "jk1"))
    got = svy.mean("y")
    assert got.notes == ["not defined under 1 of the replicates, which are left out"]
    assert np.isfinite(got.se).all()
