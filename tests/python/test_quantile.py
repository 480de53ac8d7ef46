"""Quantiles as an analyst asks for them: domains, kinds of columns, intervals, bad input."""

import math
from fractions import Fraction
from functools import cache
from itertools import pairwise
from statistics import NormalDist
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import steelyard as sy
from steelyard import errors
from steelyard.statistic import IntervalMethod, QuantileRule

Floats = npt.NDArray[np.float64]

STRATIFIED = {"weights": "pw", "strata": "stype", "fpc": "fpc"}
POINTS = (0.25, 0.5, 0.9)


@cache
def frame() -> pl.DataFrame:
    schools = sy.datasets.load("apistrat", backend="polars")
    assert isinstance(schools, pl.DataFrame)
    return schools.with_columns(
        hole=pl.when(pl.col("enroll") % 7 == 0).then(None).otherwise(pl.col("meals")),
        five=pl.lit(5),
        tenth=pl.lit(0.1),
        high=pl.col("api00") > 600,
        single=pl.col("api00").cast(pl.Float32),
        small=pl.col("meals").cast(pl.Int8),
    )


@cache
def survey(df: Any = "design") -> sy.Survey:
    return sy.Survey(frame(), df=df, **STRATIFIED)  # type: ignore[arg-type]


def figures(estimates: sy.Estimates, level: float = 0.95, **interval: Any) -> Floats:
    """Estimates, lower bounds, upper bounds and standard errors, one after the other."""
    bounds = estimates.ci(level, **interval)
    columns = (estimates.estimate, bounds[:, 0], bounds[:, 1], estimates.se)
    return np.concatenate(columns)


# Against R


# d <- svydesign(id=~1, strata=~stype, weights=~pw, data=apistrat, fpc=~fpc);
# svyquantile(~api00, d, c(.25,.5,.9), qrule=<rule>, df=degf(d)): quantiles, both bounds, errors.
BY_RULE: dict[str, list[float]] = {
    "math": [
        *(565, 668, 836, 535, 642, 806, 597, 694, 865),
        *(15.719451132039083, 13.184055788161812, 14.958832528875902),
    ],
    "hf4": [
        *(562.20560886486999, 667.23575596580417, 836),
        *(532.65185659572262, 635.94259326695283, 805.2274396367161),
        *(592.85345321213072, 681, 864.14928275896523),
        *(15.26348477552188, 11.423833923815224, 14.939016670481747),
    ],
    "hf5": [
        *(565, 667.83335887492842, 836.8509382636837),
        *(536.02625303631544, 637.16901192447847, 805.7274396367161),
        *(597.12961449843169, 681.00210264853263, 865.20442281766691),
        *(15.492117814629946, 11.113421412951693, 15.079766622484948),
    ],
    "hf6": [
        *(563.70560886486999, 668, 838.45093826368372),
        *(533.19993676860372, 641.52036107291099, 806.66050529305357),
        *(593.77887971201744, 695.03840893639745, 867.18471371453813),
        *(15.359156987573805, 13.568940936648453, 15.345279622368949),
    ],
    "hf7": [
        *(565, 667.60857253352333, 836),
        *(536.95822498130724, 637.03298488257747, 805.37231611180061),
        *(597.44483479644578, 680.81959165340288, 864.2513283204762),
        *(15.335746889222351, 11.101635893093578, 14.928157340596911),
    ],
    "hf8": [
        *(564.64106365249233, 667.95037057764841, 837.38427159701712),
        *(533.83454998668299, 637.18885358225816, 805.84581414502134),
        *(593.64197386122328, 682.27993163244446, 865.70055265043277),
        *(15.163546402080382, 11.432370933884897, 15.175542531561179),
    ],
    "hf9": [
        *(564.78765017539661, 667.91814157283204, 837.25093826368368),
        *(533.91387663894295, 637.1844353028232, 805.816220517945),
        *(593.61924959759915, 681.97189753493035, 865.5639016112799),
        *(15.137672460383289, 11.35539232073636, 15.148399245150541),
    ],
}
SAME_RULE = {
    **dict.fromkeys(("hf1", "hf2", "hf3", "school", "sas3", "sas5", "stata"), "math"),
    "sas1": "hf4",
    "sas4": "hf6",
}


