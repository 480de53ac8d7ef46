"""Controls of a calibration: which totals weights are to add up to, and of what."""

from collections.abc import ItemsView, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Protocol, TypeAlias, TypeVar, cast

import narwhals as nw
import numpy as np
import numpy.typing as npt
from narwhals.typing import IntoDataFrame

from steelyard import _core
from steelyard.columns import Columns, NumberArray, as_names
from steelyard.errors import (
    DesignMismatch,
    MissingValues,
    UnknownLevel,
    error_in_rows,
    nearest_text,
)
from steelyard.estimates import Estimates
from steelyard.levels import Factor, Level
from steelyard.propagation import join

Floats: TypeAlias = npt.NDArray[np.float64]
Key: TypeAlias = str | tuple[str, ...]
Combination: TypeAlias = Level | tuple[Level, ...]
K = TypeVar("K", covariant=True)
V = TypeVar("V", covariant=True)


class Pairs(Protocol[K, V]):
    """A mapping that is only read, so that its keys may be of a narrower type."""

    def items(self) -> ItemsView[K, V]:
        """Each key with its value."""

    def __len__(self) -> int:
        """How many there are."""


Margin: TypeAlias = Pairs[Combination, float] | Estimates | IntoDataFrame
Totals: TypeAlias = Pairs[Key, Margin | float]

_ROUNDING = 1e-6  # relative: totals of margins, as printed, that agree


