"""Variances, correlations and distribution functions, against R and by identities."""

import math
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy
from steelyard import errors

Floats = npt.NDArray[np.float64]

DESIGNS: dict[str, tuple[str, dict[str, Any]]] = {
    "d": ("apistrat", {"weights": "pw", "strata": "stype", "fpc": "fpc"}),
    "c": ("apiclus1", {"weights": "pw", "clusters": "dnum", "fpc": "fpc"}),
}
NAMES = ("api00", "api99", "ell")


def frame(design: str) -> pl.DataFrame:
    data = sy.datasets.load(DESIGNS[design][0], backend="polars")
    assert isinstance(data, pl.DataFrame)
    return data.with_columns(
        hole=pl.when(pl.col("enroll") % 7 == 0).then(None).otherwise(pl.col("meals")),
        both=pl.when(pl.col("enroll") % 7 == 0).then(None).otherwise(pl.col("ell")),
        opposite=3 - 2 * pl.col("api00"),
        far=pl.col("api00") + 1e12,
        large=pl.col("api00") * 1e12,
        tiny=pl.col("api00") * 2.0**-500,
        five=pl.lit(5),
        tenth=pl.lit(0.1),
    )


@cache
def survey(design: str) -> sy.Survey:
    return sy.Survey(frame(design), **DESIGNS[design][1])


def figures(estimates: sy.Estimates) -> list[float]:
    """Estimates, then standard errors."""
    return [*estimates.estimate.tolist(), *estimates.se.tolist()]


# Against R 4.2.2 and its package survey 4.1.1. d is apistrat stratified by stype with fpc, c is
# apiclus1 clustered by dnum with fpc.


# svyvar(~api00+api99+ell, d): as.matrix(), then the errors in the same order.
MATRIX = {
    "d": (
        [
            *(15190.586205827334, 15458.825911154325, -1686.4804888002302),
            *(15458.825911154325, 16518.236962973442, -1781.735901506451),
            *(-1686.4804888002302, -1781.735901506451, 452.27233252778825),
        ],
        [
            *(1255.7399786809804, 1277.0496395006267, 204.78917189486725),
            *(1277.0496395006267, 1318.4331131202498, 215.88484613981768),
            *(204.78917189486725, 215.88484613981768, 54.306818137879816),
        ],
    ),
    "c": (
        [
            *(11182.822794691647, 11516.32789887708, -1060.6372125142616),
            *(11516.32789887708, 12735.208310814869, -1231.3986368822434),
            *(-1060.6372125142616, -1231.3986368822434, 285.00798654897017),
        ],
        [
            *(1386.4139429142574, 1412.8585146994017, 216.61312606614067),
            *(1412.8585146994017, 1450.0814940519906, 255.78247985559611),
            *(216.61312606614067, 255.78247985559611, 54.081462335071791),
        ],
    ),
}


@pytest.mark.parametrize("design", DESIGNS)
def test_the_covariance_matrix(design: str) -> None:
    svy = survey(design)
    pairs = {(a, b): svy.covariance(a, b) for a in NAMES for b in NAMES}
    values, ses = MATRIX[design]
    assert [e.value for e in pairs.values()] == pytest.approx(values, rel=1e-9)
    assert [e.se[0] for e in pairs.values()] == pytest.approx(ses, rel=1e-9)
    diagonal = svy.variance(NAMES)
    assert diagonal.estimate == pytest.approx(values[::4], rel=1e-9)
    assert diagonal.se == pytest.approx(ses[::4], rel=1e-9)