@pytest.mark.parametrize("rule", [*BY_RULE, *SAME_RULE])
def test_every_rule_of_r(rule: str) -> None:
    got = survey().quantile("api00", POINTS, rule=rule)  # type: ignore[arg-type]
    assert figures(got) == pytest.approx(BY_RULE[SAME_RULE.get(rule, rule)], rel=1e-9)


# As above with interval.type="mean", "xlogit", "beta" and "asin": bounds and errors.
@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("t", BY_RULE["math"][3:]),
        (
            "logit",
            [
                *(539, 642, 788, 599, 694, 863),
                *(15.212372063263629, 13.184055788161812, 19.015465079079537),
            ],
        ),
        (
            "beta",
            [
                *(539, 641, 788, 600, 695, 863),
                *(15.465911597651356, 13.691134856937266, 19.015465079079537),
            ],
        ),
        (
            "arcsine",
            [
                *(539, 642, 805, 597, 694, 863),
                *(14.705292994488175, 13.184055788161812, 14.705292994488175),
            ],
        ),
    ],
)
def test_the_interval_that_errors_are_read_from(interval: str, expected: list[float]) -> None:
    got = survey().quantile("api00", POINTS, interval=interval)  # type: ignore[arg-type]
    assert figures(got)[3:] == pytest.approx(expected, rel=1e-12)
    afterwards = survey().quantile("api00", POINTS).ci(method=interval)  # type: ignore[arg-type]
    np.testing.assert_array_equal(afterwards, got.ci())


# As above with alpha=.1, alpha=.01, df=5 and df=Inf: bounds.
@pytest.mark.parametrize(
    ("level", "df", "expected"),
    [
        (0.9, "design", [542, 647, 814, 596, 681, 863]),
        (0.99, "design", [529, 632, 788, 606, 705, 870]),
        (0.95, 5, [531, 632, 788, 606, 705, 870]),
        (0.95, "normal", [539, 642, 806, 597, 694, 865]),
    ],
)
def test_other_levels_and_degrees_of_freedom(level: float, df: Any, expected: list[float]) -> None:
    quantiles = survey().quantile("api00", POINTS)
    assert quantiles.ci(level, df=df).T.ravel().tolist() == expected
    assert survey(df).quantile("api00", POINTS, level=level).ci().T.ravel().tolist() == expected


# svyquantile(~hole, d, c(.25,.5,.9), na.rm=TRUE, df=degf(d)), hole being meals without the schools
# whose enrolment 7 divides.
def test_missing_answers_are_left_out_and_counted() -> None:
    got = survey().quantile("hole", POINTS)
    expected = [24, 45, 95, 20, 39, 85, 33, 56, 98]
    errors_ = [3.296013947040453, 4.310172084591362, 3.296013947040453]
    assert figures(got) == pytest.approx([*expected, *errors_], rel=1e-12)
    without = frame()["hole"].null_count()
    assert got.missing.tolist() == [without] * 3
    assert got.n.tolist() == [200 - without] * 3
    with pytest.raises(errors.MissingValues, match="'hole' is missing in"):
        survey().quantile("hole", missing="fail")


# svyquantile(~api00, subset(d, sch.wide=="No"), c(.25,.5,.9), df=degf(d)).
def test_a_domain_that_does_not_bound_its_upper_quantile() -> None:
    got = survey().quantile("api00", POINTS, where={"sch.wide": "No"})
    assert got.estimate.tolist() == [509, 585, 756]
    assert got.ci().tolist() == [[467, 534], [528, 666], [731, math.inf]]
    expected = [16.987148803977718, 34.98845574550635, math.nan]
    assert got.se == pytest.approx(expected, rel=1e-12, nan_ok=True)
    assert got.notes[:2] == [None, None]
    assert "does not bound the quantile" in str(got.notes[2])
    table = got.to_dict()
    assert table["ci_low"] == [467.0, 528.0, 731.0]
    assert table["ci_high"] == [534.0, 666.0, None]
    assert table["se"][2] is None
    assert "does not bound the quantile" in repr(got)


