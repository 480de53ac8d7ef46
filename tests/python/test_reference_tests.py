"""Every test of the reference table, from R 4.2.2 and its package survey 4.1.1."""

import math
import re
from collections import Counter
from statistics import NormalDist

import polars as pl
import pytest
from reference import DESIGNS, REFERENCE, Row, read, sources, survey_of

import steelyard as sy

ROWS = [
    {**row, "design": design}
    for row in read("reference_tests.csv")
    for design in sources(row["design"])
]

TABLE_TESTS = {
    "F": "F",
    "Chisq": "chi2",
    "Wald": "wald",
    "adjWald": "adjusted-wald",
    "lincom": "exact",
    "saddlepoint": "saddlepoint",
}
SCORES = {
    "wilcoxon": "wilcoxon",
    "vanderWaerden": "van-der-waerden",
    "median": "median",
    "KruskalWallis": "wilcoxon",
}

# Where we differ on purpose, and why.
#
# R's "lincom" is a saddlepoint approximation here (known_r_quirks), ours is exact. R's saddlepoint
# cuts the denominator's degrees of freedom down to a whole number, and stops its root at 1e-8.
APPROXIMATE = {"lincom", "saddlepoint"}
# R's ranks of equal answers depend on the order of rows where their weights differ
# (test_ranks_of_equal_answers_are_those_of_any_order): only with equal weights is it the same.
EQUAL_WEIGHTS = {"clus1_fpc", "clus1_nofpc"}


def found(row: Row) -> sy.HypothesisTest:
    svy, formula = survey_of(row["design"]), row["formula"]
    if row["test"] == "svychisq":
        names = formula.removeprefix("~").split("+")
        return svy.tabulate(names).test(TABLE_TESTS[row["statistic"]])
    if row["test"] == "svygofchisq":
        shares = [float(p) for p in formula.split("p=")[1].split(";")]
        return svy.tabulate("stype").goodness_of_fit(dict(zip("EHM", shares, strict=True)))
    variable, group = formula.split("~")
    if row["test"] == "svyttest_paired":
        after, before = variable.split("-")
        return svy.ttest(after, before=before)
    if row["test"] == "svyttest" and group == "0":
        name, null = variable.split("-")
        return svy.ttest(name, null=float(null))
    if row["test"] == "svyttest":
        return svy.ttest(variable, by=group)
    return svy.ranktest(variable, group, score=SCORES[row["test"].split("_")[1]])


def close(got: float, wanted: str, relative: float = 1e-9) -> bool:
    return not wanted or abs(got - float(wanted)) <= relative * abs(float(wanted))


def differences(row: Row, got: sy.HypothesisTest) -> list[str]:
    p_relative = 1e-6 if float(row["p_value"]) < 1e-12 else 1e-9
    if row["statistic"] in APPROXIMATE:
        return [] if close(got.statistic, row["value"]) else ["value"]
    statistic = got.statistic
    # R prints X2 as it was before the correction.
    if row["statistic"] == "Chisq" or row["test"] == "svygofchisq":
        assert got.uncorrected is not None
        wrong = [] if close(got.uncorrected, row["value"]) else ["value"]
    elif row["test"].endswith("KruskalWallis"):  # R names the two the other way round
        wrong = [] if close(got.ndf, row["value"]) else ["ndf"]
        wrong += [] if close(got.statistic * got.ndf, row["ddf"]) else ["value"]
    else:
        wrong = [] if close(statistic, row["value"]) else ["value"]
        wrong += [] if close(got.ndf, row["ndf"]) else ["ndf"]
        wrong += [] if close(got.ddf, row["ddf"]) else ["ddf"]
    return wrong + ([] if close(got.p_value, row["p_value"], p_relative) else ["p_value"])


