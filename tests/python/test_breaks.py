"""Breaks in a series: what is refused, what is linked, and what the link's error does."""

import math
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import steelyard as sy
from steelyard import Break, Link
from steelyard.errors import BreakInSeries

REASON = "a new questionnaire"


def frame(year: int, n: int = 40) -> pl.DataFrame:
    """Answers of people of whom half come back each year."""
    rng = np.random.default_rng(year)
    first = 20 * (year - 2020)
    y = [
        np.random.default_rng(i).normal(5, 1) + rng.normal(0, 0.4) for i in range(first, first + n)
    ]
    return pl.DataFrame({"who": [f"p{first + i}" for i in range(n)], "y": y}).with_columns(
        yes=pl.col("y") > 4.5
    )


@cache
def waves() -> dict[int, sy.Survey]:
    return {year: sy.Survey(frame(year), clusters="who") for year in (2020, 2021, 2022, 2023)}


def compare(*breaks: Break, **options: Any) -> sy.Comparison:
    return sy.compare(waves(), sy.mean("y"), breaks=breaks, **options)


def rows_at(table: dict[str, list[Any]], period: int, statistic: str) -> list[dict[str, Any]]:
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    return [row for row in rows if (row["period"], row["statistic"]) == (period, statistic)]


# Without a link


def test_a_change_across_a_break_is_refused() -> None:
    compared = compare(Break(2022, REASON))
    assert list(compared.differences) == list(compared.ratios) == [2021]
    assert len(compared.judged().p_value) == len(compared.verdicts) == 1
    refused = compared.changes[1]
    assert refused.refused is not None
    assert refused.refused.text == "break in 2022: a new questionnaire"
    for kind in ("difference", "ratio", "relative", "log_odds"):
        with pytest.raises(BreakInSeries, match="2022 and 2020 are not comparable: break in 2022"):
            getattr(refused, kind)


def test_a_refusal_is_in_the_tables() -> None:
    compared = compare(Break(2022, REASON))
    table = compared.to_dict()
    for year in (2022, 2023):
        (row,) = rows_at(table, year, "difference")
        assert row["note"] == "not comparable: break in 2022: a new questionnaire"
        assert row["base"] == 2020
        assert [row[x] for x in ("estimate", "se", "ci_low", "p_value", "verdict")] == [None] * 5
        assert rows_at(table, year, "level")[0]["estimate"] is not None
    text = " ".join(repr(compared).split())
    assert text.count("not comparable with 2020: break in 2022: a new questionnaire") >= 1
    assert "not comparable with 2020" in compared._repr_html_()
    assert compared.to_polars().filter(statistic="difference").height == 3


# Break at, base, and which of 2020 to 2023 are then not comparable with it
PLACES = [
    (2020, 2020, []),
    (2021, 2020, [2021, 2022, 2023]),
    (2023, 2020, [2023]),
    (2024, 2020, []),
    (1999, 2020, []),
    (2022, 2023, [2020, 2021]),
    (2023, 2023, [2020, 2021, 2022]),
    (2022, 2022, [2020, 2021]),
    (2020, 2023, []),
    ("2021-Q3", 2020, [2022, 2023]),
    ("2021-06-30", 2023, [2020, 2021]),
]


@pytest.mark.parametrize(("at", "base", "refused"), PLACES)
def test_where_a_break_lies(at: int | str, base: int, refused: list[int]) -> None:
    if len(refused) == 3:
        with pytest.raises(BreakInSeries, match="Leave it out, choose another base="):
            compare(Break(at, REASON), base=base)
        return
    changes = compare(Break(at, REASON), base=base).changes
    assert [change.period for change in changes if change.refused is not None] == refused


def test_a_break_between_waves_that_are_years_apart() -> None:
    pair = {year: waves()[year] for year in (2020, 2023)}
    with pytest.raises(BreakInSeries, match="2023 and 2020 are not comparable"):
        sy.compare(pair, sy.mean("y"), breaks=[Break(2021, REASON)])


