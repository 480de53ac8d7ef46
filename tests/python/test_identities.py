"""What must be equal by arithmetic, whatever the data: no number here comes from elsewhere."""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy
from steelyard import _core, errors

Floats = npt.NDArray[np.float64]

DESIGNS: dict[str, tuple[str, dict[str, Any]]] = {
    "stratified": ("apistrat", {"weights": "pw", "strata": "stype", "fpc": "fpc"}),
    "clusters": ("apiclus1", {"weights": "pw", "clusters": "dnum", "fpc": "fpc"}),
    "strata and clusters": (
        "apiclus2",
        {"weights": "pw", "strata": "stype", "clusters": "dnum", "nest": True, "lonely": "adjust"},
    ),
    "no design": ("apistrat", {}),
}


def api(name: str) -> pl.DataFrame:
    frame = sy.datasets.load(name, backend="polars")
    assert isinstance(frame, pl.DataFrame)
    return frame


@cache
def schools(design: str, factor: float = 1.0) -> sy.Survey:
    name, arguments = DESIGNS[design]
    return sy.Survey(
        api(name).with_columns(
            pl.col("pw") * factor,
            one=1,
            met=(pl.col("sch.wide") == "Yes").cast(pl.Int8),
            # Missing in some rows, and none of the groups below is complete.
            parents=pl.when(pl.col("enroll") % 7 == 0).then(None).otherwise(pl.col("avg.ed")),
            high=(pl.col("stype") == "H").cast(pl.Int64),
            api00_high=pl.when(pl.col("stype") == "H").then(pl.col("api00")).otherwise(0),
        ),
        **arguments,
    )


def same(a: sy.Estimates, b: sy.Estimates, rel: float = 1e-13) -> None:
    """Equal estimates and covariances, as far as sums of doubles are."""
    np.testing.assert_allclose(b.estimate, a.estimate, rtol=rel)
    same_covariance(a.cov, b.cov, rel)
    assert a.df == b.df


def same_covariance(a: Floats, b: Floats, tolerance: float) -> None:
    """Equal as correlations are: whatever the units, and where a covariance is near 0."""
    scale = np.sqrt(np.outer(np.diag(a), np.diag(a)))
    scale[scale == 0] = 1
    np.testing.assert_allclose(b / scale, a / scale, rtol=0, atol=tolerance)


VARIABLES = ["api00", "api99", "enroll", "parents"]


@pytest.mark.parametrize("by", [None, "stype", ["stype", "awards"]])
@pytest.mark.parametrize("kind", ["mean", "total"])
@pytest.mark.parametrize("design", DESIGNS)
def test_several_variables_in_one_call(design: str, kind: str, by: str | list[str] | None) -> None:
    svy = schools(design)
    together = getattr(svy, kind)(VARIABLES, by=by)
    for name in VARIABLES:
        alone = getattr(svy, kind)(name, by=by)
        assert together[name].estimate.tolist() == alone.estimate.tolist()
        np.testing.assert_allclose(together[name].se, alone.se, rtol=1e-13)
        assert together[name].n.tolist() == alone.n.tolist()
        assert together[name].missing.tolist() == alone.missing.tolist()


def test_kinds_mix_in_one_call() -> None:
    svy = schools("clusters")
    statistics = {
        "score": sy.mean("api00"),
        "met": sy.proportion("sch.wide"),
        "pupils": sy.total("enroll"),
        "rate": sy.ratio("api.stu", "enroll"),
        "schools": sy.count(),
        "won": sy.count("awards", positive="Yes"),
    }
    together = svy.estimate(statistics, by="stype")
    for name, statistic in statistics.items():
        alone = svy.estimate(statistic, by="stype")
        assert together[name].estimate.tolist() == alone.estimate.tolist()
        np.testing.assert_allclose(together[name].cov, alone.cov, rtol=1e-12)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_domain_mean_is_a_ratio_of_totals(design: str) -> None:
    svy = schools(design)
    mean = svy.mean("api00", where={"stype": "H"})
    same(mean, svy.ratio("api00_high", "high"), 1e-12)
    totals = svy.total(["api00_high", "high"])
    same(mean, totals["api00_high"] / totals["high"], 1e-12)
    domain = {"stype": "H"}
    same(mean, svy.total("api00", where=domain) / svy.count(where=domain), 1e-12)


