"""Regressions by formula: against R, by brute force, and what formulas and frames may do."""

import math
import sys

import numpy as np
import polars as pl
import pytest
from r_values import OF_R, near, of_r, schools, survey

import steelyard as sy
from steelyard.errors import (
    ColumnNotFound,
    EmptyDomain,
    FitFailed,
    FormulaError,
    NotNumeric,
    SteelyardError,
    UnknownLevel,
    UnorderedLevels,
)

# R's iterations stop where the deviance changes by less than 1e-14 of it: its score is not yet 0.
ITERATED = 5e-7
ANSWERS = ["low", "middle", "high", "top"]
LOGIT = {"family": "binomial", "positive": "Yes"}


def with_ratings(frame: pl.DataFrame) -> pl.DataFrame:
    limits = np.array([550, 650, 750])
    rate = [ANSWERS[code] for code in np.searchsorted(limits, frame["api00"])]
    return frame.with_columns(rate=pl.Series(rate, dtype=pl.Enum(ANSWERS)))


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    frame = with_ratings(schools("strat_fpc")).with_row_index()
    i = pl.col("index").cast(pl.Int64)
    return frame.with_columns(
        grade=i * 7 % 3,
        passed=i % 3 == 0,
        side=pl.when(i % 2 == 0).then(pl.lit("left")).otherwise(pl.lit("right")),
        holes=pl.when(i % 7 != 0).then(pl.col("ell")),
        words=pl.when(i % 11 != 0).then(pl.col("stype")),
        logs=pl.col("enroll").log(),
        many=pl.col("api.stu"),
    )


@pytest.fixture(scope="module")
def svy(rows: pl.DataFrame) -> sy.Survey:
    return sy.Survey(rows, weights="pw", strata="stype", fpc="fpc")


def keys(fit: sy.Regression | sy.OrdinalRegression) -> list[tuple]:
    return list(zip(fit.coefficients.labels.variable, fit.coefficients.labels.level, strict=True))


# Figures of R

MODELS = {
    "probit": ("`sch.wide` ~ ell + meals", {**LOGIT, "link": "probit"}),
    "cloglog": ("`sch.wide` ~ ell + meals", {**LOGIT, "link": "cloglog"}),
    "gamma": ("api00 ~ ell + meals", {"family": "gamma"}),
    "gamma_log": ("api00 ~ ell + meals", {"family": "gamma", "link": "log"}),
    "poisson_offset": ("`api.stu` ~ ell + stype", {"family": "poisson", "offset": "logs"}),
    "interaction": ("api00 ~ ell * stype", {}),
    "domain": ("api00 ~ ell + stype", {"where": {"comp.imp": "Yes"}}),
    "domain_logit": ("`sch.wide` ~ ell + meals", {**LOGIT, "where": pl.col("stype") != "H"}),
    "spline": ("api00 ~ bs(meals, df=4) + I(ell ** 2) + np.log(enroll)", {}),
}


@pytest.mark.parametrize("design", OF_R)
@pytest.mark.parametrize("name", MODELS)
def test_models_equal_r(design: str, name: str) -> None:
    formula, arguments = MODELS[name]
    frame = schools(design).with_columns(logs=pl.col("enroll").log())
    fit = survey(design, frame, df="domain").glm(formula, **arguments)
    near(fit.coefficients.estimate, of_r(design, name, "coef"), ITERATED)
    near(fit.coefficients.se, of_r(design, name, "se"), ITERATED)
    assert fit.coefficients.degrees_of_freedom().tolist() == [of_r(design, name, "df")[0]] * len(
        fit.coefficients
    )


@pytest.mark.parametrize("design", OF_R)
@pytest.mark.parametrize("scale", ["response", "link"])
def test_predictions_equal_r(design: str, scale: str) -> None:
    fit = survey(design).glm("`sch.wide` ~ ell + meals", **LOGIT)
    made = fit.predict(pl.DataFrame({"ell": [5, 30], "meals": [20, 80]}), scale=scale)
    near(made.estimate, of_r(design, f"predict_{scale}", "coef"), ITERATED)
    wanted = of_r(design, f"predict_{scale}", "cov").reshape(2, 2)
    near(made.cov, wanted, ITERATED)


@pytest.mark.parametrize("design", OF_R)
@pytest.mark.parametrize(
    ("name", "formula", "link"),
    [
        ("olr", "rate ~ ell + stype", "logit"),
        ("olr_probit", "rate ~ ell + stype", "probit"),
        ("olr_cloglog", "rate ~ ell", "cloglog"),
    ],
)
def test_ordinal_models_equal_r(design: str, name: str, formula: str, link: str) -> None:
    # R's Hessian is by finite differences of optim, and its fit stops early.
    svy = survey(design, with_ratings(schools(design)))
    fit = svy.ologit(formula, link=link)
    assert fit.coefficients.labels.level[-3:] == ["low | middle", "middle | high", "high | top"]
    estimate, se = fit.coefficients.estimate, fit.coefficients.se
    if link == "cloglog":  # of R, a log-log link: the complementary one of answers turned round
        turned = svy.ologit(formula, link=link, levels=ANSWERS[::-1]).coefficients
        estimate, se = -turned.estimate[[0, 3, 2, 1]], turned.se[[0, 3, 2, 1]]
    assert (np.abs(estimate - of_r(design, name, "coef")) < 1e-4 * se).all()
    assert se == pytest.approx(of_r(design, name, "se"), rel=1e-3)


