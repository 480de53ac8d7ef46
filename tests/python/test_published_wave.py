"""Published figures compared with microdata: what rounding and unknown errors leave open."""

import math
from typing import Any

import polars as pl
import pytest

import steelyard as sy
from steelyard import Break, Link, Published, _core
from steelyard.errors import FigureError, LabelNotFound

YES = sy.proportion("yes", positive=True)


def survey(positive: int, n: int = 100) -> sy.Survey:
    return sy.Survey(pl.DataFrame({"yes": [True] * positive + [False] * (n - positive)}))


def since(published: Any, positive: int, **options: Any) -> sy.Comparison:
    """A published figure of 2022 against 100 answers of 2023."""
    return sy.compare({2022: published, 2023: survey(positive)}, YES, **options)


def variance(positive: int) -> float:
    return positive / 100 * (1 - positive / 100) / 99


T99 = _core.t_quantile(0.975, 99)

# As printed, half of its last digit, and the shares that print so.
FIGURES: dict[Any, tuple[float, float, float]] = {
    "95 per cent": (0.95, 0.945, 0.955),
    "95%": (0.95, 0.945, 0.955),
    "95,0 %": (0.95, 0.9495, 0.9505),
    "95.00 percent": (0.95, 0.94995, 0.95005),
    "0.95": (0.95, 0.945, 0.955),
    "0,950": (0.95, 0.9495, 0.9505),
    95: (0.95, 0.945, 0.955),
    96.9: (0.969, 0.9685, 0.9695),
    "100 %": (1.0, 0.995, 1.0),
    "0 %": (0.0, 0.0, 0.005),
}


@pytest.mark.parametrize("figure", FIGURES, ids=str)
def test_a_figure_stands_for_all_that_print_so(figure: str | float) -> None:
    printed, low, high = FIGURES[figure]
    levels = Published(figure).levels(None)
    assert levels.printed.value == pytest.approx(printed, rel=1e-14)
    assert levels.lowest.value == pytest.approx(low, abs=1e-15)
    assert levels.highest.value == pytest.approx(high, rel=1e-14)


def test_figures_rounded_down() -> None:
    levels = Published("95,3 %", rounded="truncate").levels(None)
    assert (levels.lowest.value, levels.highest.value) == pytest.approx((0.953, 0.954))
    assert Published("100 %", rounded="truncate").levels(None).highest.value == 1
    compared = since(Published("60 %", rounded="truncate"), 80)
    judged = compared.judged()
    assert (judged.least[0], judged.most[0]) == pytest.approx((0.19, 0.20))


def test_a_published_figure_in_words() -> None:
    assert Published("95 per cent", n=627, deff=1.4).text == (
        "95 % as printed: 94.5 to 95.5 %; n = 627, design effect 1.4"
    )
    assert Published("95,0 %").text == (
        "95.0 % as printed: 94.95 to 95.05 %; no sampling error is known"
    )
    assert Published({"F": "95 %", "M": "93 %"}, n=1627).text == (
        "F: 95 % as printed: 94.5 to 95.5 %; M: 93 % as printed: 92.5 to 93.5 %; n = 1,627, design "
        "effect 1"
    )


def test_figures_that_cannot_be() -> None:
    for wrong in ("about 95", "105 %", "-3 %", "1,234.5 %", ""):
        with pytest.raises(FigureError):
            Published(wrong)
    for n in (0, -5, 627.5, "627"):
        with pytest.raises(FigureError, match="is not a number of answers"):
            Published("95 %", n=n)  # type: ignore[arg-type]
    for deff in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(FigureError, match="is not a design effect"):
            Published("95 %", deff=deff)
    with pytest.raises(FigureError, match="rounded='up' is neither 'half' nor 'truncate'"):
        Published("95 %", rounded="up")  # type: ignore[arg-type]


# Without a sampling error of its own


def test_the_interval_covers_what_rounding_allows() -> None:
    judged = since("60 %", 80).judged()
    half = T99 * math.sqrt(variance(80))
    assert judged.estimates.value == pytest.approx(0.2, rel=1e-12)
    assert (judged.least[0], judged.most[0]) == pytest.approx((0.195, 0.205), rel=1e-12)
    assert judged.low[0] == pytest.approx(0.195 - half, rel=1e-12)
    assert judged.high[0] == pytest.approx(0.205 + half, rel=1e-12)


def test_the_p_value_is_the_largest_that_rounding_allows() -> None:
    judged = since("60 %", 66).judged()
    se = math.sqrt(variance(66))
    assert judged.p_value[0] == pytest.approx(2 * _core.t_upper_tail(0.055 / se, 99), rel=1e-12)
    assert since("60.0 %", 66).judged().p_value[0] < judged.p_value[0]
    assert since("60 %", 60).judged().p_value.tolist() == [1]
    assert since(Published("66 %", rounded="truncate"), 67).judged().p_value[0] == pytest.approx(1)


