"""Tests of means, of equality and of ranks: against R, by brute force, and what they refuse."""

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from r_values import OF_R, near, of_r, schools, survey

import steelyard as sy
from steelyard.errors import (
    ColumnNotFound,
    EmptyDomain,
    InfiniteValues,
    MissingValues,
    NotNumeric,
    TooManyLevels,
)

SCORES = {"wilcoxon": "wilcoxon", "van-der-waerden": "vanderWaerden", "median": "median"}
HOLES = pl.col("index") % 7 == 0


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    frame = schools("strat_fpc").with_row_index().with_columns(pl.col("index").cast(pl.Int64))
    i = pl.col("index")
    return frame.with_columns(
        after=pl.when(~HOLES).then(pl.col("api00")),
        before=pl.when(i % 11 != 0).then(pl.col("api99")),
        group=pl.when(i % 13 != 0).then(
            pl.when(i % 2 == 0).then(pl.lit("x")).otherwise(pl.lit("y"))
        ),
        same=pl.lit(3.5),
        one=pl.lit("a"),
        half=pl.when(i % 2 == 0).then(pl.col("api00")),
        infinite=pl.when(i == 4).then(math.inf).otherwise(pl.col("api00")),
        likes=i * 5 % 4,
        passed=i % 3 == 0,
    )


@pytest.fixture(scope="module")
def svy(rows: pl.DataFrame) -> sy.Survey:
    return sy.Survey(rows, weights="pw", strata="stype", fpc="fpc")


