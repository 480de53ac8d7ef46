"""Every regression of the reference table, from R 4.2.2 and its package survey 4.1.1."""

import re

import numpy as np
import polars as pl
import pytest
from reference import DESIGNS, REFERENCE, Row, frame_of, read, sources, survey_of

import steelyard as sy

MODELS: dict[tuple[str, str, str], list[Row]] = {}
for _row in read("reference_glm.csv"):
    for _design in sources(_row["design"]):
        MODELS.setdefault((_design, _row["family"], _row["formula"]), []).append(_row)

# R stops its iterations at a relative change of the deviance of 1e-8: its coefficients are right to
# 1e-6 or so where a fit is iterated; ours are where the score is 0.
ITERATED = 1e-6
DIRECT = 1e-9


def fitted(design: str, family: str, formula: str) -> sy.Regression:
    # R takes degrees of freedom from the rows that have all variables.
    svy = survey_of(design, df="design" if design.endswith(" supplied") else "domain")
    if match := re.fullmatch(r"I\(sch\.wide=='Yes'\)~(.*)", formula):
        return svy.glm(f"`sch.wide` ~ {match[1]}", family=family, positive="Yes")
    return svy.glm(formula, family=family)


def weight_ratio(design: str, family: str, formula: str) -> float:
    """The mean weight of complete rows over that of all: R multiplies its dispersion by it, having
    scaled weights to a mean of 1 before it drops rows.
    """
    frame = frame_of(design)
    names = [n for n in re.findall(r"[a-z0-9.]+", formula) if n in frame.columns]
    weight = "w" if design.endswith(" supplied") else "pw"
    return float(frame.drop_nulls(names)[weight].mean() / frame[weight].mean())


def estimate(fit: sy.Regression, term: str) -> sy.Estimates:
    if term.startswith("stype") and term != "stype":
        return fit.coefficients["stype", term.removeprefix("stype")]
    return fit.coefficients[term]


@pytest.mark.parametrize("key", MODELS, ids=" ".join)
def test_equals_r_survey(key: tuple[str, str, str]) -> None:
    fit = fitted(*key)
    relative = DIRECT if key[1] == "gaussian" else ITERATED
    for row in MODELS[key]:
        if row["kind"] == "regTermTest":
            found = fit.test(row["term"])
            assert found.statistic == pytest.approx(float(row["estimate"]), rel=relative)
            assert found.ndf == float(row["dispersion"])
            assert found.ddf == float(row["df_resid"])
            assert found.p_value == pytest.approx(float(row["p"]), rel=10 * relative)
            continue
        got = estimate(fit, row["term"])
        low, high = got.ci()[0]
        figures = {
            "estimate": got.value,
            "se": got.se[0],
            "t": got.value / got.se[0],
            "ci_low": low,
            "ci_high": high,
        }
        for name, value in figures.items():
            tiny = relative * got.se[0] if name != "t" else relative
            assert value == pytest.approx(float(row[name]), rel=relative, abs=tiny), (row, name)
        tail = 1e-6 if float(row["p"]) < 1e-12 else 100 * relative
        assert got.p_value()[0] == pytest.approx(float(row["p"]), rel=tail)
        dispersion = fit.dispersion * weight_ratio(*key)
        if " " in key[0]:
            # Where the design has replicates, R's is the plain sum of squares of Pearson residuals,
            # not about their mean and not over n - 1.
            dispersion = fit.dispersion * (fit.n - 1)
        slack = 1e-4 if " " in key[0] else relative
        assert dispersion == pytest.approx(float(row["dispersion"]), rel=slack)
        assert got.degrees_of_freedom()[0] == float(row["df_resid"])


def test_every_model_of_the_table_is_compared() -> None:
    assert len(MODELS) == 20 + 16
    assert sum(len(rows) for rows in MODELS.values()) == 100 + 80


def test_regression_on_groups_is_their_means() -> None:
    dataset, arguments = DESIGNS["clus2_fpc2"]
    frame = pl.read_csv(REFERENCE / "data" / f"{dataset}.csv", infer_schema_length=None)
    svy = sy.Survey(frame, **arguments)
    means = svy.mean("api00", by="stype")
    fit = svy.glm("api00 ~ 0 + stype").coefficients
    assert fit.estimate == pytest.approx(means.estimate, rel=1e-10)
    assert fit.cov == pytest.approx(means.cov, rel=1e-9)
    shares = svy.proportion("sch.wide", positive="Yes", by="stype")
    logits = svy.glm("`sch.wide` ~ 0 + stype", family="binomial", positive="Yes").coefficients
    assert logits.transform(lambda x: [1 / (1 + (-b).exp()) for b in x]).cov == pytest.approx(
        shares.cov, rel=1e-7, abs=1e-16
    )
    assert np.isfinite(logits.se).all()
