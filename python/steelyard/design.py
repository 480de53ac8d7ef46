"""From the columns of a frame to a design: stages, their strata, units and corrections."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from steelyard import _core
from steelyard.columns import Columns, NumberArray, as_names, cross
from steelyard.errors import (
    DesignMismatch,
    EmptyDomain,
    InvalidFpc,
    InvalidWeights,
    NotNumeric,
    SteelyardError,
)
from steelyard.explain import JOINT, DesignNames, StageNames, explain
from steelyard.levels import Factor

Lonely: TypeAlias = Literal["fail", "remove", "certainty", "adjust", "average"]
DfRule: TypeAlias = Literal["design", "domain", "satterthwaite", "normal"]
Pps: TypeAlias = Literal["brewer"]
Strata: TypeAlias = str | Sequence[str | Sequence[str] | None]
PerStage: TypeAlias = str | Sequence[str | None]

_EVERY_ROW = np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Policy:
    """How units were drawn, and what to do where one stands alone."""

    nest: bool = False
    lonely: Lonely = "fail"
    lonely_domain: Lonely | None = None
    pps: Pps | None = None
    df: DfRule | float = "design"


def design_of(
    columns: Columns,
    weights: str | None,
    strata: Strata | None,
    clusters: PerStage | None,
    fpc: PerStage | None,
    policy: Policy,
) -> tuple[_core.Design, DesignNames]:
    """Make the core's design, and the names by which its faults and units are called.

    Raises
    ------
    DesignMismatch
        The arguments do not name the same stages.
    """
    if weights is not None and not isinstance(weights, str):
        raise TypeError(f"weights= is the name of one column, not {type(weights).__name__}")
    units = _by_stage("clusters", clusters)
    corrections = _by_stage("fpc", fpc)
    strata_names = _strata_by_stage(strata, len(units))
    _check_stages(units, corrections, policy)
    stages: list[_core.Stage] = []
    named: list[StageNames] = []
    above: Factor | None = None
    for s, cluster in enumerate(units):
        own_strata = strata_names[s] if s < len(strata_names) else ()
        correction = corrections[s] if s < len(corrections) else None
        stratum = _strata(columns, own_strata, above)
        if named and above is not None:
            _refuse_strata_above(own_strata, named[-1], stratum, above)
        unit = _units(columns, cluster, stratum if policy.nest and s == 0 else above)
        stages.append(_stage(columns, stratum, unit, correction))
        inside = stratum or above
        named.append(
            StageNames(
                own_strata,
                cluster,
                correction,
                () if inside is None else inside.levels,
                () if unit is None else unit.levels,
            )
        )
        above = unit
    names = DesignNames(weights, tuple(named))
    given = _numbers(columns, "weights", weights, InvalidWeights, "convert it first")
    try:
        design = _core.Design(
            len(columns),
            weights or "",
            given,
            stages,
            policy.lonely,
            policy.lonely_domain,
            policy.pps or "equal",
        )
    except (_core.InvalidColumn, _core.DesignError) as error:
        raise explain(error, names) from None
    return design, names


def _by_stage(role: str, names: PerStage | None) -> tuple[str | None, ...]:
    """One name a stage, from the first down."""
    found = (names,) if names is None or isinstance(names, str) else tuple(names)
    for name in found:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{role}= names one column a stage, not {type(name).__name__}")
    return found or (None,)


def _strata_by_stage(strata: Strata | None, stages: int) -> tuple[tuple[str, ...], ...]:
    """Columns whose combinations are the strata of each stage.

    A plain list is crossed in the first stage where there is one stage, and is one entry a stage
    where there are several.
    """
    if strata is None:
        return ()
    if isinstance(strata, str):
        return ((strata,),)
    entries = list(strata)
    if stages == 1 and all(isinstance(entry, str) for entry in entries):
        return (tuple(str(entry) for entry in entries),)
    if len(entries) > stages:
        raise DesignMismatch(
            f"strata= has {len(entries)} entries and there {_are(stages)}: with several "
            "stages, strata= has one entry a stage. To cross columns in one stage, put them in a "
            "list of their own, as in strata=[['region', 'urban'], None]"
        )
    return tuple(() if entry is None else as_names(entry) for entry in entries)


def _are(stages: int) -> str:
    return "is one stage of clusters=" if stages == 1 else f"are {stages} stages of clusters="


def _check_stages(
    units: tuple[str | None, ...],
    corrections: tuple[str | None, ...],
    policy: Policy,
) -> None:
    if None in units[:-1]:
        raise DesignMismatch(
            "clusters= names no unit at a stage above the last: only the last may be None, for "
            "rows as units"
        )
    if len(corrections) > len(units):
        raise DesignMismatch(
            f"fpc= has {len(corrections)} entries and there {_are(len(units))}: name the "
            "units of every stage in clusters=, with None last where they are the rows"
        )
    named = [fpc is not None for fpc in corrections]
    if named != sorted(named, reverse=True):
        raise DesignMismatch(
            "fpc= corrects a stage below one that has no correction: where a stage was sampled "
            "with replacement, those below it do not enter the variance"
        )
    if policy.pps is not None and not any(named):
        raise DesignMismatch(
            "pps= needs fpc=, the column of each unit's probability of being sampled"
        )


def _refuse_strata_above(
    names: tuple[str, ...], parent: StageNames, stratum: Factor | None, above: Factor
) -> None:
    """Strata of a further stage that divide no unit were meant to be crossed in the stage above."""
    if stratum is not None and len(stratum.levels) == len(above.levels):
        listed = ", ".join(repr(name) for name in names)
        raise DesignMismatch(
            f"strata column {listed} has one value within every unit of {parent.clusters!r}: as a "
            "stratum of the next stage it divides nothing. To cross columns in the first stage, "
            "put them in a list of their own, as in strata=[['region', 'urban'], None]",
            column=names[0],
        )


def _stage(
    columns: Columns, stratum: Factor | None, unit: Factor | None, fpc: str | None
) -> _core.Stage:
    remedy = "population counts of units, or sampling fractions"
    return _core.Stage(
        None if stratum is None else stratum.codes,
        None if unit is None else unit.codes,
        fpc or "",
        _numbers(columns, "fpc", fpc, InvalidFpc, remedy),
    )


def _strata(columns: Columns, names: Sequence[str], above: Factor | None) -> Factor | None:
    if not names:
        return None
    factors = [columns.complete_factor(name, "strata") for name in names]
    if above is None and len(factors) == 1 and (factors[0].codes.counts > 0).all():
        return factors[0]
    return _crossed(columns, factors if above is None else [above, *factors])


def _units(columns: Columns, name: str | None, within: Factor | None) -> Factor | None:
    if name is None:
        return None
    factor = columns.complete_factor(name, "clusters")
    if within is None and (factor.codes.counts > 0).all():
        return factor
    return _crossed(columns, [factor] if within is None else [within, factor])


def _crossed(columns: Columns, factors: Sequence[Factor]) -> Factor:
    codes, labels, _ = cross(factors, _EVERY_ROW, len(columns))
    return Factor(codes, tuple(JOINT.join(str(part) for part in label) for label in labels))


def _numbers(
    columns: Columns, role: str, name: str | None, refusal: type[SteelyardError], remedy: str
) -> NumberArray | None:
    """A column of numbers with a role in the design, whose errors name the role."""
    if name is None:
        return None
    try:
        return columns.numbers(name)
    except (NotNumeric, EmptyDomain):
        kind = columns.series(name).dtype
        raise refusal(
            f"{role} column {name!r} is {kind}, and numbers are needed: {remedy}", column=name
        ) from None