def slopes(function: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """Derivatives by central differences of two steps, extrapolated."""
    found = []
    for j in range(len(at)):
        steps = []
        for h in (1e-3, 5e-4):
            step = np.zeros(len(at))
            step[j] = h * abs(at[j])
            steps.append((function(at + step) - function(at - step)) / (2 * step[j]))
        found.append((4 * steps[1] - steps[0]) / 3)
    return np.array(found)


def error_of(function: Callable[[np.ndarray], float], estimates: sy.Estimates) -> float:
    slope = slopes(function, estimates.estimate)
    return float(np.sqrt(slope @ estimates.cov @ slope))


# t tests


@pytest.mark.parametrize("design", OF_R)
def test_t_tests_equal_r(design: str) -> None:
    svy = survey(design, df="domain")
    domain = svy.ttest("api00", by="comp.imp", where=pl.col("stype") != "H")
    wanted = of_r(design, "ttest_domain", "statistic")[0]
    assert domain.statistic == pytest.approx(wanted, rel=1e-9)
    tail = svy.ttest("ell")
    assert tail.statistic == pytest.approx(of_r(design, "ttest_tail", "statistic")[0], rel=1e-9)
    assert tail.ddf == of_r(design, "ttest_tail", "parameter")[0]
    assert tail.p_value == pytest.approx(of_r(design, "ttest_tail", "p")[0], rel=1e-9)


@pytest.mark.parametrize("design", OF_R)
def test_degrees_of_freedom_are_those_of_both_groups(design: str) -> None:
    svy = survey(design, df="domain")
    found = svy.ttest("api00", by="comp.imp", where=pl.col("stype") != "H")
    assert found.ddf == of_r(design, "ttest_domain", "parameter")[0]
    assert found.p_value == pytest.approx(of_r(design, "ttest_domain", "p")[0], rel=1e-9)


def test_one_sample_is_of_the_answers(svy: sy.Survey) -> None:
    where = {"stype": ["H", "M"]}
    found = svy.ttest("after", null=600, where=where)
    mean = svy.mean("after", where=where)
    assert found.estimates is not None
    assert found.estimates.value == mean.value
    assert found.estimates.n.tolist() == mean.n.tolist()
    assert found.estimates.missing.tolist() == mean.missing.tolist() != [0]
    assert found.statistic == pytest.approx((mean.value - 600) / mean.se[0], rel=1e-12)
    assert found.ddf == 196
    assert found.p_value == pytest.approx(mean.p_value(600, df=196)[0], rel=1e-12)


def test_effect_of_one_sample(svy: sy.Survey, rows: pl.DataFrame) -> None:
    found = svy.ttest("after", null=600)
    both = svy.estimate([sy.mean("after").named("m"), sy.variance("after").named("v")])
    assert found.effect is not None
    y, w = (rows.filter(~HOLES)[name].to_numpy() for name in ("after", "pw"))
    mean = np.average(y, weights=w)
    spread = np.average((y - mean) ** 2, weights=w) * len(y) / (len(y) - 1)
    assert found.effect.value == pytest.approx((mean - 600) / np.sqrt(spread), rel=1e-12)
    wanted = error_of(lambda x: (x[0] - 600) / np.sqrt(x[1]), both)
    assert found.effect.se[0] == pytest.approx(wanted, rel=1e-8)


def test_satterthwaite_is_that_of_the_difference(rows: pl.DataFrame) -> None:
    svy = sy.Survey(rows, weights="pw", strata="stype", df="satterthwaite")
    means = svy.mean("api00", by="group")
    gap = means["y"] - means["x"]
    assert svy.ttest("api00", by="group").ddf == pytest.approx(gap.degrees_of_freedom()[0] - 1)


def test_groups_leave_out_missing_answers_and_labels(svy: sy.Survey, rows: pl.DataFrame) -> None:
    found = svy.ttest("after", by="group")
    known = rows.filter(~HOLES & pl.col("group").is_not_null())
    means = {
        name: np.average(part["after"], weights=part["pw"])
        for (name,), part in known.group_by("group")
    }
    assert found.estimates is not None
    assert found.estimates.value == pytest.approx(means["y"] - means["x"], rel=1e-12)
    fit = svy.glm("after ~ group").coefficients["group"]
    assert found.statistic == pytest.approx(fit.value / fit.se[0], rel=1e-9)


def test_effect_of_two_groups(svy: sy.Survey) -> None:
    where = {"stype": ["E", "M"]}
    found = svy.ttest("after", by="group", where=where)
    parts = svy.estimate(
        {"m": sy.mean("after"), "v": sy.variance("after")}, by="group", where=where
    )
    assert parts.labels.variable == ["m", "v", "m", "v"]

    def cohen(x: np.ndarray) -> float:
        return (x[2] - x[0]) / np.sqrt((x[1] + x[3]) / 2)

    assert found.effect is not None
    assert found.effect.value == pytest.approx(cohen(parts.estimate), rel=1e-12)
    assert found.effect.se[0] == pytest.approx(error_of(cohen, parts), rel=1e-8)


def test_before_and_after_are_of_the_same_people(svy: sy.Survey, rows: pl.DataFrame) -> None:
    where = pl.col("stype") != "H"
    found = svy.ttest("after", before="before", where=where)
    change = rows.with_columns(change=pl.col("after") - pl.col("before"))
    by_hand = sy.Survey(change, weights="pw", strata="stype", fpc="fpc")
    alone = by_hand.ttest("change", where=where)
    assert found.estimates is not None
    assert alone.estimates is not None
    assert found.estimates.n.tolist() == alone.estimates.n.tolist()
    assert found.estimates.missing.tolist() == alone.estimates.missing.tolist() != [0]
    assert found.statistic == pytest.approx(alone.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(alone.p_value, rel=1e-12)
    assert found.effect is not None
    assert alone.effect is not None
    near([found.effect.value, found.effect.se[0]], [alone.effect.value, alone.effect.se[0]])


def test_numbers_of_several_types_are_subtracted_as_numbers(rows: pl.DataFrame) -> None:
    small = rows.with_columns(
        low=pl.lit(0, pl.UInt8), high=pl.col("likes").cast(pl.UInt8), yes=pl.col("passed")
    )
    svy = sy.Survey(small, weights="pw")
    assert svy.ttest("low", before="high").statistic < 0
    assert svy.ttest("yes", before="high").estimates.value == pytest.approx(  # type: ignore[union-attr]
        svy.mean("yes").value - svy.mean("high").value, rel=1e-12
    )


def test_tails_of_t_are_kept(svy: sy.Survey) -> None:
    p_value = svy.ttest("api00").p_value
    assert 0 < p_value < 1e-100
    assert svy.ttest("api00", before="api99").p_value == pytest.approx(1.601040687e-37, rel=1e-6)
    assert sy.Survey(schools("srs_fpc")).ttest("api00").p_value > 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"by": "stype"}, TooManyLevels, r"'stype' has 3 groups here \('E', 'H', 'M'\)"),
        ({"by": "one"}, TooManyLevels, r"'one' has 1 groups? here \('a'\): two are compared"),
        (
            {"by": "group", "where": {"group": "x"}},
            TooManyLevels,
            r"'group' has 1 groups? here \('x'\)",
        ),
        ({"by": "nowhere"}, ColumnNotFound, "no column 'nowhere'"),
        ({"before": "stype"}, NotNumeric, "column 'stype' is text"),
        ({"by": "group", "before": "api99"}, ValueError, "by= compares two groups and before="),
        ({"where": pl.col("api00") < 0}, EmptyDomain, "where= holds for no row"),
        ({"before": "api99", "where": pl.col("api00") < 0}, EmptyDomain, "holds for no row"),
        ({"level": 95}, ValueError, "level=95 is not a confidence level"),
    ],
)
def test_t_tests_refuse(
    svy: sy.Survey, arguments: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        svy.ttest("api00", **arguments)


def test_infinite_answers_are_refused(svy: sy.Survey) -> None:
    with pytest.raises(InfiniteValues, match=r"'infinite' is infinite in 1 row \(row 4\)"):
        svy.ttest("infinite")


def test_infinite_changes_are_refused(svy: sy.Survey) -> None:
    with pytest.raises(InfiniteValues, match="infinite"):
        svy.ttest("infinite", before="api00")
    with pytest.raises(InfiniteValues, match="infinite"):
        svy.ttest("infinite", before="infinite")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"before": "api99"}),
        {"null": 600.0},
        {"by": "group"},
    ],
)
def test_level_is_checked(svy: sy.Survey, arguments: dict) -> None:
    with pytest.raises(ValueError, match="level=95 is not a confidence level"):
        svy.ttest("api00", level=95, **arguments)