def test_a_break_among_labels_without_time() -> None:
    named = dict(zip(["before", "during", "after"], waves().values(), strict=False))
    compared = sy.compare(named, sy.mean("y"), breaks=[Break("after", REASON)])
    assert list(compared.differences) == ["during"]
    with pytest.raises(ValueError, match="period 2022 is none of 'before', 'during', 'after'"):
        sy.compare(named, sy.mean("y"), breaks=[Break(2022, REASON)])


def test_each_with_the_one_before_is_refused_at_the_break_only() -> None:
    compared = compare(Break(2022, REASON), base="previous")
    assert list(compared.differences) == [2021, 2023]


def test_what_spans_a_break_is_refused_as_well() -> None:
    compared = compare(Break(2022, REASON))
    for spans in (
        compared.trend,
        compared.joinpoint,
        compared.monotonicity,
        compared.average,
        compared.series,
    ):
        with pytest.raises(BreakInSeries, match="not comparable across the break in 2022"):
            spans()  # type: ignore[operator]


def test_a_break_that_no_wave_is_before_hinders_nothing() -> None:
    found = compare(Break(2020, REASON)).trend()
    assert found.to_dict() == compare().trend().to_dict()


def test_a_line_is_interrupted_at_a_break() -> None:
    whole, broken = compare().plot("slope"), compare(Break(2022, REASON)).plot("slope")

    def joins(ax: Any) -> set[tuple[int, int]]:
        ends = [line.get_xdata() for line in ax.lines if line.get_linestyle() == "-"]
        return {(round(x[0]), round(x[-1])) for x in ends if len(x) == 2 and x[0] != x[-1]}

    assert joins(whole) == {(2020, 2021), (2021, 2022), (2022, 2023)}
    assert joins(broken) == {(2020, 2021), (2022, 2023)}
    assert [text.get_text() for text in broken.texts if "break" in text.get_text()] == [
        "break in 2022"
    ]
    (dashed,) = [
        line for line in broken.lines if line.get_linestyle() != "-" and len(line.get_xdata()) == 2
    ]
    assert dashed.get_xdata() == [2021.5, 2021.5]


# With a link


def test_a_shift_adds_its_variance() -> None:
    compared = compare(Break(2022, REASON, Link.shift(0.2, se=0.15)))
    plain = compare()
    change, alone = compared.differences[2023], plain.differences[2023]
    assert change.value == pytest.approx(alone.value - 0.2, rel=1e-11)
    assert change.se[0] == pytest.approx(math.hypot(alone.se[0], 0.15), rel=1e-11)
    assert change.df == alone.df
    assert compared.differences[2021].to_dict() == plain.differences[2021].to_dict()
    assert compared.levels[2020].to_dict() == plain.levels[2020].to_dict()


def test_a_shift_between_samples_apart() -> None:
    compared = compare(Break(2022, REASON, Link.shift(-0.1, se=0.3)), overlap="none")
    v = [svy.mean("y").se[0] ** 2 for svy in waves().values()]
    assert compared.differences[2022].se[0] == pytest.approx(math.sqrt(v[0] + v[2] + 0.3**2))


def test_a_scale_multiplies_level_and_error() -> None:
    factor, se = 1.1, 0.05
    compared = compare(Break(2022, REASON, Link.scale(factor, se=se)), overlap="none")
    old, new = waves()[2020].mean("y"), waves()[2022].mean("y")
    change = compared.differences[2022]
    assert change.value == pytest.approx(new.value - factor * old.value, rel=1e-11)
    variance = new.se[0] ** 2 + (factor * old.se[0]) ** 2 + (old.value * se) ** 2
    assert change.se[0] == pytest.approx(math.sqrt(variance), rel=1e-11)


def test_a_later_base_links_the_earlier_periods() -> None:
    link = Link.shift(0.2, se=0.15)
    forth = compare(Break(2022, REASON, link)).differences[2023]
    back = compare(Break(2022, REASON, link), base=2023).differences[2020]
    assert back.value == pytest.approx(-forth.value, rel=1e-11)
    assert back.se[0] == pytest.approx(forth.se[0], rel=1e-11)


