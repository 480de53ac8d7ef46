"""Several years taken together are one survey of all their rows."""

import numpy as np
import polars as pl
import pytest

import steelyard as sy

AGREE = ["Agree", "Strongly agree"]
DESIGN = {"weights": "weight", "strata": "stratum", "clusters": "activity"}


def frame(year: int) -> pl.DataFrame:
    made = sy.datasets.simulate_evaluation(year, backend="polars")
    assert isinstance(made, pl.DataFrame)
    return made.with_columns(activity=pl.format("{}-{}", pl.col("year"), pl.col("activity")))


def waves() -> dict[int, sy.Survey]:
    return {year: sy.Survey(frame(year), **DESIGN) for year in (2021, 2022, 2023)}  # type: ignore[arg-type]


def pooled() -> sy.Survey:
    rows = pl.concat([frame(year) for year in (2021, 2022, 2023)])
    return sy.Survey(rows, "weight", ["year", "stratum"], "activity")


@pytest.mark.parametrize(
    "statistic",
    [sy.mean("satisfaction"), sy.proportion("relevance", positive=AGREE)],
    ids=["mean", "share"],
)
def test_years_that_share_nothing_are_one_survey_stratified_by_year(
    statistic: sy.Statistic,
) -> None:
    together, whole = sy.cumulative(waves(), statistic), pooled().estimate(statistic)
    assert together.value == pytest.approx(whole.value, rel=1e-13)
    assert together.se[0] == pytest.approx(whole.se[0], rel=1e-12)
    assert together.df == whole.df
    assert (together.n[0], together.missing[0]) == (whole.n[0], whole.missing[0])
    np.testing.assert_allclose(together.ci(), whole.ci(), rtol=1e-11)


def test_a_domain_of_every_year() -> None:
    where = {"gender": "Female"}
    together = sy.cumulative(waves(), sy.mean("satisfaction"), where=where)
    whole = pooled().mean("satisfaction", where=where)
    assert together.value == pytest.approx(whole.value, rel=1e-13)
    assert together.se[0] == pytest.approx(whole.se[0], rel=1e-12)


def test_the_same_year_twice_is_the_year() -> None:
    svy = waves()[2022]
    twice = sy.cumulative([svy, svy], sy.mean("satisfaction"))
    assert twice.value == pytest.approx(svy.mean("satisfaction").value, rel=1e-13)
    assert twice.se[0] == pytest.approx(svy.mean("satisfaction").se[0], rel=1e-12)


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="has no rate in each group"):
        sy.cumulative(waves(), sy.total("satisfaction"))
    with pytest.raises(ValueError, match="there is no survey"):
        sy.cumulative([], sy.mean("satisfaction"))