# svyby(~api00, ~stype, d, svyquantile, c(.25,.5), df=degf(d)).
def test_groups() -> None:
    got = survey().quantile("api00", [0.25, 0.5], by="stype")
    assert got.labels.by == {"stype": ["E", "E", "H", "H", "M", "M"]}
    assert got.labels.level == [0.25, 0.5] * 3
    assert got.estimate.tolist() == [578, 671, 527, 635, 551, 648]
    expected = [
        *(19.015465079079537, 20.790241819793625, 22.818558094895444),
        *(20.029623216630444, 26.368111576323624, 19.015465079079537),
    ]
    assert got.se == pytest.approx(expected, rel=1e-12)


# By brute force


def cumulative_rule(values: Floats, weights: Floats, p: float) -> float:
    """The inverse of the distribution function, one observation after the other."""
    order = np.argsort(values, kind="stable")
    reached = 0.0
    for i in order[weights[order] > 0]:
        reached += float(weights[i])
        if reached >= p * float(weights.sum()) * (1 - 1e-12):
            return float(values[i])
    return float(values.max())


def woodruff(y: Floats, w: Floats, strata: npt.NDArray[Any], p: float) -> tuple[float, float]:
    """A quantile and its error with normal intervals, with replacement in strata."""
    q = cumulative_rule(y, w, p)
    share = float(w @ (y <= q) / w.sum())
    z = w * ((y <= q) - share) / w.sum()
    variance = 0.0
    for h in set(strata.tolist()):
        mine = z[strata == h]
        variance += len(mine) / (len(mine) - 1) * float(((mine - mine.mean()) ** 2).sum())
    t = NormalDist().inv_cdf(0.975)
    low, high = share - t * math.sqrt(variance), share + t * math.sqrt(variance)
    return q, (cumulative_rule(y, w, high) - cumulative_rule(y, w, low)) / (2 * t)


@pytest.mark.parametrize("p", [0.2, 0.5, 0.73])
@pytest.mark.parametrize("zeros", [False, True])
def test_woodruffs_interval_by_brute_force(p: float, zeros: bool) -> None:
    random = np.random.default_rng(7)
    y = random.gamma(2.0, 10.0, 400).round(1)
    w = random.uniform(0.5, 4.0, 400)
    if zeros:
        w[random.random(400) < 0.3] = 0
    strata = random.integers(0, 5, 400)
    svy = sy.Survey(pl.DataFrame({"y": y, "w": w, "h": strata}), "w", "h", df="normal")
    value, error = woodruff(y, w, strata, p)
    got = svy.quantile("y", p)
    assert got.value == value
    assert got.se[0] == pytest.approx(error, rel=1e-9)
    assert got.n[0] == (w > 0).sum()


def by_definition(values: list[int], weights: list[int], p: Fraction, rule: str) -> Fraction:
    """Rules that R has not, or has for weights of mean 1 only, as their sources word them."""
    pairs = sorted(zip(values, weights, strict=True), key=lambda pair: pair[0])
    n, whole = len(pairs), sum(weights)
    reached = [Fraction(sum(w for _, w in pairs[: k + 1])) for k in range(n)]
    if rule == "sas2":  # the nearest; halfway, the one of even position
        nearest = min(abs(c - p * whole) for c in reached)
        ties = [k for k in range(n) if abs(reached[k] - p * whole) == nearest]
        return Fraction(pairs[min(ties, key=lambda k: k % 2 == 0)][0])
    if rule == "shahvaish":
        ranks = [
            (n * (c - Fraction(w, 2)) / whole + Fraction(1, 2)) / (n + 1)
            for c, (_, w) in zip(reached, pairs, strict=True)
        ]
        return Fraction(pairs[max((k for k in range(n) if ranks[k] <= p), default=0)][0])
    last = {value: c for (value, _), c in zip(pairs, reached, strict=True)}  # distinct values
    points = list(last.items())
    if p * whole <= points[0][1]:
        return Fraction(points[0][0])
    for (x, c), (higher, more) in pairwise(points):
        if p * whole <= more:
            return x + (p * whole - c) / (more - c) * (higher - x)
    return Fraction(points[-1][0])