@pytest.mark.parametrize("null", [math.nan, math.inf])
def test_null_is_a_number(svy: sy.Survey, null: float) -> None:
    with pytest.raises(ValueError, match="null="):
        svy.ttest("api00", null=null)


@pytest.mark.parametrize(
    ("variable", "arguments"),
    [
        ("same", {"null": 3.5}),
        ("same", {"null": 3.0}),
        ("same", {"by": "group"}),
        ("api00", {"before": "api00"}),
        ("half", {"by": "passed", "where": pl.col("index") < 4}),
    ],
)
def test_a_test_without_an_error_is_no_silent_nan(
    svy: sy.Survey, variable: str, arguments: dict
) -> None:
    """Refused as by wald_test."""
    with pytest.raises(ValueError, match=r"error|vary|varies|answer"):
        svy.ttest(variable, **arguments)


def test_a_group_without_answers_is_refused(rows: pl.DataFrame) -> None:
    frame = rows.with_columns(
        side=pl.when(pl.col("index") % 2 == 0).then(pl.lit("l")).otherwise(pl.lit("r"))
    )
    with pytest.raises((EmptyDomain, TooManyLevels), match="side"):
        sy.Survey(frame, weights="pw").ttest("half", by="side")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("mean"),
        "variance",
        "api00",
    ],
)
def test_groups_may_have_any_name(rows: pl.DataFrame, name: str) -> None:
    label = pl.when(pl.col("index") % 2 == 0).then(pl.lit(name)).otherwise(pl.lit("zzz"))
    plain = pl.when(pl.col("index") % 2 == 0).then(pl.lit("aaa")).otherwise(pl.lit("zzz"))
    svy = sy.Survey(rows.with_columns(g=label, plain=plain), weights="pw")
    found, wanted = svy.ttest("api00", by="g"), svy.ttest("api00", by="plain")
    assert found.statistic == pytest.approx(wanted.statistic, rel=1e-12)