# v <- svyvar(~api00+api99+ell, d): m12 / sqrt(m11 m22) and its gradient times vcov(v).
@pytest.mark.parametrize(
    ("design", "other", "value", "error"),
    [
        ("d", "api99", 0.97590466406412735, 0.0039561215579224443),
        ("d", "ell", -0.64341924075591528, 0.039912248741051336),
        ("c", "api99", 0.96501768814224498, 0.0070700076175945533),
        ("c", "ell", -0.5941042015445922, 0.077755768867437527),
    ],
)
def test_correlations(design: str, other: str, value: float, error: float) -> None:
    got = survey(design).correlation("api00", other)
    assert figures(got) == pytest.approx([value, error], rel=1e-9)
    swapped = survey(design).correlation(other, "api00")
    assert figures(swapped) == pytest.approx([value, error], rel=1e-9)


# The root of svyvar(~api00, d), and its error over twice that.
@pytest.mark.parametrize(
    ("design", "value", "error"),
    [
        ("d", 123.25009616964741, 5.0942758574099569),
        ("c", 105.74886663549471, 6.5552189211307645),
    ],
)
def test_standard_deviations(design: str, value: float, error: float) -> None:
    assert figures(survey(design).sd("api00")) == pytest.approx([value, error], rel=1e-9)


# svyby(~api00+api99, ~stype, d, svyvar): variances of api00, of api99, and covariances; errors.
@pytest.mark.parametrize(
    ("design", "first", "joint", "second"),
    [
        (
            "d",
            [
                *(15687.419292929293, 11947.089387755103, 13824.857142857143),
                *(1635.6169444806035, 1897.2397998022916, 2319.8463638588314),
            ],
            [
                *(16358.450404040404, 11929.025306122448, 13700.857142857143),
                *(1658.5326613977531, 1957.2780037844427, 2307.7906944323927),
            ],
            [
                *(17793.972828282829, 12491.09224489796, 14043.102040816326),
                *(1717.9675922928129, 2078.5880648489047, 2362.0735029939347),
            ],
        ),
        (
            "c",
            [
                *(11270.828622766123, 9358.7252747252751, 11894.923333333332),
                *(1154.9296536237136, 2269.8401578600206, 3180.8086077413309),
            ],
            [
                *(11729.622668997668, 10186.098901098901, 11756.058333333334),
                *(1153.0871564561696, 2370.309397793681, 3224.7320027710252),
            ],
            [
                *(13102.403846153846, 11376.219780219781, 12264),
                *(1200.3507354266926, 2501.1712756739967, 3360.2923049259057),
            ],
        ),
    ],
)
def test_groups(design: str, first: list[float], joint: list[float], second: list[float]) -> None:
    svy = survey(design)
    assert figures(svy.variance("api00", by="stype")) == pytest.approx(first, rel=1e-9)
    got = svy.covariance("api00", "api99", by="stype")
    assert got.labels.by == {"stype": ["E", "H", "M"]}
    assert figures(got) == pytest.approx(joint, rel=1e-9)
    assert figures(svy.variance("api99", by="stype")) == pytest.approx(second, rel=1e-9)


# svyvar(~hole+ell, subset(d, !is.na(hole))): 11, 12, 22 and their errors; hole is meals without the
# schools whose enrolment 7 divides. With na.rm=TRUE instead, R counts the rows left out in the n of
# n / (n - 1): 887.33879493164523.
@pytest.mark.parametrize(
    ("design", "expected"),
    [
        (
            "d",
            [
                *(887.97625096248703, 476.49016260950896, 469.94519903553839),
                *(67.428947816962889, 56.37516938133966, 58.817457561535036),
            ],
        ),
        (
            "c",
            [
                *(703.69884169884165, 276.95660967089538, 253.34877734877736),
                *(123.325083096609802, 45.524274564131062, 47.063101570080725),
            ],
        ),
    ],
)
def test_rows_that_lack_one_of_two_answers(design: str, expected: list[float]) -> None:
    svy = survey(design)
    joint = svy.covariance("hole", "ell")
    # Of ell among the rows that have both: its own variance has those rows where it lacks the same.
    got = [svy.variance("hole"), joint, svy.variance("both")]
    assert [e.value for e in got] == pytest.approx(expected[:3], rel=1e-9)
    assert [e.se[0] for e in got] == pytest.approx(expected[3:], rel=1e-9)
    without = frame(design)["hole"].null_count()
    assert joint.missing[0] == without
    assert joint.n[0] == len(frame(design)) - without
    correlation = svy.correlation("ell", "hole")
    assert correlation.value == pytest.approx(
        expected[1] / math.sqrt(expected[0] * expected[2]), rel=1e-9
    )
    assert correlation.n[0] == joint.n[0]
    assert svy.variance("ell").n[0] == len(frame(design))