@pytest.mark.parametrize("rule", ["sas2", "shahvaish", "surveymeans"])
def test_rules_by_their_definition(rule: Any) -> None:
    random = np.random.default_rng(3)
    for size in (2, 5, 12, 40):
        values = random.integers(0, 15, size).tolist()
        weights = random.integers(1, 6, size).tolist()
        svy = sy.Survey(pl.DataFrame({"y": [*values, 0], "w": [*weights, 0]}), "w")
        for eighths in range(9):
            p = Fraction(eighths, 8)
            got = svy.quantile("y", float(p), rule=rule).value
            assert got == pytest.approx(float(by_definition(values, weights, p, rule)), rel=1e-14)


def test_rows_that_weigh_nothing_are_not_there() -> None:
    zeroed = frame().with_columns(
        pw=pl.when(pl.col("api00") > 700).then(0.0).otherwise(pl.col("pw"))
    )
    got = sy.Survey(zeroed, "pw", "stype").quantile("api00", [0.5, 1])
    where = sy.Survey(frame(), "pw", "stype").quantile(
        "api00", [0.5, 1], where=pl.col("api00") <= 700
    )
    np.testing.assert_array_equal(got.estimate, where.estimate)
    np.testing.assert_array_equal(got.ci(), where.ci())
    assert got.estimate[1] <= 700


def test_a_group_that_weighs_nothing_has_no_answers() -> None:
    zeroed = frame().with_columns(
        pw=pl.when(pl.col("stype") == "E").then(0.0).otherwise(pl.col("pw"))
    )
    got = sy.Survey(zeroed, "pw", "stype").quantile("api00", by="stype")
    assert np.isnan(got.estimate[0])
    assert np.isnan(got.ci()[0]).all()
    assert got.notes == ["no answers", None, None]


def test_quantiles_covary_as_the_distribution_function_does() -> None:
    # Influence of a quantile: that of the distribution function there, over the density that the
    # two standard errors imply (Francisco and Fuller 1991).
    quartiles = survey().quantile("api00", [0.25, 0.75])
    below = survey().cdf("api00", quartiles.estimate)
    slope = quartiles.se / below.se
    expected = below.cov * np.outer(slope, slope)
    assert quartiles.cov == pytest.approx(expected, rel=1e-9)
    error = math.sqrt(expected[0, 0] + expected[1, 1] - 2 * expected[0, 1])
    spread = survey().iqr("api00")
    assert spread.value == quartiles.estimate[1] - quartiles.estimate[0] == 191
    assert spread.se[0] == pytest.approx(error, rel=1e-9)
    difference = quartiles[0.75] - quartiles[0.25]
    assert difference.se[0] == pytest.approx(error, rel=1e-9)
    t = 1.9720790337785104  # qt(.975, 197)
    assert spread.ci()[0] == pytest.approx([191 - t * error, 191 + t * error], rel=1e-9)


def test_interquartile_ranges_of_groups_are_those_of_each() -> None:
    groups = survey().iqr("api00", by="stype")
    for stype in ("E", "H", "M"):
        alone = survey().iqr("api00", where={"stype": stype})
        assert groups[stype].value == alone.value
        assert groups[stype].se == pytest.approx(alone.se, rel=1e-9)
    assert np.abs(groups.cov - np.diag(groups.se**2)).max() < 1e-9  # the groups are strata