def test_groups_of_booleans_and_numbers(svy: sy.Survey) -> None:
    yes = svy.ttest("api00", by="passed")
    means = svy.mean("api00", by="passed")
    assert yes.estimates is not None
    assert yes.estimates.value == pytest.approx(means[True].value - means[False].value)
    two = svy.ttest("api00", by="likes", where={"likes": [1, 3]})
    means = svy.mean("api00", by="likes")
    assert two.estimates is not None
    assert two.estimates.value == pytest.approx(means[3].value - means[1].value)


# Wald tests


@pytest.mark.parametrize("design", OF_R)
def test_equality_equals_r(design: str) -> None:
    means = survey(design).mean("api00", by="stype")
    wanted = of_r(design, "equality", "statistic")[0]
    assert means.equality_test().statistic == pytest.approx(wanted / 2, rel=1e-9)
    assert means.equality_test(variant="chi2").statistic == pytest.approx(wanted, rel=1e-9)
    adjusted = means.equality_test(variant="adjusted-F")
    df = means.df
    assert adjusted.statistic == pytest.approx(wanted / 2 * (df - 1) / df, rel=1e-9)
    assert (adjusted.ndf, adjusted.ddf) == (2, df - 1)


def test_wald_by_formula(svy: sy.Survey) -> None:
    means = svy.mean(["api00", "api99", "ell"], by="stype")
    null = means.estimate + np.arange(9) - 4
    off = means.estimate - null
    wanted = off @ np.linalg.solve(means.cov, off)
    found = means.wald_test(null)
    assert found.statistic * 9 == pytest.approx(wanted, rel=1e-8)
    assert (found.ndf, found.ddf) == (9, 197)
    assert means.wald_test(null.tolist()).p_value == found.p_value
    assert means.wald_test(null, df=20).ddf == 20
    assert means.wald_test(null, df=20).p_value > found.p_value


def test_wald_of_one_estimate_is_t(svy: sy.Survey) -> None:
    mean = svy.mean("api00")
    found = mean.wald_test(650)
    assert found.statistic == pytest.approx(((mean.value - 650) / mean.se[0]) ** 2, rel=1e-12)
    assert found.p_value == pytest.approx(mean.p_value(650)[0], rel=1e-12)
    normal = mean.wald_test(650, variant="chi2")
    z = abs(mean.value - 650) / mean.se[0]
    assert normal.p_value == pytest.approx(2 * NormalDist().cdf(-z), rel=1e-9)
    assert normal.ddf == math.inf


def test_one_null_serves_all(svy: sy.Survey) -> None:
    means = svy.mean("api00", by="stype")
    assert means.wald_test(650).p_value == means.wald_test([650] * 3).p_value


def test_tails_of_wald_are_kept(svy: sy.Survey) -> None:
    means = svy.mean("api00", by="stype")
    for variant in ("F", "adjusted-F"):
        assert 0 < means.wald_test(variant=variant).p_value < 1e-140
    assert means.wald_test([600, 500, 500], variant="chi2").p_value > 0


