"""What a calibration may be told, and the step that the core makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from steelyard import _core
from steelyard.columns import Columns
from steelyard.controls import ControlSet, Key
from steelyard.errors import DesignMismatch, MissingValues, WeightingFailed, error_in_rows
from steelyard.render import number_text

Floats: TypeAlias = npt.NDArray[np.float64]
DistanceKind: TypeAlias = Literal["linear", "raking", "logit", "sinh"]
Residuals: TypeAlias = Literal["before", "derivative"]
Bounds: TypeAlias = tuple[float | None, float | None]

DISTANCE_TEXT: dict[DistanceKind, str] = {
    "linear": "linear (GREG)",
    "raking": "raking",
    "logit": "logit",
    "sinh": "sinh",
}


@dataclass(frozen=True, slots=True)
class CalibrationOptions:
    """How weights are moved, and from which columns."""

    distance: DistanceKind
    bounds: Bounds | None
    bounds_on: Literal["factor", "weight"]
    clusters: str | None
    scale: str | None
    residuals: Residuals

    def step(
        self, columns: Columns, weights: Floats, read: ControlSet, slack: Floats | None
    ) -> _core.Calibration:
        """Make the step, for rows that have some weights before it.

        Raises
        ------
        DesignMismatch
            Options contradict each other.
        WeightingFailed
            Weights lie outside bounds of weights.
        """
        check_choice("distance", self.distance, get_args(DistanceKind))
        check_choice("bounds_on", self.bounds_on, ("factor", "weight"))
        check_choice("residuals", self.residuals, get_args(Residuals))
        if self.bounds is not None and (
            not isinstance(self.bounds, Sequence) or len(self.bounds) != 2
        ):
            raise DesignMismatch(f"bounds={self.bounds!r}: two numbers are needed, (low, high)")
        low, high = self.bounds or (None, None)
        if self.distance == "logit" and (low is None or high is None):
            raise DesignMismatch("distance='logit' needs bounds=(low, high), around 1")
        on_weights = self.bounds_on == "weight" and self.bounds is not None
        least = -np.inf if low is None else float(low)
        most = np.inf if high is None else float(high)
        if not on_weights and not least < 1 < most:
            raise DesignMismatch(f"bounds={self.bounds} of factors must lie around 1")
        if on_weights:
            _check_room(weights, least, most)
        try:
            return _core.Calibration(
                read.core,
                read.wanted,
                self.distance,
                least,
                most,
                on_weights,
                self.residuals,
                None if self.scale is None else _scale(columns, weights, self.scale),
                None
                if self.clusters is None
                else columns.complete_factor(self.clusters, "clusters").codes,
                slack,
                read.estimated,
                read.shares,
            )
        except ValueError as error:
            raise DesignMismatch(f"calibrate(): {error}") from None


def _scale(columns: Columns, weights: Floats, name: str) -> npt.NDArray[np.generic]:
    values = columns.numbers(name).astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)) & (weights > 0))
    if len(bad) > 0:
        raise error_in_rows(
            MissingValues,
            name,
            bad.tolist(),
            f"scale column {name!r} is missing or not above 0",
            "it is a variance, up to a factor",
        )
    return np.where(np.isfinite(values) & (values > 0), values, 1.0)


def _check_room(weights: Floats, low: float, high: float) -> None:
    """Bounds of weights are bounds of factors around 1 only where each weight lies inside."""
    out = np.flatnonzero((weights > 0) & ((weights <= low) | (weights >= high)))
    if len(out) > 0:
        raise error_in_rows(
            WeightingFailed,
            "weights",
            out.tolist(),
            f"weights lie outside the bounds {number_text(low)} to {number_text(high)}",
            "trim() them first",
        )


def slack_of(
    given: float | Mapping[str, float] | Mapping[Key, float] | None,
    parts: Sequence[tuple[Key, int]],
) -> Floats | None:
    """The price of each control, from one number or by the columns of the totals."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        given = {key: float(given) for key, _ in parts}
    price = {key if isinstance(key, str) else tuple(key): value for key, value in given.items()}
    for key, value in price.items():
        if key not in dict(parts):
            raise DesignMismatch(f"slack= names {key!r}, which has no total")
        if not (np.isfinite(value) and value >= 0):
            raise DesignMismatch(f"slack={value} of {key!r}: a number of at least 0 is needed")
    each = [np.full(size, float(price.get(key, 0.0))) for key, size in parts]
    return np.concatenate(each)


def check_choice(name: str, value: str, known: Sequence[str]) -> None:
    """Refuse a choice that there is not, and name those that there are."""
    if value not in known:
        raise ValueError(f"{name}={value!r} is none of {', '.join(map(repr, known))}")


def bounds_text(bounds: Bounds | None, on: str = "factor") -> str:
    """Bounds in words; nothing where there are none."""
    if bounds is None:
        return ""
    if not isinstance(bounds, Sequence) or len(bounds) != 2:
        return ""  # refused where they are read
    low, high = (("" if end is None else number_text(end)) for end in bounds)
    return f", {on}s from {low or 'any'} to {high or 'any'}"
