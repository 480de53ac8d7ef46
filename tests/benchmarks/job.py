"""What is timed: the cases, and a tool's way to do each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Label: TypeAlias = tuple[str, ...]
Answer: TypeAlias = dict[Label, tuple[float, float]]
"""Estimate and standard error of every group, variable and level."""

CONSTRUCTION_TEXT = "construction, text ids"
CONSTRUCTION_INTEGER = "construction, integer ids"
CONSTRUCTION_AND_MEAN = "construction and first mean, text ids"
MEAN = "mean"
MEAN_BY_GROUP = "mean by 25 groups"
MEAN_BY_GROUP_FIRST = "mean by 25 groups, first call"
TEN_MEANS = "ten means in one call"
RATIO = "ratio"
PROPORTION = "proportion of 5 levels by 20 domains"
MEAN_ELEMENTS = "mean, no clusters"
BOOTSTRAP = "ten means, 200 bootstrap replicates"
RAKING = "raking to three margins"
CALIBRATION = "calibration to 30 totals"

CASES = (
    CONSTRUCTION_TEXT,
    CONSTRUCTION_INTEGER,
    CONSTRUCTION_AND_MEAN,
    MEAN,
    MEAN_BY_GROUP,
    MEAN_BY_GROUP_FIRST,
    TEN_MEANS,
    RATIO,
    PROPORTION,
    MEAN_ELEMENTS,
    BOOTSTRAP,
    RAKING,
    CALIBRATION,
)


@dataclass(frozen=True, slots=True)
class Job:
    """One case in one tool: `run(fresh())` is the work, of which only `run` is timed."""

    fresh: Callable[[], Any]
    run: Callable[[Any], Any]
    read: Callable[[Any], Answer]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that does some of the cases."""

    name: str
    version: str
    jobs: dict[str, Job]


def mean_by(frame: pl.DataFrame, weights: npt.NDArray[np.float64]) -> Answer:
    """What weights make of a score: equal where the weights are."""
    return {("mean",): (float(np.average(frame["score_2"].to_numpy(), weights=weights)), 0.0)}


def ready(state: Any) -> Callable[[], Any]:
    """Give the same warm object to every run."""
    return lambda: state