@dataclass(frozen=True, slots=True, eq=False)
class ControlSet:
    """Controls as the core reads them, with the name of each and the totals wanted.

    `estimated` holds the same totals with their deviations, where any was estimated; `shares` what
    each total is of the sum of weights, where that is all that is known; `parts` each margin or
    column with its number of controls.
    """

    core: _core.Controls
    names: tuple[str, ...]
    wanted: Floats
    estimated: _core.Estimates | None = None
    shares: Floats | None = None
    parts: tuple[tuple[Key, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """One margin (a total for each combination), or one column of numbers."""

    columns: tuple[str, ...]
    totals: dict[tuple[Level, ...], float] | None
    total: float = 0.0
    source: Estimates | None = None

    @property
    def key(self) -> Key:
        return self.columns[0] if len(self.columns) == 1 else self.columns

    @property
    def text(self) -> str:
        return " x ".join(self.columns)

    def scaled_to(self, size: float) -> "_Part":
        """The margin with totals that add up to a number; a column of numbers as it is."""
        if self.totals is None or self.sum in (0.0, size):
            return self
        factor = size / self.sum
        scaled = {key: total * factor for key, total in self.totals.items()}
        return replace(self, totals=scaled)

    @property
    def sum(self) -> float:
        return sum(self.totals.values()) if self.totals is not None else self.total


def read_controls(
    columns: Columns, weights: Floats, totals: Totals, shares: bool | None = None
) -> ControlSet:
    """Read the margins and columns that have totals, for rows of which all have the same totals.

    Raises
    ------
    DesignMismatch
        There are no totals, or those of margins disagree.
    MissingValues
        A row with a weight has no answer in a control.
    UnknownLevel
        A row with a weight has an answer that has no total.
    """
    parts = _parts(totals)
    parts, of_weights = _as_counts(parts, float(weights.sum()), shares)
    parts = _agreeing(parts)
    if all(part.sum == 0 for part in parts):
        raise DesignMismatch("all totals are 0: no weights of anybody add up to them")
    core, names = _core_controls(columns, weights, parts, None)
    wanted = [t for part in parts if part.totals is not None for t in part.totals.values()]
    wanted += [part.total for part in parts if part.totals is None]
    values = np.array(wanted, dtype=np.float64)
    return ControlSet(
        core,
        names,
        values.reshape(1, -1),
        _estimated(parts, values),
        values / weights.sum() if of_weights else None,
        _sizes(parts),
    )


def read_controls_by(
    columns: Columns,
    weights: Floats,
    by: str,
    totals: Pairs[Level, Totals],
) -> tuple[ControlSet, tuple[Level, ...]]:
    """Read controls that have totals of their own in each group of a column.

    Raises
    ------
    DesignMismatch
        The groups do not all have totals of the same columns.
    """
    groups = dict(totals.items())
    every = {group: _agreeing(_parts(own)) for group, own in groups.items()}
    first = next(iter(every.values()), [])
    levels = {
        part.columns: dict.fromkeys(
            key
            for own in every.values()
            for other in own
            if other.columns == part.columns
            for key in (other.totals or {})
        )
        for part in first
    }
    for group, own in every.items():
        if [part.columns for part in own] != [part.columns for part in first]:
            raise DesignMismatch(f"{by} {group!r} has totals of other columns than the first group")
    shared = [
        part if part.totals is None else _Part(part.columns, dict.fromkeys(levels[part.columns], 0))
        for part in first
    ]
    codes = _codes(columns, weights, (by,), [(group,) for group in groups])
    core, names = _core_controls(columns, weights, shared, codes)
    wanted = [_row(own, shared) for own in every.values()]
    values = np.array(wanted, dtype=np.float64)
    return ControlSet(core, names, values, parts=_sizes(shared)), tuple(groups)


def _sizes(parts: Sequence[_Part]) -> tuple[tuple[Key, int], ...]:
    """Each margin or column with its number of controls, in the order of the core."""
    margins = [(part.key, len(part.totals)) for part in parts if part.totals is not None]
    return (*margins, *((part.key, 1) for part in parts if part.totals is None))


def _row(own: Sequence[_Part], shared: Sequence[_Part]) -> list[float]:
    pairs = list(zip(own, shared, strict=True))
    margins = [
        (mine.totals or {}).get(key, 0.0)
        for mine, part in pairs
        if part.totals is not None
        for key in part.totals
    ]
    return margins + [mine.total for mine, part in pairs if part.totals is None]


def _parts(totals: Totals) -> list[_Part]:
    if not isinstance(totals, Mapping) or not totals:
        raise DesignMismatch(
            "totals= is a mapping from a column (or a tuple of columns) to its totals, as in "
            "{'region': {'North': 1200, 'South': 900}, 'age': 85000}"
        )
    return [_part(as_names(key), given) for key, given in totals.items()]


def _part(columns: tuple[str, ...], given: Margin | float) -> _Part:
    if isinstance(given, Real):
        if len(columns) > 1:
            raise DesignMismatch(
                f"{' x '.join(columns)} is a margin: it needs a total for each combination"
            )
        total = float(given)
        if not np.isfinite(total):
            raise DesignMismatch(f"the total of {columns[0]!r} is {total}")
        return _Part(columns, None, total)
    source = None
    if isinstance(given, Estimates):
        totals, source = _of_estimates(columns, given), given
    elif isinstance(given, Mapping):
        totals = {_combination(key): _number(columns, total) for key, total in given.items()}
    else:
        totals = _of_frame(columns, given)
    for key, total in totals.items():
        if len(key) != len(columns):
            raise DesignMismatch(
                f"{' x '.join(columns)} needs one label a column, and {key!r} has {len(key)}"
            )
        if not (np.isfinite(total) and total >= 0):
            raise DesignMismatch(
                f"the total of {' x '.join(columns)} {_shown(key)} is {total}: at least 0 is needed"
            )
    return _Part(columns, totals, source=source)


def _estimated(parts: Sequence[_Part], values: Floats) -> _core.Estimates | None:
    """The totals with their deviations, where some are estimates."""
    joined: _core.Estimates | None = None
    places: list[tuple[int, int, float]] = []  # control, estimate, factor
    control = 0
    for part in parts:
        if part.totals is None:
            continue
        if part.source is not None:
            start = 0 if joined is None else len(joined)
            core = part.source.core
            joined = core if joined is None else join(joined, core)
            factor = part.sum / float(part.source.estimate.sum())
            places += [(control + i, start + i, factor) for i in range(len(part.totals))]
        control += len(part.totals)
    if joined is None:
        return None
    jacobian = np.zeros((len(values), len(joined)))
    for control, estimate, factor in places:
        jacobian[control, estimate] = factor
    return joined.delta(values, jacobian)


def _number(columns: tuple[str, ...], total: object) -> float:
    if not isinstance(total, Real):
        raise DesignMismatch(
            f"a total of {' x '.join(columns)} is {total!r}, and a number is needed"
        )
    return float(total)


def _combination(key: Combination) -> tuple[Level, ...]:
    return key if isinstance(key, tuple) else (key,)


def _of_estimates(columns: tuple[str, ...], given: Estimates) -> dict[tuple[Level, ...], float]:
    """Totals, counts or shares of levels, by the columns of a margin."""
    labels = given.labels
    text = " x ".join(columns)
    kinds = set(labels.kind)
    if not kinds <= {"count", "total", "proportion"} or len(kinds) > 1:
        raise DesignMismatch(
            f"the estimates of {text} are {', '.join(sorted(kinds))}: counts or totals are needed, "
            "or proportions of one group"
        )
    if kinds == {"proportion"} and labels.by:
        raise DesignMismatch(
            f"the estimates of {text} are proportions within groups: give counts, as of "
            "survey.count(...)"
        )
    sources = {name: list(values) for name, values in labels.by.items()}
    for name in dict.fromkeys(labels.variable):
        if kinds != {"total"}:
            sources[name] = list(labels.level)
    absent = [name for name in columns if name not in sources]
    idle = [name for name in sources if name not in columns]
    if absent or idle or len(set(labels.variable)) > 1:
        raise DesignMismatch(
            f"the estimates are by {', '.join(map(repr, sources)) or 'nothing'}, and totals of "
            f"{text} are needed"
        )
    keys = [tuple(sources[name][i] for name in columns) for i in range(len(given))]
    return dict(zip(keys, given.estimate.tolist(), strict=True))


def _of_frame(columns: tuple[str, ...], given: object) -> dict[tuple[Level, ...], float]:
    try:
        frame = nw.from_native(cast(IntoDataFrame, given), eager_only=True)
    except TypeError:
        raise DesignMismatch(
            f"totals of {' x '.join(columns)} are a number, a mapping from level to total, a frame "
            f"or Estimates, not {type(given).__name__}"
        ) from None
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DesignMismatch(
            f"the frame of totals has no column {missing[0]!r}."
            f"{nearest_text(missing[0], frame.columns)}"
        )
    others = [name for name in frame.columns if name not in columns]
    if len(others) != 1:
        raise DesignMismatch(
            f"the frame of totals of {' x '.join(columns)} needs one more column, of the totals, "
            f"and has {len(others)}"
        )
    read = Columns(frame.to_native())
    factors = [read.complete_factor(name, "totals") for name in columns]
    keys = [
        tuple(factor.levels[int(factor.codes.to_numpy()[i])] for factor in factors)
        for i in range(len(frame))
    ]
    if len(set(keys)) < len(keys):
        raise DesignMismatch(f"the frame of totals of {' x '.join(columns)} repeats a combination")
    return dict(zip(keys, read.numbers(others[0]).astype(np.float64).tolist(), strict=True))


def _as_counts(parts: list[_Part], weight: float, shares: bool | None) -> tuple[list[_Part], bool]:
    """Turn margins of shares into counts: of the other margins, or of the weights as they are.

    Returns also whether all is known of shares alone, so that the sum of weights is the sample's.
    """
    margins = [part for part in parts if part.totals is not None]
    add_up = [abs(part.sum - 1) < _ROUNDING for part in margins]
    are_shares = add_up if shares is None else [shares] * len(margins)
    if shares and not all(add_up):
        raise DesignMismatch("shares=True needs margins of which each adds up to 1")
    counts = [part.sum for part, is_share in zip(margins, are_shares, strict=True) if not is_share]
    size = counts[0] if counts else weight
    scaled = iter(
        part.scaled_to(size) if is_share else part
        for part, is_share in zip(margins, are_shares, strict=True)
    )
    found = [part if part.totals is None else next(scaled) for part in parts]
    return found, bool(margins) and not counts and len(margins) == len(parts)


def _agreeing(parts: list[_Part]) -> list[_Part]:
    """Margins that add up to the same, where they differ by rounding only."""
    margins = [part for part in parts if part.totals is not None]
    if not margins:
        return parts
    first = margins[0]
    for part in margins[1:]:
        if not abs(part.sum - first.sum) <= _ROUNDING * abs(first.sum):
            raise DesignMismatch(
                f"margins disagree: {first.text} adds up to {first.sum:,.10g}, and {part.text} to "
                f"{part.sum:,.10g}. Weights cannot add up to both: scale one of them, or give "
                "shares"
            )
    return [part.scaled_to(first.sum) for part in parts]


def _core_controls(
    columns: Columns, weights: Floats, parts: Sequence[_Part], groups: _core.Codes | None
) -> tuple[_core.Controls, tuple[str, ...]]:
    """Margins first, then columns of numbers, as the core takes them."""
    margins: list[_core.Codes] = []
    names: list[str] = []
    for part in parts:
        if part.totals is not None:
            margins.append(_codes(columns, weights, part.columns, list(part.totals)))
            names += [f"{part.text} {_shown(key)}" for key in part.totals]
    numeric = [part.columns[0] for part in parts if part.totals is None]
    values = [_numbers(columns, weights, name) for name in numeric]
    return _core.Controls(margins, numeric, values, groups), (*names, *numeric)


def _codes(
    columns: Columns,
    weights: Floats,
    names: tuple[str, ...],
    wanted: list[tuple[Level, ...]],
) -> _core.Codes:
    """Code the combinations that have totals; what a row with a weight lacks is an error."""
    factors = [columns.factor(name) for name in names]
    for name, factor in zip(names, factors, strict=True):
        if factor.codes.counts.sum() < len(columns):
            _refuse_missing(name, factor, weights)
    if len(factors) == 1:
        codes = factors[0].codes
        labels: list[tuple[Level, ...]] = [(level,) for level in factors[0].levels]
    else:
        codes, combinations, _ = _core.cross(
            [factor.codes for factor in factors], np.zeros(0, dtype=np.bool_), len(columns)
        )
        labels = [
            tuple(factor.levels[code] for factor, code in zip(factors, combination, strict=True))
            for combination in combinations
        ]
    position = {key: code for code, key in enumerate(wanted)}
    counts = codes.counts
    for code, label in enumerate(labels):
        if label not in position and counts[code] > 0:
            _refuse_unknown(names, codes, code, label, weights, wanted)
    return _core.recoded(codes, [position.get(label, -1) for label in labels], len(wanted))


def _refuse_missing(name: str, factor: Factor, weights: Floats) -> None:
    missing = np.flatnonzero((factor.codes.to_numpy() < 0) & (weights > 0))
    if len(missing) > 0:
        raise error_in_rows(
            MissingValues,
            name,
            missing.tolist(),
            f"column {name!r} is missing",
            "a row with a weight needs an answer in each control: fill it in first, or make it a "
            "level of its own with a total",
        )


def _refuse_unknown(
    names: tuple[str, ...],
    codes: _core.Codes,
    code: int,
    label: tuple[Level, ...],
    weights: Floats,
    wanted: list[tuple[Level, ...]],
) -> None:
    rows = np.flatnonzero((codes.to_numpy() == code) & (weights > 0))
    if len(rows) > 0:
        raise error_in_rows(
            UnknownLevel,
            names[0],
            rows.tolist(),
            f"{' x '.join(names)} {_shown(label)} has no total",
            "give one, or merge the level with another."
            + nearest_text(_shown(label), [_shown(key) for key in wanted]),
        )


def _numbers(columns: Columns, weights: Floats, name: str) -> NumberArray:
    values = columns.numbers(name)
    if values.dtype.kind != "f":
        return values
    bad = ~np.isfinite(values)
    if not bad.any():
        return values
    rows = np.flatnonzero(bad & (weights > 0))
    if len(rows) > 0:
        raise error_in_rows(
            MissingValues,
            name,
            rows.tolist(),
            f"column {name!r} is missing or infinite",
            "a row with a weight needs a number in each control",
        )
    return np.where(bad, 0, values)


def _shown(key: tuple[Level, ...]) -> str:
    return repr(key[0]) if len(key) == 1 else " / ".join(repr(label) for label in key)
