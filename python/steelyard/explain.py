"""What the core found wrong with a survey, in the words of the survey."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from steelyard import _core
from steelyard.errors import (
    ClusterInTwoStrata,
    InfiniteValues,
    InvalidFpc,
    InvalidWeights,
    LonelyStratum,
    MissingValues,
    NegativeValues,
    NoDegreesOfFreedom,
    SteelyardError,
    WeightingFailed,
    rows_text,
    shortened,
)
from steelyard.levels import Level

JOINT = "\x1f"  # between the parts of a label of several columns: no name holds it

CORE_ERRORS = (_core.InvalidColumn, _core.DesignError, _core.WeightingError)

_FAULT = {
    "nan": "missing (null or NaN)",
    "missing": "missing (null or NaN)",
    "negative": "negative",
    "infinite": "infinite",
    "all_zero": "zero everywhere",
    "wrong_length": "of another length than the frame",
}

_REMEDY = {
    "nan": "give every row a weight, 0 for a row that stands for nobody",
    "negative": "weights count population elements, so they cannot be negative",
    "infinite": "look for a division by zero where the weights were made",
    "all_zero": "at least one row must stand for somebody",
}


@dataclass(frozen=True, slots=True)
class _Fault:
    """The fields of an exception of the core."""

    message: str
    problem: str
    column: str
    count: int
    rows: list[int]
    codes: list[int]
    stage: int


@dataclass(frozen=True, slots=True)
class StageNames:
    """The columns of one stage and the labels behind the core's codes."""

    strata: tuple[str, ...]
    clusters: str | None
    fpc: str | None
    strata_labels: tuple[Level, ...]
    unit_labels: tuple[Level, ...]

    def strata_text(self, codes: list[int]) -> str:
        """The labels of some strata, the first few, and the columns that make them."""
        if not self.strata_labels:
            return "the sample, which is one stratum,"
        labels = shortened([_shown(self.strata_labels[code]) for code in codes])
        if not self.strata:
            return f"cluster {labels} of the stage above"
        return f"stratum {labels} of {', '.join(repr(name) for name in self.strata)}"

    def units_text(self, codes: list[int]) -> str:
        """The labels of some clusters, the first few; rows where there are no clusters."""
        if not self.unit_labels:
            return f"row {shortened(codes)}"
        labels = shortened([_shown(self.unit_labels[code]) for code in codes])
        return f"cluster {labels} of column {self.clusters!r}"


@dataclass(frozen=True, slots=True)
class DesignNames:
    """The columns of a design, stage after stage."""

    weights: str | None
    stages: tuple[StageNames, ...]

    @property
    def clusters(self) -> tuple[str, ...]:
        """Columns of the units, from the first stage down."""
        return tuple(stage.clusters for stage in self.stages if stage.clusters is not None)

    @property
    def fpc(self) -> tuple[str, ...]:
        """Columns of the finite population corrections, from the first stage down."""
        return tuple(stage.fpc for stage in self.stages if stage.fpc is not None)


def _shown(label: Level) -> Level:
    return label.replace(JOINT, " / ") if isinstance(label, str) else label


def explain(
    error: _core.InvalidColumn | _core.DesignError | _core.WeightingError,
    names: DesignNames,
    among: npt.NDArray[np.int64] | None = None,
) -> SteelyardError:
    """Name the column, count the rows, show the first and say what to do.

    `among` are the rows of the frame that the core saw, if not all.
    """
    if isinstance(error, _core.WeightingError) and error.args[1] == "negative_replicate":
        return WeightingFailed(
            "a replicate has negative weights, by which nothing can be fitted or ranked: means, "
            "totals and shares have errors by these replicates, and quantiles with their default "
            "interval; for others leave the design's strata and clusters in place of replicates"
        )
    if isinstance(error, _core.WeightingError):
        return WeightingFailed(
            "a step of weighting made negative weights, by which nothing can be ranked or fitted: "
            "give the step bounds=, or distance='raking'"
        )
    fault = _Fault(*error.args)
    if among is not None:
        fault = replace(fault, rows=among[fault.rows].tolist())
    if isinstance(error, _core.InvalidColumn):
        return _explain_column(fault, names)
    return _explain_design(fault, names)


