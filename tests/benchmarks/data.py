"""Simulated survey responses: always the same for the same seed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

STRATA = 50
SCORES = tuple(f"score_{i}" for i in range(1, 11))
ANSWERS = ("Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree")
GROUPS = tuple(f"group-{i:02d}" for i in range(1, 26))
DOMAINS = tuple(f"domain-{i:02d}" for i in range(1, 21))


@dataclass(frozen=True, slots=True)
class Size:
    """How much data, of which design, from which seed."""

    rows: int
    units_per_stratum: int
    seed: int

    @property
    def units(self) -> int:
        return STRATA * self.units_per_stratum


def simulate(size: Size) -> pl.DataFrame:
    """Responses in random order. No value is missing; every unit has at least one row.

    Text and integer ids name the same strata and units; integer ids count from 0, and the units
    of a stratum follow each other.
    """
    if size.rows < 2 * size.units:
        raise ValueError(f"{size.rows} rows are too few for {size.units} units")
    random = np.random.default_rng(size.seed)
    unit = _units(size, random)
    stratum = unit // size.units_per_stratum
    effect = random.normal(0, 3, size.units)[unit]
    columns: dict[str, pl.Series | npt.NDArray[np.generic]] = {
        "stratum": _labels([f"stratum-{h:02d}" for h in range(STRATA)], stratum),
        "unit": _labels([f"activity-{i:06d}" for i in range(size.units)], unit),
        "stratum_id": stratum,
        "unit_id": unit,
        "weight": random.uniform(1, 9, size.rows),
    }
    for name in SCORES:
        columns[name] = 50 + effect + random.normal(0, 10, size.rows)
    agreement = np.clip(np.round(3 + effect / 6 + random.normal(0, 1, size.rows)), 0, 4)
    columns["answer"] = _labels(ANSWERS, agreement.astype(np.int64))
    columns["group"] = _labels(GROUPS, random.integers(0, len(GROUPS), size.rows))
    columns["domain"] = _labels(DOMAINS, random.integers(0, len(DOMAINS), size.rows))
    return pl.DataFrame(columns)


MARGINS = ("answer", "group", "domain")


def totals_of_margins(frame: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Totals near those of the sample, that agree with each other."""
    moved = frame.with_columns(_moved())
    return {
        name: dict(moved.group_by(name).agg(pl.col("moved").sum()).sort(name).iter_rows())
        for name in MARGINS
    }


def totals_of_scores(frame: pl.DataFrame) -> dict[str, float]:
    """Totals of the scores by the same weights."""
    moved = frame.with_columns(_moved())
    return {name: float((moved["moved"] * moved[name]).sum()) for name in SCORES}


def _moved() -> pl.Expr:
    """Weights that are some per cent larger or smaller, by the first score."""
    return (pl.col("weight") * (1 + 0.1 * pl.col(SCORES[0]).sin())).alias("moved")


def _units(size: Size, random: np.random.Generator) -> npt.NDArray[np.int64]:
    rest = random.integers(0, size.units, size.rows - size.units)
    return random.permutation(np.concatenate([np.arange(size.units), rest]))


def _labels(labels: list[str] | tuple[str, ...], codes: npt.NDArray[np.int64]) -> pl.Series:
    return pl.Series(labels, dtype=pl.String).gather(codes)