# svyciprop(~I(api00 <= a), d, method="logit", df=degf(d)), a of 600 and 700.
@pytest.mark.parametrize(
    ("design", "expected"),
    [
        (
            "d",
            [
                (0.32918792445079809, 0.035560387812803296, 0.26319364663775, 0.40268609481387),
                (0.59566031838896039, 0.037475390050193354, 0.52013054539121, 0.66691497247433),
            ],
        ),
        (
            "c",
            [
                (0.36065573770492387, 0.10913997836025489, 0.16970874071318168, 0.608891360664303),
                (0.66120218579231904, 0.079806034660545089, 0.476159437659597, 0.807328959666695),
            ],
        ),
    ],
)
def test_the_distribution_function(design: str, expected: list[tuple[float, ...]]) -> None:
    got = survey(design).cdf("api00", [600, 700])
    found = np.column_stack([got.estimate, got.se, got.ci()])
    assert found == pytest.approx(np.array(expected), rel=1e-9)


# Identities


@pytest.mark.parametrize("by", [None, "stype", ["stype", "awards"]])
@pytest.mark.parametrize("design", DESIGNS)
def test_moments_agree_with_each_other(design: str, by: Any) -> None:
    svy = survey(design)
    variance, sd = svy.variance("api00", by=by), svy.sd("api00", by=by)
    itself = svy.covariance("api00", "api00", by=by)
    np.testing.assert_allclose(itself.cov, variance.cov, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(itself.estimate, variance.estimate, rtol=1e-14)
    np.testing.assert_allclose(sd.estimate**2, variance.estimate, rtol=1e-14)
    np.testing.assert_allclose(variance.sqrt().se, sd.se, rtol=1e-12)
    np.testing.assert_allclose(2 * sd.estimate * sd.se, variance.se, rtol=1e-12)


@pytest.mark.parametrize("by", [None, "stype"])
@pytest.mark.parametrize("design", DESIGNS)
def test_a_correlation_is_a_function_of_moments(design: str, by: str | None) -> None:
    moments = {
        "xy": sy.covariance("api00", "ell"),
        "x": sy.variance("api00"),
        "y": sy.variance("ell"),
        "r": sy.correlation("api00", "ell"),
    }
    together = survey(design).estimate(moments, by=by)
    made = together["xy"] / (together["x"] * together["y"]).sqrt()
    np.testing.assert_allclose(made.estimate, together["r"].estimate, rtol=1e-12)
    np.testing.assert_allclose(made.se, together["r"].se, rtol=1e-9)
    difference = made - together["r"]
    assert np.abs(difference.se).max() < 1e-9


@pytest.mark.parametrize("design", DESIGNS)
def test_the_variance_of_a_sum(design: str) -> None:
    data = frame(design).with_columns(sum=pl.col("api00") + pl.col("meals"))
    svy = sy.Survey(data, **DESIGNS[design][1])
    parts = svy.estimate(
        {
            "x": sy.variance("api00"),
            "y": sy.variance("meals"),
            "xy": sy.covariance("api00", "meals"),
        }
    )
    made = parts["x"] + parts["y"] + 2 * parts["xy"]
    whole = svy.variance("sum")
    assert made.value == pytest.approx(whole.value, rel=1e-12)
    assert made.se[0] == pytest.approx(whole.se[0], rel=1e-9)


@pytest.mark.parametrize("design", DESIGNS)
def test_yes_and_no_vary_as_their_share_says(design: str) -> None:
    svy = sy.Survey(frame(design).with_columns(met=pl.col("api00") > 600), **DESIGNS[design][1])
    share, n = svy.proportion("met", positive=True), len(frame(design))
    made = share * (1 - share) * (n / (n - 1))
    got = svy.variance("met")
    assert got.value == pytest.approx(made.value, rel=1e-12)
    assert got.se[0] == pytest.approx(made.se[0], rel=1e-9)


def test_without_a_design_the_variance_is_numpys() -> None:
    y = frame("d")["api00"].to_numpy()
    x = frame("d")["ell"].to_numpy()
    svy = sy.Survey(frame("d"))
    assert svy.variance("api00").value == pytest.approx(np.var(y, ddof=1), rel=1e-13)
    assert svy.sd("api00").value == pytest.approx(np.std(y, ddof=1), rel=1e-13)
    assert svy.covariance("api00", "ell").value == pytest.approx(np.cov(y, x)[0, 1], rel=1e-13)
    assert svy.correlation("api00", "ell").value == pytest.approx(
        np.corrcoef(y, x)[0, 1], rel=1e-13
    )


def test_the_error_of_a_variance_by_brute_force() -> None:
    data = frame("c").drop_nulls("hole")
    y, w, cluster = (data[name].to_numpy() for name in ("hole", "pw", "dnum"))
    n, clusters = len(y), frame("c")["dnum"].unique().to_list()
    deviation = (y - w @ y / w.sum()) ** 2 * n / (n - 1)
    value = w @ deviation / w.sum()
    z = w * (deviation - value) / w.sum()
    totals = np.array([z[cluster == c].sum() for c in clusters])
    fraction = len(clusters) / frame("c")["fpc"][0]
    scale = (1 - fraction) * len(clusters) / (len(clusters) - 1)
    error = math.sqrt(scale * ((totals - totals.mean()) ** 2).sum())
    assert figures(survey("c").variance("hole")) == pytest.approx([value, error], rel=1e-9)


# Far from zero, and in other units


@pytest.mark.parametrize("kind", ["variance", "sd"])
@pytest.mark.parametrize("by", [None, "stype"])
def test_a_shift_of_a_million_millions_changes_nothing(kind: str, by: str | None) -> None:
    near, far = (getattr(survey("d"), kind)(name, by=by) for name in ("api00", "far"))
    np.testing.assert_allclose(far.estimate, near.estimate, rtol=1e-12)
    np.testing.assert_allclose(far.se, near.se, rtol=1e-12)


@pytest.mark.parametrize(("column", "factor"), [("large", 1e12), ("tiny", 2.0**-500)])
def test_units_are_a_factor(column: str, factor: float) -> None:
    svy = survey("d")
    sd, wanted = svy.sd(column), svy.sd("api00")
    assert figures(sd) == pytest.approx([factor * x for x in figures(wanted)], rel=1e-12)
    correlation = svy.correlation(column, "ell")
    assert figures(correlation) == pytest.approx(
        figures(svy.correlation("api00", "ell")), rel=1e-11
    )


def test_a_correlation_far_from_zero() -> None:
    wanted = survey("d").correlation("api00", "ell")
    assert figures(survey("d").correlation("far", "ell")) == pytest.approx(
        figures(wanted), rel=1e-11
    )


@pytest.mark.parametrize(
    ("other", "value"), [("api00", 1.0), ("opposite", -1.0), ("far", 1.0), ("large", 1.0)]
)
@pytest.mark.parametrize("by", [None, "stype"])
def test_what_a_line_relates_is_correlated_by_1(other: str, value: float, by: str | None) -> None:
    got = survey("d").correlation("api00", other, by=by)
    np.testing.assert_allclose(got.estimate, value, rtol=1e-12)
    np.testing.assert_allclose(got.se, 0, atol=1e-12)
    assert all("no variation between units" in str(note) for note in got.notes)


def test_a_correlation_is_never_beyond_1() -> None:
    got = survey("d").correlation("api00", "large", by="stype")
    assert got.estimate.max() <= 1


# Little to go by


@pytest.mark.parametrize("column", ["five", "tenth"])
def test_a_constant_does_not_vary(column: str) -> None:
    svy = survey("d")
    for got in (svy.variance(column), svy.sd(column), svy.covariance(column, "api00")):
        assert figures(got) == [0, 0]
        assert got.notes == ["no variation between units: an error of 0 is not certainty"]


@pytest.mark.parametrize("pair", [("five", "api00"), ("api00", "tenth"), ("tenth", "tenth")])
def test_a_constant_has_no_correlation(pair: tuple[str, str]) -> None:
    got = survey("d").correlation(*pair)
    assert np.isnan(figures(got)).all()
    assert np.isnan(got.ci()).all()
    assert np.isnan(got.p_value()).all()
    assert got.notes == ["not defined for these values"]
    assert got.to_dict()["estimate"] == [None]


def test_a_group_that_does_not_vary_leaves_the_others() -> None:
    data = frame("d").with_columns(
        api00=pl.when(pl.col("stype") == "H").then(600).otherwise(pl.col("api00"))
    )
    got = sy.Survey(data, **DESIGNS["d"][1]).correlation("api00", "ell", by="stype")
    wanted = survey("d").correlation("api00", "ell", by="stype")
    assert np.isnan(got["H"].value)
    for stype in ("E", "M"):
        assert figures(got[stype]) == pytest.approx(figures(wanted[stype]), rel=1e-12)


def test_two_rows() -> None:
    svy = sy.Survey(pl.DataFrame({"x": [1.0, 3.0], "y": [2.0, 5.0]}))
    assert svy.variance("x").value == 2
    assert svy.sd("x").value == math.sqrt(2)
    assert svy.covariance("x", "y").value == 3
    assert svy.correlation("x", "y").value == pytest.approx(1, rel=1e-15)
    # Both squared deviations are the same: no error is seen, and that is said.
    assert "no variation between units" in str(svy.variance("x").notes[0])


def test_one_row_does_not_vary() -> None:
    data = pl.DataFrame({"x": [1.0, 3.0, None], "y": [2.0, None, 4.0], "g": ["a", "a", "b"]})
    svy = sy.Survey(data)
    pair = svy.covariance("x", "y")
    assert np.isnan(figures(pair)).all()
    assert (pair.n[0], pair.missing[0]) == (1, 2)
    assert pair.notes == ["not defined for these values"]
    groups = svy.variance("x", by="g")
    assert groups["a"].value == 2
    assert np.isnan(groups["b"].value)
    assert groups["b"].notes == ["no answers"]
    with pytest.raises(errors.EmptyDomain, match="no answers where they were asked for"):
        svy.covariance("x", "y", where={"g": "b"})


def test_a_group_that_weighs_nothing() -> None:
    data = frame("d").with_columns(
        pw=pl.when(pl.col("stype") == "E").then(0.0).otherwise(pl.col("pw"))
    )
    got = sy.Survey(data, "pw", "stype").variance("api00", by="stype")
    assert np.isnan(got["E"].value)
    assert got.notes == ["no answers", None, None]


# The distribution function


@pytest.mark.parametrize("by", [None, "stype"])
@pytest.mark.parametrize("design", DESIGNS)
def test_it_is_the_share_at_or_below(design: str, by: str | None) -> None:
    points = (frame(design)["api00"][0], 600, 700.5)  # one of them is an observation
    got = survey(design).cdf("api00", points, by=by)
    for point in points:
        data = frame(design).with_columns(below=pl.col("api00") <= point)
        share = sy.Survey(data, **DESIGNS[design][1]).proportion("below", positive=True, by=by)
        mine = got[float(point)]
        np.testing.assert_allclose(mine.estimate, share.estimate, rtol=1e-13)
        np.testing.assert_allclose(mine.se, share.se, rtol=1e-12)
        for method in ("t", "logit", "wilson", "beta", "korn-graubard", "likelihood"):
            mine_ci, wanted = mine.ci(0.9, method), share.ci(0.9, method)  # type: ignore[arg-type]
            np.testing.assert_allclose(mine_ci, wanted, rtol=1e-9)
    assert "logit for proportions" in got.conventions["interval"]


def test_points_without_answers_on_one_side() -> None:
    ends = survey("d").cdf("api00", [-math.inf, 300, 1000, math.inf])
    assert ends.estimate.tolist() == [0, 0, 1, 1]
    assert ends.labels.level == [-math.inf, 300, 1000, math.inf]
    assert (
        ends.notes
        == ["nobody gave this answer: exact one-sided interval"] * 2
        + ["everybody gave this answer: exact one-sided interval"] * 2
    )
    data = frame("d").with_columns(met=pl.lit(value=False))
    nobody = sy.Survey(data, **DESIGNS["d"][1]).proportion(
        "met", positive=True, levels=[False, True]
    )
    high = nobody.ci()[0, 1]
    # (1 - high)^200 = 0.05: the exact bound of 200 answers, all of them no.
    assert high == pytest.approx(1 - 0.05 ** (1 / 200), rel=1e-9)
    assert ends.ci() == pytest.approx(
        np.array([[0, high], [0, high], [1 - high, 1], [1 - high, 1]]), rel=1e-9
    )


def test_points_are_in_ascending_order() -> None:
    got = survey("d").cdf("api00", iter([700, 600]))
    assert got.labels.level == [600, 700]
    assert got.estimate[0] < got.estimate[1]
    between = got[700] - got[600]
    data = frame("d").with_columns(inside=pl.col("api00").is_between(600, 700, closed="right"))
    share = sy.Survey(data, **DESIGNS["d"][1]).proportion("inside", positive=True)
    assert figures(between) == pytest.approx(figures(share), rel=1e-9)


@pytest.mark.parametrize("at", [[], float("nan"), [600, float("nan")]])
def test_points_that_cannot_be(at: Any) -> None:
    with pytest.raises(ValueError, match="at= needs at least one number, and no NaN"):
        survey("d").cdf("api00", at)


# Bad input


@pytest.mark.parametrize("kind", ["variance", "sd", "cdf", "covariance", "correlation"])
def test_refusals(kind: str) -> None:
    def call(svy: sy.Survey, column: str, **options: Any) -> object:
        arguments = {"cdf": [600], "covariance": ["api00"], "correlation": ["api00"]}
        return getattr(svy, kind)(column, *arguments.get(kind, []), **options)

    with pytest.raises(errors.NotNumeric, match="'stype' is text"):
        call(survey("d"), "stype")
    with pytest.raises(errors.ColumnNotFound, match="Did you mean 'hole'"):
        call(survey("d"), "hoel")
    with pytest.raises(errors.MissingValues, match="'hole' is missing in"):
        call(survey("d"), "hole", missing="fail")
    with pytest.raises(errors.NotNumeric, match="missing='level' has no meaning"):
        call(survey("d"), "hole", missing="level")


@pytest.mark.parametrize(
    "call",
    [
        lambda svy: svy.variance("worst"),
        lambda svy: svy.sd("worst", by="stype"),
        lambda svy: svy.covariance("worst", "api00"),
        lambda svy: svy.correlation("api00", "worst"),
        pytest.param(
            lambda svy: svy.cdf("worst", 1),
        ),
    ],
)
def test_infinite_values(call: Any) -> None:
    infinite = frame("d").with_columns(worst=pl.Series([math.inf] + [1.0] * 199))
    with pytest.raises(errors.InfiniteValues, match=r"'worst' is infinite in 1 row \(row 0\)"):
        call(sy.Survey(infinite, "pw"))