@pytest.mark.parametrize("by", [None, "awards"])
@pytest.mark.parametrize("design", DESIGNS)
def test_shares_of_all_levels_add_to_one(design: str, by: str | None) -> None:
    shares = schools(design).proportion("stype", by=by)
    levels, groups = 3, len(shares) // 3
    np.testing.assert_allclose(shares.estimate.reshape(groups, levels).sum(axis=1), 1, rtol=1e-15)
    blocks = shares.cov.reshape(len(shares), groups, levels).sum(axis=2)
    assert np.abs(blocks).max() < 1e-15
    for group in shares.labels.by.get(by or "", [])[::levels]:
        assert shares[group].transform(lambda x: sum(x[1:], start=x[0])).se[0] < 1e-8


@pytest.mark.parametrize("design", DESIGNS)
def test_counts_of_all_levels_add_to_the_count(design: str) -> None:
    svy = schools(design)
    assert math.fsum(svy.count("stype").estimate) == pytest.approx(svy.count().value, rel=1e-14)
    variance = svy.count("stype").cov.sum()
    assert variance == pytest.approx(svy.count().cov[0, 0], rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("by", [None, "stype"])
@pytest.mark.parametrize("design", DESIGNS)
def test_a_share_is_the_mean_of_0_and_1(design: str, by: str | None) -> None:
    svy = schools(design)
    share, mean = svy.proportion("sch.wide", positive="Yes", by=by), svy.mean("met", by=by)
    same(share, mean)
    same(share, svy.proportion("met", positive=1, by=by), 1e-15)
    np.testing.assert_allclose(share.deff, mean.deff, rtol=1e-12)
    np.testing.assert_allclose(share.deff_replace, mean.deff_replace, rtol=1e-12)
    np.testing.assert_allclose(share.ci(method="t"), mean.ci(), rtol=1e-12)
    same(svy.count("sch.wide", positive="Yes", by=by), svy.total("met", by=by))


@pytest.mark.parametrize("factor", [2.0**-10, 1 / 3, 1000.0])
@pytest.mark.parametrize("design", ["stratified", "clusters", "strata and clusters"])
def test_rescaled_weights_change_totals_only(design: str, factor: float) -> None:
    svy, rescaled = schools(design), schools(design, factor)
    for by in (None, "awards"):
        same(svy.mean(VARIABLES, by=by), rescaled.mean(VARIABLES, by=by), 1e-12)
        same(
            svy.ratio("api.stu", "enroll", by=by), rescaled.ratio("api.stu", "enroll", by=by), 1e-12
        )
        shares = svy.proportion("sch.wide", positive="Yes", by=by)
        again = rescaled.proportion("sch.wide", positive="Yes", by=by)
        same(shares, again, 1e-12)
        np.testing.assert_allclose(again.ci(), shares.ci(), rtol=1e-11)
        np.testing.assert_allclose(again.deff_replace, shares.deff_replace, rtol=1e-11)
        same(svy.total("enroll", by=by) * factor, rescaled.total("enroll", by=by), 1e-12)


@pytest.mark.parametrize("design", DESIGNS)
def test_where_is_one_group_of_by(design: str) -> None:
    svy = schools(design)
    groups = svy.mean(["api00", "parents"], by=["stype", "awards"])
    for stype in "EHM":
        for awards in ("No", "Yes"):
            where = {"stype": stype, "awards": awards}
            domain = svy.mean(["api00", "parents"], where=where).to_dict()
            group = groups[stype, awards].to_dict()
            assert {name: group[name] for name in domain} == domain


@pytest.mark.parametrize("design", DESIGNS)
def test_by_within_where_is_by_both(design: str) -> None:
    svy = schools(design)
    both = svy.proportion("sch.wide", by=["stype", "awards"])["E"]
    within = svy.proportion("sch.wide", by="awards", where={"stype": "E"})
    assert both.estimate.tolist() == within.estimate.tolist()
    assert both.cov.tolist() == within.cov.tolist()


@pytest.mark.parametrize("design", DESIGNS)
def test_the_count_is_the_sum_of_weights(design: str) -> None:
    svy = schools(design)
    frame = svy.sample.columns
    weights = frame.numbers("pw") if DESIGNS[design][1] else np.ones(len(frame))
    assert svy.count().value == pytest.approx(math.fsum(weights), rel=1e-15)
    same(svy.count(by="awards"), svy.total("one", by="awards"))


def test_rows_in_another_order_are_the_same_sample() -> None:
    name, arguments = DESIGNS["strata and clusters"]
    frame = api(name)
    shuffled = sy.Survey(frame.sample(fraction=1, shuffle=True, seed=1), **arguments)
    expected = sy.Survey(frame, **arguments)
    for by in (None, "awards"):
        same(
            expected.mean(["api00", "api99"], by=by),
            shuffled.mean(["api00", "api99"], by=by),
            1e-12,
        )


@pytest.mark.parametrize("by", [None, "awards"])
@pytest.mark.parametrize("design", ["stratified", "clusters", "strata and clusters"])
def test_a_constant_added_to_all_answers_changes_no_error(design: str, by: str | None) -> None:
    name, arguments = DESIGNS[design]
    far = sy.Survey(api(name).with_columns(pl.col("api00") + 2**40), **arguments)  # still exact
    near = schools(design).mean("api00", by=by)
    np.testing.assert_allclose(far.mean("api00", by=by).se, near.se, rtol=1e-10)
    np.testing.assert_allclose(far.mean("api00", by=by).deff, near.deff, rtol=1e-9)


def test_a_census_is_certain() -> None:
    svy = sy.Survey(pl.DataFrame({"y": [1.0, 2, 4, 8], "share": [1.0] * 4}), fpc="share")
    assert svy.mean("y").se.tolist() == [0.0]
    assert svy.total("y").to_dict()["ci_low"] == [15.0]


# Covariances


@pytest.mark.parametrize("design", DESIGNS)
def test_one_call_and_two_calls_have_the_same_covariances(design: str) -> None:
    svy = schools(design)
    both = svy.estimate({"then": sy.mean("api99"), "now": sy.mean("api00")})
    change = both["now"] - both["then"]
    (v, c), (_, w) = both.cov
    assert change.se[0] == pytest.approx(math.sqrt(v + w - 2 * c), rel=1e-12)
    apart = svy.mean("api00") - svy.mean("api99")
    assert apart.value == change.value
    assert apart.se[0] == pytest.approx(change.se[0], rel=1e-13)
    assert apart.df == both.df


def test_an_estimate_minus_itself_is_nothing() -> None:
    svy = schools("clusters")
    for nothing in (svy.mean("api00") - svy.mean("api00"), svy.mean("api00") * 0):
        assert nothing.estimate.tolist() == nothing.se.tolist() == [0.0]


@pytest.mark.parametrize("design", DESIGNS)
def test_covariance_is_the_gram_matrix_of_the_deviations(design: str) -> None:
    est = schools(design).mean(VARIABLES, by="stype")
    deviations = est.core.deviations
    same_covariance(est.cov, deviations.T @ deviations, 1e-13)
    np.testing.assert_allclose(est.se, np.sqrt(np.diag(est.cov)), rtol=1e-15)
    assert np.linalg.eigvalsh(est.cov).min() > -1e-12 * np.abs(est.cov).max()


# Functions of estimates: the delta method by hand

Function = Callable[[Any, Any], Any]
Gradient = Callable[[float, float], tuple[float, float]]

# x and y are means near 1.3 and 1.2, with a covariance.
FUNCTIONS: dict[str, tuple[Function, Gradient]] = {
    "x + y": (lambda x, y: x + y, lambda x, y: (1, 1)),
    "x - y": (lambda x, y: x - y, lambda x, y: (1, -1)),
    "x * y": (lambda x, y: x * y, lambda x, y: (y, x)),
    "x / y": (lambda x, y: x / y, lambda x, y: (1 / y, -x / y**2)),
    "x ** y": (lambda x, y: x**y, lambda x, y: (y * x ** (y - 1), x**y * math.log(x))),
    "-x": (lambda x, y: -x, lambda x, y: (-1, 0)),
    "x + 2": (lambda x, y: x + 2, lambda x, y: (1, 0)),
    "2 + x": (lambda x, y: 2 + x, lambda x, y: (1, 0)),
    "x - 2": (lambda x, y: x - 2, lambda x, y: (1, 0)),
    "2 - x": (lambda x, y: 2 - x, lambda x, y: (-1, 0)),
    "x * 2": (lambda x, y: x * 2, lambda x, y: (2, 0)),
    "2 * x": (lambda x, y: 2 * x, lambda x, y: (2, 0)),
    "x / 2": (lambda x, y: x / 2, lambda x, y: (0.5, 0)),
    "2 / x": (lambda x, y: 2 / x, lambda x, y: (-2 / x**2, 0)),
    "x ** 3": (lambda x, y: x**3, lambda x, y: (3 * x**2, 0)),
    "x ** 0.5": (lambda x, y: x**0.5, lambda x, y: (0.5 / math.sqrt(x), 0)),
    "x ** -1": (lambda x, y: x**-1, lambda x, y: (-1 / x**2, 0)),
    "100 * (x / y - 1)": (
        lambda x, y: 100 * (x / y - 1),
        lambda x, y: (100 / y, -100 * x / y**2),
    ),
    "x * y - y * x + x": (lambda x, y: x * y - y * x + x, lambda x, y: (1, 0)),
}
METHODS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "log": (math.log, lambda x: 1 / x),
    "exp": (math.exp, math.exp),
    "sqrt": (math.sqrt, lambda x: 0.5 / math.sqrt(x)),
}