def test_linked_periods_share_the_error_of_the_link() -> None:
    joint = compare(Break(2022, REASON, Link.shift(0.2, se=0.5))).series().joint
    plain = compare().series().joint
    assert joint.cov[:2, :2] == pytest.approx(plain.cov[:2, :2] + 0.25, rel=1e-11)
    assert joint.cov[2:, 2:] == pytest.approx(plain.cov[2:, 2:], rel=1e-11)
    assert joint.cov[0, 3] == pytest.approx(plain.cov[0, 3], abs=1e-12)
    early = joint.contrast({2020: -1, 2021: 1})
    assert early.se[0] == pytest.approx(compare().differences[2021].se[0], rel=1e-11)


def test_links_follow_each_other() -> None:
    first, second = Link.shift(0.2, se=0.1), Link.scale(1.5, se=0.05)
    compared = compare(Break(2023, "b", second), Break(2022, "a", first), overlap="none")
    old, new = waves()[2020].mean("y"), waves()[2023].mean("y")
    change = compared.differences[2023]
    assert change.value == pytest.approx(new.value - 1.5 * (old.value + 0.2), rel=1e-11)
    variance = (
        new.se[0] ** 2 + 1.5**2 * (old.se[0] ** 2 + 0.1**2) + (old.value + 0.2) ** 2 * 0.05**2
    )
    assert change.se[0] == pytest.approx(math.sqrt(variance), rel=1e-11)


def test_one_break_without_a_link_is_enough() -> None:
    linked = Break(2022, "a", Link.shift(0.2, se=0.1))
    compared = compare(linked, Break(2023, "b"))
    assert list(compared.differences) == [2021, 2022]
    assert compared.changes[2].refused is not None
    assert compared.changes[2].refused.reason == "b"


def test_a_trend_across_a_linked_break() -> None:
    compared = compare(Break(2022, REASON, Link.shift(0.2, se=0.15)))
    plain = compare().trend()
    found = compared.trend()
    # Slope of least squares over four years: (-1.5, -0.5, 0.5, 1.5) / 5.
    row = np.array([-0.3, -0.1, 0.1, 0.3])
    assert found["estimate"] == pytest.approx([plain["estimate"][0] - 0.4 * 0.2], rel=1e-10)
    joint = compare().series().joint
    variance = row @ joint.cov @ row + (0.4 * 0.15) ** 2
    assert found["se"] == pytest.approx([math.sqrt(variance)], rel=1e-10)


def test_a_link_is_said() -> None:
    compared = compare(Break(2022, REASON, Link.shift(0.2, se=0.15)))
    text = " ".join(repr(compared).split())
    said = (
        "linked across the break in 2022: a new questionnaire; given: earlier figures +0.2 "
        "(standard error 0.15)"
    )
    assert said in text
    conventions = compared.changes[1].pair.before.conventions
    assert conventions["link in 2022"] == said.removeprefix("linked across the break in 2022: ")
    assert Link.scale(1.1, se=0.02).text == "earlier figures times 1.1 (standard error 0.02)"
    assert Link.shift(-0.02, se=0).text == "earlier figures -0.02 (standard error 0)"


def test_a_linked_share() -> None:
    found = sy.compare(
        waves(),
        sy.proportion("yes", positive=True),
        breaks=[Break(2022, REASON, Link.shift(0.02, se=0.01))],
    )
    plain = sy.compare(waves(), sy.proportion("yes", positive=True))
    change, alone = found.differences[2022], plain.differences[2022]
    assert change.value == pytest.approx(alone.value - 0.02, rel=1e-11)
    assert change.se[0] == pytest.approx(math.hypot(alone.se[0], 0.01), rel=1e-11)


# A study of both ways to measure


