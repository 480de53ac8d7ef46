"""Where estimates come from: the data they were made of, as a digest, and their design."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import narwhals as nw
import numpy as np

from steelyard.columns import Columns

_NULL = "\x00"
_BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True, eq=False)
class Provenance:
    """The frame that estimates were made of, and the design they followed.

    Attributes
    ----------
    design : str
        The design in words.
    columns : Columns or None
        The frame; None where only its digest is known.
    known_digest : str
        The digest as it was saved.
    """

    design: str
    columns: Columns | None = None
    known_digest: str = ""

    @property
    def digest(self) -> str:
        """A digest of all columns, equal for equal data in any kind of frame."""
        return self.known_digest if self.columns is None else digest_of(self.columns)


def digest_of(columns: Columns) -> str:
    """BLAKE2b of the names and values of all columns, in the order of their names.

    Numbers count by their value, so that 1 and 1.0 are the same; other values by their text.
    """
    state = blake2b(digest_size=16)
    for name in sorted(columns.names):
        state.update(f"{name}{_BETWEEN}".encode())
        state.update(_bytes_of(columns.frame[name]))
    return state.hexdigest()


def _bytes_of(series: "nw.Series[Any]") -> bytes:
    if series.is_null().all() or series.dtype == nw.Unknown:  # whose type differs by library
        return f"{len(series)} missing".encode()
    if series.dtype.is_numeric() or series.dtype == nw.Boolean:
        missing = series.is_null().to_numpy().astype(np.bool_)
        filled = series.cast(nw.Float64).fill_null(float("nan")).to_numpy()
        values = np.where(missing, np.nan, filled) + 0.0  # one bit pattern for 0
        return np.ascontiguousarray(values, dtype="<f8").tobytes()
    texts = [_NULL if value is None or value != value else str(value) for value in series.to_list()]
    return _BETWEEN.join(texts).encode()


def merged(first: tuple[Provenance, ...], second: tuple[Provenance, ...]) -> tuple[Provenance, ...]:
    """The sources of both, each once."""
    return (*first, *(source for source in second if source not in first))