def two_means(by: str | None = None) -> sy.Estimates:
    frame = api("apiclus1")
    scores = frame.with_columns(x=pl.col("api00") / 500, y=pl.col("api99") / 500)
    return sy.Survey(scores, weights="pw", clusters="dnum", fpc="fpc").mean(["x", "y"], by=by)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arithmetic_is_the_delta_method(name: str) -> None:
    function, gradient = FUNCTIONS[name]
    est = two_means()
    x, y = est.estimate.tolist()
    slope = np.array(gradient(x, y))
    got = function(est["x"], est["y"])
    assert got.value == pytest.approx(function(x, y), rel=1e-15)
    assert got.se[0] == pytest.approx(math.sqrt(slope @ est.cov @ slope), rel=1e-12)
    assert got.df == est.df
    transformed = est.transform(lambda v: function(v[0], v[1]))
    assert transformed.value == pytest.approx(got.value, rel=1e-15)
    assert transformed.se[0] == pytest.approx(got.se[0], rel=1e-13)


@pytest.mark.parametrize("name", METHODS)
def test_log_exp_and_sqrt_are_the_delta_method(name: str) -> None:
    function, slope = METHODS[name]
    est = two_means()["x"]
    got = getattr(est, name)()
    assert got.value == pytest.approx(function(est.value), rel=1e-15)
    assert got.se[0] == pytest.approx(slope(est.value) * est.se[0], rel=1e-14)
    for transformed in (
        est.transform(lambda v: getattr(v[0], name)()),
        est.transform(lambda v: getattr(np, name)(v[0])),
    ):
        assert transformed.se[0] == pytest.approx(got.se[0], rel=1e-15)
    assert got.labels.variable == [f"{name}(x)"]