def test_a_median_beside_a_mean() -> None:
    joint = survey().estimate(
        {
            "mean": sy.mean("api00"),
            "median": sy.quantile("api00", 0.5),
            "before": sy.quantile("api99", 0.5),
        }
    )
    np.testing.assert_allclose(joint["median"].se, survey().quantile("api00").se, rtol=1e-12)
    np.testing.assert_array_equal(joint["median"].ci(), survey().quantile("api00").ci())
    np.testing.assert_allclose(joint["mean"].ci(), survey().mean("api00").ci(), rtol=1e-12)
    correlation = joint.cov / np.outer(joint.se, joint.se)
    assert np.linalg.eigvalsh(joint.cov).min() > 0
    assert 0.5 < correlation[0, 1] < 1  # of one variable, and of it a year before
    assert 0.5 < correlation[1, 2] < 1
    skew = joint["mean"] - joint["median"]
    variance = joint.cov[0, 0] + joint.cov[1, 1] - 2 * joint.cov[0, 1]
    assert skew.se[0] == pytest.approx(math.sqrt(variance), rel=1e-12)


def test_several_variables_are_each_alone() -> None:
    both = survey().quantile(["api00", "hole"], POINTS, by="stype")
    assert len(both) == 18
    for name in ("api00", "hole"):
        alone = survey().quantile(name, POINTS, by="stype")
        assert both[name].labels.level == alone.labels.level
        np.testing.assert_array_equal(both[name].ci(), alone.ci())
        np.testing.assert_allclose(both[name].se, alone.se, rtol=1e-12)


def test_groups_within_a_condition_are_one_condition_each() -> None:
    groups = survey().quantile("api00", 0.5, by="stype", where={"sch.wide": "Yes"})
    for stype in ("E", "H", "M"):
        one = survey().quantile("api00", 0.5, where={"stype": stype, "sch.wide": "Yes"})
        assert groups[stype].value == one.value
        np.testing.assert_array_equal(groups[stype].ci(), one.ci())


# Kinds of columns


@pytest.mark.parametrize(("column", "like"), [("single", "api00"), ("small", "meals")])
def test_narrow_numbers_are_numbers(column: str, like: str) -> None:
    got, wide = survey().quantile(column, POINTS), survey().quantile(like, POINTS)
    np.testing.assert_array_equal(got.estimate, wide.estimate)
    np.testing.assert_array_equal(got.ci(), wide.ci())


@pytest.mark.parametrize("rule", get_args(QuantileRule))
def test_a_constant_is_every_quantile_of_itself(rule: Any) -> None:
    for name, value in (("five", 5.0), ("tenth", 0.1)):
        got = survey().quantile(name, [0.1, 0.5, 0.9], rule=rule)
        assert got.estimate == pytest.approx([value] * 3, rel=1e-15)
        assert got.se.tolist() == [0.0] * 3
        assert got.notes == ["no variation between units: an error of 0 is not certainty"] * 3
        assert got.ci() == pytest.approx(np.full((3, 2), value), rel=1e-15)


def test_yes_and_no_are_1_and_0() -> None:
    share = survey().mean("high").value
    assert 0.5 < share < 0.75
    got = survey().quantile("high", [0.1, 0.9])
    assert got.estimate.tolist() == [0, 1]
    halves = survey().quantile("high", [1 - share - 1e-9, 1 - share + 1e-9])
    assert halves.estimate.tolist() == [0, 1]


def test_one_row_has_a_value_and_no_error() -> None:
    got = survey().quantile("api00", where=pl.Series([True] + [False] * 199))
    assert got.value == frame()["api00"][0]
    assert got.notes == ["answers from one unit only: error not estimable"]
    assert np.isnan(got.se[0])
    assert np.isnan(got.ci()[0]).all()
    assert got.to_dict()["ci_low"] == [None]


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_frames_of_every_kind(backend: str) -> None:
    data: Any = frame().select("api00", "hole", "stype", "pw", "fpc")
    data = {"pandas": data.to_pandas, "polars": data.clone, "pyarrow": data.to_arrow}[backend]()
    got = sy.Survey(data, **STRATIFIED).quantile(["api00", "hole"], POINTS, by="stype")
    wanted = survey().quantile(["api00", "hole"], POINTS, by="stype")
    assert got.to_dict() == wanted.to_dict()
    native = got.to_native()
    kinds = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.Table}
    assert isinstance(native, kinds[backend])
    assert got.to_polars()["level"].to_list() == list(POINTS) * 6
    assert got.to_polars()["estimate"].to_list() == wanted.estimate.tolist()


