"""What must hold for every design, whatever the data."""

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from reference import DESIGNS, REPLICATED, WEIGHTED, frame_of
from reference import survey_of as survey

import steelyard as sy

DATA = Path(__file__).parent.parent / "data"
SCHOOLS = [name for name, (dataset, _) in DESIGNS.items() if dataset.startswith("api")]
# After weighting, and by replicates, too.
FURTHER = [name for name in (*REPLICATED, *WEIGHTED) if not name.startswith("scd")]
PPS = ("brewer", "overton", sy.Pps("overton", "yates-grundy"), "hartley-rao")


def election(pps: str | sy.Pps) -> sy.Survey:
    frame = pl.read_csv(DATA / "election_pps.csv").with_columns(
        large=pl.col("votes") > pl.col("votes").median()
    )
    return sy.Survey(frame, fpc="p", pps=pps)


def near(got: object, wanted: object, relative: float = 1e-9) -> None:
    size = float(np.abs(np.asarray(wanted)).max())
    assert np.asarray(got) == pytest.approx(np.asarray(wanted), rel=relative, abs=1e-12 * size)


@pytest.mark.parametrize("design", [*SCHOOLS, *FURTHER])
def test_several_variables_are_one_at_a_time(design: str) -> None:
    svy = survey(design)
    both = svy.mean(["api00", "enroll"], by="stype")
    for variable in ("api00", "enroll"):
        alone = svy.mean(variable, by="stype")
        near(both[variable].estimate, alone.estimate)
        near(both[variable].cov, alone.cov)


@pytest.mark.parametrize("design", [*SCHOOLS, *FURTHER])
def test_a_table_is_its_proportions(design: str) -> None:
    svy = survey(design)
    table = svy.tabulate(["stype", "sch.wide"])
    near(table.row.estimate, svy.proportion("sch.wide", by="stype").estimate)
    near(table.row.cov, svy.proportion("sch.wide", by="stype").cov)
    near(table.count.cov, svy.count("sch.wide", by="stype").cov)
    whole = table.count.estimate.sum()
    shares = table.count.transform(lambda x: [cell / sum(x[1:], x[0]) for cell in x])
    near(table.cell.estimate, table.count.estimate / whole)
    if not svy.sample.design.replicates:  # under each replicate, not linearised
        near(table.cell.cov, shares.cov, 1e-8)


@pytest.mark.parametrize("design", [*SCHOOLS, *FURTHER])
def test_a_domain_mean_is_a_ratio(design: str) -> None:
    frame = frame_of(design).with_columns(
        y=pl.when(pl.col("stype") == "H").then(pl.col("api00")).otherwise(0),
        inside=(pl.col("stype") == "H").cast(pl.Int8),
    )
    svy = survey(design, frame)
    ratio = svy.ratio("y", "inside")
    mean = svy.mean("api00", by="stype")["H"]
    near(mean.estimate, ratio.estimate)
    near(mean.se, ratio.se)
    near(svy.mean("api00", where={"stype": "H"}).se, ratio.se)


@pytest.mark.parametrize("design", [*SCHOOLS, *FURTHER])
def test_regression_on_groups_is_their_means(design: str) -> None:
    svy = survey(design)
    means = svy.mean("api00", by="stype")
    near(svy.glm("api00 ~ 0 + stype").coefficients.cov, means.cov)
    differences = svy.glm("api00 ~ stype").coefficients["stype"]
    contrast = [means["H"] - means["E"], means["M"] - means["E"]]
    near(differences.estimate, [c.value for c in contrast])
    near(differences.se, [c.se[0] for c in contrast])
    found = svy.glm("api00 ~ stype").test("stype")
    near(found.statistic, means.equality_test().statistic)


@pytest.mark.parametrize("design", [d for d in SCHOOLS if "weights" in DESIGNS[d][1]])
def test_rescaled_weights_change_no_mean(design: str) -> None:
    arguments = DESIGNS[design][1]
    first = survey(design)
    second = sy.Survey(frame_of(design).with_columns(pl.col("pw") * 1234.5), **arguments)
    for estimate in (
        lambda s: s.mean("api00", by="stype"),
        lambda s: s.proportion("sch.wide"),
        lambda s: s.ratio("api.stu", "enroll"),
        lambda s: s.quantile("api00", [0.3, 0.5]),
        lambda s: s.variance("api00"),
        lambda s: s.correlation("api00", "ell"),
        lambda s: s.glm("api00 ~ ell + stype").coefficients,
        lambda s: s.glm("`sch.wide` ~ ell", family="binomial", positive="Yes").coefficients,
    ):
        near(estimate(second).estimate, estimate(first).estimate)
        near(estimate(second).se, estimate(first).se, 1e-8)
    near(
        second.tabulate(["stype", "sch.wide"]).test().statistic,
        first.tabulate(["stype", "sch.wide"]).test().statistic,
    )


@pytest.mark.parametrize("pps", PPS, ids=str)
def test_unequal_probabilities_keep_the_identities(pps: str | sy.Pps) -> None:
    svy = election(pps)
    means = svy.mean(["Bush", "Kerry"], by="large")
    near(means["Bush"].cov, svy.mean("Bush", by="large").cov)
    near(svy.glm("Bush ~ 0 + C(large)").coefficients.cov, svy.mean("Bush", by="large").cov)
    difference = svy.mean("Bush", by="large").contrast({True: 1, False: -1})
    near(svy.glm("Bush ~ C(large)").coefficients["C(large)"].se, difference.se)


@pytest.mark.parametrize("design", ["strat_fpc", "clus1_fpc", "clus2_fpc2"])
def test_covariances_of_domains_and_variables_equal_r(design: str) -> None:
    both = survey(design).mean(["api00", "api.stu"], by="stype")
    keys = [
        f"{stype}:{name}"
        for stype, name in zip(both.labels.by["stype"], both.labels.variable, strict=True)
    ]
    compared = 0
    with (DATA / "svyby_vcov.csv").open() as file:
        for row in csv.DictReader(file):
            if row["design"] == design:
                i, j = keys.index(row["first"]), keys.index(row["second"])
                size = float(np.sqrt(both.cov[i, i] * both.cov[j, j]))
                wanted = float(row["covariance"])
                assert both.cov[i, j] == pytest.approx(wanted, rel=1e-9, abs=1e-11 * size)
                compared += 1
    assert compared == 36
