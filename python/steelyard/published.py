"""Published figures: read them as printed, and ask whether they are possible."""

import re
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Literal, TypeAlias

from steelyard import _core
from steelyard.errors import FigureError

Rounding: TypeAlias = Literal["half_up", "half_even", "half_down", "truncate", "any"]

MOST_DECIMALS = 12
MOST_ANSWERS = 1_000_000_000
_PERCENT = r"(?:%|per\s*cent|percent|pct\.?|p\.\s*cent|por\s+ciento|pour\s+cent)"
_FORM = re.compile(
    rf"\s*(?P<number>[\d.,][\d\s\u00a0\u202f.,]*?)\s*(?P<percent>{_PERCENT})?\s*", re.IGNORECASE
)
_GROUPED = re.compile(r"\d{1,3}(?:[\s\u00a0\u202f]\d{3})+")


@dataclass(frozen=True, slots=True)
class Figure:
    """A share as it was printed, with the precision of its printed digits.

    Attributes
    ----------
    text : str
        As printed.
    digits : int
        Its digits without the decimal mark: 969 for "96,9 per cent".
    decimals : int
        How many of them are decimals.
    whole : int
        What it is a share of: 100 for per cent, 1 for a proportion.
    """

    text: str
    digits: int
    decimals: int
    whole: int

    @classmethod
    def parse(cls, figure: "str | float | Figure") -> "Figure":
        """Read a figure as printed: "96,9 per cent", "96.9%", "95 per cent", "0.969", 96.9.

        A number without a per-cent sign is a proportion up to 1, and per cent above.

        Raises
        ------
        FigureError
            It is not a number, the decimal mark is ambiguous, or it lies outside the whole.

        Examples
        --------
        >>> Figure.parse("96,9 per cent").value
        0.969
        """
        if isinstance(figure, Figure):
            return figure
        text = figure if isinstance(figure, str) else _plain(figure)
        found = _FORM.fullmatch(text)
        if found is None:
            raise FigureError(
                f"{text!r} is not a figure: write it as printed, for example '96,9 per cent', "
                "'96.9%' or '0.969'"
            )
        is_percent = found["percent"] is not None
        whole_part, decimals_part = _split(found["number"], text)
        if len(decimals_part) > MOST_DECIMALS:
            raise FigureError(f"{text!r} has more than {MOST_DECIMALS} decimals: is it printed so?")
        digits = int(whole_part + decimals_part)
        decimals = len(decimals_part)
        whole = 100 if is_percent or digits > 10**decimals else 1
        if digits > whole * 10**decimals:
            raise FigureError(f"{text!r} is more than the whole: a share is at most 100 per cent")
        return cls(text, digits, decimals, whole)

    @property
    def value(self) -> float:
        """The printed share, between 0 and 1."""
        return self.digits / float(10**self.decimals * self.whole)

    @property
    def half_unit(self) -> float:
        """Half of the last printed digit, as a share: how far rounding can have moved it."""
        return 0.5 / float(10**self.decimals * self.whole)

    def agrees_with(self, share: float) -> bool:
        """Would this share print as the figure, rounded half either way?"""
        return abs(share - self.value) <= self.half_unit * (1 + 1e-9)

    def same_precision(self, share: float) -> str:
        """Print another share as this one is printed."""
        return f"{share * self.whole:.{self.decimals}f}"

    def __str__(self) -> str:
        number = f"{self.digits / 10**self.decimals:.{self.decimals}f}"
        return f"{number} %" if self.whole == 100 else number