def test_the_degrees_of_freedom_are_those_of_the_microdata() -> None:
    assert since("60 %", 80).differences[2023].df == 99
    assert since(Published("60 %", n=50), 80).differences[2023].df == 99
    frame = pl.DataFrame({"c": [i // 10 for i in range(100)], "yes": [True, False] * 50})
    clustered = {2022: "60 %", 2023: sy.Survey(frame, clusters="c")}
    assert sy.compare(clustered, YES).differences[2023].df == 9


def test_verdicts_against_a_figure_as_printed() -> None:
    # By hand: t(99) = 1.98422, sqrt(0.8 * 0.2 / 99) = 4.0202 points: 7.98 and 19.5 - 7.98.
    unknown = "; without the sampling error of 2022, which is not known"
    for printed, words in (
        ("60 %", "rose by 19.5 to 20.5 points, 95 % CI 11.5 to 28.5"),
        ("98 %", "fell by 17.5 to 18.5 points, 95 % CI 9.5 to 26.5"),
        ("80 %", "no clear change: -0.5 to +0.5 points, 95 % CI -8.5 to +8.5"),
    ):
        assert since(printed, 80).verdicts == [words + unknown]
    said = "2022 is published without its number of answers: its sampling error is not counted"
    assert said in since("60 %", 80).noninferiority(0.05).conventions
    known = since(Published("60 %", n=100), 80).verdicts[0]
    assert known is not None
    assert "not known" not in known


def test_what_is_published_is_said_and_shown() -> None:
    compared = since("60 %", 80)
    text = " ".join(repr(compared).split())
    assert "2023 and 2022 are compared as independent: not both are data" in text
    assert "2022 is published, 60 % as printed: 59.5 to 60.5 %; no sampling error is known" in text
    table = compared.to_dict()
    assert table["note"][0] == (
        "published, 60 % as printed: 59.5 to 60.5 %; no sampling error is known"
    )
    for name in ("se", "ci_low", "ci_high", "df", "deff"):
        assert table[name][0] is None
    assert table["estimate"][:2] == [0.6, 0.8]
    assert table["correlation"][2] is None
    assert compared.overlap == {2023: 0}


# With a sampling error of its own


def test_n_and_design_effect_make_an_error() -> None:
    judged = since(Published("60 %", n=200, deff=1.5), 80).judged()
    errors = [math.sqrt(variance(80) + 1.5 * p * (1 - p) / 200) for p in (0.6, 0.605, 0.595)]
    assert judged.estimates.se[0] == pytest.approx(errors[0], rel=1e-12)
    assert judged.low[0] == pytest.approx(0.195 - T99 * errors[1], rel=1e-12)
    assert judged.high[0] == pytest.approx(0.205 + T99 * errors[2], rel=1e-12)
    p = [2 * _core.t_upper_tail(d / e, 99) for d, e in ((0.195, errors[1]), (0.205, errors[2]))]
    assert judged.p_value[0] == pytest.approx(max(p), rel=1e-12)


# R 4.2.2: binom.test(119, 200)$conf.int[1], binom.test(121, 200)$conf.int[2]: of 200, 119 to 121
# are printed as 60 %.
def test_the_level_of_a_published_wave_has_an_exact_interval() -> None:
    compared = since(Published("60 %", n=200), 80)
    low, high = compared.level_bounds(2022)[0]
    assert (low, high) == pytest.approx((0.52347502471672291, 0.67323500819493687), rel=1e-10)
    (row,) = compared.to_polars().filter(statistic="level", period=2022).to_dicts()
    assert row["se"] == pytest.approx(math.sqrt(0.24 / 200))
    assert (row["n"], row["ci_low"]) == (200, low)
    wider = since(Published("60 %", n=200, deff=1.5), 80).level_bounds(2022)[0]
    assert wider[0] < low < high < wider[1]


# R 4.2.2: binom.test(50, 50)$conf.int[1] at one side: 0.05^(1/50).
def test_everybody_as_published_has_an_exact_interval() -> None:
    compared = since(Published("100 %", n=50), 80)
    assert compared.level_bounds(2022)[0, 1] == 1
    assert compared.level_bounds(2022)[0, 0] < 0.05 ** (1 / 50)
    assert "interval too narrow" in repr(compared)


def test_other_kinds_of_change_from_a_published_figure() -> None:
    judged = since("60 %", 80).judged("ratio")
    se = math.sqrt(variance(80))
    assert judged.estimates.value == pytest.approx(0.8 / 0.6, rel=1e-12)
    assert judged.low[0] == pytest.approx((0.8 - T99 * se) / 0.605, rel=1e-10)
    assert judged.high[0] == pytest.approx((0.8 + T99 * se) / 0.595, rel=1e-10)
    odds = since("60 %", 80).judged("log-odds")
    assert odds.least[0] == pytest.approx(math.log(4) - math.log(0.605 / 0.395), rel=1e-12)


def test_equivalence_holds_whatever_rounding_hides() -> None:
    compared = since("80 %", 80)
    se = math.sqrt(variance(80))
    found = compared.equivalence(0.1)
    assert found["p_value"] == pytest.approx([_core.t_upper_tail(0.095 / se, 99)], rel=1e-10)
    half = _core.t_quantile(0.95, 99) * se
    assert (found["ci_low"][0], found["ci_high"][0]) == pytest.approx((-0.005 - half, 0.005 + half))


# Which estimate it is of


def test_figures_are_mapped_to_estimates_by_label() -> None:
    frame = pl.DataFrame({"g": ["F"] * 50 + ["M"] * 50, "yes": ([True] * 4 + [False]) * 20})
    waves = {2022: Published({"M": "60 %", "F": "85 %"}), 2023: sy.Survey(frame)}
    compared = sy.compare(waves, YES, by="g")
    assert compared.levels[2022]["F"].value == 0.85
    change = compared.differences[2023]
    assert (change["M"].value, change["F"].value) == pytest.approx((0.2, -0.05), rel=1e-12)
    only = sy.compare({2022: Published({"F": "85 %"}), 2023: sy.Survey(frame)}, YES, by="g")
    assert only.differences[2023].labels.by["g"] == ["F"]
    assert "only in 2023, so without a change" in repr(only)


def test_a_figure_that_is_of_none_or_of_several() -> None:
    frame = pl.DataFrame({"g": ["F"] * 50 + ["M"] * 50, "yes": [True, False] * 50})
    svy = sy.Survey(frame.with_columns(y=pl.int_range(100)))
    with pytest.raises(FigureError, match="one published figure is compared with 2 estimates"):
        sy.compare({2022: "60 %", 2023: svy}, YES, by="g")
    with pytest.raises(LabelNotFound, match="published figure 'X' names 0 estimates"):
        sy.compare({2022: Published({"X": "60 %"}), 2023: svy}, YES, by="g")
    with pytest.raises(LabelNotFound, match="names 2 estimates of the other wave, not one"):
        sy.compare({2022: Published({"yes": "60 %"}), 2023: svy}, YES, by="g")
    with pytest.raises(FigureError, match="'y' is a mean, and a published figure is a share"):
        sy.compare({2022: "60 %", 2023: svy}, sy.mean("y"))
    with pytest.raises(FigureError, match="need a wave of estimates that have these labels"):
        sy.compare({2022: Published({"F": "60 %"}), 2023: "70 %"})


# Nothing but published figures


def test_printed_figures_alone() -> None:
    def verdict(before: str, after: str) -> str | None:
        compared = sy.compare({2022: before, 2023: after})
        assert math.isnan(compared.judged().p_value[0])
        return compared.verdicts[0]

    assert verdict("60 %", "80 %") == (
        "rose by 19.0 to 21.0 points as printed; no sampling error is known"
    )
    assert verdict("80 %", "60 %") == (
        "fell by 19.0 to 21.0 points as printed; no sampling error is known"
    )
    assert verdict("60 %", "60 %") == (
        "changed by -1.0 to +1.0 points as printed; no sampling error is known"
    )


def test_printed_figures_with_numbers_of_answers() -> None:
    compared = sy.compare({2022: Published("60 %", n=300), 2023: Published("80 %", n=400)})
    judged = compared.judged()
    assert judged.estimates.se[0] == pytest.approx(math.sqrt(0.24 / 300 + 0.16 / 400), rel=1e-12)
    least = 0.19 - 1.959963984540054 * math.sqrt(0.605 * 0.395 / 300 + 0.795 * 0.205 / 400)
    assert judged.low[0] == pytest.approx(least, rel=1e-10)
    assert compared.differences[2023].df == math.inf


def test_a_published_figure_across_a_linked_break() -> None:
    link = Link.shift(0.05, se=0.02)
    compared = since("60 %", 80, breaks=[Break(2023, "a new form", link)])
    judged = compared.judged()
    half = T99 * math.hypot(math.sqrt(variance(80)), 0.02)
    assert judged.low[0] == pytest.approx(0.145 - half, rel=1e-10)
    assert judged.high[0] == pytest.approx(0.155 + half, rel=1e-10)


def test_figures_fit_on_eighty_columns() -> None:
    frame = pl.DataFrame({"g": ["F"] * 50 + ["M"] * 50, "yes": [True, False] * 50})
    waves = {
        "2022": Published({"M": "60 %", "F": "85 %"}, n=120),
        "2023 <b>": sy.Survey(frame),
    }
    compared = sy.compare(waves, YES, by="g")
    assert max(map(len, repr(compared).splitlines())) <= 80
    assert "<b>" not in compared._repr_html_()
    assert compared.to_pandas()["note"][0].startswith("published, ")