def test_arithmetic_goes_row_by_row() -> None:
    est = two_means(by="stype")
    x, y = est["x"], est["y"]
    whole = (x - y) / y
    assert len(whole) == 3
    for stype in "EHM":
        alone = (x[stype] - y[stype]) / y[stype]
        assert whole[stype].value == alone.value
        assert whole[stype].se[0] == pytest.approx(alone.se[0], rel=1e-14)
    best = x - x["E"]
    assert best["E"].se[0] == 0
    h = best.labels.by["stype"].index("H - E")
    assert best.se[h] == pytest.approx((x["H"] - x["E"]).se[0], rel=1e-14)


def test_a_contrast_is_arithmetic() -> None:
    est = two_means(by="stype")["x"]
    contrast = est.contrast({"E": 1, "H": -0.5, "M": -0.5})
    by_hand = est["E"] - 0.5 * est["H"] - est["M"] / 2
    assert contrast.value == pytest.approx(by_hand.value, rel=1e-15)
    assert contrast.se[0] == pytest.approx(by_hand.se[0], rel=1e-13)
    row = np.array([1, -0.5, -0.5])
    assert contrast.se[0] == pytest.approx(math.sqrt(row @ est.cov @ row), rel=1e-12)
    assert est.contrast({"x": 1}).value == pytest.approx(est.estimate.sum(), rel=1e-15)


