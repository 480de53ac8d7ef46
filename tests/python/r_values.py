"""Values of R 4.2.2 and its package survey 4.1.1; the calls are in the column `call`."""

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from reference import DESIGNS, REFERENCE

import steelyard as sy

Numbers = npt.NDArray[np.float64]

VALUES: dict[tuple[str, str, str], list[float]] = {}
with (Path(__file__).parent.parent / "data" / "models_and_tables.csv").open() as _file:
    for _row in csv.DictReader(_file):
        _key = (_row["design"], _row["name"], _row["figure"])
        VALUES.setdefault(_key, []).append(float(_row["value"]))

OF_R = ("strat_fpc", "clus1_fpc", "clus2_fpc2")


def of_r(design: str, name: str, figure: str) -> Numbers:
    """The values of a figure, in R's order."""
    return np.array(VALUES[design, name, figure])


def schools(design: str) -> pl.DataFrame:
    """The rows of a design of the reference table."""
    path = REFERENCE / "data" / f"{DESIGNS[design][0]}.csv"
    return pl.read_csv(path, infer_schema_length=None)


def survey(design: str, frame: pl.DataFrame | None = None, **changes: object) -> sy.Survey:
    """A design of the reference table, of other rows if given."""
    rows = schools(design) if frame is None else frame
    return sy.Survey(rows, **{**DESIGNS[design][1], **changes})


def near(got: object, wanted: object, relative: float = 1e-9) -> None:
    """Compare figures of one kind: what is tiny beside the largest is 0."""
    size = float(np.abs(np.asarray(wanted)).max())
    assert np.asarray(got) == pytest.approx(np.asarray(wanted), rel=relative, abs=1e-12 * size)
