"""Columns of a frame, as the core reads them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import narwhals as nw
import numpy as np
import numpy.typing as npt
from narwhals.typing import IntoDataFrame

from steelyard import _core
from steelyard.errors import (
    ColumnNotFound,
    DuplicateColumn,
    EmptyDomain,
    EmptyFrame,
    MissingValues,
    NotNumeric,
    UnknownLevel,
    error_in_rows,
    nearest_text,
)
from steelyard.levels import AnySeries, Factor, Level, factor_of

NumberArray: TypeAlias = npt.NDArray[np.generic]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

_IN_PLACE = {"f8", "f4", "i8", "i4", "i2", "i1", "u1", "b1"}


class Columns:
    """The columns of one frame, by name; converted at most once each."""

    def __init__(self, frame: IntoDataFrame) -> None:
        data = _eager(frame)
        # A shallow copy: columns that the caller changes later do not change the survey.
        if data.implementation.is_pandas():
            data = nw.from_native(data.to_pandas().copy(deep=False), eager_only=True)
        elif data.implementation.is_polars():
            data = data.clone()
        if len(data) == 0:
            raise EmptyFrame("the frame has no rows: there is nothing to estimate from")
        self._frame = data
        self._numbers: dict[str, NumberArray] = {}
        self._factors: dict[str, Factor] = {}

    def __len__(self) -> int:
        return len(self._frame)

    @property
    def names(self) -> list[str]:
        """Names in the order of the frame."""
        return self._frame.columns

    @property
    def implementation(self) -> nw.Implementation:
        """The library that the caller's frame belongs to."""
        implementation: nw.Implementation = self._frame.implementation
        return implementation

    @property
    def frame(self) -> "nw.DataFrame[Any]":
        """The frame itself."""
        return self._frame

    def first_difference(self, other: "Columns") -> str | None:
        """Of the columns read so far, the first of which another frame has other values."""
        for name, values in self._numbers.items():
            if name not in other.names or not np.array_equal(
                values, other.numbers(name), equal_nan=values.dtype.kind == "f"
            ):
                return name
        for name, factor in self._factors.items():
            if name not in other.names:
                return name
            theirs = other.factor(name)
            same = theirs.levels == factor.levels
            if not same or not np.array_equal(theirs.codes.to_numpy(), factor.codes.to_numpy()):
                return name
        return None

    def like(self, columns: Mapping[str, NumberArray]) -> IntoDataFrame:
        """Make a frame of other columns, of the same library."""
        made: IntoDataFrame = nw.from_dict(
            dict(columns), backend=self._frame.implementation
        ).to_native()
        return made

    def series(self, name: str) -> AnySeries:
        """Return the column, or raise with the nearest name."""
        if not isinstance(name, str):
            raise TypeError(f"one column is needed here, named by text, not {name!r}")
        if name not in self._frame.columns:
            raise ColumnNotFound(
                f"there is no column {name!r}.{nearest_text(name, self._frame.columns)}",
                column=name,
            )
        return _in_native_order(self._frame.get_column(name))

    def numbers(self, name: str) -> NumberArray:
        """Return a column of numbers, NaN where missing; text is refused, never parsed."""
        if not isinstance(name, str) or name not in self._numbers:
            self._numbers[name] = self._read_numbers(name)
        return self._numbers[name]

    def factor(self, name: str) -> Factor:
        """Return a column as codes and levels."""
        if not isinstance(name, str) or name not in self._factors:
            self._factors[name] = factor_of(name, self.series(name))
        return self._factors[name]

    def complete_factor(self, name: str, role: str) -> Factor:
        """Return a factor of which no value is missing."""
        factor = self.factor(name)
        codes = factor.codes.to_numpy()
        if codes.min() < 0:
            rows = np.flatnonzero(codes < 0).tolist()
            remedy = (
                f"every row must say which of the {role} it was sampled in; fill it in or leave "
                "the row out before making the Survey"
            )
            fault = f"{role} column {name!r} is missing"
            raise error_in_rows(MissingValues, name, rows, fault, remedy)
        return factor

    def _read_numbers(self, name: str) -> NumberArray:
        series = self.series(name)
        if series.null_count() == len(series):
            raise EmptyDomain(f"column {name!r} has no answers at all", column=name)
        if not (series.dtype.is_numeric() or series.dtype == nw.Boolean):
            raise NotNumeric(
                f"column {name!r} is {_type_name(series)}, and numbers are needed. Numbers kept as "
                "text or as categories are not parsed: convert the column first, so that you see "
                "what does not convert; for answers in words use proportion() or count()",
                column=name,
            )
        if series.null_count() > 0 or series.dtype.is_decimal() or series.dtype == nw.Int128:
            series = series.cast(nw.Float64)
        values = series.to_numpy()
        if values.dtype.str[1:] not in _IN_PLACE or not values.dtype.isnative:
            values = values.astype(np.float64)
        values = np.require(values, requirements=["C", "A"])
        # What somebody else can still write must not change the survey.
        return values.copy() if values.flags.writeable and values.base is not None else values


def level_codes(name: str, factor: Factor, wanted: Level | Iterable[Level]) -> list[int]:
    """Codes of the wanted levels, or raise with the nearest."""
    one = isinstance(wanted, str) or not isinstance(wanted, Iterable)
    levels = [wanted] if one else list(wanted)  # type: ignore[arg-type]
    position = {level: code for code, level in enumerate(factor.levels)}
    codes = []
    for level in levels:
        if level not in position:
            raise UnknownLevel(
                f"{level!r} does not occur in column {name!r}."
                f"{nearest_text(level, factor.levels)} If it is an answer that nobody gave, "
                "name all answers in levels=, or make the column categorical with all its "
                "categories",
                column=name,
            )
        codes.append(position[level])
    return codes


def as_names(names: str | Sequence[str]) -> tuple[str, ...]:
    """Take one name or several."""
    return (names,) if isinstance(names, str) else tuple(names)


def cross(
    factors: Sequence[Factor], keep: BoolArray, rows: int
) -> tuple[_core.Codes, list[tuple[Level, ...]], int]:
    """Code the combinations of several factors that occur among the rows kept.

    Returns the codes, the labels of each combination, and how many rows kept have none because a
    label is missing.
    """
    codes, combinations, ungrouped = _core.cross([f.codes for f in factors], keep, rows)
    labels = [
        tuple(factor.levels[code] for factor, code in zip(factors, combination, strict=True))
        for combination in combinations
    ]
    return codes, labels, ungrouped


def _eager(frame: IntoDataFrame) -> "nw.DataFrame[Any]":
    """Accept any eager frame, and say what to do with anything else."""
    try:
        return nw.from_native(frame, eager_only=True)
    except TypeError as error:
        if hasattr(frame, "collect"):
            raise TypeError(
                "the frame is lazy: collect it first, as in Survey(frame.collect(), ...)"
            ) from None
        raise TypeError(
            f"a pandas, Polars or PyArrow frame is needed, not {type(frame).__name__}"
        ) from error
    except nw.exceptions.DuplicateError as error:
        raise DuplicateColumn(f"the frame has two columns of one name: {error}") from None


def _in_native_order(series: AnySeries) -> AnySeries:
    """Turn numbers of the other byte order, as in old binary files, into ours."""
    dtype = getattr(series.to_native(), "dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.isnative:
        return series
    values = series.to_numpy().astype(dtype.newbyteorder("="))
    return nw.new_series(series.name, values, backend=series.implementation)


def _type_name(series: AnySeries) -> str:
    if series.dtype in (nw.Categorical, nw.Enum):
        return "categorical"
    return "text" if series.dtype == nw.String else str(series.dtype)