@dataclass(frozen=True, slots=True)
class Audit:
    """Whether a printed share can come from complete, unweighted answers, and what that shows.

    Attributes
    ----------
    figure : Figure
    n : int
        Answers it was checked against.
    possible : bool
    counts : tuple of int, or None
        Smallest and largest number of positive answers that print so.
    below, above : tuple of int and str, or None
        The nearest count that prints less, and the one that prints more, with what they print.
    excluded : float
        Share of the printable values that no count can give: the power of the check.
    nearest_base : int or None
        The largest base up to n that could give the figure.
    rounding : str
    """

    figure: Figure
    n: int
    possible: bool
    counts: tuple[int, int] | None
    below: tuple[int, str] | None
    above: tuple[int, str] | None
    excluded: float
    nearest_base: int | None
    rounding: Rounding

    @property
    def verdict(self) -> str:
        """The finding in a sentence, no stronger than the check."""
        answers = f"{self.n:,} unweighted, complete answers"
        if self.possible and self.counts is not None:
            low, high = self.counts
            which = f"{low:,}" if low == high else f"{low:,} to {high:,}"
            return f"{self.figure} is possible for {answers}: {which} of {self.n:,} print so."
        nearby = [near for near in (self.below, self.above) if near is not None]
        around = ", ".join(f"{k:,} give {printed}" for k, printed in nearby)
        base = ""
        if self.nearest_base is not None:
            left_out = self.n - self.nearest_base
            base = (
                f" A base of {self.nearest_base:,} could: {left_out:,} without an answer to the "
                "question."
            )
        return f"{self.figure} is impossible for {answers}: {around}.{base}"

    @property
    def power(self) -> str:
        """What the check can show at this n, in a sentence."""
        if self.excluded == 0:
            return f"At n = {self.n:,} every printable value is possible: nothing can be excluded."
        return (
            f"At n = {self.n:,} this check excludes {_floor_percent(self.excluded)} of the "
            "printable values. "
            "A weighted figure cannot be excluded by counting."
        )

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return {
            "figure": self.figure.text,
            "n": self.n,
            "possible": self.possible,
            "counts": self.counts,
            "below": self.below,
            "above": self.above,
            "excluded": self.excluded,
            "nearest_base": self.nearest_base,
            "rounding": self.rounding,
        }

    def __repr__(self) -> str:
        return f"{self.verdict}\n{self.power}"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p><strong>{escape(self.verdict)}</strong><br>{escape(self.power)}</p>"


def _floor_percent(share: float) -> str:
    """A percentage that never rounds up to everything."""
    return "more than 99%" if share > 0.99 else f"{share:.0%}"


def audit(figure: str | float | Figure, n: int, *, rounding: Rounding = "any") -> Audit:
    """Ask whether a published share is possible, without the data.

    Parameters
    ----------
    figure : str, float or Figure
        As printed, for example "96,9 per cent"; its precision is that of its digits.
    n : int
        Answers it is said to come from, 1 to 1,000,000,000.
    rounding : {"any", "half_up", "half_even", "half_down", "truncate"}
        How it may have been rounded; "any" accepts a half rounded either way.

    Returns
    -------
    Audit

    Raises
    ------
    FigureError
        The figure cannot be read, or n is out of range.

    Notes
    -----
    All counts k of n are tried in exact integer arithmetic (Brown and Heathers 2017, The GRIM test,
    Social Psychological and Personality Science 8(4), for shares).

    Examples
    --------
    >>> import steelyard as sy
    >>> sy.audit("96,9 %", n=627).possible
    False
    >>> sy.audit("93,8 %", n=627).counts
    (588, 588)
    """
    share = Figure.parse(figure)
    if isinstance(n, bool) or not isinstance(n, Integral) or not 1 <= n <= MOST_ANSWERS:
        raise FigureError(
            f"n={n!r} is not a number of answers: n must be a whole number from 1 to "
            f"{MOST_ANSWERS:,}"
        )
    n = int(n)
    try:
        found = _core.audit_share(share.digits, share.decimals, share.whole, n, rounding)
    except ValueError as error:
        raise FigureError(str(error)) from None

    def printed(k: int) -> str:
        digits = _core.print_share(k, n, share.decimals, share.whole, rounding)
        return f"{digits / 10**share.decimals:.{share.decimals}f}"

    return Audit(
        figure=share,
        n=n,
        possible=found.possible,
        counts=(found.lowest, found.highest) if found.possible else None,
        below=(found.below, printed(found.below)) if found.below >= 0 else None,
        above=(found.above, printed(found.above)) if found.above <= n else None,
        excluded=found.excluded,
        nearest_base=found.nearest_base or None,
        rounding=rounding,
    )


def _plain(number: float) -> str:
    """Write a number out, without an exponent."""
    if isinstance(number, bool) or not isinstance(number, Real):
        raise FigureError(f"{number!r} is not a figure: write it as printed, as text")
    return format(Decimal(str(number)), "f")


def _split(number: str, text: str) -> tuple[str, str]:
    """Split into whole part and decimals, whichever mark was used."""
    marks = [c for c in number if c in ".,"]
    mark = marks[-1] if marks else None
    whole, _, decimals = number.rpartition(mark) if mark else (number, "", "")
    if mark and mark in marks[:-1]:
        raise FigureError(f"{text!r} has the mark {mark!r} more than once")
    other = {".": ",", ",": ".", None: None}[mark]
    whole = whole.replace(other, " ") if other else whole
    if not decimals.isdigit() and mark:
        raise FigureError(f"{text!r} has no digits after its decimal mark")
    if re.search(r"\s", whole.strip()):
        if not _GROUPED.fullmatch(whole.strip()):
            raise FigureError(f"{text!r} is not one number: groups have three digits")
        whole = re.sub(r"\s", "", whole)
    return whole.strip() or "0", decimals