def _explain_column(error: _Fault, names: DesignNames) -> SteelyardError:
    where = rows_text(error.count, error.rows)
    fault = _FAULT[error.problem]
    column, count, rows = error.column, error.count, error.rows
    if error.column == names.weights:
        remedy = _REMEDY.get(error.problem, "look at these rows")
        return InvalidWeights(
            f"weights column {error.column!r} is {fault} in {where}: {remedy}",
            column=column,
            count=count,
            rows=rows,
        )
    if error.column in names.fpc:
        return InvalidFpc(
            f"fpc column {error.column!r} is {fault} in {where}: every row needs the number of "
            "units in its stratum of the population, or the sampling fraction",
            column=column,
            count=count,
            rows=rows,
        )
    if error.problem == "infinite":
        return InfiniteValues(
            f"column {error.column!r} is infinite in {where}: look for a division by zero, or "
            "make these values missing",
            column=column,
            count=count,
            rows=rows,
        )
    if error.problem == "negative":
        return NegativeValues(
            f"column {error.column!r} is negative in {where}: the statistic is of values that are "
            "not; make these values missing, or leave them out with where=",
            column=column,
            count=count,
            rows=rows,
        )
    return MissingValues(
        f"column {error.column!r} is {fault} in {where}", column=column, count=count, rows=rows
    )


def _explain_design(error: _Fault, names: DesignNames) -> SteelyardError:
    where = rows_text(error.count, error.rows)
    stage = names.stages[error.stage]
    strata = ", ".join(repr(name) for name in stage.strata) or "no column"
    if error.problem == "unit_in_two_strata":
        return ClusterInTwoStrata(
            f"{stage.units_text(error.codes)} stands in more "
            f"than one stratum of {strata}: {where} in a second one. If cluster names repeat "
            "across strata and mean different clusters, pass nest=True; otherwise correct the "
            "strata",
            column=stage.clusters,
            count=error.count,
            rows=error.rows,
        )
    if error.problem in ("lonely_stratum", "lonely_in_domain"):
        return _explain_lonely(error, stage)
    if error.problem == "no_degrees_of_freedom":
        return NoDegreesOfFreedom(
            "there are as many strata as sampled units with a positive weight, so no variance can "
            "be estimated: merge strata, or check the weights"
        )
    return _explain_fpc(error, stage, where)


def _explain_lonely(error: _Fault, stage: StageNames) -> SteelyardError:
    what = f"cluster of {stage.clusters!r}" if stage.clusters else "row"
    argument = "lonely" if error.problem == "lonely_stratum" else "lonely_domain"
    which = f"a single sampled {what}" if argument == "lonely" else f"one {what} in a domain"
    return LonelyStratum(
        f"{stage.strata_text(error.codes)} has {which}, so "
        f"its variance cannot be estimated ({error.count} such strata). Merge it with a "
        f"similar stratum, or pass {argument}='adjust', 'average', 'certainty' or 'remove'",
        column=stage.strata[0] if stage.strata else stage.clusters,
        count=error.count,
    )


def _explain_fpc(error: _Fault, stage: StageNames, where: str) -> SteelyardError:
    column = f"fpc column {stage.fpc!r}"
    if error.problem == "fpc_varies":
        message = (
            f"{column} is not constant in {stage.strata_text(error.codes)}: {where} differ "
            "from the stratum's first; one stratum has one population size"
        )
    elif error.problem == "fraction_varies":
        message = (
            f"{column} is not constant in {stage.units_text(error.codes)}: {where} differ from "
            "the unit's first; a unit was sampled with one probability"
        )
    elif error.problem == "fraction_needed":
        whose = stage.units_text(error.codes) if error.codes else where
        message = (
            f"{column} is not a probability in {whose}: with pps= and in a subsample, fpc= is each "
            "unit's probability of being drawn, above 0 and at most 1"
        )
    elif error.problem == "fpc_mixed":
        message = (
            f"{column} mixes values above 1 ({where}) with values below: give population counts "
            "everywhere, or sampling fractions everywhere"
        )
    else:
        message = (
            f"{column} says that {stage.strata_text(error.codes)} has fewer units in the "
            "population than were sampled from it: it counts units (clusters where there are "
            "clusters), not respondents"
        )
    return InvalidFpc(message, column=stage.fpc, count=error.count, rows=error.rows)