# Formulas


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("api00 ~ 1", [("(Intercept)", None)]),
        ("api00 ~ ell - 1", [("ell", None)]),
        ("api00 ~ stype - 1", [("stype", "E"), ("stype", "H"), ("stype", "M")]),
        (
            "api00 ~ stype * passed",
            [
                *[("(Intercept)", None), ("stype", "H"), ("stype", "M"), ("passed", True)],
                *[("stype:passed", "H : True"), ("stype:passed", "M : True")],
            ],
        ),
        # R: no main effect of side, so all its levels in the interaction.
        (
            "api00 ~ stype + stype:side",
            [
                *[("(Intercept)", None), ("stype", "H"), ("stype", "M")],
                *[("stype:side", f"{s} : right") for s in "EHM"],
            ],
        ),
        (
            "api00 ~ ell:stype",
            [("(Intercept)", None), *[("ell:stype", s) for s in "EHM"]],
        ),
        (
            "api00 ~ stype:side - 1",
            [("stype:side", f"{s} : {side}") for side in ("left", "right") for s in "EHM"],
        ),
        (
            "api00 ~ (side + stype) ** 2",
            [
                *[("(Intercept)", None), ("side", "right"), ("stype", "H"), ("stype", "M")],
                *[("side:stype", "right : H"), ("side:stype", "right : M")],
            ],
        ),
        (
            "api00 ~ side / stype",
            [
                *[("(Intercept)", None), ("side", "right")],
                *[("side:stype", f"{side} : {s}") for s in "HM" for side in ("left", "right")],
            ],
        ),
        ("api00 ~ ell + stype - stype", [("(Intercept)", None), ("ell", None)]),
        ("api00 ~ ell + ell", [("(Intercept)", None), ("ell", None)]),
        ("api00 ~ C(grade)", [("(Intercept)", None), ("C(grade)", 1), ("C(grade)", 2)]),
        ("api00 ~ `sch.wide`", [("(Intercept)", None), ("sch.wide", "Yes")]),
        (
            "np.log(api00) ~ np.sqrt(ell) + I(meals / 10)",
            [("(Intercept)", None), ("np.sqrt(ell)", None), ("I(meals / 10)", None)],
        ),
        ("api00 ~ I(`api.stu` / enroll)", [("(Intercept)", None), ("I(`api.stu` / enroll)", None)]),
        (
            "api00 ~ bs(ell, df=3)",
            [("(Intercept)", None), *[("bs(ell, df=3)", j) for j in (1, 2, 3)]],
        ),
    ],
)
def test_columns_are_those_of_r(svy: sy.Survey, formula: str, wanted: list[tuple]) -> None:
    fit = svy.glm(formula)
    assert keys(fit) == wanted
    assert fit.aliased == []


@pytest.mark.parametrize("design", OF_R)
def test_without_intercept_only_the_first_factor_has_all_levels(design: str) -> None:
    fit = survey(design).glm("api00 ~ 0 + stype + `sch.wide`")
    assert keys(fit) == [("stype", "E"), ("stype", "H"), ("stype", "M"), ("sch.wide", "Yes")]
    assert fit.aliased == []
    near(fit.coefficients.estimate, of_r(design, "no_intercept", "coef"))
    near(fit.coefficients.se, of_r(design, "no_intercept", "se"))


def test_a_condition_is_one_column() -> None:
    """As R's I(ell > 20)TRUE."""
    fit = survey("strat_fpc").glm("api00 ~ I(ell > 20)")
    assert len(fit.coefficients) == 2
    assert keys(fit)[1] != ("I(ell > 20)", 1)
    assert fit.aliased == []


def test_a_condition_as_response(svy: sy.Survey, rows: pl.DataFrame) -> None:
    """As R's svyglm(I(sch.wide == 'Yes') ~ ell)."""
    fit = svy.glm("I(api00 > 700) ~ ell", family="binomial")
    column = sy.Survey(
        rows.with_columns(high=pl.col("api00") > 700), weights="pw", strata="stype", fpc="fpc"
    ).glm("high ~ ell", family="binomial")
    near(fit.coefficients.estimate, column.coefficients.estimate)


def test_reference_changes_the_level_of_comparison(svy: sy.Survey) -> None:
    fit = svy.glm("api00 ~ stype + ell", reference={"stype": "M"})
    assert keys(fit) == [("(Intercept)", None), ("stype", "E"), ("stype", "H"), ("ell", None)]
    plain = svy.glm("api00 ~ stype + ell").coefficients["stype"]
    near(fit.coefficients["stype", "E"].estimate, -plain["M"].estimate)
    near(fit.coefficients["stype", "H"].estimate, (plain["H"] - plain["M"]).estimate)
    near(fit.coefficients["stype", "H"].se, (plain["H"] - plain["M"]).se)
    coded = svy.glm("api00 ~ C(grade)", reference={"grade": 2})
    assert keys(coded) == [("(Intercept)", None), ("C(grade)", 0), ("C(grade)", 1)]
    # Predictions and effects do not forget it.
    frame = pl.DataFrame({"stype": ["M", "E"], "ell": [1.0, 2.0]})
    near(fit.predict(frame).estimate, svy.glm("api00 ~ stype + ell").predict(frame).estimate)
    assert fit.average_effects("stype").labels.level == ["E", "H"]


def test_reference_is_checked(svy: sy.Survey) -> None:
    with pytest.raises(UnknownLevel, match=r"'m' in reference= is no level of column 'stype'"):
        svy.glm("api00 ~ stype", reference={"stype": "m"})


