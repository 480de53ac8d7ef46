"""Trends: slopes against least squares by hand, change points, and series that only rise."""

import math
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

import steelyard as sy
from steelyard import _core
from steelyard.errors import EmptyDomain

Floats = npt.NDArray[np.float64]
LEVELS = {2014: 5.0, 2016: 5.3, 2017: 5.2, 2020: 6.1, 2021: 6.0, 2023: 6.6}


def wave(seed: int, level: float, n: int = 40, spread: float = 0.4) -> sy.Survey:
    """Answers of the same people, of whom each has a level of his own."""
    own = np.random.default_rng(7).normal(level, 1, n)
    y = own + np.random.default_rng(seed).normal(0, spread, n)
    frame = pl.DataFrame({"who": [f"p{i}" for i in range(n)], "g": ["F", "M"] * (n // 2), "y": y})
    return sy.Survey(frame, clusters="who")


@cache
def waves() -> dict[int, sy.Survey]:
    return {year: wave(year, level) for year, level in LEVELS.items()}


@cache
def compared() -> sy.Comparison:
    return sy.compare(waves(), sy.mean("y"))


def series(levels: list[float], se: float = 0.05) -> sy.Comparison:
    """Shares of samples drawn apart, given as published, of about this standard error."""
    return sy.compare(
        {
            2010 + i: sy.Published(f"{100 * p:.2f} %", n=round(p * (1 - p) / se**2))
            for i, p in enumerate(levels)
        }
    )


def coefficient(times: Floats, weights: Floats, power: int) -> Floats:
    """Row of (X'WX)^-1 X'W for the highest power of time."""
    x = np.vander(times - times.mean(), power + 1, increasing=True)
    found: Floats = np.linalg.solve(x.T @ (weights[:, None] * x), x.T * weights)[power]
    return found


# Trends


def test_the_slope_is_that_of_least_squares() -> None:
    joint = compared().series().joint
    row = coefficient(np.array(list(LEVELS), dtype=float), np.ones(6), 1)
    slope, se = row @ joint.estimate, math.sqrt(row @ joint.cov @ row)
    found = compared().trend()
    assert found["term"] == ["linear"]
    assert found["estimate"] == pytest.approx([slope], rel=1e-10)
    assert found["se"] == pytest.approx([se], rel=1e-10)
    assert found["p_value"] == pytest.approx([2 * _core.t_upper_tail(slope / se, 39)], rel=1e-8)
    half = _core.t_quantile(0.975, 39) * se
    assert found["ci_low"] == pytest.approx([slope - half], rel=1e-9)


def test_a_slope_against_r() -> None:
    # R 4.2.2: coef(lm(c(5, 5.3, 5.2, 6.1, 6, 6.6) ~ c(2014, 2016, 2017, 2020, 2021, 2023)))[2]
    exact = {
        year: sy.Survey(pl.DataFrame({"y": [level - 0.1, level + 0.1]}))
        for year, level in LEVELS.items()
    }
    found = sy.compare(exact, sy.mean("y")).trend()
    assert found["estimate"] == pytest.approx([0.17913043478261476], rel=1e-10)
    # Six samples of the same error: 0.1 / sqrt(sum of squares of time).
    times = np.array(list(LEVELS), dtype=float)
    assert found["se"] == pytest.approx([0.1 / math.sqrt(((times - times.mean()) ** 2).sum())])


def test_a_curve_has_its_own_term() -> None:
    joint = compared().series().joint
    times = np.array(list(LEVELS), dtype=float)
    found = compared().trend(2)
    assert found["term"] == ["linear", "quadratic"]
    for i in (0, 1):
        row = coefficient(times, np.ones(6), i + 1)
        assert found["estimate"][i] == pytest.approx(row @ joint.estimate, rel=1e-9)
        assert found["se"][i] == pytest.approx(math.sqrt(row @ joint.cov @ row), rel=1e-9)
    assert found["no_change_p"][1] is None
    linear = compared().trend()
    assert found["estimate"][0] == pytest.approx(linear["estimate"][0], rel=1e-10)


def test_a_trend_by_precision() -> None:
    frames = {
        year: wave(year, level, n, 1.0)
        for (year, level), n in zip(LEVELS.items(), (20, 80, 40, 30, 60, 24), strict=True)
    }
    result = sy.compare(frames, sy.mean("y"))
    joint = result.series().joint
    row = coefficient(np.array(list(LEVELS), dtype=float), 1 / joint.se**2, 1)
    found = result.trend(weights="precision")
    assert found["estimate"] == pytest.approx([row @ joint.estimate], rel=1e-9)
    assert found["se"] == pytest.approx([math.sqrt(row @ joint.cov @ row)], rel=1e-9)
    assert found["estimate"] != result.trend()["estimate"]


def test_a_test_that_there_was_no_change_at_all() -> None:
    levels = compared().series().joint
    (p,) = compared().trend()["no_change_p"]
    assert p == pytest.approx(levels.equality_test().p_value, rel=1e-9)
    steps = np.diff(np.eye(6), axis=0)
    gain, cov = steps @ levels.estimate, steps @ levels.cov @ steps.T
    assert levels.equality_test().statistic == pytest.approx(
        gain @ np.linalg.solve(cov, gain) / 5, rel=1e-8
    )


def test_a_year_that_one_group_lacks_is_left_out_of_its_trend() -> None:
    without = {**waves(), 2017: sy.Survey(_only_women(), clusters="who")}
    result = sy.compare(without, sy.mean("y"), by="g")
    found = result.trend()
    assert found["g"] == ["F", "M"]
    years = np.array([year for year in LEVELS if year != 2017], dtype=float)
    levels = np.array([result.levels[int(year)]["M"].value for year in years])
    row = coefficient(years, np.ones(5), 1)
    assert found["estimate"][1] == pytest.approx(row @ levels, rel=1e-10)


def _only_women() -> pl.DataFrame:
    y = np.random.default_rng(1).normal(5, 1, 20)
    return pl.DataFrame({"who": [f"p{2 * i}" for i in range(20)], "g": ["F"] * 20, "y": y})


def test_times_may_be_given_and_have_a_unit() -> None:
    named = dict(zip("abcdef", waves().values(), strict=True))
    result = sy.compare(named, sy.mean("y"))
    found = result.trend(times=[float(year) for year in LEVELS])
    assert found["estimate"] == pytest.approx(compared().trend()["estimate"], rel=1e-10)
    decades = result.trend(times=[year / 10 for year in LEVELS])
    assert decades["estimate"] == pytest.approx([10 * found["estimate"][0]], rel=1e-10)
    assert decades["p_value"] == pytest.approx(found["p_value"], rel=1e-9)


def test_quarters_are_quarters_of_a_year() -> None:
    quarters = ["2022-Q1", "2022-Q2", "2022-Q4", "2023-Q1"]
    four = list(waves().values())[:4]
    found = sy.compare(dict(zip(quarters, four, strict=True)), sy.mean("y")).trend()
    row = coefficient(np.array([2022, 2022.25, 2022.75, 2023]), np.ones(4), 1)
    levels = [svy.mean("y").value for svy in four]
    assert found["estimate"] == pytest.approx([row @ levels], rel=1e-9)


def test_trends_that_cannot_be() -> None:
    four = list(waves().values())[:4]
    unsorted = {2021: four[0], 2019: four[1], 2023: four[2], 2024: four[3]}
    undated = dict(zip(["2021", "baseline", "2023", "2024"], four, strict=True))
    for ask in ("trend", "joinpoint"):
        shuffled = getattr(sy.compare(unsorted, sy.mean("y")), ask)()
        ordered = dict(sorted(unsorted.items()))
        assert shuffled.to_dict() == getattr(sy.compare(ordered, sy.mean("y")), ask)().to_dict()
        with pytest.raises(ValueError, match="period 'baseline' does not say when it was"):
            getattr(sy.compare(undated, sy.mean("y")), ask)()
        with pytest.raises(ValueError, match="times= has 2 values"):
            getattr(compared(), ask)(times=[1, 2])
    with pytest.raises(ValueError, match="weights='size' is neither 'equal' nor 'precision'"):
        compared().trend(weights="size")  # type: ignore[arg-type]
    with pytest.raises(EmptyDomain, match="a trend of degree 6 needs 7 periods"):
        compared().trend(6)
    with pytest.raises(ValueError, match="degree of at least 1"):
        compared().trend(0)
    three = sy.compare({year: waves()[year] for year in (2014, 2016, 2017)}, sy.mean("y"))
    with pytest.raises(EmptyDomain, match="a change point needs four periods"):
        three.joinpoint()
    two = sy.compare({year: waves()[year] for year in (2014, 2016)}, sy.mean("y"))
    with pytest.raises(EmptyDomain, match="needs three periods"):
        two.monotonicity()


# A change point


def test_a_planted_change_point_is_found() -> None:
    found = series([0.30, 0.31, 0.30, 0.31, 0.40, 0.49, 0.60, 0.69], se=0.01).joinpoint()
    assert found["at"] == [str(year) for year in range(2011, 2017)]
    best = found["likeliest"].index(True)
    assert found["likeliest"].count(True) == 1
    assert found["at"][best] == "2013"
    assert found["p_value"][best] < 0.001  # type: ignore[operator]
    assert found["slope_before"][best] == pytest.approx(0.002, abs=0.005)
    assert found["slope_after"][best] == pytest.approx(0.096, abs=0.005)


def test_a_change_point_is_two_lines_that_meet() -> None:
    found = compared().joinpoint()
    joint = compared().series().joint
    times = np.array(list(LEVELS), dtype=float)
    weights = 1 / joint.se**2
    for i, at in enumerate(times[1:-1]):
        x = np.column_stack([np.ones(6), times - at, np.maximum(times - at, 0)])
        rows = np.linalg.solve(x.T @ (weights[:, None] * x), x.T * weights)
        before, change = rows[1] @ joint.estimate, rows[2] @ joint.estimate
        assert found["slope_before"][i] == pytest.approx(before, rel=1e-7)
        assert found["slope_after"][i] == pytest.approx(before + change, rel=1e-7)
        assert found["se"][i] == pytest.approx(math.sqrt(rows[2] @ joint.cov @ rows[2]), rel=1e-7)


def test_a_straight_line_has_no_change_point() -> None:
    found = series([0.30, 0.36, 0.40, 0.46, 0.50, 0.55, 0.60], se=0.02).joinpoint()
    assert min(found["p_value"]) > 0.2  # type: ignore[type-var]
    assert found.estimates is not None
    alone = found.estimates.p_value()
    assert (np.array(found["p_value"]) >= alone - 5e-3).all()


def test_a_change_point_is_drawn_by_its_seed() -> None:
    line = series([0.30, 0.36, 0.40, 0.52, 0.50], se=0.05)
    assert line.joinpoint(seed=3)["p_value"] == line.joinpoint(seed=3)["p_value"]
    assert line.joinpoint(seed=3)["p_value"] != line.joinpoint(seed=4)["p_value"]


# Only up, or only down

ONLY = {
    "rose every time": [0.2, 0.35, 0.5, 0.65],
    "fell every time": [0.65, 0.5, 0.35, 0.2],
    "rose and fell": [0.2, 0.5, 0.2, 0.5],
    "fell at least once": [0.5, 0.51, 0.3, 0.31],
    "rose at least once": [0.3, 0.31, 0.5, 0.51],
    "undetermined": [0.3, 0.31, 0.32, 0.33],
}


@pytest.mark.parametrize("verdict", ONLY)
def test_whether_a_series_only_rose(verdict: str) -> None:
    found = series(ONLY[verdict], se=0.02).monotonicity()
    assert found["verdict"] == [verdict]
    assert found["steps"] == [3]


def test_rising_every_time_goes_by_the_least_step() -> None:
    found = compared().monotonicity()
    assert found.estimates is not None
    t = found.estimates.estimate / found.estimates.se
    one_sided = [_core.t_upper_tail(float(x), 39) for x in t]
    assert found["rose_p"] == pytest.approx([max(one_sided)], rel=1e-9)
    assert found["fell_p"] == pytest.approx([max(1 - p for p in one_sided)], rel=1e-9)
    single = min(1 - p for p in one_sided)
    assert single - 5e-3 <= found["fall_p"][0] <= 5 * single + 5e-3  # type: ignore[operator]


def test_the_verdict_goes_by_the_level_of_the_comparison() -> None:
    rising = [0.30, 0.36, 0.42]
    (p,) = series(rising, se=0.02).monotonicity()["rose_p"]
    assert isinstance(p, float)
    waves_of = dict(enumerate(series(rising, se=0.02).levels.values()))
    for level, verdict in ((1 - 1.1 * p, True), (1 - 0.9 * p, False)):
        (found,) = sy.compare(waves_of, level=level).monotonicity()["verdict"]
        assert (found == "rose every time") is verdict


def test_findings_are_tables() -> None:
    grouped = sy.compare(
        waves(), lambda s: s.mean("y", by="g").renamed("a <b>very</b> long name of a variable")
    )
    for found in (grouped.trend(2), grouped.joinpoint(), grouped.monotonicity()):
        table = found.to_dict()
        assert len(found) == len(found.to_pandas()) == found.to_arrow().num_rows
        assert found.to_polars().columns == list(table)
        assert max(map(len, repr(found).splitlines())) <= 80
        assert "<b>" not in found._repr_html_()
        assert found.title in found._repr_html_()
