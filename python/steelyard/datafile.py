"""Data files: a frame from CSV or Parquet, by whichever frame library is installed."""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

import narwhals as nw
from narwhals.typing import IntoDataFrame

from steelyard.errors import DataFileError

Backend: TypeAlias = Literal["polars", "pandas", "pyarrow"]
BACKENDS: tuple[Backend, ...] = ("polars", "pandas", "pyarrow")

# The same file gives the same columns: only an empty cell is missing, and types go by all rows.
_CSV_OPTIONS: dict[Backend, dict[str, object]] = {
    "polars": {"infer_schema_length": None},
    "pandas": {"keep_default_na": False, "na_values": [""]},
    "pyarrow": {},
}


def installed_backend(name: str | None = None) -> Backend:
    """Return the frame library asked for, or the first that is installed.

    Raises
    ------
    ValueError
        It is not one that reads data here.
    ImportError
        It is not installed, or none is.
    """
    if name is None:
        for backend in BACKENDS:
            if find_spec(backend) is not None:
                return backend
        raise ImportError(
            f"reading data needs one of {', '.join(BACKENDS)}; none is installed: "
            "pip install polars"
        )
    for backend in BACKENDS:
        if backend == name:
            if find_spec(backend) is None:
                raise ImportError(f"{backend} is not installed: pip install {backend}")
            return backend
    raise ValueError(f"backend is {name!r}; choose one of: {', '.join(BACKENDS)}.")


def read_frame(path: str | Path, backend: str | None = None) -> IntoDataFrame:
    """Read a CSV (also compressed by gzip) or Parquet file as an eager frame; empty cells are null.

    Parameters
    ----------
    path : str or Path
    backend : {"polars", "pandas", "pyarrow"}, optional
        The first that is installed if not given.

    Raises
    ------
    DataFileError
        There is no such file, it is of another kind, or it cannot be read.
    ImportError
        No frame library is installed, or not the one asked for.
    """
    file = Path(path)
    chosen = installed_backend(backend)
    if not file.is_file():
        raise DataFileError(f"{file}: there is no such file")
    kinds = file.name.lower().removesuffix(".gz").rsplit(".", 1)
    read = {"csv": nw.read_csv, "parquet": nw.read_parquet}.get(kinds[-1])
    if read is None:
        raise DataFileError(f"{file}: a .csv or .parquet file is needed")
    options = _CSV_OPTIONS[chosen] if kinds[-1] == "csv" else {}
    try:
        frame = read(str(file), backend=chosen, **options)
    except Exception as error:  # whose text may quote the data
        raise DataFileError(
            f"{file}: {chosen} cannot read it as {kinds[-1].upper()} ({type(error).__name__})"
        ) from error
    if len(frame.columns) == 1 and ";" in frame.columns[0]:
        raise DataFileError(
            f"{file}: the columns are separated by semicolons: save the file with commas, or read "
            "it yourself and pass the frame to Survey"
        )
    if chosen == "pyarrow":  # its reader keeps empty text where the others have nothing
        text = [name for name, dtype in frame.schema.items() if dtype == nw.String]
        frame = frame.with_columns(
            nw.when(nw.col(name) != "").then(nw.col(name)).alias(name) for name in text
        )
    native: IntoDataFrame = frame.to_native()
    return native
