"""Categorical columns: their levels in order, and a dense code for every row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import narwhals as nw
import numpy as np
import numpy.typing as npt

from steelyard import _core
from steelyard.errors import (
    InfiniteValues,
    MixedLevels,
    UnknownLevel,
    error_in_rows,
    nearest_text,
)

Level: TypeAlias = str | int | float | bool | None
AnySeries: TypeAlias = nw.Series[Any]
CodeArray: TypeAlias = npt.NDArray[np.int32]

LARGEST_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Factor:
    """Codes of a column (-1: missing) and the label of each code."""

    codes: _core.Codes
    levels: tuple[Level, ...]


def factor_of(name: str, series: AnySeries) -> Factor:
    """Code a column. Levels are in declared order where the type has one, else ascending.

    Raises
    ------
    MixedLevels
        The column holds values of several types.
    InfiniteValues
        A column of numbers holds infinite values.
    """
    if series.dtype == nw.Boolean:
        return _number_factor(name, series.cast(nw.Float64), boolean=True)
    if series.dtype.is_integer() and series.dtype != nw.Int128:
        return _integer_factor(name, series)
    if series.dtype.is_numeric():
        return _number_factor(name, series.cast(nw.Float64), boolean=False)
    implementation = series.implementation
    if series.dtype.is_temporal():
        codes, levels = _plain_codes(name, series.to_list())
    elif implementation.is_pandas_like():
        codes, levels = _pandas_codes(name, series)
    elif implementation.is_polars():
        codes, levels = _polars_codes(series)
    elif implementation.is_pyarrow():
        codes, levels = _arrow_codes(series)
    else:
        codes, levels = _plain_codes(name, series.to_list())
    return Factor(_core.Codes(codes, len(levels)), tuple(levels))


def with_missing_level(factor: Factor, label: str) -> Factor:
    """Treat missing as one more level, the last."""
    codes = factor.codes.to_numpy()
    last = len(factor.levels)
    return Factor(
        _core.Codes(np.where(codes < 0, last, codes).astype(np.int32), last + 1),
        (*factor.levels, label),
    )


def with_levels(name: str, factor: Factor, levels: Iterable[Level]) -> Factor:
    """Take the declared levels, in their order; a value that is none of them is an error.

    Raises
    ------
    UnknownLevel
        The column holds a value that was not declared, such as a misspelt answer.
    """
    declared = tuple(dict.fromkeys(levels))
    if not declared:
        return factor
    position = {level: code for code, level in enumerate(declared)}
    counts = factor.codes.counts
    for code, level in enumerate(factor.levels):
        if level not in position and counts[code] > 0:
            rows = f"{counts[code]:,} row{'' if counts[code] == 1 else 's'}"
            raise UnknownLevel(
                f"{level!r} ({rows}) in column {name!r} is not among the declared answers."
                f"{nearest_text(level, declared)}",
                column=name,
                count=int(counts[code]),
            )
    renumbered = np.array([position.get(level, -1) for level in (*factor.levels, None)], np.int32)
    return Factor(_core.Codes(renumbered[factor.codes.to_numpy()], len(declared)), declared)


def _integer_factor(name: str, series: AnySeries) -> Factor:
    """Code integers exactly, also those that a double cannot tell apart."""
    missing = series.is_null().to_numpy()
    values = series.fill_null(0).to_numpy()
    if max(abs(int(values.min())), abs(int(values.max()))) < LARGEST_EXACT:
        return _number_factor(name, series.cast(nw.Float64), boolean=False)
    distinct, inverse = np.unique(values[~missing], return_inverse=True)
    codes = np.full(len(values), -1, dtype=np.int32)
    codes[~missing] = inverse
    return Factor(_core.Codes(codes, len(distinct)), tuple(int(v) for v in distinct))


def _number_factor(name: str, series: AnySeries, *, boolean: bool) -> Factor:
    values = np.ascontiguousarray(series.to_numpy(), dtype=np.float64)
    codes, distinct = _core.factorize(name, values)
    if not np.isfinite(distinct).all():
        rows = np.flatnonzero(np.isinf(values)).tolist()
        remedy = "infinity is not an answer; make these values missing"
        raise error_in_rows(InfiniteValues, name, rows, f"column {name!r} is infinite", remedy)
    if boolean:
        return Factor(codes, tuple(bool(v) for v in distinct))
    whole = bool(np.all(distinct == np.floor(distinct)))
    return Factor(codes, tuple(int(v) if whole else float(v) for v in distinct))


def _pandas_codes(name: str, series: AnySeries) -> tuple[CodeArray, Sequence[Level]]:
    import pandas as pd

    native = series.to_native()
    if isinstance(native.dtype, pd.CategoricalDtype):
        codes = native.cat.codes.to_numpy()
        levels = native.cat.categories.tolist()
        plain = all(isinstance(level, str | int | float) for level in levels)
        return np.ascontiguousarray(codes, dtype=np.int32), levels if plain else [*map(str, levels)]
    codes, distinct = pd.factorize(native)
    levels = _of_one_type(name, list(distinct))
    return _sorted(np.ascontiguousarray(codes, dtype=np.int32), levels)


def _polars_codes(series: AnySeries) -> tuple[CodeArray, Sequence[Level]]:
    import polars as pl

    native = series.to_native()
    if isinstance(native.dtype, pl.Enum):
        levels = native.dtype.categories.to_list()
    else:
        native = native.cast(pl.String)
        levels = native.drop_nulls().unique().sort().to_list()
        native = native.cast(pl.Enum(levels))
    codes = native.to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
    return np.ascontiguousarray(codes, dtype=np.int32), levels


def _arrow_codes(series: AnySeries) -> tuple[CodeArray, Sequence[Level]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    native = series.to_native()
    declared = pa.types.is_dictionary(native.type) and native.type.ordered
    encoded = native if pa.types.is_dictionary(native.type) else native.dictionary_encode()
    unified = encoded.unify_dictionaries().combine_chunks()
    if isinstance(unified, pa.ChunkedArray):
        unified = unified.chunk(0) if unified.num_chunks else pa.array([], encoded.type)
    codes = pc.fill_null(unified.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
    found = unified.dictionary.to_pylist()
    # A dictionary may hold a null of its own; the last entry is for the code -1.
    present = [level for level in found if level is not None]
    position = {level: code for code, level in enumerate(present)}
    renumbered = np.array([position.get(level, -1) for level in [*found, None]], dtype=np.int32)
    levels = present if all(isinstance(v, int) for v in present) else [str(v) for v in present]
    codes = renumbered[codes]
    return (codes, levels) if declared else _sorted(codes, levels)


def _plain_codes(name: str, values: Sequence[object]) -> tuple[CodeArray, Sequence[Level]]:
    texts = [None if value is None or value != value else str(value) for value in values]
    levels = sorted({text for text in texts if text is not None})
    position = {level: code for code, level in enumerate(levels)}
    codes = [-1 if text is None else position[text] for text in texts]
    return np.array(codes, dtype=np.int32), levels


def _of_one_type(name: str, values: Sequence[object]) -> list[Level]:
    """Levels of a column that may hold anything: all text, all integers, all booleans."""
    for kind in (str, bool, int, float):
        if all(type(value) is kind for value in values):
            return list(values)  # type: ignore[arg-type]
    kinds = sorted({type(value).__name__ for value in values})
    if len(kinds) > 1:
        raise MixedLevels(
            f"column {name!r} mixes values of several types ({', '.join(kinds)}), so that 1 and "
            "'1' could be one answer or two: convert it to one type first",
            column=name,
        )
    return [str(value) for value in values]


def _sorted(codes: CodeArray, levels: Sequence[Level]) -> tuple[CodeArray, Sequence[Level]]:
    """Put levels in ascending order."""
    order = sorted(range(len(levels)), key=levels.__getitem__)  # type: ignore[arg-type]
    rank = np.empty(len(levels) + 1, dtype=np.int32)
    rank[order] = np.arange(len(levels), dtype=np.int32)
    rank[-1] = -1
    return rank[codes], [levels[i] for i in order]