def test_transform_may_give_several() -> None:
    est = two_means()
    both = est.transform(lambda v: [v[0] / v[1], v[0] - v[1]])
    assert both.estimate.tolist() == [
        (est["x"] / est["y"]).value,
        (est["x"] - est["y"]).value,
    ]
    jacobian = np.array([[1 / est["y"].value, -est["x"].value / est["y"].value ** 2], [1, -1]])
    np.testing.assert_allclose(both.cov, jacobian @ est.cov @ jacobian.T, rtol=1e-10)


def test_labels_say_what_was_done() -> None:
    est = two_means()
    x, y = est["x"], est["y"]
    made = [x - y, x / y, 100 * (x - y), -x, x**2]
    assert [m.labels.variable[0] for m in made] == [
        "x - y",
        "x / y",
        "100 * (x - y)",
        "-x",
        "x ** 2",
    ]


def test_labels_of_a_multiple_of_a_difference_are_in_brackets() -> None:
    est = two_means()
    (label,) = (100 * (est["x"] - est["y"])).labels.variable
    assert "(x - y)" in label


def test_labels_of_a_constant_on_the_left() -> None:
    x = two_means()["x"]
    assert (2 - x).labels.variable == ["2 - x"]
    assert (2 / x).labels.variable == ["2 / x"]


def test_a_constant_to_the_power_of_an_estimate() -> None:
    x = two_means()["x"]
    assert (2**x).se[0] == pytest.approx(2**x.value * math.log(2) * x.se[0], rel=1e-14)  # type: ignore[operator]


@pytest.mark.parametrize("operation", ["2 * x", "2 - x", "x / 2"])
def test_constants_of_numpy_are_constants(operation: str) -> None:
    x = two_means()["x"]
    two = np.float64(2)
    got = {"2 * x": lambda: two * x, "2 - x": lambda: two - x, "x / 2": lambda: 1 / (two / x)}
    function, _ = FUNCTIONS[operation]
    assert got[operation]().value == pytest.approx(function(x, x).value, rel=1e-15)


@pytest.mark.parametrize("name", METHODS)
def test_functions_of_numpy(name: str) -> None:
    x = two_means()["x"]
    assert getattr(np, name)(x).se[0] == pytest.approx(getattr(x, name)().se[0], rel=1e-15)


def test_text_cannot_be_added() -> None:
    with pytest.raises(TypeError):
        two_means()["x"] + "2"  # type: ignore[operator]


# Two surveys


Overlap = Literal["all", "none", "some"]