def test_shares_that_add_up_have_one_hypothesis_less(rows: pl.DataFrame) -> None:
    svy = sy.Survey(rows, weights="pw")
    shares = svy.proportion("likes")
    off = shares.estimate - 0.25
    wanted = off[:3] @ np.linalg.solve(shares.cov[:3, :3], off[:3])
    found = shares.wald_test(0.25)
    assert found.ndf == 3
    assert found.statistic * 3 == pytest.approx(wanted, rel=1e-8)
    with pytest.raises(ValueError, match="it is not the hypothesis's"):
        shares.wald_test([0.25, 0.25, 0.25, 0.5])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda e: e.wald_test([1, 2, math.nan]), "not a finite number"),
        (lambda e: e.wald_test(math.inf), "not a finite number"),
        (lambda e: e.wald_test(variant="f"), r"no variant of the Wald test 'f': choose one of"),
        (lambda e: e.wald_test(df=0), "give a positive number"),
        (lambda e: e.wald_test(df=2, variant="adjusted-F"), "at least as many degrees of freedom"),
        (lambda e: e["E"].equality_test(), "two estimates or more"),
    ],
)
def test_wald_tests_refuse(
    svy: sy.Survey, ask: Callable[[sy.Estimates], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ask(svy.mean("api00", by="stype"))


def test_null_has_a_value_for_each(svy: sy.Survey) -> None:
    with pytest.raises(ValueError, match=r"null.*(2|two).*(3|three)"):
        svy.mean("api00", by="stype").wald_test([600, 650])


def test_estimates_without_figure_are_refused(svy: sy.Survey) -> None:
    means = svy.mean("half", by="likes")
    assert np.isnan(means.estimate).any()
    with pytest.raises(ValueError, match="not a finite number"):
        means.wald_test(600)
    with pytest.raises(ValueError, match="not a finite number"):
        means.equality_test()


# Rank tests


def ranks(frame: pl.DataFrame, variable: str) -> list[float]:
    """The weight below each answer and half of that at it, over all."""
    y, w = frame[variable].to_numpy(), frame["pw"].to_numpy()
    return [(w[y < v].sum() + w[y == v].sum() / 2) / w.sum() for v in y]


def scored(frame: pl.DataFrame, score: str) -> pl.DataFrame:
    at = np.array(ranks(frame, "likes"))
    if score == "van-der-waerden":
        at = np.array([NormalDist().inv_cdf(rank) for rank in at])
    if score == "median":
        at = (at > 0.5).astype(float)
    return frame.with_columns(scored=pl.Series(at))


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("design", ["strat_fpc", "clus1_fpc"])
def test_ranks_in_a_domain_equal_r(design: str, score: str) -> None:
    # Equal weights in the domain: elsewhere R's ranks of equal answers depend on the rows' order.
    found = survey(design, df="domain").ranktest(
        "ell", "comp.imp", score=score, where={"stype": "E"}
    )
    name = f"rank_{SCORES[score]}"
    assert found.statistic == pytest.approx(of_r(design, name, "statistic")[0], rel=1e-9)


@pytest.mark.parametrize("design", ["strat_fpc", "clus1_fpc"])
def test_degrees_of_freedom_of_ranks_are_those_of_all_groups(design: str) -> None:
    svy = survey(design, df="domain")
    found = svy.ranktest("ell", "comp.imp", where={"stype": "E"})
    assert found.ddf == of_r(design, "rank_wilcoxon", "parameter")[0]
    assert found.p_value == pytest.approx(of_r(design, "rank_wilcoxon", "p")[0], rel=1e-9)


@pytest.mark.parametrize("score", SCORES)
def test_scores_of_ties_by_hand(rows: pl.DataFrame, score: str) -> None:
    by_hand = sy.Survey(scored(rows, score), weights="pw", strata="stype")
    two = by_hand.ranktest("likes", "comp.imp", score=score)
    wanted = by_hand.ttest("scored", by="comp.imp")
    assert two.name == "t"
    assert two.statistic == pytest.approx(wanted.statistic, rel=1e-9)
    assert two.p_value == pytest.approx(wanted.p_value, rel=1e-9)
    many = by_hand.ranktest("likes", "stype", score=score)
    groups = by_hand.mean("scored", by="stype")
    tested = groups.equality_test(df=197 - 2)
    assert many.name == "F"
    assert (many.ndf, many.ddf) == (2, 195)
    assert many.statistic == pytest.approx(tested.statistic, rel=1e-8)
    assert many.p_value == pytest.approx(tested.p_value, rel=1e-8)


def test_only_the_order_counts(rows: pl.DataFrame) -> None:
    frame = rows.with_columns(
        log=pl.col("api00").log(), cube=pl.col("api00") ** 3, down=-pl.col("api00")
    )
    svy = sy.Survey(frame, weights="pw", strata="stype")
    for score in SCORES:
        plain = svy.ranktest("api00", "comp.imp", score=score)
        for name in ("log", "cube"):
            assert svy.ranktest(name, "comp.imp", score=score).statistic == plain.statistic
        down = svy.ranktest("down", "comp.imp", score=score)
        if score != "median":  # whether the median itself is above depends on the direction
            assert down.statistic == pytest.approx(-plain.statistic, rel=1e-9)


def test_ranks_are_of_the_domain(rows: pl.DataFrame) -> None:
    known = rows.filter(~HOLES & (pl.col("stype") != "H") & pl.col("group").is_not_null())
    at = dict(zip(known["index"], ranks(known, "after"), strict=True))
    frame = rows.with_columns(rank=pl.Series([at.get(i) for i in rows["index"]], dtype=pl.Float64))
    svy = sy.Survey(frame, weights="pw", strata="stype", fpc="fpc")
    found = svy.ranktest("after", "group", where=pl.col("stype") != "H")
    wanted = svy.ttest("rank", by="group", where=pl.col("stype") != "H")
    assert found.statistic == pytest.approx(wanted.statistic, rel=1e-9)
    assert found.estimates is not None
    assert found.estimates.value == pytest.approx(wanted.estimates.value)  # type: ignore[union-attr]


def test_tails_of_ranks_are_kept(rows: pl.DataFrame) -> None:
    frame = rows.with_columns(top=pl.col("api00") > 650)
    svy = sy.Survey(frame, weights="pw", strata="stype")
    for score in ("wilcoxon", "van-der-waerden"):
        assert 0 < svy.ranktest("api00", "top", score=score).p_value < 1e-40
    spread = frame.with_columns(part=pl.col("api00") // 150)
    assert 0 < sy.Survey(spread, weights="pw").ranktest("api00", "part").p_value < 1e-80


def test_rank_tests_refuse(svy: sy.Survey) -> None:
    with pytest.raises(EmptyDomain, match="'one' has one group with answers to 'api00'"):
        svy.ranktest("api00", "one")
    with pytest.raises(EmptyDomain, match="'stype' has one group with answers"):
        svy.ranktest("api00", "stype", where={"stype": "H"})
    with pytest.raises(NotNumeric, match="'stype' is text"):
        svy.ranktest("stype", "group")
    with pytest.raises(ValueError, match=r"no rank test 'sum': choose one of 'wilcoxon'"):
        svy.ranktest("api00", "group", score="sum")
    with pytest.raises(EmptyDomain, match="where= holds for no row"):
        svy.ranktest("api00", "group", where=pl.col("api00") < 0)


def test_level_of_rank_tests_is_checked(svy: sy.Survey) -> None:
    with pytest.raises(ValueError, match="level=95 is not a confidence level"):
        svy.ranktest("api00", "group", level=95)


@pytest.mark.parametrize(
    "by",
    [pytest.param("group"), "stype"],
)
def test_equal_answers_have_no_rank_test(svy: sy.Survey, by: str) -> None:
    """Refused for two groups as for three."""
    with pytest.raises(ValueError, match="no sampling error"):
        svy.ranktest("same", by)


def test_a_label_missing_everywhere_is_refused(rows: pl.DataFrame) -> None:
    frame = rows.with_columns(nothing=pl.lit(None, pl.String))
    with pytest.raises((EmptyDomain, MissingValues)):
        sy.Survey(frame).ranktest("api00", "nothing")


# What is shown


def test_results_fit_80_columns(svy: sy.Survey) -> None:
    shown = [
        svy.ttest("api00", by="group"),
        svy.ttest("api00", before="api99"),
        svy.ranktest("api00", "stype", score="van-der-waerden"),
        svy.mean("api00", by="stype").equality_test(),
    ]
    for found in shown:
        assert max(map(len, repr(found).splitlines())) <= 80
        assert found.to_dict()["p_value"] == [found.p_value]
        assert found.to_polars().shape == (1, 5)


def test_html_escapes_names(rows: pl.DataFrame) -> None:
    svy = sy.Survey(rows.rename({"api00": "<script>", "group": "<b>"}), weights="pw")
    html = svy.ttest("<script>", by="<b>")._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html


def test_a_difference_has_no_null_of_its_own(svy: sy.Survey) -> None:
    with pytest.raises(ValueError, match="null= is for a test of one mean"):
        svy.ttest("api00", before="api99", null=3)
