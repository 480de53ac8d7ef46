"""A result as a table of plain values, and as a frame of any library."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import narwhals as nw
import numpy as np

from steelyard.evidence import Floats
from steelyard.levels import Level

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Cell: TypeAlias = Level

FIGURES = ("estimate", "se", "ci_low", "ci_high", "df", "deff", "p_value")


class Table:
    """What can be shown as a table: a column of plain values for each name."""

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return the table as a column of plain values a name; None where there is no figure."""
        raise NotImplementedError

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table as a pandas frame."""
        return nw.from_dict(framed(self.to_dict()), backend="pandas").to_pandas()

    def to_polars(self) -> "pl.DataFrame":
        """Return the table as a Polars frame."""
        return nw.from_dict(framed(self.to_dict()), backend="polars").to_polars()

    def to_arrow(self) -> "pa.Table":
        """Return the table as a PyArrow table."""
        return nw.from_dict(framed(self.to_dict()), backend="pyarrow").to_arrow()


def framed(columns: Mapping[str, list[Cell]]) -> dict[str, list[Cell]]:
    """Make each column of one type, as frames need it: mixed labels become text."""
    return {name: _of_one_type(name, values) for name, values in columns.items()}


def cells(values: Floats) -> list[Cell]:
    """Plain values for a table; None where there is no figure."""
    return [float(v) if np.isfinite(v) else None for v in values]


def _of_one_type(name: str, values: list[Cell]) -> list[Cell]:
    kinds = {type(v) for v in values if v is not None}
    if name in FIGURES and not kinds:
        return [float("nan")] * len(values)
    if len(kinds) > 1 and kinds != {int, float}:
        return [None if v is None else str(v) for v in values]
    return values
