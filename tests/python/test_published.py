"""Published figures: read as printed, and audited by counting, against brute force."""

import json
import math
from fractions import Fraction
from typing import Any

import pytest

import steelyard as sy
from steelyard import Figure
from steelyard.errors import FigureError
from steelyard.published import Rounding

ROUNDINGS: tuple[Rounding, ...] = ("any", "half_up", "half_even", "half_down", "truncate")


# Reading

SIGNS = ["%", " %", "\u00a0%", "\u202f%", " per cent", " percent", " PER CENT", "  per  cent "]
SIGNS += [" pct", " pct.", " p. cent", " por ciento", " pour cent"]


def forms(tenths: int) -> dict[str, tuple[int, int, int]]:
    """Ways to print so many tenths of a per cent, with digits, decimals and whole."""
    point = f"{tenths / 10:.1f}"
    printed = {}
    for sign in SIGNS:
        printed[point + sign] = (tenths, 1, 100)
        printed[point.replace(".", ",") + sign] = (tenths, 1, 100)
        printed[f"{tenths / 10:.2f}{sign}"] = (tenths * 10, 2, 100)
        if tenths % 10 == 0:
            printed[f"{tenths // 10}{sign}"] = (tenths // 10, 0, 100)
    printed[f"{tenths / 1000:.3f}"] = (tenths, 3, 1)
    printed[f"{tenths / 1000:.4f}".replace(".", ",")] = (tenths * 10, 4, 1)
    if tenths > 10:  # up to 1 a number without a sign is a proportion
        printed[point] = (tenths, 1, 100)
        printed[f"  {point.replace('.', ',')} "] = (tenths, 1, 100)
    return printed


def test_every_printed_form_of_every_value_is_read() -> None:
    for tenths in range(1001):
        for text, expected in forms(tenths).items():
            figure = Figure.parse(text)
            assert (figure.digits, figure.decimals, figure.whole) == expected, text
            assert figure.value == tenths / 1000, text
            assert figure.text == text


def test_what_was_read_prints_and_reads_again() -> None:
    for tenths in range(1001):
        for text in forms(tenths):
            figure = Figure.parse(text)
            again = Figure.parse(str(figure))
            assert (again.digits, again.decimals) == (figure.digits, figure.decimals), text
            assert again.value == figure.value
            assert Figure.parse(figure) is figure
            assert f"{figure.same_precision(figure.value)}" == str(figure).removesuffix(" %"), text


def test_numbers_are_read_as_they_print() -> None:
    for tenths in range(11, 1001):
        assert Figure.parse(tenths / 10) == Figure.parse(f"{tenths / 10}")
    assert Figure.parse(96.9).value == 0.969
    assert Figure.parse(0.969).value == 0.969
    assert Figure.parse(95) == Figure("95", 95, 0, 100)
    assert Figure.parse(1).value == Figure.parse("1.000").value == 1.0
    assert Figure.parse("1 %").value == 0.01
    assert Figure.parse(1.5).value == 0.015


def test_a_figure_agrees_with_what_rounds_to_it() -> None:
    for tenths in range(1001):
        figure = Figure.parse(f"{tenths / 10:.1f} %")
        for off, agrees in ((0, True), (0.00049, True), (0.0005, True), (0.00051, False)):
            for sign in (-1, 1):
                assert figure.agrees_with(tenths / 1000 + sign * off) == agrees, (tenths, off)
    assert Figure.parse("95 per cent").agrees_with(0.9451)
    assert not Figure.parse("95.0 per cent").agrees_with(0.9451)
    assert not Figure.parse("95 per cent").agrees_with(math.nan)


REFUSED = {
    **dict.fromkeys(
        ["", " ", "abc", "%", "per cent", "NaN", "None", "-5 %", "-0.5"], "not a figure"
    ),
    **dict.fromkeys(["96.9 (n=627)", "~96 %", "> 95 %", "95-96 %", "96·9 %"], "not a figure"),
    **dict.fromkeys(["1e2", "5e-05", "9 6 . 9 percents", "96.9 points", "96.9 %%"], "not a figure"),
    **dict.fromkeys(["100.1 %", "101 %", "100,01", "1 000 %", "627"], "more than the whole"),
    **dict.fromkeys(["9.6.9 %", "0,9,6"], "more than once"),
    **dict.fromkeys(["96. %", "96,", "96.,"], "no digits after its decimal mark"),
    **dict.fromkeys(["96 9 %", "9 69,0"], "groups have three digits"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_a_figure(text: str) -> None:
    with pytest.raises(FigureError, match=REFUSED[text]) as e:
        Figure.parse(text)
    assert repr(text) in str(e.value)


@pytest.mark.parametrize("value", [-5, -0.1, math.nan, math.inf, True, None, b"96.9"])
def test_values_that_are_not_a_figure(value: Any) -> None:
    with pytest.raises(FigureError):
        Figure.parse(value)


def test_small_numbers_are_read_too() -> None:
    assert Figure.parse(0.00005).value == 0.00005


def test_proportions_without_a_zero() -> None:
    assert Figure.parse(".969").value == 0.969


# Auditing

# Final report, ITCILO training evaluation 2023, p. 6: 627 responses.
FOUNDING = {
    "96,9 per cent": None,
    "93,8 per cent": (588, 588),
    "93,6 per cent": (587, 587),
    "75,4 per cent": (473, 473),
}


@pytest.mark.parametrize("figure", FOUNDING)
def test_the_founding_figures(figure: str) -> None:
    found = sy.audit(figure, n=627)
    assert found.counts == FOUNDING[figure]
    assert found.possible == (FOUNDING[figure] is not None)


def test_the_impossible_founding_figure_in_words() -> None:
    found = sy.audit("96,9 per cent", n=627)
    assert (found.below, found.above) == ((607, "96.8"), (608, "97.0"))
    assert found.nearest_base == 622
    assert found.verdict == (
        "96.9 % is impossible for 627 unweighted, complete answers: 607 give 96.8, 608 give 97.0. "
        "A base of 622 could: 5 without an answer to the question."
    )
    assert found.power == (
        "At n = 627 this check excludes 37% of the printable values. "
        "A weighted figure cannot be excluded by counting."
    )
    assert repr(found) == f"{found.verdict}\n{found.power}"
    possible = sy.audit("93,8 per cent", n=627)
    assert possible.verdict.endswith("588 of 627 print so.")
    several = sy.audit("97 %", n=627)
    assert several.counts == (606, 611)
    assert several.verdict.endswith("606 to 611 of 627 print so.")
    assert "every printable value is possible: nothing" in sy.audit("97 %", n=100).power


def printed(share: Fraction, scale: int, rounding: Rounding) -> set[int]:
    """What a share prints as, in units of the last digit; two where a half goes both ways."""
    exact = share * scale
    floor = exact.numerator // exact.denominator
    rest = exact - floor
    half = Fraction(1, 2)
    if rounding == "truncate" or rest < half:
        return {floor}
    if rest > half:
        return {floor + 1}
    ways = {
        "half_up": {floor + 1},
        "half_down": {floor},
        "half_even": {floor + floor % 2},
        "any": {floor, floor + 1},
    }
    return ways[rounding]


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize(
    ("decimals", "whole", "bases"),
    [(0, 100, range(1, 61)), (1, 1, range(1, 25)), (1, 100, (1, 7, 16, 40)), (2, 1, (3, 150, 200))],
)
def test_audits_are_what_counting_gives(
    decimals: int, whole: int, bases: Any, rounding: Rounding
) -> None:
    scale = whole * 10**decimals
    possible_before: dict[int, int] = {}
    for n in range(1, max(bases) + 1):
        prints = [printed(Fraction(k, n), scale, rounding) for k in range(n + 1)]
        given = set().union(*prints)
        possible_before |= dict.fromkeys(given, n)
        if n not in bases:
            continue
        for digits in range(scale + 1):
            number = f"{digits / 10**decimals:.{decimals}f}"
            figure = Figure(number, digits, decimals, whole)
            found = sy.audit(figure, n, rounding=rounding)
            counts = [k for k in range(n + 1) if digits in prints[k]]
            assert found.possible == bool(counts), (n, digits)
            assert found.counts == ((counts[0], counts[-1]) if counts else None), (n, digits)
            below = [k for k in range(n + 1) if max(prints[k]) < digits]
            above = [k for k in range(n + 1) if min(prints[k]) > digits]
            assert (found.below or [None])[0] == (below[-1] if below else None), (n, digits)
            assert (found.above or [None])[0] == (above[0] if above else None), (n, digits)
            for near in (found.below, found.above):
                if near is not None:
                    assert round(float(near[1]) * 10**decimals) in prints[near[0]]
            assert found.excluded == pytest.approx(1 - len(given) / (scale + 1), abs=1e-15)
            assert found.nearest_base == possible_before.get(digits)


def test_a_half_is_rounded_as_asked() -> None:
    # 1 of 8 is 12.5 per cent.
    prints = {
        r: [f for f in (12, 13) if sy.audit(f"{f} %", 8, rounding=r).possible] for r in ROUNDINGS
    }
    assert prints == {
        "any": [12, 13],
        "half_up": [13],
        "half_even": [12],
        "half_down": [12],
        "truncate": [12],
    }


@pytest.mark.parametrize("n", [627, 1000, 999_999, 1_000_000_000])
def test_figures_made_from_counts_are_possible(n: int) -> None:
    for k in (0, 1, n // 3, n // 2, n - 1, n):
        figure = Figure.parse(f"{math.floor(Fraction(1000 * k, n) + Fraction(1, 2)) / 10:.1f} %")
        found = sy.audit(figure, n)
        assert found.counts is not None
        assert found.counts[0] <= k <= found.counts[1]
        assert found.nearest_base == n


def test_an_audit_is_plain_data() -> None:
    for n in (627, 3):
        for figure in ("96,9 %", "100 %", "0", 0.5):
            found = sy.audit(figure, n)
            assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["n"] == n
    assert list(sy.audit("96,9 %", 627).to_dict()) == [
        *("figure", "n", "possible", "counts", "below", "above"),
        *("excluded", "nearest_base", "rounding"),
    ]


def test_an_audit_in_html_is_escaped() -> None:
    found = sy.audit(Figure("<b>50</b> %", 50, 0, 100), 2)
    assert "<b>" not in found._repr_html_()
    assert "50 % is possible" in found._repr_html_()


@pytest.mark.parametrize("n", [0, -1, 1_000_000_001])
def test_n_out_of_range(n: int) -> None:
    with pytest.raises(FigureError, match="n must be a whole number from 1 to 1,000,000,000"):
        sy.audit("96,9 %", n)


def test_other_mistakes() -> None:
    with pytest.raises(FigureError, match=r"0 to 4 decimals"):
        sy.audit("96,90000 %", 627)
    with pytest.raises(FigureError, match="no rounding 'up': choose one of 'half_up', 'half_even'"):
        sy.audit("96,9 %", 627, rounding="up")  # type: ignore[arg-type]
    with pytest.raises(FigureError, match="'foo' is not a figure: write it as printed"):
        sy.audit("foo", 627)


@pytest.mark.parametrize(("figure", "n"), [("96,9 %", 10**30), ("0.1234567890123456789012", 627)])
def test_numbers_beyond_64_bits(figure: str, n: int) -> None:
    with pytest.raises(FigureError):
        sy.audit(figure, n)


@pytest.mark.parametrize("n", [627.0, "627", None])
def test_n_is_a_whole_number(n: Any) -> None:
    with pytest.raises((FigureError, TypeError), match=r"^(?!.*incompatible function)"):
        sy.audit("96,9 %", n)


def test_the_power_is_not_rounded_up_to_all() -> None:
    assert "excludes 100%" not in sy.audit("96.9 %", 1).power
