"""Inequality and poverty, by brute force; and score intervals of quantiles."""

import numpy as np
import polars as pl
import pytest
from reference import DESIGNS, REFERENCE

import steelyard as sy
from steelyard import errors


def frame() -> pl.DataFrame:
    return pl.read_csv(REFERENCE / "data" / "apistrat.csv", infer_schema_length=None)


def survey(data: pl.DataFrame | None = None) -> sy.Survey:
    return sy.Survey(frame() if data is None else data, **DESIGNS["strat_fpc"][1])


def gini_of(data: pl.DataFrame) -> float:
    y, w = data["enroll"].to_numpy().astype(float), data["pw"].to_numpy()
    pairs = (w[:, None] * w[None, :] * np.abs(y[:, None] - y[None, :])).sum()
    return float(pairs / (2 * w.sum() * (w * y).sum()))


def test_gini_is_half_the_mean_difference_over_the_mean() -> None:
    assert survey().gini("enroll").value == pytest.approx(gini_of(frame()), rel=1e-12)
    by = survey().gini("enroll", by="stype")
    for stype in "EHM":
        part = frame().filter(pl.col("stype") == stype)
        assert by[stype].value == pytest.approx(gini_of(part), rel=1e-12)
        assert survey().gini("enroll", where={"stype": stype}).se == by[stype].se


def test_errors_are_those_of_the_derivative_by_the_weights() -> None:
    # A weight moved by a little changes the figure by influence times that little.
    base, step = frame(), 1e-4
    influence = []
    for row in range(len(base)):
        moved = base.with_columns(
            pw=pl.when(pl.int_range(pl.len()) == row).then(pl.col("pw") + step).otherwise("pw")
        )
        influence.append((gini_of(moved) - gini_of(base)) / step)
    linear = base.with_columns(z=pl.Series(influence))
    assert survey().gini("enroll").se == pytest.approx(survey(linear).total("z").se, rel=1e-5)


def test_negative_values_are_refused_with_their_rows() -> None:
    data = frame().with_columns(
        enroll=pl.when(pl.int_range(pl.len()) == 7).then(-1).otherwise("enroll")
    )
    with pytest.raises(errors.NegativeValues, match=r"'enroll' is negative in 1 row \(row 7\)"):
        survey(data).gini("enroll")


def test_the_richest_over_the_poorest() -> None:
    data = pl.DataFrame({"y": list(range(1, 11)), "w": [1.0] * 10})
    svy = sy.Survey(data, weights="w")
    assert svy.share_ratio("y").value == pytest.approx((9 + 10) / (1 + 2), rel=1e-12)
    palma = svy.share_ratio("y", richest=0.1, poorest=0.4)
    assert palma.value == pytest.approx(10 / (1 + 2 + 3 + 4), rel=1e-12)
    with pytest.raises(ValueError, match="between 0 and 1"):
        svy.share_ratio("y", richest=1.5)


def test_poverty_is_below_a_line_of_the_whole_sample() -> None:
    got = survey().poverty("enroll", by="stype")
    median = survey().quantile("enroll").value
    assert got["line"].value == pytest.approx(0.6 * median, rel=1e-12)
    data = frame().with_columns(poor=pl.col("enroll") < 0.6 * median)
    wanted = survey(data).proportion("poor", positive=True, by="stype")
    assert got["rate"].estimate == pytest.approx(wanted.estimate, rel=1e-12)
    assert got["rate"].n.tolist() == [100, 50, 50]
    assert got["line"].n.tolist() == [200]
    fixed = survey(data).poverty("enroll", line=0.6 * median, by="stype")
    assert fixed["rate"].se == pytest.approx(wanted.se, rel=1e-9)
    assert "line" not in fixed.labels.level
    whole = survey().poverty("enroll")["rate"]
    assert whole.value == pytest.approx(survey(data).proportion("poor", positive=True).value)


def test_score_intervals_hold_what_a_test_does_not_reject() -> None:
    svy = survey()
    median = svy.quantile("api00", interval="score")
    low, high = median.ci()[0]
    values = sorted(set(frame()["api00"].to_list()))
    below = svy.cdf("api00", values)
    t = 1.9720790337785042  # qt(0.975, 197)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (below.estimate - 0.5) / below.se
    kept = [v for v, s in zip(values, statistic, strict=True) if abs(s) <= t]
    assert low == kept[0]
    assert high == values[values.index(kept[-1]) + 1]
    assert median.se[0] == pytest.approx((high - low) / (2 * t), rel=1e-9)
    assert svy.quantile("api00").ci(method="score").tolist() == [[low, high]]
    with pytest.raises(ValueError, match="score intervals are for quantiles only"):
        svy.mean("api00").ci(method="score")


def test_a_line_is_positive() -> None:
    svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw")
    with pytest.raises(ValueError, match="line=0 is no line"):
        svy.poverty("enroll", line=0)
