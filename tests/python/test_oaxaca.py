"""Oaxaca and Blinder's decomposition: identities, least squares by hand, and the jackknife."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy
from steelyard.errors import FormulaError

Floats = npt.NDArray[np.float64]
MODEL = "api00 ~ meals + ell"
BETWEEN = ("sch.wide", "No", "Yes")


def schools() -> sy.Survey:
    return sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")


def by_hand(frame: pl.DataFrame) -> Floats:
    """Total, coefficients' and means' part at the average, by weighted least squares."""
    sides = []
    for label in BETWEEN[1:]:
        part = frame.filter(pl.col("sch.wide") == label)
        x = np.column_stack([np.ones(len(part)), part["meals"], part["ell"]])
        w, y = part["pw"].to_numpy(), part["api00"].to_numpy()
        b = np.linalg.solve(x.T * w @ x, x.T * w @ y)
        sides.append((b, w @ x / w.sum()))
    (b0, x0), (b1, x1) = sides
    rates, composition = (x0 + x1) / 2 @ (b1 - b0), (x1 - x0) @ (b0 + b1) / 2
    return np.array([rates + composition, rates, composition])


@pytest.mark.parametrize("reference", ["average", "before", "after"])
def test_the_parts_add_up_to_the_difference_of_means(reference: str) -> None:
    found = sy.oaxaca(schools(), MODEL, between=BETWEEN, reference=reference)  # type: ignore[arg-type]
    means = schools().mean("api00", by="sch.wide")
    difference = means["Yes"] - means["No"]
    assert found.total.value == pytest.approx(difference.value, rel=1e-12)
    assert found.total.se[0] == pytest.approx(difference.se[0], rel=1e-9)
    assert found.levels == pytest.approx((means["No"].value, means["Yes"].value), rel=1e-12)
    assert found.parts.estimate.sum() == pytest.approx(difference.value, rel=1e-12)
    sums = dict(zip(found.parts.labels.by["part"], found.parts.estimate, strict=True))
    for part in ("rates", "composition"):
        inside = [p == part for p in found.details.labels.by["part"]]
        assert found.details.estimate[inside].sum() == pytest.approx(sums[part], rel=1e-10)


def test_the_parts_are_those_of_least_squares() -> None:
    frame = sy.datasets.load("apistrat", backend="polars")
    assert isinstance(frame, pl.DataFrame)
    found = sy.oaxaca(schools(), MODEL, between=BETWEEN)
    estimates = [found.total.value, *found.parts.estimate]
    assert estimates == pytest.approx(by_hand(frame).tolist(), rel=1e-9)


def test_the_errors_are_nearly_those_of_the_jackknife() -> None:
    frame = sy.datasets.load("apiclus1", backend="polars")
    assert isinstance(frame, pl.DataFrame)
    found = sy.oaxaca(sy.Survey(frame, weights="pw", clusters="dnum"), MODEL, between=BETWEEN)
    names = frame["dnum"].unique().sort()
    left_out = np.array([by_hand(frame.filter(pl.col("dnum") != name)) for name in names])
    n = len(names)
    jackknife = np.sqrt((n - 1) / n * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    errors = np.array([found.total.se[0], *found.parts.se])
    np.testing.assert_allclose(errors, jackknife, rtol=0.35)  # 15 clusters, unequal


def waves() -> dict[int, sy.Survey]:
    return {
        year: sy.Survey(
            sy.datasets.simulate_evaluation(year, backend="polars"),
            weights="weight",
            strata="stratum",
            clusters="activity",
        )
        for year in (2022, 2023)
    }


def test_two_waves_and_a_share() -> None:
    svy = waves()
    positive = ["Agree", "Strongly agree"]
    found = sy.oaxaca(svy, "relevance ~ modality + gender", positive=positive)
    change = sy.compare(svy, sy.proportion("relevance", positive=positive))
    assert found.total.value == pytest.approx(change.differences[2023].value, rel=1e-9)
    assert found.is_of_shares
    assert (found.before, found.after) == (2022, 2023)
    assert "modality: Distance" in found.to_dict()["term"]


def test_one_categorical_variable_is_kitagawas_decomposition() -> None:
    svy = waves()
    by_model = sy.oaxaca(svy, "satisfaction ~ modality")
    by_groups = sy.decompose(svy, sy.mean("satisfaction"), by="modality")
    np.testing.assert_allclose(by_model.parts.estimate, by_groups.parts.estimate, rtol=1e-8)
    np.testing.assert_allclose(by_model.parts.se, by_groups.parts.se, rtol=1e-7)


def test_mistakes() -> None:
    with pytest.raises(FormulaError, match="has no intercept"):
        sy.oaxaca(schools(), "api00 ~ 0 + meals", between=BETWEEN)
    with pytest.raises(ValueError, match="between="):
        sy.oaxaca(schools(), MODEL)
    with pytest.raises(ValueError, match="is none of 'average', 'before', 'after'"):
        sy.oaxaca(schools(), MODEL, between=BETWEEN, reference="pooled")  # type: ignore[arg-type]
    frame = pl.DataFrame({"y": range(8), "g": list("aabbaacc"), "side": ["x"] * 4 + ["z"] * 4})
    with pytest.raises(FormulaError, match="one side only"):
        sy.oaxaca(sy.Survey(frame), "y ~ g", between=("side", "x", "z"))
