"""Categorical columns: their levels in order, and a dense code for every row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import narwhals as nw
import numpy as np
import numpy.typing as npt

from steelyard import _core

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
    """Code a column. Levels are in declared order where the type has one, else ascending."""
    if series.dtype == nw.Boolean:
        return _number_factor(name, series.cast(nw.Float64), boolean=True)
    if series.dtype.is_numeric():
        return _number_factor(name, series, boolean=False)
    implementation = series.implementation
    if implementation.is_pandas_like():
        codes, levels = _pandas_codes(series)
    elif implementation.is_polars():
        codes, levels = _polars_codes(series)
    elif implementation.is_pyarrow():
        codes, levels = _arrow_codes(series)
    else:
        codes, levels = _plain_codes(series)
    return Factor(_core.Codes(codes, len(levels)), tuple(levels))


def with_missing_level(factor: Factor, label: str) -> Factor:
    """Treat missing as one more level, the last."""
    codes = factor.codes.to_numpy()
    last = len(factor.levels)
    return Factor(
        _core.Codes(np.where(codes < 0, last, codes).astype(np.int32), last + 1),
        (*factor.levels, label),
    )


def _number_factor(name: str, series: AnySeries, *, boolean: bool) -> Factor:
    has_missing = series.null_count() > 0
    values = (series.cast(nw.Float64) if has_missing else series).to_numpy()
    exact = values.dtype.kind == "f" or (
        len(values) == 0 or max(abs(int(values.min())), abs(int(values.max()))) < LARGEST_EXACT
    )
    if not exact:
        distinct, inverse = np.unique(values, return_inverse=True)
        return Factor(
            _core.Codes(inverse.astype(np.int32), len(distinct)), tuple(int(v) for v in distinct)
        )
    read_in_place = values.dtype.kind in "if" and values.dtype.itemsize in (4, 8)
    columns = np.ascontiguousarray(values if read_in_place else values.astype(np.float64))
    codes, distinct = _core.factorize(name, columns)
    if boolean:
        return Factor(codes, tuple(bool(v) for v in distinct))
    whole = bool(np.all(distinct == np.floor(distinct)))
    return Factor(codes, tuple(int(v) if whole else float(v) for v in distinct))


def _pandas_codes(series: AnySeries) -> tuple[CodeArray, Sequence[Level]]:
    import pandas as pd

    native = series.to_native()
    if isinstance(native.dtype, pd.CategoricalDtype):
        codes = native.cat.codes.to_numpy()
        return np.ascontiguousarray(codes, dtype=np.int32), native.cat.categories.tolist()
    codes, levels = pd.factorize(native, sort=True)
    return np.ascontiguousarray(codes, dtype=np.int32), [str(level) for level in levels]


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
    levels = [str(level) for level in unified.dictionary.to_pylist()]
    codes = pc.fill_null(unified.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
    if declared:
        return np.ascontiguousarray(codes, dtype=np.int32), levels
    order = sorted(range(len(levels)), key=levels.__getitem__)
    rank = np.empty(len(levels) + 1, dtype=np.int32)
    rank[order] = np.arange(len(levels), dtype=np.int32)
    rank[-1] = -1
    return rank[codes], [levels[i] for i in order]


def _plain_codes(series: AnySeries) -> tuple[CodeArray, Sequence[Level]]:
    values = series.to_list()
    levels = sorted({str(v) for v in values if v is not None})
    position = {level: code for code, level in enumerate(levels)}
    codes = [-1 if v is None else position[str(v)] for v in values]
    return np.array(codes, dtype=np.int32), levels