def test_equals_r_survey(capsys: pytest.CaptureFixture[str]) -> None:
    compared: Counter[str] = Counter()
    wrong = []
    for row in ROWS:
        got = found(row)
        compared[row["test"]] += 1
        if row["test"].startswith("svyranktest") and row["design"] not in EQUAL_WEIGHTS:
            got = by_order_of_rows(row)
        difference = differences(row, got)
        difference += notes(row, got)
        if difference:
            wrong.append((row["design"], row["test"], row["statistic"], row["formula"], difference))
    with capsys.disabled():
        counts = ", ".join(f"{name} {n}" for name, n in sorted(compared.items()))
        print(f"\ntests: {compared.total()} rows of R compared ({counts})", end="")
    assert not wrong
    assert compared.total() == 78 + 60


def by_order_of_rows(row: Row) -> sy.HypothesisTest:
    """The same test with the ranks of R, in which the order of equal answers counts."""
    dataset, arguments = DESIGNS[row["design"]]
    frame = pl.read_csv(REFERENCE / "data" / f"{dataset}.csv", infer_schema_length=None)
    variable, group = row["formula"].split("~")
    frame = frame.with_row_index().sort(variable, "index")
    frame = frame.with_columns(rank=pl.col("pw").cum_sum() - pl.col("pw") / 2)
    frame = frame.with_columns(pl.col("rank").mean().over(variable) / pl.col("pw").sum())
    score = row["test"].split("_")[1]
    if score == "vanderWaerden":
        ranks = [NormalDist().inv_cdf(rank) for rank in frame["rank"]]
        frame = frame.with_columns(rank=pl.Series(ranks))
    if score == "median":
        frame = frame.with_columns(rank=(pl.col("rank") > 0.5).cast(pl.Float64))
    svy = sy.Survey(frame, **arguments)
    if score != "KruskalWallis":
        return svy.ttest("rank", by=group)
    groups = svy.mean("rank", by=group)
    return groups.equality_test(df=groups.df - (len(groups) - 1))


def notes(row: Row, got: sy.HypothesisTest) -> list[str]:
    """The estimate and interval that some rows have in words."""
    wrong = []
    if stated := re.search(r"(?:diff|mean)= (\S+)", row["note"]):
        assert got.estimates is not None
        value = got.estimates.value - (600 if row["note"].startswith("mean") else 0)
        wrong += [] if close(value, stated[1]) else ["estimate"]
    if interval := re.search(r"ci= (\S+);(\S+)", row["note"]):
        assert got.estimates is not None
        low, high = got.estimates.ci(df=got.ddf)[0]
        wrong += [] if close(low, interval[1], 1e-8) and close(high, interval[2]) else ["interval"]
    return wrong


def test_ranks_of_equal_answers_are_those_of_any_order() -> None:
    dataset, arguments = DESIGNS["strat_fpc"]
    frame = pl.read_csv(REFERENCE / "data" / f"{dataset}.csv", infer_schema_length=None)
    turned = frame.reverse()
    tests = [sy.Survey(f, **arguments).ranktest("api00", "comp.imp") for f in (frame, turned)]
    assert tests[0].p_value == pytest.approx(tests[1].p_value, rel=1e-12)
    # R's svyranktest on the same rows in the two orders: p = 0.061428900564257406 and
    # 0.060747558901102498.
    assert tests[0].p_value != pytest.approx(0.061428900564257406, rel=1e-9)


def test_ranks_are_the_share_below_and_half_of_that_at() -> None:
    dataset, arguments = DESIGNS["strat_fpc"]
    frame = pl.read_csv(REFERENCE / "data" / f"{dataset}.csv", infer_schema_length=None)
    y, w = frame["api00"].to_numpy(), frame["pw"].to_numpy()
    ranks = [(w[y < value].sum() + w[y == value].sum() / 2) / w.sum() for value in y]
    svy = sy.Survey(frame.with_columns(rank=pl.Series(ranks)), **arguments)
    by_hand = svy.ttest("rank", by="comp.imp")
    got = svy.ranktest("api00", "comp.imp")
    assert got.statistic == pytest.approx(by_hand.statistic, rel=1e-9)
    assert math.isclose(got.p_value, by_hand.p_value, rel_tol=1e-9)