def test_reference_names_variables_of_the_formula(svy: sy.Survey) -> None:
    with pytest.raises((FormulaError, ColumnNotFound), match="stypo"):
        svy.glm("api00 ~ stype", reference={"stypo": "M"})


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("~ ell", "has no response: write one before ~"),
        ("ell", "has no response: write one before ~"),
        ("api00 + api99 ~ ell", "has 2 responses, and one is modelled"),
        ("api00 ~ ell +", "is no formula"),
        ("api00 ~ .", "is no formula"),
        ("api00 ~ (ell", "is no formula"),
        ("api00 ~ elll", r"'elll' is no column and cannot be computed .* Did you mean 'ell'\?"),
        ("apy00 ~ ell", r"'apy00' is no column and cannot be computed .* Did you mean 'api00'\?"),
        (
            "api00 ~ C(stype, Sum)",
            r"C\(\) takes the name of one column; choose the level .* reference=",
        ),
        ("api00 ~ np.nothing(ell)", "is no column and cannot be computed"),
        (
            "stype ~ ell",
            "'stype' is not a column of numbers: name the answers that count in positive=",
        ),
        ("C(api00) ~ ell", "is not a column of numbers"),
    ],
)
def test_formulas_that_cannot_be_read(svy: sy.Survey, formula: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        svy.glm(formula)


def test_formulas_of_several_parts_are_refused(svy: sy.Survey) -> None:
    with pytest.raises(FormulaError, match=r"\|"):
        svy.glm("api00 ~ ell | meals")


def test_formulaic_missing_is_said(svy: sy.Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "formulaic", None)
    with pytest.raises(ImportError, match=r"formulaic: pip install 'steelyard\[model\]'"):
        svy.glm("api00 ~ ell")


def test_combinations_of_other_columns_are_left_out(svy: sy.Survey) -> None:
    fit = svy.glm("api00 ~ ell + I(2 * ell) + meals")
    plain = svy.glm("api00 ~ ell + meals")
    assert fit.aliased == ["I(2 * ell)"]
    assert keys(fit) == keys(plain)
    near(fit.coefficients.cov, plain.coefficients.cov)
    assert "left out, as combinations of other columns: I(2 * ell)" in repr(fit)
    empty = svy.glm("api00 ~ stype:side")
    assert empty.aliased == ["stype:side[M : right]"]  # as the NA of R
    frame = pl.DataFrame({"ell": [1.0], "meals": [2.0]})
    near(fit.predict(frame).estimate, plain.predict(frame).estimate)
    near(fit.predict(frame).se, plain.predict(frame).se)


# Responses, families and links


def test_families_and_links_are_checked(svy: sy.Survey) -> None:
    with pytest.raises(ValueError, match="family='normal' is none of 'gaussian', 'binomial'"):
        svy.glm("api00 ~ ell", family="normal")
    with pytest.raises(ValueError, match="no link 'sqrt': choose one of 'identity'"):
        svy.glm("api00 ~ ell", link="sqrt")
    with pytest.raises(ValueError, match="family is not offered with this link"):
        svy.glm("api00 ~ ell", link="logit")
    with pytest.raises(ValueError, match="level=95 is not a confidence level"):
        svy.glm("api00 ~ ell", level=95)


@pytest.mark.parametrize(
    ("formula", "arguments", "rows_at_fault"),
    [
        ("api00 ~ ell", {"family": "binomial"}, 200),
        ("I(api00 - 600) ~ ell", {"family": "poisson"}, 68),
        ("I(ell * 1.0) ~ meals", {"family": "gamma"}, 13),
        ("api00 ~ ell", {"family": "binomial", "where": {"stype": "H"}}, 50),
    ],
)
def test_responses_out_of_range_are_counted(
    svy: sy.Survey, formula: str, arguments: dict, rows_at_fault: int
) -> None:
    with pytest.raises(FitFailed, match="has values that the family does not allow") as raised:
        svy.glm(formula, **arguments)
    assert raised.value.count == rows_at_fault
    assert formula in str(raised.value)
    assert f"in {rows_at_fault} rows (first: " in str(raised.value)


def test_separation_names_the_column(rows: pl.DataFrame) -> None:
    frame = rows.with_columns(high=pl.col("api00") > 700, above=pl.col("api00") - 700.5)
    svy = sy.Survey(frame, weights="pw")
    with pytest.raises(FitFailed, match=r"is separated by .*'above'.*: their coefficients have no"):
        svy.glm("high ~ above", family="binomial")
    empty = frame.with_columns(high=(pl.col("stype") != "H") & (pl.col("index") % 2 == 0))
    with pytest.raises(FitFailed, match=r"separated by 'stype\[H\]'") as raised:
        sy.Survey(empty, weights="pw").glm("high ~ stype + ell", family="binomial")
    assert "'ell'" not in str(raised.value)
    nobody = frame.with_columns(
        times=pl.when(pl.col("stype") == "H").then(0).otherwise(pl.col("grade"))
    )
    with pytest.raises(FitFailed, match=r"separated by 'stype\[H\]'"):
        sy.Survey(nobody, weights="pw").glm("times ~ stype", family="poisson")


def test_positive_answers(svy: sy.Survey) -> None:
    yes = svy.glm("`sch.wide` ~ ell", family="binomial", positive="Yes")
    no = svy.glm("`sch.wide` ~ ell", family="binomial", positive=["No"])
    near(yes.coefficients.estimate, -no.coefficients.estimate)
    near(yes.coefficients.cov, no.coefficients.cov)
    with pytest.raises(UnknownLevel, match=r"'yes' does not occur in column 'sch.wide'"):
        svy.glm("`sch.wide` ~ ell", family="binomial", positive="yes")


def test_quasi_families_are_the_same(svy: sy.Survey) -> None:
    for family in ("binomial", "poisson"):
        formula = "passed ~ ell + stype"
        one, other = svy.glm(formula, family=family), svy.glm(formula, family=f"quasi{family}")
        assert one.coefficients.cov.tolist() == other.coefficients.cov.tolist()


def test_offset(svy: sy.Survey, rows: pl.DataFrame) -> None:
    # In a linear model an offset is taken from the response.
    fit = svy.glm("api00 ~ ell", offset="api99")
    change = rows.with_columns(change=pl.col("api00") - pl.col("api99"))
    wanted = sy.Survey(change, weights="pw", strata="stype", fpc="fpc").glm("change ~ ell")
    near(fit.coefficients.estimate, wanted.coefficients.estimate)
    near(fit.coefficients.cov, wanted.coefficients.cov)
    # A Poisson model of a rate: the constant alone is the ratio of totals.
    rate = svy.glm("many ~ 1", family="poisson", offset="logs").coefficients.exp()
    ratio = svy.ratio("many", "enroll")
    assert rate.value == pytest.approx(ratio.value, rel=1e-9)
    assert rate.se[0] == pytest.approx(ratio.se[0], rel=1e-9)
    assert svy.glm("api00 ~ ell", offset="holes").missing == 29
    with pytest.raises(ColumnNotFound, match="no column 'log'"):
        svy.glm("api00 ~ ell", offset="log")
    with pytest.raises(NotNumeric, match="'stype' is text"):
        svy.glm("api00 ~ ell", offset="stype")


def test_predictions_have_the_offset(svy: sy.Survey, rows: pl.DataFrame) -> None:
    fit = svy.glm("many ~ ell", family="poisson", offset="logs")
    made = fit.predict(rows).estimate
    near(np.average(made, weights=rows["pw"]), svy.mean("many").value)


# Domains and missing values


@pytest.mark.parametrize("formula", ["api00 ~ holes + words", "holes ~ words + meals"])
@pytest.mark.parametrize("where", [None, {"side": "left"}])
def test_missing_values_are_counted_in_the_domain(
    svy: sy.Survey, rows: pl.DataFrame, formula: str, where: dict | None
) -> None:
    fit = svy.glm(formula, where=where)
    inside = rows if where is None else rows.filter(pl.col("side") == "left")
    complete = inside.drop_nulls(["holes", "words"])
    assert (fit.n, fit.missing) == (len(complete), len(inside) - len(complete))
    assert set(fit.coefficients.n) == {fit.n}
    assert f"({fit.missing} left out: a value is missing)" in " ".join(repr(fit).split())
    # A domain is the sample with all other weights 0.
    kept = pl.col("index").is_in(complete["index"].implode())
    same = rows.with_columns(pl.when(kept).then(pl.col("pw")).otherwise(0).alias("pw"))
    other = sy.Survey(same, weights="pw", strata="stype", fpc="fpc").glm(formula)
    near(fit.coefficients.estimate, other.coefficients.estimate)
    near(fit.coefficients.cov, other.coefficients.cov)


@pytest.mark.parametrize("term", ["np.log(holes + 1)", "I(holes * 2)", "bs(holes, df=4)", "holes"])
def test_missing_values_pass_through_expressions(svy: sy.Survey, term: str) -> None:
    assert svy.glm(f"api00 ~ {term}").missing == 29


def test_missing_values_do_not_spread_in_expressions(svy: sy.Survey) -> None:
    assert svy.glm("api00 ~ center(holes)").missing == 29


def test_nothing_to_fit(svy: sy.Survey, rows: pl.DataFrame) -> None:
    with pytest.raises(EmptyDomain, match="where= holds for no row"):
        svy.glm("api00 ~ ell", where=pl.col("api00") < 0)
    nothing = sy.Survey(rows.with_columns(nothing=pl.lit(None, pl.Float64)), weights="pw")
    with pytest.raises(EmptyDomain, match="'nothing' has no answers at all"):
        nothing.glm("api00 ~ nothing")
    with pytest.raises(FitFailed, match="api00 ~ 0"):
        svy.glm("api00 ~ 0")


# A level of which the model has no rows


def test_a_level_outside_the_domain_has_no_prediction(svy: sy.Survey) -> None:
    """R drops the level, and refuses to predict at it."""
    fit = svy.glm("api00 ~ stype + ell", where={"stype": ["E", "H"]})
    assert keys(fit) == [("(Intercept)", None), ("stype", "H"), ("ell", None)]
    assert fit.average_predictions("stype").labels.level == ["E", "H"]
    with pytest.raises(UnknownLevel, match="'M'"):
        fit.predict(pl.DataFrame({"stype": ["M"], "ell": [1.0]}))


def test_the_first_level_outside_the_domain(svy: sy.Survey) -> None:
    fit = svy.glm("api00 ~ stype + ell", where={"stype": ["H", "M"]})
    assert keys(fit) == [("(Intercept)", None), ("stype", "M"), ("ell", None)]
    assert fit.aliased == []


def test_a_declared_level_that_nobody_gave(rows: pl.DataFrame) -> None:
    offered = rows.with_columns(pl.col("side").cast(pl.Enum(["left", "right", "neither"])))
    fit = sy.Survey(offered, weights="pw").glm("api00 ~ side + ell")
    assert fit.average_predictions("side").labels.level == ["left", "right"]
    assert fit.average_effects("side").labels.level == ["right"]
    with pytest.raises(UnknownLevel, match="'neither'"):
        fit.predict(pl.DataFrame({"side": ["neither"], "ell": [1.0]}))


# Predictions


@pytest.mark.parametrize(
    ("formula", "arguments", "inverse"),
    [
        ("api00 ~ ell * stype", {}, lambda x: x),
        ("`sch.wide` ~ ell * stype", LOGIT, lambda x: 1 / (1 + np.exp(-x))),
        ("api00 ~ ell * stype", {"family": "gamma"}, lambda x: 1 / x),
        ("many ~ ell * stype", {"family": "poisson"}, np.exp),
    ],
)
def test_predictions_by_hand(svy: sy.Survey, formula: str, arguments: dict, inverse) -> None:
    fit = svy.glm(formula, **arguments)
    frame = pl.DataFrame({"ell": [0.0, 10.0, 25.5], "stype": ["M", "E", "H"]})
    ell, h, m = frame["ell"].to_numpy(), frame["stype"] == "H", frame["stype"] == "M"
    x = np.column_stack([np.ones(3), ell, h, m, ell * h.to_numpy(), ell * m.to_numpy()])
    link = x @ fit.coefficients.estimate
    made = fit.predict(frame, scale="link")
    near(made.estimate, link)
    near(made.cov, x @ fit.coefficients.cov @ x.T)
    assert made.labels.by["row"] == [0, 1, 2]
    response = fit.predict(frame)
    near(response.estimate, inverse(link))
    slope = (inverse(link * (1 + 1e-6)) - inverse(link * (1 - 1e-6))) / (2e-6 * link)
    near(response.se, np.abs(slope) * made.se, 1e-6)


def test_predictions_read_any_frame(svy: sy.Survey) -> None:
    fit = svy.glm("api00 ~ C(grade) + side + np.log(enroll)")
    frame = pl.DataFrame({"side": ["right"], "enroll": [300], "grade": [2], "other": ["x"]})
    wanted = fit.predict(frame).estimate
    assert fit.predict(frame.to_pandas()).estimate.tolist() == wanted.tolist()
    assert fit.predict(frame.to_arrow()).estimate.tolist() == wanted.tolist()
    more = pl.concat(
        [frame, frame.with_columns(grade=0, side=pl.lit("left"))], how="vertical_relaxed"
    )
    assert fit.predict(more).estimate[0] == wanted[0]
    constant = svy.glm("api00 ~ 1").predict(frame)
    assert constant.value == pytest.approx(svy.mean("api00").value)


def test_predictions_refuse_unknown_levels_and_columns(svy: sy.Survey) -> None:
    fit = svy.glm("api00 ~ stype + C(grade) + ell")
    good = {"stype": ["E"], "grade": [1], "ell": [3.0]}
    with pytest.raises(UnknownLevel, match=r"'X' \(1 row\) in column 'stype'"):
        fit.predict(pl.DataFrame({**good, "stype": ["X"]}))
    with pytest.raises(UnknownLevel, match=r"7 \(1 row\) in column 'grade'"):
        fit.predict(pl.DataFrame({**good, "grade": [7]}))
    with pytest.raises(ColumnNotFound, match="no column 'ell'"):
        fit.predict(pl.DataFrame(good).drop("ell"))
    with pytest.raises(
        ValueError, match="no scale of predictions 'mean': choose one of 'response'"
    ):
        fit.predict(pl.DataFrame(good), scale="mean")


def test_predictions_at_missing_values_say_so(svy: sy.Survey) -> None:
    fit = svy.glm("api00 ~ stype + ell")
    made = fit.predict(pl.DataFrame({"stype": ["E", None, "H"], "ell": [1.0, 2.0, None]}))
    assert np.isnan(made.estimate).tolist() == [False, True, True]
    assert np.isnan(made.se).tolist() == [False, True, True]
    assert made.notes == [None, "not defined for these values", "not defined for these values"]


@pytest.mark.parametrize(
    "frame", [{"side": ["left", "right"], "ell": ["5", "6"]}, {"side": [0, 5], "ell": [1.0, 2.0]}]
)
def test_predictions_refuse_columns_of_another_type(svy: sy.Survey, frame: dict) -> None:
    fit = svy.glm("api00 ~ side + ell")
    with pytest.raises((SteelyardError, TypeError)):
        fit.predict(pl.DataFrame(frame))


@pytest.mark.parametrize(
    "term", ["bs(ell, df=4)", "center(ell)", "scale(ell)", "poly(ell, 2)", "cr(ell, df=4)"]
)
def test_predictions_keep_the_terms_of_the_fit(
    svy: sy.Survey, rows: pl.DataFrame, term: str
) -> None:
    fit = svy.glm(f"api00 ~ {term}")
    all_rows = fit.predict(rows).estimate
    near(fit.predict(rows.head(20)).estimate, all_rows[:20])


# Averages

MEANS = {
    "gaussian": (lambda x: x, lambda x: np.ones_like(x), lambda x: np.zeros_like(x)),
    "binomial": (
        lambda x: 1 / (1 + np.exp(-x)),
        lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
        lambda x: np.exp(-x) * (np.exp(-x) - 1) / (1 + np.exp(-x)) ** 3,
    ),
    "poisson": (np.exp, np.exp, np.exp),
}


def by_hand(
    rows: pl.DataFrame,
    fit: sy.Regression,
    response: np.ndarray,
    family: str,
    ask: str,
    where: str | None,
) -> tuple[float, float]:
    """An average and its error, from one influence value a row; canonical links only."""
    mean, slope, bend = MEANS[family]
    ell, h, m = (rows[c].to_numpy() for c in ("ell", "h", "m"))
    w = rows["pw"].to_numpy() * (1.0 if where is None else (rows["side"] == where).to_numpy())
    b = fit.coefficients.estimate
    x = np.column_stack([np.ones(len(ell)), ell, h, m])
    inverse = np.linalg.inv((x * (w * slope(x @ b))[:, None]).T @ x)
    scores = x * (response - mean(x @ b))[:, None] @ inverse

    def at(level: str) -> tuple[np.ndarray, np.ndarray]:
        set_ = np.column_stack(
            [x[:, :2], np.full(len(ell), level == "H"), np.full(len(ell), level == "M")]
        )
        return mean(set_ @ b), set_ * slope(set_ @ b)[:, None]

    if ask == "ell":
        each = b[1] * slope(x @ b)
        derivative = x * (b[1] * bend(x @ b))[:, None]
        derivative[:, 1] += slope(x @ b)
    elif ask == "overall":
        each, derivative = mean(x @ b), x * slope(x @ b)[:, None]
    elif ask == "H":
        each, derivative = at("H")
    else:  # the effect of H against E
        each = at("H")[0] - at("E")[0]
        derivative = at("H")[1] - at("E")[1]
    value = np.average(each, weights=w)
    gradient = np.average(derivative, axis=0, weights=w)
    influence = (each - value) / w.sum() + scores @ gradient
    influenced = rows.with_columns(influence=pl.Series(np.where(w > 0, influence, 0)))
    svy = sy.Survey(influenced, weights="pw", clusters="dnum")
    return float(value), float(svy.total("influence").se[0])


@pytest.mark.parametrize("family", MEANS)
@pytest.mark.parametrize("where", [None, "left"])
def test_averages_by_hand(rows: pl.DataFrame, family: str, where: str | None) -> None:
    frame = rows.with_columns(h=(pl.col("stype") == "H") * 1.0, m=(pl.col("stype") == "M") * 1.0)
    svy = sy.Survey(frame, weights="pw", clusters="dnum")
    name = {"gaussian": "api00", "binomial": "passed", "poisson": "grade"}[family]
    fit = svy.glm(
        f"{name} ~ ell + stype", family=family, where=None if where is None else {"side": where}
    )
    found = {
        "ell": fit.average_effects("ell"),
        "overall": fit.average_predictions(),
        "H": fit.average_predictions("stype")["H"],
        "H - E": fit.average_effects("stype")["H"],
    }
    response = frame[name].cast(pl.Float64).to_numpy()
    for ask, got in found.items():
        value, error = by_hand(frame, fit, response, family, ask, where)
        assert got.value == pytest.approx(value, rel=1e-9), ask
        assert got.se[0] == pytest.approx(error, rel=1e-7), ask


def test_averages_of_a_linear_model_are_known(svy: sy.Survey) -> None:
    fit = svy.glm("api00 ~ ell + side + C(grade)")
    effects = fit.average_effects()
    assert list(zip(effects.labels.variable, effects.labels.level, strict=True)) == [
        *[("ell", None), ("side", "right"), ("C(grade)", 1), ("C(grade)", 2)]
    ]
    near(effects["ell"].estimate, fit.coefficients["ell"].estimate)
    near(
        effects.se,
        [fit.coefficients[k].se[0] for k in ("ell", "side")]
        + fit.coefficients["C(grade)"].se.tolist(),
    )
    mean = svy.mean("api00")
    near([fit.average_predictions().value, *fit.average_predictions().se], [mean.value, *mean.se])
    margins = fit.average_predictions("grade")
    gap = margins[2] - margins[0]
    near([gap.value, gap.se[0]], [effects["C(grade)", 2].value, effects["C(grade)", 2].se[0]])


def test_effects_follow_interactions(svy: sy.Survey, rows: pl.DataFrame) -> None:
    fit = svy.glm("api00 ~ ell * stype")
    shares = svy.proportion("stype").estimate
    slopes = fit.coefficients.estimate[[1, 4, 5]]
    near(fit.average_effects("ell").value, slopes @ [1, *shares[1:]])
    ell = svy.mean("ell").value
    wanted = fit.coefficients.estimate[[2, 3]] + ell * fit.coefficients.estimate[[4, 5]]
    near(fit.average_effects("stype").estimate, wanted)
    step = [fit.predict(rows.with_columns(pl.col("ell") + d)).estimate for d in (0.5, -0.5)]
    near(fit.average_effects("ell").value, np.average(step[0] - step[1], weights=rows["pw"]), 1e-8)


@pytest.mark.parametrize("term", ["I(ell ** 2)", "np.log(ell + 1)", "ell:I(ell / 10)"])
def test_effects_follow_expressions(svy: sy.Survey, rows: pl.DataFrame, term: str) -> None:
    """Or refuse: half of the effect of a variable is none."""
    fit = svy.glm(f"api00 ~ ell + {term}")
    try:
        effect = fit.average_effects("ell").value
    except FormulaError:
        return
    step = [fit.predict(rows.with_columns(pl.col("ell") + d)).estimate for d in (1e-4, -1e-4)]
    inside = np.average(step[0] - step[1], weights=rows["pw"]) / 2e-4
    assert effect == pytest.approx(inside, rel=1e-5)


def test_averages_refuse(svy: sy.Survey) -> None:
    fit = svy.glm("api00 ~ ell + bs(meals, df=4) + stype")
    with pytest.raises(FormulaError, match=r"no variable 'meal'.*There are: 'ell'"):
        fit.average_effects("meal")
    with pytest.raises(FormulaError, match="makes several columns: it has no single slope"):
        fit.average_effects("bs(meals, df=4)")
    with pytest.raises(FormulaError, match="'ell' is not categorical: predict"):
        fit.average_predictions("ell")


def test_a_constant_has_no_effects_and_no_terms(svy: sy.Survey) -> None:
    fit = svy.glm("api00 ~ 1")
    with pytest.raises(FormulaError):
        fit.average_effects()
    with pytest.raises(FormulaError):
        fit.test()


# Tests of terms


def test_terms_are_tested_by_wald(svy: sy.Survey) -> None:
    fit = svy.glm("api00 ~ ell * stype + meals")
    found = fit.test("ell:stype", "stype")
    chosen = fit.coefficients.rows([2, 3, 5, 6])
    wanted = chosen.estimate @ np.linalg.solve(chosen.cov, chosen.estimate) / 4
    assert found.statistic == pytest.approx(wanted, rel=1e-9)
    assert (found.ndf, found.ddf) == (4, 197 + 1 - 7)
    assert fit.test().ndf == 6
    assert fit.test("meals").p_value == pytest.approx(fit.coefficients["meals"].p_value()[0])
    assert 0 < fit.test().p_value < 1e-60
    with pytest.raises(FormulaError, match=r"no term 'stype:ell'.*Did you mean"):
        fit.test("stype:ell")
    with pytest.raises(FormulaError, match="no term"):
        fit.test("(Intercept)")


# Ordered answers


@pytest.mark.parametrize("design", OF_R)
@pytest.mark.parametrize("link", ["logit", "probit"])
def test_two_ordered_answers_are_binomial(design: str, link: str) -> None:
    svy = survey(design)
    ordered = svy.ologit("`sch.wide` ~ ell + meals", levels=["No", "Yes"], link=link)
    binary = svy.glm("`sch.wide` ~ ell + meals", link=link, **LOGIT)
    near(ordered.coefficients.estimate[:2], binary.coefficients.estimate[1:])
    assert ordered.coefficients.estimate[2] == pytest.approx(-binary.coefficients.estimate[0])
    if link == "logit":
        near(ordered.coefficients.cov[:2, :2], binary.coefficients.cov[1:, 1:], 1e-7)
        assert ordered.coefficients.se[2] == pytest.approx(binary.coefficients.se[0], rel=1e-7)
        # Degrees of freedom are the same too: the threshold is the constant.
        assert (
            ordered.coefficients.degrees_of_freedom()[0]
            == binary.coefficients.degrees_of_freedom()[0]
        )


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_probabilities_of_answers(svy: sy.Survey, link: str) -> None:
    fit = svy.ologit("rate ~ ell + stype", link=link)
    frame = pl.DataFrame({"ell": [0.0, 30.0], "stype": ["M", "E"]})
    made = fit.predict(frame)
    assert made.labels.level == ANSWERS * 2
    assert made.labels.by["row"] == [0] * 4 + [1] * 4
    shares = made.estimate.reshape(2, 4)
    assert shares.sum(axis=1) == pytest.approx([1, 1], abs=1e-12)
    assert (shares > 0).all()
    near(made.cov.reshape(2, 4, 2, 4).sum(axis=1) + 1, np.ones((2, 2, 4)), 1e-10)
    b, x = fit.coefficients.estimate, np.array([[0, 0, 1], [30, 0, 0]])
    below = {
        "logit": lambda t: 1 / (1 + math.exp(-t)),
        "probit": lambda t: math.erfc(-t / math.sqrt(2)) / 2,
        "cloglog": lambda t: 1 - math.exp(-math.exp(t)),
    }[link]
    cumulated = [[below(t - row @ b[:3]) for t in b[3:]] for row in x]
    assert np.cumsum(shares, axis=1)[:, :3] == pytest.approx(np.array(cumulated), rel=1e-10)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_thresholds_alone_are_the_shares(svy: sy.Survey, link: str) -> None:
    fit = svy.ologit("rate ~ 1", link=link)
    made, shares = fit.predict(pl.DataFrame({"x": [1]})), svy.proportion("rate")
    near(made.estimate, shares.estimate)
    near(made.cov, shares.cov, 1e-7)


def test_order_of_answers(rows: pl.DataFrame) -> None:
    text = sy.Survey(rows.with_columns(pl.col("rate").cast(pl.String)), weights="pw")
    with pytest.raises(UnorderedLevels, match="are words without an order"):
        text.ologit("rate ~ ell")
    up = text.ologit("rate ~ ell", levels=ANSWERS)
    down = text.ologit("rate ~ ell", levels=ANSWERS[::-1])
    near(up.coefficients.estimate, -down.coefficients.estimate[[0, 3, 2, 1]])
    declared = sy.Survey(rows, weights="pw").ologit("rate ~ ell")
    assert declared.coefficients.cov.tolist() == up.coefficients.cov.tolist()
    with pytest.raises(UnknownLevel, match=r"'top' \(\d+ rows\) in column 'rate'"):
        text.ologit("rate ~ ell", levels=ANSWERS[:3])


def test_answers_that_nobody_gave(rows: pl.DataFrame) -> None:
    more = [*ANSWERS, "best"]
    declared = sy.Survey(rows.with_columns(pl.col("rate").cast(pl.Enum(more))), weights="pw")
    plain = sy.Survey(rows, weights="pw").ologit("rate ~ ell")
    near(declared.ologit("rate ~ ell").coefficients.cov, plain.coefficients.cov)
    with pytest.raises(FitFailed, match="nobody gave the answer 'best': leave it out of levels="):
        declared.ologit("rate ~ ell", levels=more)


def test_answers_that_nobody_gave_in_the_domain(svy: sy.Survey, rows: pl.DataFrame) -> None:
    fit = svy.ologit("rate ~ ell", where=pl.col("rate") != "top")
    assert fit.coefficients.labels.level[1:] == ["low | middle", "middle | high"]


def test_ordinal_separation_and_combinations(rows: pl.DataFrame) -> None:
    svy = sy.Survey(rows, weights="pw")
    fit = svy.ologit("rate ~ ell + I(2 * ell)")
    assert fit.aliased == ["I(2 * ell)"]
    near(fit.coefficients.cov, svy.ologit("rate ~ ell").coefficients.cov)
    with pytest.raises(FitFailed, match="'api00'"):
        svy.ologit("rate ~ api00")
    found = svy.ologit("rate ~ ell + stype").test("stype")
    assert (found.ndf, found.ddf) == (2, 199 - 3)


def test_a_variable_may_be_called_threshold(rows: pl.DataFrame) -> None:
    svy = sy.Survey(rows.rename({"ell": "threshold"}), weights="pw")
    fit = svy.ologit("rate ~ threshold")
    assert fit.test("threshold").ndf == 1
    assert len(fit.coefficients["threshold"]) == 1


# Frames and designs


def test_frames_of_every_kind(rows: pl.DataFrame) -> None:
    formula = (
        "api00 ~ bs(ell, df=4) + np.log(enroll) + words * passed + I(`api.stu` / 2) + C(grade)"
    )
    plain = rows.drop("rate")
    wanted = sy.Survey(plain, weights="pw", strata="stype").glm(formula)
    assert wanted.missing == rows["words"].null_count()
    for frame in (plain.to_pandas(), plain.to_arrow(), plain.to_pandas().set_index("index")[::-1]):
        got = sy.Survey(frame, weights="pw", strata="stype").glm(formula)
        assert keys(got) == keys(wanted)
        near(got.coefficients.estimate, wanted.coefficients.estimate)
        near(got.coefficients.se, wanted.coefficients.se)
        assert type(got.coefficients.to_native()).__module__.split(".")[0] in ("pandas", "pyarrow")


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@pytest.mark.parametrize("pps", ["brewer", "overton", "hartley-rao"])
def test_groups_under_unequal_probabilities(family: str, pps: str) -> None:
    from test_identities_of_designs import election

    svy = election(pps)
    fit = svy.glm("large ~ 1", family=family).coefficients
    share = svy.proportion("large", positive=True)
    inverse = fit.exp() if family == "poisson" else fit.transform(lambda x: 1 / (1 + (-x[0]).exp()))
    near([inverse.value, inverse.se[0]], [share.value, share.se[0]], 1e-8)


@pytest.mark.parametrize("design", [*OF_R, "clus2_nofpc", "srs_fpc"])
@pytest.mark.parametrize(
    ("family", "link"), [("poisson", "log"), ("gamma", "inverse"), ("gamma", "log")]
)
def test_groups_of_positive_answers(design: str, family: str, link: str) -> None:
    svy = survey(design)
    fit = svy.glm("api00 ~ 0 + stype", family=family, link=link).coefficients
    means = svy.mean("api00", by="stype")
    inverse = (lambda b: 1 / b) if link == "inverse" else (lambda b: b.exp())
    made = fit.transform(lambda x: [inverse(b) for b in x])
    near(made.estimate, means.estimate, 1e-8)
    near(made.cov, means.cov, 1e-7)


def test_two_phases_and_lonely_strata_keep_the_identities() -> None:
    from test_selection import two_phase

    frame = two_phase().with_row_index().with_columns(side=pl.col("index") % 2)
    svy = sy.Survey(frame, subsample=sy.Subsample("in_subsample", strata="rel"))
    means = svy.mean("age", by="side")
    near(svy.glm("age ~ 0 + C(side)").coefficients.cov, means.cov)
    near(svy.glm("age ~ C(side)").average_predictions().se, svy.mean("age").se)
    near(svy.tabulate(["side", "rel"]).row.cov, svy.proportion("rel", by="side").cov)
    for policy in ("remove", "certainty", "adjust", "average"):
        lonely = survey(f"lonely__{policy}")
        near(lonely.glm("y ~ 1").coefficients.se, lonely.mean("y").se)


def test_results_fit_80_columns(svy: sy.Survey) -> None:
    shown = [
        svy.glm("api00 ~ np.log(enroll):I(ell ** 2) + `sch.wide`:`comp.imp` + words * side"),
        svy.ologit("rate ~ np.log(enroll) + words * side"),
        svy.glm("`sch.wide` ~ ell", **LOGIT).average_effects(),
    ]
    for fit in shown:
        assert max(map(len, repr(fit).splitlines())) <= 80


def test_html_escapes_levels(rows: pl.DataFrame) -> None:
    frame = rows.with_columns(
        tag=pl.when(pl.col("passed")).then(pl.lit("<script>")).otherwise(pl.lit("&"))
    )
    html = sy.Survey(frame, weights="pw").glm("api00 ~ tag")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_truth_value_is_a_factor(svy: sy.Survey) -> None:
    fit = svy.glm("api00 ~ passed + ell")
    effect = fit.average_effects("passed")
    assert effect.labels.level == [True]
    assert effect.estimate == pytest.approx(fit.coefficients["passed"].estimate)
    counts = svy.glm("enroll ~ passed", family="poisson")
    margins = counts.average_predictions("passed")
    assert margins.labels.level == [False, True]
    gap = margins.estimate[1] - margins.estimate[0]
    assert counts.average_effects("passed").estimate == pytest.approx([gap])


def test_means_in_a_formula_are_those_of_the_rows_of_the_model(svy: sy.Survey) -> None:
    part = {"stype": ["H"]}
    centred = svy.glm("api00 ~ center(ell)", where=part).coefficients
    plain = svy.glm("api00 ~ ell", where=part)
    frame = svy.sample.columns.frame.to_native()
    mean = frame.filter(pl.col("stype") == "H")["ell"].mean()
    at_mean = plain.predict(pl.DataFrame({"ell": [float(mean)]}))
    assert centred.estimate[0] == pytest.approx(at_mean.value, rel=1e-9)
    assert centred.se[0] == pytest.approx(at_mean.se[0], rel=1e-9)


def test_more_predictions_than_their_covariances_allow(svy: sy.Survey) -> None:
    fit = svy.glm("api00 ~ ell")
    with pytest.raises(ValueError, match=r"700,000 predictions .* too many for 200 units"):
        fit.predict(pl.DataFrame({"ell": np.zeros(700_000)}))


def test_families_are_named_in_full(svy: sy.Survey) -> None:
    with pytest.raises(ValueError, match="'quasigamma' is none of"):
        svy.glm("api00 ~ ell", family="quasigamma")


def test_a_coefficient_without_variation_says_so() -> None:
    rows = pl.DataFrame(
        {
            "c": [1, 1, 2, 2, 3, 3, 4, 4],
            "q": list("abbbbbbb"),
            "y": [3.1, 2, 4, 5, 1, 2, 6, 7.0],
        }
    )
    fit = sy.Survey(rows, clusters="c").glm("y ~ q")
    table = fit.to_dict()
    assert table["se"][0] == 0
    assert table["p_value"][0] is None
    assert "not certainty" in str(table["note"][0])
    assert "not certainty" in repr(fit).replace("\n", " ")


def test_average_predictions_name_the_rule_of_their_degrees_of_freedom() -> None:
    svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
    fit = svy.glm("api00 ~ ell + stype")
    rule = fit.coefficients.conventions["degrees of freedom"]
    assert fit.average_predictions("stype").conventions["degrees of freedom"] == rule
    assert "as given" not in rule


def test_a_joint_test_says_that_it_takes_the_smallest_degrees_of_freedom() -> None:
    svy = sy.Survey(sy.datasets.load("apiclus1"), weights="pw", clusters="dnum")
    fit = svy.glm("api00 ~ stype", errors="bell-mccaffrey")
    assert "smallest" in fit.test("stype").notes[0]
    assert not svy.glm("api00 ~ stype").test("stype").notes
