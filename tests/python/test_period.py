"""Periods: when they were, any of them compared, and several taken together."""

import math
from datetime import date, datetime
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import steelyard as sy
from steelyard.period import Period, position_of, time_of, times_of

SIZES = {2021: 40, 2022: 48, 2023: 32, 2024: 44}


def frame(year: int) -> pl.DataFrame:
    """Answers from people of whom most come back, their level being their own."""
    rng = np.random.default_rng(year)
    first = 4 * (year - 2021)
    who = range(first, first + SIZES[year])
    y = [np.random.default_rng(i).normal(5, 1) + rng.normal(0, 0.4) for i in who]
    return pl.DataFrame(
        {"who": [f"p{i}" for i in who], "g": ["F", "M"] * (len(y) // 2), "y": y}
    ).with_columns(yes=pl.col("y") > 5)


@cache
def waves() -> dict[int, sy.Survey]:
    return {year: sy.Survey(frame(year), clusters="who") for year in SIZES}


@cache
def compared() -> sy.Comparison:
    return sy.compare(waves(), sy.mean("y"))


# When a period was

TIMES: dict[Any, float | None] = {
    2023: 2023.0,
    "2023": 2023.0,
    " 2023 ": 2023.0,
    "2023-Q1": 2023.0,
    "2023 Q3": 2023.5,
    "2023q4": 2023.75,
    "2023-04": 2023.25,
    "2022-23": 2022.5,
    "2022/2023": 2022.5,
    "2022–24": 2023.0,
    "1999/2001": 2000.0,
    date(2023, 1, 1): 2023.0,
    datetime(2023, 1, 1, 12): 2023.0,
    "2023-01-01": 2023.0,
    "baseline": None,
    "2023-Q5": None,
    "2023/22": None,
    "wave 2": None,
    "": None,
}


@pytest.mark.parametrize("period", TIMES, ids=str)
def test_when_a_period_was(period: Period) -> None:
    assert time_of(period) == TIMES[period]


def test_dates_count_their_days() -> None:
    assert time_of(date(2023, 7, 2)) == pytest.approx(2023.5, abs=2e-3)
    assert time_of("2024-12-31") == pytest.approx(2025, abs=3e-3)
    assert times_of([date(2023, 1, 1), date(2023, 7, 1), 2024]) == pytest.approx(
        [2023, 2023.4956, 2024], abs=1e-4
    )


def test_times_are_read_or_given() -> None:
    assert times_of(["2022-Q4", "2023-Q1"]).tolist() == [2022.75, 2023]
    assert times_of(["before", "after"], [0, 2.5]).tolist() == [0, 2.5]
    with pytest.raises(ValueError, match="period 'after' does not say when it was: give times="):
        times_of([2022, "after"])
    with pytest.raises(ValueError, match="times= has 1 values, and there are 2 periods"):
        times_of([2022, 2023], [2022])
    for wrong in ([2, 1], [1, 1], [1, math.nan]):
        with pytest.raises(ValueError, match="sort the waves"):
            times_of(["a", "b"], wrong)


def test_a_period_that_is_not_a_wave_is_placed_by_time() -> None:
    years = [2019, 2021, 2023]
    assert [position_of(year, years) for year in (2018, 2019, 2020, 2022, 2024)] == [0, 0, 1, 2, 3]
    assert position_of("2022-Q3", years) == 2
    assert position_of("during", ["before", "during", "after"]) == 1
    with pytest.raises(ValueError, match="'late' is none of 2019, 2021, 2023, and names no time"):
        position_of("late", years)
    with pytest.raises(ValueError, match="names no time by which to place it"):
        position_of(2020, ["before", "after"])


# Any of them compared


def test_each_period_with_the_one_before() -> None:
    steps = sy.compare(waves(), sy.mean("y"), base="previous")
    pairs = [(change.base, change.period) for change in steps.changes]
    assert pairs == [(2021, 2022), (2022, 2023), (2023, 2024)]
    assert list(steps.overlap.values()) == [36, 32, 28]
    total = sum(change.value for change in steps.differences.values())
    assert total == pytest.approx(compared().differences[2024].value, rel=1e-12)
    named = dict(zip(["previous", "next", "last"], waves().values(), strict=False))
    assert sy.compare(named, sy.mean("y"), base="previous").changes[1].base == "previous"


PERIODS: list[list[Any]] = [
    [2021, 2022, 2023, 2024],
    ["2023-Q1", "2023-Q2", "2023-Q3", "2023-Q4"],
    [date(2023, 1, 31), date(2023, 4, 30), date(2023, 7, 31), date(2023, 10, 31)],
    ["before", 2022, "during", date(2024, 1, 1)],
]


@pytest.mark.parametrize("periods", PERIODS, ids=lambda periods: str(periods[0]))
def test_any_period_reaches_every_kind_of_frame(periods: list[Any]) -> None:
    named = dict(zip(periods, waves().values(), strict=True))
    result = sy.compare(named, sy.mean("y"), base=periods[1])
    table = result.to_dict()
    shown = [p if isinstance(p, int | str) else p.isoformat() for p in periods]
    assert table["period"] == shown + [shown[0], *shown[2:]] * 3
    assert table["base"] == [None] * 4 + [shown[1]] * 9
    polars, pandas, arrow = result.to_polars(), result.to_pandas(), result.to_arrow()
    assert polars.columns == list(pandas.columns) == arrow.column_names == list(table)
    for name in ("period", "verdict"):
        text = [None if x is None else str(x) for x in table[name]]
        assert [None if x is None else str(x) for x in polars[name]] == text
        assert [None if x is None else str(x) for x in arrow[name].to_pylist()] == text
    assert polars["estimate"].to_list() == list(pandas["estimate"]) == table["estimate"]
    assert max(map(len, repr(result).splitlines())) <= 80


def test_changes_are_named_by_their_dates() -> None:
    named = {date(2023, 1, 31): waves()[2021], date(2024, 1, 31): waves()[2022]}
    result = sy.compare(named, sy.mean("y"))
    assert "2023-01-31 to 2024-01-31: no clear change" in " ".join(repr(result).split())
    assert result.detectable()["change"] == ["2023-01-31 to 2024-01-31: y"]


# Several taken together


def by_hand(coefficients: list[float]) -> tuple[float, float]:
    joint = compared().series().joint
    row = np.array(coefficients)
    return float(row @ joint.estimate), math.sqrt(row @ joint.cov @ row)


def test_periods_averaged_alike() -> None:
    found = compared().average()
    assert (found.value, found.se[0]) == pytest.approx(by_hand([0.25] * 4), rel=1e-11)
    assert found.labels.by == {"period": ["2021 to 2024"]}
    assert found.conventions["periods weighted"] == "equal, taken as known"
    two = compared().average(periods=[2022, 2024])
    assert (two.value, two.se[0]) == pytest.approx(by_hand([0, 0.5, 0, 0.5]), rel=1e-11)


def test_an_average_of_what_is_shared_knows_its_covariance() -> None:
    apart = sy.compare(waves(), sy.mean("y"), overlap="none").average()
    errors = [svy.mean("y").se[0] for svy in waves().values()]
    assert apart.se[0] == pytest.approx(math.hypot(*errors) / 4, rel=1e-12)
    assert compared().average().se[0] > 1.3 * apart.se[0]  # many answer every year


def test_periods_weighted_by_respondents() -> None:
    found = compared().average("respondents")
    sizes = np.array(list(SIZES.values()))
    expected = by_hand((sizes / sizes.sum()).tolist())
    assert (found.value, found.se[0]) == pytest.approx(expected, rel=1e-11)


def test_periods_weighted_by_precision() -> None:
    found = compared().average("precision")
    precision = 1 / compared().series().joint.se ** 2
    expected = by_hand((precision / precision.sum()).tolist())
    assert (found.value, found.se[0]) == pytest.approx(expected, rel=1e-11)
    assert found.conventions["periods weighted"] == "precision, taken as known"


def test_periods_weighted_as_given() -> None:
    people: dict[Period, float] = {2021: 100, 2022: 0, 2023: 300, 2024: 600}
    found = compared().average(people)
    assert (found.value, found.se[0]) == pytest.approx(by_hand([0.1, 0, 0.3, 0.6]), rel=1e-11)
    assert found.conventions["periods weighted"] == "as given, taken as known"


def test_an_average_of_groups_that_are_in_all_periods() -> None:
    only = sy.Survey(frame(2023).filter(g="F"), clusters="who")
    lacking = sy.compare({**waves(), 2023: only}, sy.mean("y"), by="g")
    assert lacking.average().labels.by["g"] == ["F"]
    both = lacking.average(periods=[2021, 2022])
    assert both.labels.by["g"] == ["F", "M"]
    levels = [lacking.levels[year]["M"].value for year in (2021, 2022)]
    assert both["M"].value == pytest.approx(sum(levels) / 2, rel=1e-12)


def test_moving_averages() -> None:
    found = compared().moving_average(3, "respondents")
    assert found.labels.by["period"] == ["2021 to 2023", "2022 to 2024"]
    sizes = np.array(list(SIZES.values()))
    for i in (0, 1):
        row = np.zeros(4)
        row[i : i + 3] = sizes[i : i + 3] / sizes[i : i + 3].sum()
        assert (found.estimate[i], found.se[i]) == pytest.approx(by_hand(row.tolist()), rel=1e-11)
    single = compared().moving_average(1)
    assert single.labels.by["period"] == ["2021", "2022", "2023", "2024"]
    assert single.se == pytest.approx(compared().series().joint.se, rel=1e-12)


def test_the_net_change_of_averages() -> None:
    found = compared().net_change([2021, 2022], [2023, 2024])
    assert (found.value, found.se[0]) == pytest.approx(by_hand([-0.5, -0.5, 0.5, 0.5]), rel=1e-11)
    assert found.labels.by["period"] == ["2023 to 2024 - 2021 to 2022"]
    one = compared().net_change([2021], [2024])
    change = compared().differences[2024]
    assert (one.value, one.se[0]) == pytest.approx((change.value, change.se[0]), rel=1e-11)


def test_published_periods_are_averaged_by_what_is_known_of_them() -> None:
    share = sy.proportion("yes", positive=True)
    published = {2020: sy.Published("52 %", n=50, deff=2), 2021: waves()[2021]}
    found = sy.compare(published, share).average()
    own = waves()[2021].proportion("yes", positive=True)
    assert found.value == pytest.approx((0.52 + own.value) / 2, rel=1e-12)
    assert found.se[0] == pytest.approx(math.hypot(math.sqrt(2 * 0.52 * 0.48 / 50), own.se[0]) / 2)
    unknown = sy.compare({2020: "52 %", 2021: waves()[2021]}, share)
    for average in (unknown.average, unknown.trend, unknown.monotonicity):
        with pytest.raises(ValueError, match="has no sampling error: say how many answers"):
            average()  # type: ignore[operator]


def test_averages_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="period 2032"):
        compared().average(periods=[2021, 2032])
    with pytest.raises(ValueError, match="there is no period to average"):
        compared().average(periods=[])
    with pytest.raises(ValueError, match="weights='size' is none of 'equal', 'precision'"):
        compared().average("size")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="weights= has no number for period 2023"):
        compared().average({2021: 1, 2022: 1})
    with pytest.raises(ValueError, match="weights of periods are not negative"):
        compared().average({2021: 1, 2022: 1, 2023: -1, 2024: 1})
    for window in (0, 5):
        with pytest.raises(ValueError, match=f"window={window} does not fit into 4 periods"):
            compared().moving_average(window)