def wave(number: int, overlap: Overlap) -> pl.DataFrame:
    """Answers of 24 clusters in 3 strata; those of the second wave are new, or not."""
    random = np.random.default_rng(number)
    cluster = np.repeat(np.arange(24), random.integers(2, 9, size=24))
    n = len(cluster)
    new = {"all": 0, "none": 24, "some": 12}[overlap] if number == 2 else 0
    score = random.normal(60 + 3 * number, 10, size=n) + np.repeat(
        np.random.default_rng(7).normal(0, 8, size=24), np.bincount(cluster)
    )
    return pl.DataFrame(
        {
            "wave": np.full(n, number),
            "region": [f"R{c // 8}" for c in cluster],
            "activity": [f"A{c if c % 24 >= new else c + 24}" for c in cluster],
            "activities": np.array([20.0, 30.0, 40.0])[cluster // 8],
            "weight": random.uniform(1, 5, size=n),
            "score": score,
            "gender": random.choice(["Female", "Male"], size=n),
            "agrees": random.choice(["No", "Yes"], size=n),
        }
    )


STATISTICS: dict[str, Callable[[sy.Survey, Any], sy.Estimates]] = {
    "mean": lambda s, by: s.mean("score", by=by),
    "total": lambda s, by: s.total("score", by=by),
    "share": lambda s, by: s.proportion("agrees", positive="Yes", by=by),
    "levels": lambda s, by: s.proportion("agrees", by=by),
    "group": lambda s, by: s.mean("score", by=by, where={"gender": "Female"}),
}


@pytest.mark.parametrize("fpc", [None, "activities"])
@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize(("overlap", "strata"), [("all", ["region"]), ("none", ["wave", "region"])])
def test_compare_is_one_survey_with_the_waves_as_groups(
    overlap: Overlap, strata: list[str], name: str, fpc: str | None
) -> None:
    first, second = wave(1, overlap), wave(2, overlap)
    design: dict[str, Any] = {"weights": "weight", "clusters": "activity", "fpc": fpc}
    waves = {1: sy.Survey(first, strata="region", **design)}
    waves[2] = sy.Survey(second, strata="region", **design)
    estimate = STATISTICS[name]
    compared = sy.compare(waves, lambda s: estimate(s, None))
    pooled = estimate(sy.Survey(pl.concat([first, second]), strata=strata, **design), "wave")
    for period in (1, 2):
        np.testing.assert_allclose(compared.levels[period].se, pooled[period].se, rtol=1e-12)
    same(pooled[2] - pooled[1], compared.differences[2], 1e-12)
    same(pooled[2] / pooled[1], compared.ratios[2], 1e-12)
    assert compared.overlap == {2: 24 if overlap == "all" else 0}


def test_waves_that_share_some_clusters() -> None:
    design: dict[str, Any] = {"weights": "weight", "strata": "region", "clusters": "activity"}
    waves = {k: sy.Survey(wave(k, "some"), **design) for k in (1, 2)}
    compared = sy.compare(waves, lambda s: s.mean("score", by="gender"))
    assert compared.overlap == {2: 12}
    alone = {k: svy.mean("score", by="gender") for k, svy in waves.items()}
    for k in (1, 2):
        assert compared.levels[k].to_dict() == alone[k].to_dict()
    joint = _core.join(alone[1].core, alone[2].core).covariance
    assert np.linalg.eigvalsh(joint).min() > -1e-12 * joint.max()
    np.testing.assert_allclose(joint[:2, :2], alone[1].cov, rtol=1e-13)
    np.testing.assert_allclose(joint[2:, 2:], alone[2].cov, rtol=1e-13)
    np.testing.assert_allclose(joint[:2, 2:], cross_by_hand(alone[1], alone[2]), rtol=1e-12)
    row = np.array([[-1, 0, 1, 0], [0, -1, 0, 1]])
    np.testing.assert_allclose(compared.differences[2].cov, row @ joint @ row.T, rtol=1e-12)
    # 24 clusters less 3 strata in each; 12 of them counted once, with the 2 strata they lie in.
    assert compared.differences[2].df == 21 + 21 - 12 + 2


def cross_by_hand(first: sy.Estimates, second: sy.Estimates) -> Floats:
    """Products of the deviations of the units that both have."""
    rows = {key: i for i, key in enumerate(second.core.unit_keys.tolist())}
    shared = [(i, rows[k]) for i, k in enumerate(first.core.unit_keys.tolist()) if k in rows]
    i, j = np.array(shared).T
    result: Floats = first.core.deviations[i].T @ second.core.deviations[j]
    return result


def test_surveys_without_clusters_share_nothing() -> None:
    design: dict[str, Any] = {"weights": "weight", "strata": "region"}
    waves = {k: sy.Survey(wave(k, "all"), **design) for k in (1, 2)}
    difference = sy.compare(waves, sy.mean("score")).differences[2]
    se = [svy.mean("score").se[0] for svy in waves.values()]
    assert difference.se[0] == pytest.approx(math.hypot(*se), rel=1e-14)
    assert difference.df == sum(svy.degrees_of_freedom for svy in waves.values())


def test_clusters_are_found_again_by_name_whatever_their_type() -> None:
    frame = wave(1, "all").with_columns(activity=pl.col("activity").str.slice(1))
    number = frame.with_columns(activity=pl.col("activity").cast(pl.Int64))
    design: dict[str, Any] = {"weights": "weight", "strata": "region", "clusters": "activity"}
    nothing = sy.Survey(frame, **design).mean("score") - sy.Survey(number, **design).mean("score")
    assert nothing.se[0] < 1e-14


# Samples of elements too large to keep a deviation for each

ROWS = 300_000
GROUPS, REGIONS = 4, 3


@cache
def elements(seed: int = 1) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    region = random.integers(0, REGIONS, size=ROWS)
    hours = random.gamma(2, 10, size=ROWS) + 1e4
    hours[random.random(ROWS) < 0.05] = np.nan
    return pl.DataFrame(
        {
            "weight": random.uniform(0.5, 3, size=ROWS),
            "region": region,
            "population": np.array([2e5, 3e5, 9e5])[region],
            "group": random.integers(0, GROUPS, size=ROWS),
            "hours": hours,
            "answer": random.integers(0, 3, size=ROWS),
        }
    )


def influence_by_hand(kind: str) -> tuple[Floats, Floats]:
    """Estimates of each group, and a column of influence values for each."""
    c = {name: elements()[name].to_numpy() for name in elements().columns}
    w, y = c["weight"], c["hours"]
    values, columns = [], []
    for g in range(GROUPS):
        inside = c["group"] == g
        if kind == "proportion":
            base = w * inside
            for level in range(3):
                share = math.fsum(base[c["answer"] == level]) / math.fsum(base)
                values.append(share)
                columns.append(base * ((c["answer"] == level) - share) / base.sum())
            continue
        base = w * (inside & ~np.isnan(y))
        answers = np.nan_to_num(y)
        if kind == "total":
            values.append(math.fsum(base * answers))
            columns.append(base * answers)
        else:
            values.append(math.fsum(base * answers) / math.fsum(base))
            columns.append(base * (answers - values[-1]) / math.fsum(base))
    return np.array(values), np.column_stack(columns)


def covariance_by_hand(influence: Floats, fpc: bool) -> Floats:
    region = elements()["region"].to_numpy()
    result = np.zeros((influence.shape[1], influence.shape[1]))
    for h, size in enumerate([2e5, 3e5, 9e5]):
        z = influence[region == h]
        n = len(z)
        z = z - z.mean(axis=0)
        result += (1 - n / size if fpc else 1) * n / (n - 1) * (z.T @ z)
    return result


@pytest.mark.parametrize("fpc", [None, "population"])
@pytest.mark.parametrize("kind", ["mean", "total", "proportion"])
def test_large_samples_of_elements(kind: str, fpc: str | None) -> None:
    svy = sy.Survey(elements(), weights="weight", strata="region", fpc=fpc)
    est = getattr(svy, kind)("answer" if kind == "proportion" else "hours", by="group")
    assert not est.core.by_unit
    values, influence = influence_by_hand(kind)
    expected = covariance_by_hand(influence, fpc is not None)
    np.testing.assert_allclose(est.estimate, values, rtol=1e-13)
    same_covariance(expected, est.cov, 1e-10)
    assert est.df == ROWS - REGIONS
    assert (est.missing > 0).all() == (kind != "proportion")


def test_separate_calls_on_a_large_sample_cannot_be_combined() -> None:
    svy = sy.Survey(elements(), weights="weight", strata="region")
    hours, answers = svy.mean("hours", by="group"), svy.proportion("answer", by="group")
    first, second = hours.rows([0]), answers.rows([0])
    with pytest.raises(errors.CovarianceUnknown, match="too many units to keep a deviation") as e:
        first - second
    assert "Ask for both in one call, as in survey.estimate({...})" in str(e.value)
    together = svy.estimate({"h": sy.mean("hours"), "a": sy.proportion("answer")}, by="group")
    assert (together.rows([0]) - together.rows([1])).se[0] > 0
    within = hours.rows([0]) - hours.rows([1])
    assert within.se[0] == pytest.approx(hours.contrast({0: 1, 1: -1}).se[0], rel=1e-12)


def test_large_samples_of_their_own_are_independent() -> None:
    first, second = (
        sy.Survey(elements(s), weights="weight").mean("hours", by="group") for s in (1, 2)
    )
    assert not first.core.by_unit
    difference = second - first
    np.testing.assert_allclose(difference.se, np.hypot(first.se, second.se), rtol=1e-12)
    off_diagonal = difference.cov - (first.cov + second.cov)
    assert np.abs(off_diagonal).max() < 1e-12 * difference.cov.max()


# The core: kept or accumulated, on however many threads


def core_estimate(threads: int, kept: int, clusters: bool) -> _core.Estimated:
    c = {name: elements()[name].to_numpy() for name in elements().columns}
    region = c["region"].astype(np.int32)
    unit = (np.arange(ROWS) % 1000 * REGIONS + region).astype(np.int32)
    design = _core.Design(
        ROWS,
        "weight",
        np.ascontiguousarray(c["weight"]),
        [
            _core.Stage(
                _core.Codes(region, REGIONS),
                _core.Codes(unit, 1000 * REGIONS) if clusters else None,
                "",
                None,
            )
        ],
        "fail",
        None,
        "equal",
    )
    names = np.arange(design.units if clusters else 0, dtype=np.uint64)
    keys = _core.SampleKeys(1, names, np.arange(REGIONS, dtype=np.uint64))
    hours = np.ascontiguousarray(c["hours"])
    answer = _core.Codes(c["answer"].astype(np.int32), 3)
    estimators: Sequence[_core.Estimator] = [
        _core.mean("hours", hours),
        _core.total("hours", hours),
        _core.ratio("hours", hours, "weight", np.ascontiguousarray(c["weight"])),
        _core.proportion(answer, np.eye(3)),
        _core.count(answer, np.eye(3)),
    ]
    groups = _core.Codes(c["group"].astype(np.int32), GROUPS)
    return _core.estimate(design, keys, groups, estimators, threads=threads, kept=kept)


def bits(result: _core.Estimated) -> list[bytes]:
    estimates = result.estimates
    arrays = (
        estimates.values,
        estimates.deviations,
        estimates.covariance,
        result.deff,
        result.used,
    )
    return [array.tobytes() for array in arrays]


@pytest.mark.parametrize("clusters", [True, False], ids=["clusters", "elements"])
def test_the_number_of_threads_changes_no_bit(clusters: bool) -> None:
    one = bits(core_estimate(1, _core.KEPT_DEVIATIONS, clusters))
    for threads in (2, 3, 8, 0):
        assert bits(core_estimate(threads, _core.KEPT_DEVIATIONS, clusters)) == one


def test_accumulated_and_kept_deviations_have_the_same_covariance() -> None:
    kept, accumulated = (core_estimate(0, limit, clusters=False) for limit in (10**9, 0))
    assert kept.estimates.by_unit
    assert not accumulated.estimates.by_unit
    np.testing.assert_allclose(accumulated.estimates.values, kept.estimates.values, rtol=1e-14)
    same_covariance(kept.estimates.covariance, accumulated.estimates.covariance, 1e-10)