# Rows and labels


def test_rows_are_found_by_group_and_probability() -> None:
    got = survey().quantile(["api00", "api99"], [0.75, 0.25, 0.5], by="stype")
    assert got[0.5].labels.variable == ["api00", "api99"] * 3
    assert got["E", 0.5, "api00"].value == 671
    assert got[0.5]["E"]["api00"].value == 671
    assert got["api00", "H"].labels.level == [0.25, 0.5, 0.75]  # ascending, however asked for
    chosen = got["H", 0.5]
    np.testing.assert_array_equal(chosen.ci(), got.ci()[[7, 10]])
    np.testing.assert_array_equal(got.rows([10, 7]).ci(), got.ci()[[10, 7]])
    with pytest.raises(errors.LabelNotFound, match=r"no estimate is labelled 0\.3"):
        got[0.3]


def test_the_ends_are_the_smallest_and_the_largest() -> None:
    ends = survey().quantile("api00", [0, 1])
    assert ends.estimate.tolist() == [frame()["api00"].min(), frame()["api00"].max()]
    assert ends.labels.level == [0, 1]
    assert ends.ci()[0, 0] == -math.inf
    assert "does not bound the quantile" in str(ends.notes[0])


def test_the_largest_value_has_no_error_that_contradicts_its_interval() -> None:
    largest = survey().quantile("api00", 1)
    low, high = largest.ci()[0]
    assert np.isnan(largest.se[0]) or largest.se[0] == pytest.approx(
        (high - low) / (2 * 1.9720790337785104), rel=1e-9
    )


# Intervals afterwards


@pytest.mark.parametrize("method", [None, *get_args(IntervalMethod)])
def test_every_method_brackets_the_quantile(method: Any) -> None:
    quantiles = survey().quantile("api00", POINTS)
    wide, narrow = quantiles.ci(0.99, method), quantiles.ci(0.8, method)
    lower, upper = quantiles.ci(0.9, method, "lower"), quantiles.ci(0.9, method, "upper")
    two = quantiles.ci(0.8, method)
    assert (wide[:, 0] <= narrow[:, 0]).all()
    assert (narrow[:, 0] <= quantiles.estimate).all()
    assert (quantiles.estimate <= narrow[:, 1]).all()
    assert (narrow[:, 1] <= wide[:, 1]).all()
    # One-sided bounds of 90 % are the two-sided ones of 80 %.
    np.testing.assert_array_equal(lower[:, 0], two[:, 0])
    np.testing.assert_array_equal(upper[:, 1], two[:, 1])
    assert np.isposinf(lower[:, 1]).all()
    assert np.isneginf(upper[:, 0]).all()


@pytest.mark.parametrize(
    "method", [m for m in get_args(IntervalMethod) if m not in ("t", "normal")]
)
def test_bounds_are_those_of_the_distribution_function_read_back(method: Any) -> None:
    median = survey().quantile("api00")
    low, high = survey().cdf("api00", median.value).ci(0.9, method)[0]
    back = survey().quantile("api00", [low, high]).estimate
    assert median.ci(0.9, method)[0].tolist() == back.tolist()


def test_few_degrees_of_freedom_widen() -> None:
    median = survey().quantile("api00")
    assert median.ci(df=3)[0].tolist() == [619, 714]
    assert median.ci(df="domain").tolist() == median.ci().tolist()


