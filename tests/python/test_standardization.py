"""Direct standardisation: against R, and what must hold whatever the shares."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from r_values import OF_R, near, of_r, schools, survey

import steelyard as sy
from steelyard.errors import ColumnNotFound, EmptyDomain, NotNumeric, UnknownLevel

SCHOOLS = {"E": 4421, "H": 755, "M": 1018}
FIFTHS = {"E": 0.2, "H": 0.3, "M": 0.5}


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    frame = schools("strat_fpc").with_row_index()
    i = pl.col("index").cast(pl.Int64)
    return frame.with_columns(
        side=pl.when(i % 2 == 0).then(pl.lit("left")).otherwise(pl.lit("right")),
        passed=i % 3 == 0,
        grade=i * 7 % 3,
        holes=pl.when(i % 7 != 0).then(pl.col("api00")),
        words=pl.when(i % 11 != 0).then(pl.col("stype")),
    )


@pytest.fixture(scope="module")
def svy(rows: pl.DataFrame) -> sy.Survey:
    return sy.Survey(rows, weights="pw")


# Figures of R


@pytest.mark.parametrize("design", OF_R)
def test_groups_equal_r(design: str) -> None:
    got = survey(design).standardize(
        sy.mean("api00"), adjust="stype", shares=SCHOOLS, by="comp.imp"
    )
    near(got.estimate, of_r(design, "std_by", "coef"))
    near(got.se, of_r(design, "std_by", "se"))
    assert got.labels.by["comp.imp"] == ["No", "Yes"]


@pytest.mark.parametrize("design", OF_R)
def test_all_together_equal_r(design: str) -> None:
    svy = survey(design)
    means = svy.standardize([sy.mean("api00"), sy.mean("ell")], adjust="stype", shares=FIFTHS)
    shares = svy.standardize(sy.proportion("sch.wide"), adjust="stype", shares=FIFTHS)
    for got, name in ((means, "std"), (shares, "std_share")):
        near(got.estimate, of_r(design, name, "coef"))
        near(got.se, of_r(design, name, "se"))
    assert means.labels.variable == ["api00", "ell"]
    assert shares.labels.level == ["No", "Yes"]


# Identities


@pytest.mark.parametrize("by", [None, "side", ["side", "passed"]])
def test_it_is_a_contrast_of_the_parts(svy: sy.Survey, by: Any) -> None:
    got = svy.standardize(sy.mean("api00"), adjust="stype", shares=FIFTHS, by=by)
    groups = [] if by is None else [by] if isinstance(by, str) else by
    parts = svy.mean("api00", by=[*groups, "stype"])
    share = list(FIFTHS.values())
    weights = np.kron(np.eye(len(got)), share)
    near(got.estimate, weights @ parts.estimate)
    near(got.cov, weights @ parts.cov @ weights.T)
    assert got.n.tolist() == parts.n.reshape(-1, 3).sum(axis=1).tolist()


def test_the_order_of_groups_and_strata_does_not_matter(svy: sy.Survey) -> None:
    turned = dict(reversed(FIFTHS.items()))
    one = svy.standardize(sy.mean("api00"), adjust="stype", shares=FIFTHS, by=["side", "passed"])
    other = svy.standardize(sy.mean("api00"), adjust="stype", shares=turned, by=["passed", "side"])
    for side in ("left", "right"):
        for passed in (False, True):
            near(one[side, passed].value, other[side, passed].value)
            near(one[side, passed].se, other[side, passed].se)


@pytest.mark.parametrize("statistic", [sy.mean("api00"), sy.proportion("sch.wide", positive="Yes")])
def test_the_own_composition_gives_the_plain_estimate(
    svy: sy.Survey, statistic: sy.Statistic
) -> None:
    own = svy.proportion("grade")
    shares = dict(zip(own.labels.level, own.estimate, strict=True))
    got = svy.standardize(statistic, adjust="grade", shares=shares)
    assert got.value == pytest.approx(svy.estimate(statistic).value, rel=1e-12)


def test_strata_fixed_by_the_design_give_the_plain_error() -> None:
    # Shares of the strata have no error in a stratified sample: nothing is taken out of it.
    svy = survey("strat_fpc")
    own = svy.proportion("stype")
    shares = dict(zip(own.labels.level, own.estimate, strict=True))
    got, mean = svy.standardize(sy.mean("api00"), adjust="stype", shares=shares), svy.mean("api00")
    near([got.value, *got.se], [mean.value, *mean.se])


def test_groups_of_one_composition_do_not_change(rows: pl.DataFrame) -> None:
    twice = pl.concat([rows.with_columns(copy=pl.lit(c)) for c in ("a", "b")])
    got = sy.Survey(twice, weights="pw", clusters="index").standardize(
        sy.mean("api00"), adjust="stype", shares=FIFTHS, by="copy"
    )
    assert got["a"].value == got["b"].value
    assert (got["a"] - got["b"]).se[0] == pytest.approx(0, abs=1e-9 * got.se[0])


def test_numbers_of_people_are_shares(svy: sy.Survey) -> None:
    total = sum(SCHOOLS.values())
    people = svy.standardize(sy.mean("api00"), adjust="stype", shares=SCHOOLS)
    shares = {level: n / total for level, n in SCHOOLS.items()}
    near(people.cov, svy.standardize(sy.mean("api00"), adjust="stype", shares=shares).cov)
    near(people.estimate, svy.standardize(sy.mean("api00"), adjust="stype", shares=shares).estimate)


def test_all_in_one_level_is_its_mean(svy: sy.Survey) -> None:
    got = svy.standardize(sy.mean("api00"), adjust="stype", shares={"E": 0, "H": 1, "M": 0})
    mean = svy.mean("api00", by="stype")["H"]
    near([got.value, *got.se], [mean.value, *mean.se])
    assert got.n.tolist() == [50]


def test_the_formula(rows: pl.DataFrame, svy: sy.Survey) -> None:
    """Sum of share times group mean; rows without an answer are not of the mean."""
    got = svy.standardize(sy.mean("holes"), adjust="stype", shares=FIFTHS, by="side")
    for (side,), part in rows.filter(pl.col("holes").is_not_null()).group_by("side"):
        wanted = sum(
            share * np.average(inside["holes"], weights=inside["pw"])
            for level, share in FIFTHS.items()
            for inside in [part.filter(pl.col("stype") == level)]
        )
        assert got[side].value == pytest.approx(wanted, rel=1e-12)
        assert got[side].n[0] == len(part)
    assert got.missing.sum() == 200 - got.n.sum()


def test_where_is_a_domain(svy: sy.Survey, rows: pl.DataFrame) -> None:
    got = svy.standardize(
        sy.mean("api00"), adjust="grade", shares={0: 1, 1: 2, 2: 1}, where={"stype": ["H", "M"]}
    )
    inside = pl.when(pl.col("stype") != "E").then(pl.col("pw")).otherwise(0).alias("pw")
    other = sy.Survey(rows.with_columns(inside), weights="pw")
    wanted = other.standardize(sy.mean("api00"), adjust="grade", shares={0: 1, 1: 2, 2: 1})
    near([got.value, *got.se], [wanted.value, *wanted.se])


def test_several_columns_have_tuples_for_keys(svy: sy.Survey) -> None:
    pairs = {(s, p): 1 + i for i, (s, p) in enumerate((s, p) for s in "EHM" for p in (True, False))}
    got = svy.standardize(sy.mean("api00"), adjust=["stype", "passed"], shares=pairs)
    parts = svy.mean("api00", by=["stype", "passed"])
    wanted = sum(n * parts[key].value for key, n in pairs.items()) / sum(pairs.values())
    assert got.value == pytest.approx(wanted, rel=1e-12)
    turned = {(p, s): n for (s, p), n in pairs.items()}
    other = svy.standardize(sy.mean("api00"), adjust=["passed", "stype"], shares=turned)
    near([got.value, *got.se], [other.value, *other.se])


@pytest.mark.parametrize(
    ("adjust", "shares"),
    [
        ("passed", {True: 1, False: 3}),
        ("grade", {0: 1, 1: 1, 2: 1}),
        ("grade", {0.0: 1, 1.0: 1, 2.0: 1}),
    ],
)
def test_levels_are_booleans_and_numbers(svy: sy.Survey, adjust: str, shares: dict) -> None:
    got = svy.standardize(sy.mean("api00"), adjust=adjust, shares=shares)
    parts = svy.mean("api00", by=adjust)
    wanted = sum(n * parts[level].value for level, n in shares.items()) / sum(shares.values())
    assert got.value == pytest.approx(wanted, rel=1e-12)


def test_shares_of_a_question_add_up_and_have_their_intervals(svy: sy.Survey) -> None:
    got = svy.standardize(sy.proportion("grade"), adjust="stype", shares=FIFTHS, by="side")
    assert got.estimate.reshape(2, 3).sum(axis=1) == pytest.approx([1, 1], abs=1e-12)
    near(got.cov.reshape(2, 3, 6).sum(axis=1) + 1, np.ones((2, 6)))
    p, se = got.estimate, got.se
    low = 1 / (1 + np.exp(-(np.log(p / (1 - p)) - 1.9719565 * se / (p * (1 - p)))))
    assert got.ci()[:, 0] == pytest.approx(low, rel=1e-5)


def test_differences_of_groups(svy: sy.Survey) -> None:
    got = svy.standardize(sy.mean("api00"), adjust="stype", shares=FIFTHS, by="side")
    gap = got["right"] - got["left"]
    c = got.cov
    assert gap.se[0] == pytest.approx(np.sqrt(c[0, 0] + c[1, 1] - 2 * c[0, 1]), rel=1e-12)
    assert got.equality_test().p_value == pytest.approx(gap.p_value()[0], rel=1e-9)


def test_rows_without_label_are_counted(svy: sy.Survey) -> None:
    got = svy.standardize(sy.mean("api00"), adjust="words", shares=FIFTHS)
    assert got.n.tolist() == [181]
    assert "19 rows belong to no group: a label is missing" in repr(got)


def test_a_level_of_share_0_may_be_empty(rows: pl.DataFrame) -> None:
    no_answers = pl.when(pl.col("stype") != "H").then(pl.col("api00")).alias("api00")
    svy = sy.Survey(rows.with_columns(no_answers), weights="pw")
    got = svy.standardize(sy.mean("api00"), adjust="stype", shares={"E": 1, "H": 0, "M": 1})
    assert math.isfinite(got.value)
    assert math.isfinite(got.se[0])
    assert got.value == pytest.approx(svy.mean("api00", by="stype").estimate[[0, 2]].mean())
    unknown = svy.standardize(
        sy.mean("api00"), adjust="stype", shares={"E": 1, "H": 0, "M": 1, "X": 0}
    )
    assert unknown.value == got.value


# Refusals


@pytest.mark.parametrize(
    ("shares", "error", "message"),
    [
        ({"E": 1, "H": 2}, UnknownLevel, r"shares= has no share for M of stype. .*'E', 'H'"),
        ({"E": 1, "H": 2, "m": 3}, UnknownLevel, "shares= has no share for M of stype"),
        ({"E": 1, "H": 2, "M": 3, "X": 1}, EmptyDomain, "no answer to 'api00' in X of stype"),
        ({"E": -1, "H": 2, "M": 3}, ValueError, "none negative, one positive"),
        ({"E": 0, "H": 0, "M": 0}, ValueError, "none negative, one positive"),
        ({}, ValueError, "none negative, one positive"),
        ({"E": math.nan, "H": 2, "M": 3}, ValueError, "none negative, one positive"),
        ({"E": math.inf, "H": 2, "M": 3}, ValueError, "none negative, one positive"),
        ({("E", "x"): 1, ("H", "x"): 1}, ValueError, r"shares= are by stype"),
    ],
)
def test_shares_are_checked(
    svy: sy.Survey, shares: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        svy.standardize(sy.mean("api00"), adjust="stype", shares=shares)


def test_keys_are_tuples_for_several_columns(svy: sy.Survey) -> None:
    with pytest.raises(
        ValueError, match=r"by stype, passed: with several columns, keys are tuples"
    ):
        svy.standardize(sy.mean("api00"), adjust=["stype", "passed"], shares=FIFTHS)


def test_an_empty_part_of_a_group_is_named(rows: pl.DataFrame) -> None:
    svy = sy.Survey(rows.with_columns(copy=pl.col("stype")), weights="pw")
    with pytest.raises(EmptyDomain, match=r"no answer to 'api00' in H of copy for E: merge it"):
        svy.standardize(sy.mean("api00"), adjust="copy", shares=FIFTHS, by="stype")


def test_columns_are_checked(svy: sy.Survey) -> None:
    with pytest.raises(ColumnNotFound, match="no column 'stypo'"):
        svy.standardize(sy.mean("api00"), adjust="stypo", shares=FIFTHS)
    with pytest.raises(NotNumeric, match="'side' is text"):
        svy.standardize(sy.mean("side"), adjust="stype", shares=FIFTHS)
    with pytest.raises(ValueError, match="level=95 is not a confidence level"):
        svy.standardize(sy.mean("api00"), adjust="stype", shares=FIFTHS, level=95)
    with pytest.raises(ValueError, match="there is nothing to estimate"):
        svy.standardize([], adjust="stype", shares=FIFTHS)


def test_a_column_is_not_both_group_and_composition(svy: sy.Survey) -> None:
    """Each school type with the shares of all types has no meaning: refused."""
    with pytest.raises(ValueError, match="stype"):
        svy.standardize(sy.mean("api00"), adjust="stype", shares=FIFTHS, by="stype")


@pytest.mark.parametrize("design", ["clus2_fpc2", "clus2_nofpc", "srs_fpc"])
def test_a_saturated_model_gives_the_same(design: str) -> None:
    svy = survey(design)
    fit = svy.glm("api00 ~ 0 + stype").coefficients
    got = svy.standardize(sy.mean("api00"), adjust="stype", shares=FIFTHS)
    wanted = fit.transform(lambda x: 0.2 * x[0] + 0.3 * x[1] + 0.5 * x[2])
    near([got.value, *got.se], [wanted.value, *wanted.se])


def test_text_fits_80_columns(svy: sy.Survey) -> None:
    got = svy.standardize(
        [sy.mean("api00"), sy.proportion("grade")],
        adjust="stype",
        shares=FIFTHS,
        by=["side", "passed"],
    )
    assert max(map(len, repr(got).splitlines())) <= 80
    assert len(got.to_polars()) == 16


@pytest.mark.parametrize(
    "statistic", [sy.total("api00"), sy.sd("api00"), sy.ratio("api00", "api99")]
)
def test_what_is_no_mean_is_not_standardised(svy: sy.Survey, statistic: sy.Statistic) -> None:
    with pytest.raises(ValueError, match="are standardised, as weighted means"):
        svy.standardize(statistic, adjust="stype", shares=SCHOOLS)


def test_degrees_of_freedom_of_a_domain_are_those_of_the_whole_group() -> None:
    svy = sy.Survey(schools("clus1_fpc"), weights="pw", clusters="dnum", fpc="fpc", df="domain")
    got = svy.standardize(sy.mean("api00"), adjust="stype", shares=SCHOOLS, by="sch.wide")
    assert got.degrees_of_freedom() == pytest.approx(
        svy.mean("api00", by="sch.wide").degrees_of_freedom()
    )
