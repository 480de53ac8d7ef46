"""The same file gives the same columns, whichever library reads it."""

from pathlib import Path

import narwhals as nw
import pytest

import steelyard as sy
from steelyard.datafile import read_frame
from steelyard.errors import DataFileError

BACKENDS = ("polars", "pandas", "pyarrow")


@pytest.mark.parametrize("backend", BACKENDS)
def test_only_an_empty_cell_is_missing(tmp_path: Path, backend: str) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("country,weight\nNA,12\nNone,12.5\n,3\nFR,1\n" + "DE,2\n" * 200)
    frame = nw.from_native(read_frame(file, backend), eager_only=True)
    assert frame["country"].null_count() == 1
    assert sy.Survey(frame.to_native(), weights="weight").levels("country") == (
        "DE",
        "FR",
        "NA",
        "None",
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_column_that_turns_decimal_late(tmp_path: Path, backend: str) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("weight\n" + "12\n" * 150 + "12.5\n")
    frame = nw.from_native(read_frame(file, backend), eager_only=True)
    assert frame["weight"].sum() == 150 * 12 + 12.5


def test_what_cannot_be_read_is_said_without_its_data(tmp_path: Path) -> None:
    file = tmp_path / "answers.parquet"
    file.write_bytes(b"secret answers")
    with pytest.raises(DataFileError, match="cannot read it as PARQUET") as caught:
        read_frame(file, "polars")
    assert "secret" not in str(caught.value)
    with pytest.raises(DataFileError, match="no such file"):
        read_frame(tmp_path / "other.csv")
    (tmp_path / "answers.xlsx").touch()
    with pytest.raises(DataFileError, match=r"a \.csv or \.parquet file is needed"):
        read_frame(tmp_path / "answers.xlsx")


def test_semicolons_are_recognised(tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("id;answer\n1;Yes\n2;No\n")
    with pytest.raises(DataFileError, match="separated by semicolons"):
        read_frame(file)