def test_normal_intervals_have_no_degrees_of_freedom() -> None:
    median, mean = survey().quantile("api00"), survey().mean("api00")
    np.testing.assert_array_equal(mean.ci(method="normal", df=3), mean.ci(df="normal"))
    np.testing.assert_array_equal(median.ci(method="normal", df=3), median.ci(df="normal"))


def test_the_definition_is_named_in_the_output() -> None:
    assert "hf7" in repr(survey().quantile("api00", rule="hf7"))


# Bad input


@pytest.mark.parametrize("p", [-0.1, 1.5, [0.5, 2], float("inf"), 50])
def test_probabilities_outside_0_and_1(p: Any) -> None:
    with pytest.raises(ValueError, match="do not all lie between 0 and 1"):
        survey().quantile("api00", p)


@pytest.mark.parametrize("p", [[], float("nan"), [0.5, float("nan")], ()])
def test_no_probability(p: Any) -> None:
    with pytest.raises(ValueError, match="probabilities= needs at least one number"):
        survey().quantile("api00", p)


@pytest.mark.parametrize(
    ("argument", "known"), [("rule", QuantileRule), ("interval", IntervalMethod)]
)
def test_a_name_that_is_not_known_lists_those_that_are(argument: str, known: Any) -> None:
    with pytest.raises(ValueError, match=f"{argument}='hf10' is none of") as caught:
        survey().quantile("api00", **{argument: "hf10"})  # type: ignore[arg-type]
    for name in get_args(known):
        assert repr(name) in str(caught.value)


def test_intervals_that_cannot_be() -> None:
    median = survey().quantile("api00")
    with pytest.raises(ValueError, match="'korn-graubard'"):
        median.ci(method="jeffreys")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'lower'"):
        median.ci(side="left")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="between 0 and 1"):
        median.ci(95)


def test_columns_that_have_no_quantiles() -> None:
    with pytest.raises(errors.NotNumeric, match="'stype' is text"):
        survey().quantile("stype")
    with pytest.raises(errors.ColumnNotFound, match="Did you mean 'api00'"):
        survey().quantile("api0")
    with pytest.raises(errors.EmptyDomain):
        survey().quantile("api00", where=pl.col("api00") > 2000)
    with pytest.raises(errors.NotNumeric, match="missing='level' has no meaning"):
        survey().quantile("api00", missing="level")


def test_infinite_values_are_named_with_their_column_and_row() -> None:
    infinite = frame().with_columns(
        worst=pl.when(pl.int_range(pl.len()) == 150).then(math.inf).otherwise(1.0)
    )
    svy = sy.Survey(infinite, "pw")
    with pytest.raises(errors.InfiniteValues, match=r"'worst' is infinite in 1 row \(row 150\)"):
        svy.mean("worst", where=pl.int_range(pl.len()) >= 100)
    with pytest.raises(errors.InfiniteValues, match=r"'worst' is infinite in 1 row \(row 150\)"):
        svy.quantile("worst", where=pl.int_range(pl.len()) >= 100)


def test_the_same_probability_twice_is_one() -> None:
    assert len(survey().quantile("api00", [0.5, 0.5])) == 1


def test_iqr_is_the_difference_of_quartiles_whatever_the_labels() -> None:
    frame = pl.DataFrame({"y": [1.0, 2, 3, 4, 5, 6, 7, 9], "half": [0.25, 0.75] * 4})
    svy = sy.Survey(frame)
    got = svy.iqr("y", by="half", interval="logit")
    for i, half in enumerate((0.25, 0.75)):
        quartiles = svy.quantile("y", [0.25, 0.75], where={"half": half}, interval="logit").estimate
        assert got.estimate[i] == quartiles[1] - quartiles[0]
    assert len(got) == 2


def test_points_may_come_from_a_generator() -> None:
    frame = pl.DataFrame({"a": [1.0, 2, 3, 4], "b": [4.0, 3, 2, 1]})
    both = sy.Survey(frame).quantile(["a", "b"], (p for p in (0.25, 0.75)))
    assert len(both) == 4
