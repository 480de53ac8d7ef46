"""A wave of which only the published figure is known, not the data behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal, TypeAlias
from uuid import uuid4

import numpy as np

from steelyard import _core
from steelyard.errors import FigureError, LabelNotFound
from steelyard.estimates import Estimates, Presentation
from steelyard.evidence import UNKNOWN, Evidence, Floats
from steelyard.labels import Labels
from steelyard.levels import Level
from steelyard.published import Figure

End: TypeAlias = Literal["printed", "lowest", "highest"]
Rounded: TypeAlias = Literal["half", "truncate"]


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """A share that was published, to be compared without its microdata.

    What was printed stands for an interval of possible values, as wide as its last digit; with a
    number of answers it also has a sampling error.

    Parameters
    ----------
    figure : str, float, Figure, or mapping from label to these
        As printed: "95 per cent", "96,9 %". A mapping names the estimates that its figures are of,
        by a label of each, such as ``{"Female": "95 %", "Male": "93 %"}``.
    n : int, optional
        Answers behind it; behind each, if there are several.
    deff : float
        Design effect that is known or assumed for it, against sampling with replacement.
    rounded : {"half", "truncate"}
        How it was rounded: to the nearest digit, or down.

    Raises
    ------
    FigureError
        The figure cannot be read, or `n` or `deff` is out of range.

    Notes
    -----
    The variance is deff p (1 - p) / n (Kish 1965, section 8.1). Without `n` no sampling error is
    known, and comparisons count that of the other side only, and say so.

    Examples
    --------
    >>> import steelyard as sy
    >>> sy.Published("95 per cent", n=627, deff=1.4).text
    '95 % as printed: 94.5 to 95.5 %; n = 627, design effect 1.4'
    """

    figure: "str | float | Figure | Mapping[Level, str | float | Figure]"
    n: int | None = None
    deff: float = 1.0
    rounded: Rounded = "half"

    def __post_init__(self) -> None:
        _ = self.figures
        whole = isinstance(self.n, Integral) and not isinstance(self.n, bool)
        if self.n is not None and not (whole and self.n >= 1):
            raise FigureError(f"n={self.n!r} is not a number of answers: a whole number from 1")
        if not (isinstance(self.deff, Real) and self.deff > 0 and np.isfinite(self.deff)):
            raise FigureError(f"deff={self.deff!r} is not a design effect: a number above 0")
        if self.rounded not in ("half", "truncate"):
            raise FigureError(f"rounded={self.rounded!r} is neither 'half' nor 'truncate'")

    @property
    def figures(self) -> dict[Level, Figure]:
        """The figures as read, by label; a single one has the label None."""
        if isinstance(self.figure, Mapping):
            return {label: Figure.parse(figure) for label, figure in self.figure.items()}
        return {None: Figure.parse(self.figure)}

    def bounds(self, figure: Figure) -> tuple[float, float]:
        """The smallest and the largest share that print so."""
        if self.rounded == "truncate":
            return figure.value, min(1.0, figure.value + 2 * figure.half_unit)
        low, high = figure.value - figure.half_unit, figure.value + figure.half_unit
        return max(0.0, low), min(1.0, high)

    @property
    def text(self) -> str:
        """What is known of it, in words."""
        parts = []
        for label, figure in self.figures.items():
            low, high = (100 * bound for bound in self.bounds(figure))
            digits = figure.decimals + 1 if figure.whole == 100 else max(0, figure.decimals - 1)
            name = "" if label is None else f"{label}: "
            parts.append(f"{name}{figure} as printed: {low:.{digits}f} to {high:.{digits}f} %")
        error = (
            "no sampling error is known"
            if self.n is None
            else f"n = {self.n:,}, design effect {self.deff:g}"
        )
        return "; ".join([*parts, error])

    def levels(self, like: Estimates | None) -> "PublishedLevels":
        """Estimates of the figures, labelled as those of another wave.

        Raises
        ------
        FigureError
            The other wave has several estimates and this is one figure without a label, or its
            estimates are no shares.
        LabelNotFound
            A label is none of the other wave's.
        """
        figures = self.figures
        rows = _rows_of(figures, like)
        labels = (
            Labels({}, ["share"], [None], ["proportion"])
            if like is None
            else like.labels.select(rows)
        )
        if any(kind not in ("proportion", "cdf") for kind in labels.kind):
            raise FigureError(
                f"{labels.variable[0]!r} is a {labels.kind[0]}, and a published figure is a share"
            )
        bounds = np.array([self.bounds(figure) for figure in figures.values()])
        printed = np.array([figure.value for figure in figures.values()])
        identity = int.from_bytes(uuid4().bytes[:8])
        shown = Presentation() if like is None else like.presentation

        def at(values: Floats) -> Estimates:
            variances = [
                0.0 if self.n is None else _core.share_variance(value, self.n, self.deff)
                for value in values
            ]
            core = _core.Estimates.known(values.copy(), np.diag(variances), identity)
            return Estimates(core, labels, self._evidence(values), shown)

        return PublishedLevels(at(printed), at(bounds[:, 0]), at(bounds[:, 1]), self)

    def _evidence(self, values: Floats) -> Evidence:
        """As that of any number of units: the other wave's is the weaker."""
        size = len(values)
        nothing = np.full(size, np.nan)
        certain = ((values == 0) | (values == 1)) & (self.n is not None)
        return Evidence(
            np.full(size, UNKNOWN if self.n is None else self.n),
            np.zeros(size, dtype=np.int64),
            np.full(size, UNKNOWN),
            np.zeros(size, dtype=np.int64),
            nothing,
            nothing.copy(),
            certain,
            np.zeros(size, dtype=np.bool_),
        )


@dataclass(frozen=True, slots=True)
class PublishedLevels:
    """Published figures as estimates: as printed, and the least and most that print so."""

    printed: Estimates
    lowest: Estimates
    highest: Estimates
    source: Published


def _rows_of(figures: Mapping[Level, Figure], like: Estimates | None) -> list[int]:
    if list(figures) == [None]:
        if like is not None and len(like) != 1:
            raise FigureError(
                f"one published figure is compared with {len(like)} estimates: name each, as in "
                'Published({"Female": "95 %", "Male": "93 %"})'
            )
        return [0]
    if like is None:
        raise FigureError(
            "published figures with labels need a wave of estimates that have these labels"
        )
    rows = []
    for label in figures:
        found = [i for i in range(len(like)) if like.labels.holds(i, label)]
        if len(found) != 1:
            raise LabelNotFound(
                f"published figure {label!r} names {len(found)} estimates of the other wave, "
                "not one"
            )
        rows += found
    return rows
