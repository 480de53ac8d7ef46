"""Targets: verdicts by one-sided intervals, the confidence behind them, and what is left to do."""

import math

import numpy as np
import polars as pl
import pytest

import steelyard as sy
from steelyard.target import FormerTarget


def schools() -> sy.Survey:
    return sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")


def share() -> sy.Estimates:
    return schools().proportion("sch.wide", positive="Yes")


def score() -> sy.Estimates:
    return schools().mean("api00", by="stype")


@pytest.mark.parametrize("direction", ["at least", "at most"])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_the_verdict_turns_at_the_one_sided_bounds(direction: str, level: float) -> None:
    low = float(score().ci(level, side="lower")[0, 0])
    high = float(score().ci(level, side="upper")[0, 1])
    right = ("met", "not met") if direction == "at least" else ("not met", "met")
    for goal, verdict in (
        (math.nextafter(low, 0), right[0]),
        (math.nextafter(low, 1e9), "undetermined"),
        (math.nextafter(high, 0), "undetermined"),
        (math.nextafter(high, 1e9), right[1]),
    ):
        found = sy.judge(score().rows([0]), goal, direction=direction, level=level)  # type: ignore[arg-type]
        assert found.verdict == verdict


@pytest.mark.parametrize("estimates", [share, lambda: score().rows([1])], ids=["share", "mean"])
@pytest.mark.parametrize("direction", ["at least", "at most"])
def test_the_confidence_is_the_level_at_which_the_bound_is_the_target(
    estimates: object, direction: str
) -> None:
    est = estimates()  # type: ignore[operator]
    side, end = ("lower", 0) if direction == "at least" else ("upper", 1)
    for level in (0.6, 0.9, 0.99):
        goal = float(est.ci(level, side=side)[0, end])
        target = sy.Target(goal, direction=direction)  # type: ignore[arg-type]
        assert sy.judge(est, target).confidence[0] == pytest.approx(level, rel=1e-9)


def test_the_confidence_in_a_mean_is_that_of_the_one_sided_t_test() -> None:
    est = score().rows([0])
    t = (est.value - 650) / est.se[0]
    # two_sided_p_value halves to the upper tail, as the mean is above.
    assert t > 0
    p = est.p_value(650)[0] / 2
    assert sy.judge(est, 650).confidence[0] == pytest.approx(1 - p, rel=1e-12)


def test_everybody_said_yes() -> None:
    # Clopper and Pearson (1934): with 20 of 20, p >= 0.05^(1/20) = 0.8609 with 95 per cent.
    svy = sy.Survey(pl.DataFrame({"yes": [True] * 20}))
    found = sy.judge(svy.proportion("yes", positive=True), "86 %")
    assert found.bound[0] == pytest.approx(0.8609, abs=5e-5)
    assert found.verdict == "met"
    assert found.confidence[0] == pytest.approx(1 - 0.86**20, rel=1e-9)
    assert sy.judge(svy.proportion("yes", positive=True), "87 %").verdict == "undetermined"


def test_a_census_leaves_no_doubt() -> None:
    frame = pl.DataFrame({"yes": [True] * 3 + [False], "N": [4] * 4})
    whole = sy.Survey(frame, fpc="N").proportion("yes", positive=True)
    assert sy.judge(whole, "75 %").verdict == "met"
    assert sy.judge(whole, "75 %").confidence.tolist() == [1.0]
    assert sy.judge(whole, "75.1 %").verdict == "not met"


def test_an_error_that_is_not_known_leaves_it_undetermined() -> None:
    frame = pl.DataFrame({"g": ["a", "b", "b"], "y": [1.0, 2.0, 3.0], "c": ["p", "q", "r"]})
    est = sy.Survey(frame, clusters="c").mean("y", by="g")["a"]
    found = sy.judge(est, 0.5)
    assert found.verdict == "undetermined"
    assert np.isnan(found.confidence[0])
    assert "its error is not known" in found.statements[0]


def test_the_rounding_rule_of_a_target() -> None:
    printed = sy.Figure.parse("83 per cent")
    exact = sy.Target(printed)
    rounded = sy.Target(printed, rounding="as printed")
    most = sy.Target(printed, direction="at most", rounding="as printed")
    assert (exact.goal, rounded.goal, most.goal) == (0.83, 0.825, 0.835)
    assert exact.text == "at least 83 %"
    assert rounded.text == "at least 83 %, rounded as printed"
    assert sy.judge(share(), rounded).confidence[0] > sy.judge(share(), exact).confidence[0]
    assert "counts as reached from 82.5" in repr(sy.judge(share(), rounded))
    with pytest.raises(ValueError, match="needs a figure as printed"):
        sy.Target(0.83, rounding="as printed")


def test_a_target_that_was_changed_keeps_its_history() -> None:
    former = FormerTarget(sy.Figure.parse("60 %"), "the method changed in 2021")
    found = sy.judge(share(), sy.Target(sy.Figure.parse("50 %"), history=(former,)))
    assert "the target was 60 %: the method changed in 2021" in repr(found)
    assert "the target was 60 %" in found._repr_html_()


def test_the_distance_and_the_statement() -> None:
    found = sy.judge(share(), "75 %")
    assert found.distance[0] == pytest.approx(share().value - 0.75, rel=1e-12)
    low = sy.judge(share(), "99 %")
    assert low.statements[0].startswith(
        "sch.wide / Yes: at least 99 %: not met; 82.8 is 16.2 below"
    )
    assert low.to_dict()["verdict"] == ["not met"]


def test_several_estimates_are_judged_in_a_row_each() -> None:
    found = sy.judge(score(), 650)
    assert found.verdicts == ["met", "undetermined", "undetermined"]
    assert found.to_polars()["stype"].to_list() == ["E", "H", "M"]
    with pytest.raises(ValueError, match="there are 3 estimates"):
        _ = found.verdict


def test_the_trajectory_to_a_year() -> None:
    est = schools().mean("api00")
    found = sy.judge(est, est.value + 30).trajectory(2023, 2026)
    assert found["time"] == [2023, 2024, 2025, 2026]
    assert found["needed"] == pytest.approx([est.value + 10 * i for i in range(4)], rel=1e-12)
    assert "+10 each year" in repr(found)
    reached = sy.judge(est, est.value - 30).trajectory("2023-Q1", "2023-Q3")
    assert "reached already" in repr(reached)
    assert reached["time"] == [2023, 2023.5]
    with pytest.raises(ValueError, match="is not a time after"):
        sy.judge(est, 700).trajectory(2023, 2023)


def test_mistakes() -> None:
    with pytest.raises(sy.errors.FigureError, match="is not a figure"):
        sy.judge(share(), "three quarters")
    with pytest.raises(ValueError, match="not a confidence level"):
        sy.judge(share(), "75 %", level=95)
    with pytest.raises(ValueError, match="neither 'at least' nor 'at most'"):
        sy.judge(share(), "75 %", direction="above")  # type: ignore[arg-type]
