"""Two-phase samples: a sample, and a subsample of it whose answers were observed."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from steelyard import _core
from steelyard.columns import Columns, NumberArray
from steelyard.condition import mask_of
from steelyard.design import (
    PerStage,
    ReadStage,
    Strata,
    Subsample,
    read_stages,
    read_weights,
)
from steelyard.errors import DesignMismatch, InvalidWeights, error_in_rows
from steelyard.explain import DesignNames, explain
from steelyard.pps import first_of_each


def two_phase_design(
    columns: Columns,
    weights: str | None,
    strata: Strata | None,
    clusters: PerStage | None,
    fpc: PerStage | None,
    nest: bool,
    subsample: Subsample,
) -> tuple[_core.Design, DesignNames]:
    """Make the design of a subsample of a sample.

    Raises
    ------
    DesignMismatch
        The subsample is empty, a stratum has no row in it, or the first phase has several stages
        and a column of weights.
    """
    stages = read_stages(columns, strata, clusters, fpc, nest)
    names = DesignNames(weights, tuple(stage.names for stage in stages))
    drawn = mask_of(columns, subsample.rows)
    if not drawn.any():
        raise DesignMismatch("the subsample is empty: its condition holds for no row")
    first, probability = _first_phase(columns, read_weights(columns, weights), stages, names)
    again = read_stages(columns, subsample.strata, subsample.clusters, subsample.fpc, nest=False)
    second, own, freedom = _second_phase(len(columns), again[0], drawn)
    try:
        form = _core.two_phase(first, [second], np.flatnonzero(drawn).tolist())
    except ValueError as error:
        raise DesignMismatch(f"subsample=: {error}") from None
    weight = np.zeros(len(columns))
    weight[drawn] = 1 / (probability[drawn] * own)
    stage = _core.Stage(None, None, "", None)
    design = _core.Design.with_form(len(columns), weights or "", weight, stage, form, freedom)
    return design, names


def _first_phase(
    columns: Columns, weights: NumberArray | None, stages: Sequence[ReadStage], names: DesignNames
) -> tuple[list[_core.PhaseStage], npt.NDArray[np.float64]]:
    """The stages of the first phase, and each row's probability over all of them."""
    if weights is not None and len(stages) > 1:
        raise DesignMismatch(
            "weights= of a first phase in several stages do not say the probability of each: give "
            "fpc= for every stage instead"
        )
    try:
        design = _core.Design(
            len(columns),
            names.weights or "",
            weights,
            [stage.core for stage in stages],
            "fail",
            None,
            "equal",
        )
    except (_core.InvalidColumn, _core.DesignError) as error:
        raise explain(error, names) from None
    if weights is not None:
        _refuse_weights_below_one(names.weights or "", weights)
    together = np.ones(len(columns))
    read = []
    for s, stage in enumerate(stages):
        fraction = design.row_fractions(s) if s < design.stages else np.zeros(len(columns))
        known = fraction if weights is None else 1 / np.asarray(weights, dtype=np.float64)
        together *= np.where(known > 0, known, 1.0)
        within = stage.stratum or (stages[s - 1].unit if s > 0 else None)
        read.append(
            _core.PhaseStage(
                None if within is None else within.codes,
                None if stage.unit is None else stage.unit.codes,
                np.ascontiguousarray(known),  # 0: next to nothing of the population was drawn
                stage.fpc is None,
            )
        )
    return read, together


def _refuse_weights_below_one(name: str, weights: NumberArray) -> None:
    below = np.flatnonzero(np.asarray(weights, dtype=np.float64) < 1)
    if len(below) > 0:
        raise error_in_rows(
            InvalidWeights,
            name,
            below.tolist(),
            f"weights column {name!r} is below 1",
            "with subsample=, weights are the inverse of each row's probability of being drawn in "
            "the first phase",
        )


def _second_phase(
    rows: int, stage: ReadStage, drawn: npt.NDArray[np.bool_]
) -> tuple[_core.PhaseStage, npt.NDArray[np.float64], float]:
    """The second phase, each of its rows' probability, and its degrees of freedom."""
    stratum = np.zeros(rows, np.int32) if stage.stratum is None else stage.stratum.codes.to_numpy()
    unit = np.arange(rows, dtype=np.int32) if stage.unit is None else stage.unit.codes.to_numpy()
    strata = int(stratum.max()) + 1
    before = np.bincount(first_of_each(stratum, unit), minlength=strata)
    after = np.bincount(first_of_each(stratum[drawn], unit[drawn]), minlength=strata)
    if (after == 0).any():
        label = "" if stage.stratum is None else f" {stage.stratum.levels[int(after.argmin())]!r}"
        raise DesignMismatch(
            f"stratum{label} of the second phase has no row in the subsample: merge it with another"
        )
    if stage.fpc is None:
        probability = (after / before)[stratum[drawn]]
    else:
        probability = np.asarray(stage.fpc, dtype=np.float64)[drawn]
    kept, units = np.unique(unit[drawn], return_inverse=True)
    strata_codes = _core.Codes(np.ascontiguousarray(stratum[drawn]), strata)
    unit_codes = _core.Codes(units.astype(np.int32), len(kept))
    probability = np.ascontiguousarray(probability)
    _check_second_phase(stage, drawn, strata_codes, unit_codes, probability, kept)
    phase = _core.PhaseStage(strata_codes, unit_codes, probability, False)
    return phase, probability, float(len(kept) - strata)


def _check_second_phase(
    stage: ReadStage,
    drawn: npt.NDArray[np.bool_],
    strata: _core.Codes,
    units: _core.Codes,
    probability: npt.NDArray[np.float64],
    kept: npt.NDArray[np.int32],
) -> None:
    """Refuse units in two strata, and what are no probabilities of units."""
    labels = stage.names.unit_labels
    own = replace(stage.names, unit_labels=tuple(labels[code] for code in kept) if labels else ())
    name = stage.names.fpc or ""
    sampled = _core.Stage(strata, units, name, probability)
    try:
        _core.Design(
            len(drawn), "", None, [replace(stage, fpc=None).core], "certainty", None, "equal"
        )
    except _core.DesignError as error:
        raise explain(error, DesignNames(None, (stage.names,))) from None
    rows = np.flatnonzero(drawn)
    try:
        _core.Design(len(rows), "", None, [sampled], "fail", None, "brewer")
    except (_core.InvalidColumn, _core.DesignError) as error:
        raise explain(error, DesignNames(None, (own,)), rows) from None