def study(people: range, seed: int) -> sy.Survey:
    rng = np.random.default_rng(seed)
    old = rng.normal(5, 1, len(people))
    new = 0.5 + 0.9 * old + rng.normal(0, 0.2, len(people))
    both = pl.DataFrame({"who": [f"p{i}" for i in people], "old": old, "new": new})
    return sy.Survey(both, clusters="who")


def test_a_study_links_by_the_difference_of_its_estimates() -> None:
    svy = study(range(900, 930), 1)
    link = Link.study(svy.mean("old"), svy.mean("new"))
    paired = svy.mean("new") - svy.mean("old")
    assert (link.value, link.se) == pytest.approx((paired.value, paired.se[0]), rel=1e-11)
    compared = compare(Break(2022, REASON, link))
    alone = compare().differences[2022]
    change = compared.differences[2022]
    assert change.value == pytest.approx(alone.value - link.value, rel=1e-10)
    assert change.se[0] == pytest.approx(math.hypot(alone.se[0], link.se), rel=1e-10)
    assert "overlap study: earlier figures" in " ".join(repr(compared).split())


def test_a_study_may_link_by_a_ratio() -> None:
    svy = study(range(900, 930), 2)
    link = Link.study(svy.mean("old"), svy.mean("new"), "scale")
    ratio = svy.mean("new") / svy.mean("old")
    assert (link.value, link.se) == pytest.approx((ratio.value, ratio.se[0]), rel=1e-11)
    change = compare(Break(2022, REASON, link), overlap="none").differences[2022]
    old, new = waves()[2020].mean("y"), waves()[2022].mean("y")
    variance = new.se[0] ** 2 + (ratio.value * old.se[0]) ** 2 + (old.value * ratio.se[0]) ** 2
    assert change.se[0] == pytest.approx(math.sqrt(variance), rel=1e-10)


def test_a_study_of_people_of_the_waves_covaries_with_them() -> None:
    svy = study(range(45, 75), 3)  # of whom 15 answer in 2021, all in 2022
    link = Link.study(svy.mean("old"), svy.mean("new"))
    found = sy.compare(
        {year: waves()[year] for year in (2021, 2022)},
        sy.mean("y"),
        breaks=[Break(2022, REASON, link)],
    ).differences[2022]
    before, after = waves()[2021].mean("y"), waves()[2022].mean("y")
    expected = after - (before + (svy.mean("new") - svy.mean("old")))
    assert (found.value, found.se[0]) == pytest.approx((expected.value, expected.se[0]), rel=1e-10)
    # By hand, with one deviation a person: sqrt(n / (n - 1)) (y - mean) / n.
    total: dict[str, float] = {}
    for sign, who, y in (
        (1, frame(2022)["who"], frame(2022)["y"]),
        (-1, frame(2021)["who"], frame(2021)["y"]),
        (-1, [f"p{i}" for i in range(45, 75)], _gains(svy)),
    ):
        values = np.asarray(y)
        n = len(values)
        for name, d in zip(who, (values - values.mean()) / math.sqrt(n * (n - 1)), strict=True):
            total[name] = total.get(name, 0.0) + sign * d
    assert found.se[0] == pytest.approx(math.sqrt(sum(d**2 for d in total.values())), rel=1e-10)


def _gains(svy: sy.Survey) -> list[float]:
    rows = svy.sample.columns
    return (rows.numbers("new") - rows.numbers("old")).tolist()  # type: ignore[operator]


def test_links_that_are_none() -> None:
    for wrong in ({"amount": math.nan, "se": 0.1}, {"amount": 0.1, "se": -1}):
        with pytest.raises(ValueError, match="a link is a number, with a standard error"):
            Link.shift(**wrong)
    for factor in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="links nothing: it is above 0"):
            Link.scale(factor, se=0.1)
    svy = study(range(900, 930), 4)
    both = svy.mean(["old", "new"])
    with pytest.raises(ValueError, match="an overlap study is of one figure"):
        Link.study(both, both)
    with pytest.raises(ValueError, match="kind='log' is neither 'shift' nor 'scale'"):
        Link.study(svy.mean("old"), svy.mean("new"), "log")  # type: ignore[arg-type]
