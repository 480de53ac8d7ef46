"""Breaks in a series: where figures stop being comparable, and links across them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import uuid4

import numpy as np

from steelyard import _core
from steelyard.errors import BreakInSeries
from steelyard.estimates import Estimates
from steelyard.levels import Level
from steelyard.period import Period, position_of

LinkKind: TypeAlias = Literal["shift", "scale"]


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """What makes figures before a break comparable with those after it, with its own error.

    Made by :meth:`shift`, :meth:`scale` or :meth:`study`. Its error is one for all the figures that
    it links: it does not fall with their number, and is shared among them.

    Notes
    -----
    OECD (2024), PISA 2022 Technical Report, on linking errors.
    """

    kind: LinkKind
    core: _core.Estimates
    source: str

    @classmethod
    def shift(cls, amount: float, *, se: float) -> "Link":
        """Link by an amount to add to earlier figures, in their unit (0.02: two points).

        Examples
        --------
        >>> Link.shift(0.02, se=0.01).text
        'earlier figures +0.02 (standard error 0.01)'
        """
        return cls("shift", _given(amount, se), "given")

    @classmethod
    def scale(cls, factor: float, *, se: float) -> "Link":
        """Link by a factor that earlier figures are multiplied by."""
        if not factor > 0:
            raise ValueError(f"a factor of {factor} links nothing: it is above 0")
        return cls("scale", _given(factor, se), "given")

    @classmethod
    def study(cls, old: Estimates, new: Estimates, kind: LinkKind = "shift") -> "Link":
        """Link by a study that measured in both ways: the difference, or ratio, of two estimates.

        Parameters
        ----------
        old, new : Estimates
            The same figure measured as before and as after the break, one each. Units that they
            share, with each other or with the waves, are found by name.
        kind : {"shift", "scale"}
            Add their difference, or multiply by their ratio.
        """
        if len(old) != 1 or len(new) != 1:
            raise ValueError("an overlap study is of one figure: select one estimate of each")
        if kind not in ("shift", "scale"):
            raise ValueError(f"kind={kind!r} is neither 'shift' nor 'scale'")
        change = "difference" if kind == "shift" else "ratio"
        return cls(kind, _core.change(old.core, new.core, change), "overlap study")

    @property
    def value(self) -> float:
        """The amount or the factor."""
        return float(self.core.values[0])

    @property
    def se(self) -> float:
        """Its standard error, the linking error."""
        return float(self.core.standard_errors[0])

    @property
    def text(self) -> str:
        """The link in words."""
        how = f"{self.value:+g}" if self.kind == "shift" else f"times {self.value:g}"
        return f"earlier figures {how} (standard error {self.se:g})"


@dataclass(frozen=True, slots=True)
class Break:
    """Figures from this period on are not comparable with earlier ones, unless they are linked.

    Attributes
    ----------
    period : int, str or date
        The first of the new series.
    reason : str
        Why, as it shall be said wherever a comparison is refused.
    link : Link or None
        What makes earlier figures comparable.
    """

    period: Period
    reason: str
    link: Link | None = None

    def __post_init__(self) -> None:
        if self.link is not None and not isinstance(self.link, Link):
            raise TypeError(
                f"link={self.link!r} is no Link: make one, as in Link.shift(0.02, se=0.01)"
            )

    @property
    def text(self) -> str:
        """The break in words."""
        return f"break in {self.period}: {self.reason}"


def breaks_between(
    first: Period, second: Period, breaks: Sequence[Break], periods: Sequence[Period]
) -> tuple[Break, ...]:
    """The breaks that lie between two periods, in the order of time."""
    low, high = sorted((position_of(first, periods), position_of(second, periods)))
    placed = sorted(((position_of(b.period, periods), b) for b in breaks), key=lambda pair: pair[0])
    return tuple(b for position, b in placed if low < position <= high)


def linked(earlier: Estimates, across: Sequence[Break]) -> Estimates:
    """Estimates as they would be after some breaks.

    Raises
    ------
    BreakInSeries
        One of the breaks has no link.
    ValueError
        There are estimates of several statistics or levels, of which a link is only about one.
    """
    if across and len(_figures(earlier)) > 1:
        raise ValueError(
            "a break or a link is of one figure, and there are several statistics or levels: "
            "compare the one that it is about"
        )
    for each in across:
        if each.link is None:
            raise BreakInSeries(
                f"not comparable across the {each.text}. Give a link, as in "
                "Break(period, reason, link=Link.shift(0.02, se=0.01)), if there is one"
            )
        core = _core.link(earlier.core, each.link.core, each.link.kind)
        earlier = Estimates(
            core, earlier.labels, earlier.evidence.without_intervals(), earlier.presentation
        ).with_convention(
            f"link in {each.period}", f"{each.reason}; {each.link.source}: {each.link.text}"
        )
    return earlier


def _figures(estimates: Estimates) -> set[tuple[Level, ...]]:
    """The statistics and levels that the estimates are of, groups apart."""
    labels = estimates.labels
    return set(zip(labels.variable, labels.level, labels.kind, strict=True))


def _given(value: float, se: float) -> _core.Estimates:
    if not np.isfinite(value) or not (se >= 0 and np.isfinite(se)):
        raise ValueError("a link is a number, with a standard error of at least 0")
    identity = int.from_bytes(uuid4().bytes[:8])
    return _core.Estimates.known(np.array([float(value)]), np.array([[float(se) ** 2]]), identity)
