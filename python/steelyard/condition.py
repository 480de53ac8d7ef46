"""Conditions on rows: what ``where=`` accepts."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import narwhals as nw
import numpy as np
import numpy.typing as npt

from steelyard.columns import BoolArray, Columns, level_codes
from steelyard.errors import ColumnNotFound, InvalidCondition, nearest_text
from steelyard.levels import AnySeries, Level


class Condition(Protocol):
    """A boolean Series, or an expression that gives one: whatever can be negated with ``~``."""

    def __invert__(self) -> object: ...


Where: TypeAlias = (
    str
    | Mapping[str, Level | Iterable[Level]]
    | Sequence[bool]
    | npt.NDArray[np.bool_]
    | Condition
    | Callable[..., object]
)


def mask_of(columns: Columns, where: Where) -> BoolArray:
    """Rows for which a condition holds; where it is missing, it does not hold.

    Raises
    ------
    InvalidCondition
        It is not one truth value for each row of the frame.
    ColumnNotFound, UnknownLevel
        It names a column, or an answer, that does not exist.
    """
    if isinstance(where, Mapping):
        return _mask_of_levels(columns, where)
    if isinstance(where, str):
        if where not in columns.names and re.search(r"[=<>!&|]", where):
            raise InvalidCondition(
                f"where={where!r} is not read as an expression: pass a mapping such as "
                "{'gender': 'Female'}, a column of booleans, or a condition on the frame"
            )
        return _mask_of_series(columns, columns.series(where))
    native = columns.frame.to_native()
    value = where(native) if callable(where) and not isinstance(where, nw.Expr) else where
    if isinstance(value, nw.Expr):
        return _mask_of_selection(columns, lambda: columns.frame.select(value))
    if hasattr(value, "meta") and hasattr(value, "over"):
        return _mask_of_polars(columns, value)
    if isinstance(value, list | tuple | np.ndarray):
        return _mask_of_array(columns, np.asarray(value))
    return _mask_of_values(columns, value)


def _mask_of_levels(columns: Columns, where: Mapping[str, Level | Iterable[Level]]) -> BoolArray:
    keep = np.ones(len(columns), dtype=np.bool_)
    for name, wanted in where.items():
        factor = columns.factor(name)
        keep &= np.isin(factor.codes.to_numpy(), level_codes(name, factor, wanted))
    return keep


def _mask_of_polars(columns: Columns, expression: object) -> BoolArray:
    if not columns.implementation.is_polars():
        raise InvalidCondition(
            "where= is a Polars expression, but the survey was made from a frame of "
            f"{columns.implementation}: use narwhals.col, or a condition of that library"
        )
    polars = columns.frame.to_polars()
    return _mask_of_selection(
        columns,
        lambda: nw.from_native(polars.select(expression), eager_only=True),  # type: ignore[arg-type]
    )


def _mask_of_selection(columns: Columns, select: Callable[[], "nw.DataFrame[Any]"]) -> BoolArray:
    try:
        selected = select()
    except Exception as error:
        if type(error).__name__ == "ColumnNotFoundError":
            named = re.search(r"[\"'`]([^\"'`]+)[\"'`]", str(error))
            name = named[1] if named else ""
            raise ColumnNotFound(
                f"where= names a column that does not exist: {name!r}."
                f"{nearest_text(name, columns.names)}",
                column=name,
            ) from None
        raise InvalidCondition(f"where= cannot be evaluated: {error}") from error
    if len(selected.columns) != 1:
        raise InvalidCondition(
            f"where= gives {len(selected.columns)} conditions, for {selected.columns}: combine "
            "them with & or |"
        )
    return _mask_of_series(columns, selected.get_column(selected.columns[0]))


def _mask_of_values(columns: Columns, value: object) -> BoolArray:
    """Take a Series of any library, or anything that NumPy can read."""
    try:
        series = nw.from_native(value, series_only=True)  # type: ignore[call-overload]
    except TypeError:
        return _mask_of_array(columns, np.asarray(value))
    _check_index(columns, value)
    return _mask_of_series(columns, series)


def _check_index(columns: Columns, series: object) -> None:
    """Refuse a pandas Series whose rows are named otherwise than the frame's: whose are they?"""
    native = columns.frame.to_native()
    theirs, ours = getattr(series, "index", None), getattr(native, "index", None)
    if theirs is None or ours is None or not hasattr(theirs, "equals"):
        return
    if not theirs.equals(ours):
        raise InvalidCondition(
            "where= is a Series with another index than the frame's, so its rows may be other "
            "rows: reindex it to the frame, or pass its values with .to_numpy()"
        )


def _mask_of_series(columns: Columns, series: AnySeries) -> BoolArray:
    if series.dtype == nw.Object:
        return _mask_of_array(columns, np.asarray(series.to_list()))
    if series.dtype != nw.Boolean:
        raise InvalidCondition(
            f"where= must be true or false in each row; {series.name!r} is {series.dtype}. Write "
            f"a comparison, or a mapping such as {{{series.name!r}: value}}",
            column=series.name,
        )
    return _mask_of_array(columns, series.fill_null(False).to_numpy())


def _mask_of_array(columns: Columns, values: npt.NDArray[np.generic]) -> BoolArray:
    if values.dtype != np.bool_ or values.shape != (len(columns),):
        raise InvalidCondition(
            f"where= must be {len(columns):,} booleans, one a row; it is "
            f"{values.dtype} of shape {values.shape}"
        )
    return np.ascontiguousarray(values, dtype=np.bool_)
