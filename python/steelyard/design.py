"""From the columns of a frame to a design: stages, their strata, units and corrections."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from steelyard import _core
from steelyard.columns import Columns, NumberArray, as_names, cross
from steelyard.condition import Where
from steelyard.errors import (
    DesignMismatch,
    EmptyDomain,
    InvalidFpc,
    InvalidWeights,
    NotNumeric,
    SteelyardError,
    error_in_rows,
)
from steelyard.explain import CORE_ERRORS, JOINT, DesignNames, StageNames, explain
from steelyard.levels import CodeArray, Factor
from steelyard.pps import Pps, first_of_each
from steelyard.replicate import ReplicateWeights

Lonely: TypeAlias = Literal["fail", "remove", "certainty", "adjust", "average"]
DfRule: TypeAlias = Literal["design", "domain", "satterthwaite", "normal"]
Strata: TypeAlias = str | Sequence[str | Sequence[str] | None]
PerStage: TypeAlias = str | Sequence[str | None]

_DF_TEXT: dict[DfRule, str] = {
    "design": "units minus strata of the whole design",
    "domain": "units minus strata among those with an answer in the domain",
    "satterthwaite": "Satterthwaite's, from the variance that each stratum adds",
    "normal": "infinitely many (normal intervals)",
}

_EVERY_ROW = np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Subsample:
    """The second phase of a sample: which rows were drawn again, and how.

    Parameters
    ----------
    rows : condition
        Rows in the second phase, as ``where=`` elsewhere: the others need no answers.
    strata : str or sequence of str, optional
        Column or columns, known for all rows of the first phase, whose combinations are the strata
        of the second.
    clusters : str, optional
        Units drawn in the second phase; without it, rows.
    fpc : str, optional
        Column of each row's probability of being drawn in the second phase. Without it, units drawn
        over units of the first phase, in each stratum.

    Notes
    -----
    Särndal, Swensson and Wretman (1992), section 9.3.

    Examples
    --------
    >>> import steelyard as sy
    >>> sy.Subsample("interviewed", strata="risk").strata
    'risk'
    """

    rows: Where
    strata: str | Sequence[str] | None = None
    clusters: str | None = None
    fpc: str | None = None

    def __post_init__(self) -> None:
        for role, name in (("clusters", self.clusters), ("fpc", self.fpc)):
            if name is not None and not isinstance(name, str):
                raise TypeError(
                    f"{role}= of a subsample is the name of one column: it has one stage"
                )


@dataclass(frozen=True, slots=True)
class Policy:
    """How units were drawn, and what to do where one stands alone."""

    nest: bool = False
    lonely: Lonely = "fail"
    lonely_domain: Lonely | None = None
    pps: Pps | None = None
    df: DfRule | float = "design"
    subsample: Subsample | None = None
    replicates: ReplicateWeights | None = None

    def __post_init__(self) -> None:
        check_df(self.df)
        for name, value in (("lonely", self.lonely), ("lonely_domain", self.lonely_domain)):
            if value not in get_args(Lonely) and not (name == "lonely_domain" and value is None):
                known = ", ".join(map(repr, get_args(Lonely)))
                raise ValueError(f"{name}={value!r} is none of {known}")
        if not isinstance(self.pps, Pps | None):
            raise TypeError(f"pps= is a method's name or a Pps, not {type(self.pps).__name__}")
        if not isinstance(self.subsample, Subsample | None):
            raise TypeError(f"subsample= is a Subsample, not {type(self.subsample).__name__}")
        if self._from_pairs:
            self._check_pairs()
        if self.replicates is not None:
            self._check_replicates()

    @property
    def _from_pairs(self) -> bool:
        return self.subsample is not None or (self.pps is not None and self.pps.needs_form)

    def _check_replicates(self) -> None:
        """Refuse what replicate weights, which are all that is known of the design, do not tell."""
        if not isinstance(self.replicates, ReplicateWeights):
            raise TypeError(
                f"replicates= is a ReplicateWeights, not {type(self.replicates).__name__}"
            )
        if self.pps is not None or self.subsample is not None or self.lonely_domain is not None:
            raise DesignMismatch(
                "pps=, subsample= and lonely_domain= are not combined with replicates=: replicate "
                "weights say how estimates vary, so leave the design out"
            )
        if self.df in ("domain", "satterthwaite"):
            raise DesignMismatch(
                f"df={self.df!r} goes by units and strata, which replicate weights do not tell: "
                "choose 'design', the rank of the weights, or give a number"
            )

    def _check_pairs(self) -> None:
        """Refuse what goes by strata where the variance comes from pairs of units."""
        what = "pps=" if self.subsample is None else "subsample="
        if self.subsample is not None and self.pps is not None:
            raise DesignMismatch("pps= and subsample= are not combined")
        if self.lonely != "fail" or self.lonely_domain is not None:
            raise DesignMismatch(
                f"with {what} the variance comes from pairs of units, and there is no lonely= or "
                "lonely_domain= for strata: merge a stratum of one unit with a similar one"
            )
        if self.df == "satterthwaite":
            raise DesignMismatch(
                f"with {what} the variance comes from pairs of units and not from strata, so "
                "df='satterthwaite' is not defined: choose 'design', or give a number"
            )


@dataclass(frozen=True, slots=True)
class ReadStage:
    """One stage as read from the frame: its strata, units and correction."""

    stratum: Factor | None
    unit: Factor | None
    fpc: NumberArray | None
    names: StageNames

    @property
    def core(self) -> _core.Stage:
        """The stage for the core."""
        return _core.Stage(
            None if self.stratum is None else self.stratum.codes,
            None if self.unit is None else self.unit.codes,
            self.names.fpc or "",
            self.fpc,
        )


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
    stages = read_stages(columns, strata, clusters, fpc, policy.nest)
    if policy.pps is not None and stages[0].fpc is None:
        raise DesignMismatch(
            "pps= needs fpc=, the column of each unit's probability of being sampled"
        )
    names = DesignNames(weights, tuple(stage.names for stage in stages))
    given = read_weights(columns, weights)
    try:
        if policy.pps is not None and policy.pps.needs_form:
            return design_with_pps(len(columns), names, given, stages, policy.pps), names
        design = _core.Design(
            len(columns),
            weights or "",
            given,
            [stage.core for stage in stages],
            policy.lonely,
            policy.lonely_domain,
            "equal" if policy.pps is None else "brewer",
        )
    except CORE_ERRORS as error:
        raise explain(error, names) from None
    return design, names


def read_weights(columns: Columns, name: str | None) -> NumberArray | None:
    """Read the column of weights."""
    if name is not None and not isinstance(name, str):
        raise TypeError(f"weights= is the name of one column, not {type(name).__name__}")
    return _numbers(columns, "weights", name, InvalidWeights, "convert it first")


def read_stages(
    columns: Columns,
    strata: Strata | None,
    clusters: PerStage | None,
    fpc: PerStage | None,
    nest: bool,
) -> list[ReadStage]:
    """Read the stages of a design, from the first down."""
    units = _by_stage("clusters", clusters)
    corrections = _by_stage("fpc", fpc)
    strata_names = _strata_by_stage(strata, len(units))
    _check_stages(units, corrections)
    stages: list[ReadStage] = []
    above: Factor | None = None
    for s, cluster in enumerate(units):
        own_strata = strata_names[s] if s < len(strata_names) else ()
        correction = corrections[s] if s < len(corrections) else None
        stratum = _strata(columns, own_strata, above)
        if stages and above is not None:
            _refuse_strata_above(own_strata, stages[-1].names, stratum, above)
        unit = _units(columns, cluster, stratum if nest and stratum is not None else above)
        inside = stratum or above
        names = StageNames(
            own_strata,
            cluster,
            correction,
            () if inside is None else inside.levels,
            () if unit is None else unit.levels,
        )
        remedy = "population counts of units, or sampling fractions"
        values = _numbers(columns, "fpc", correction, InvalidFpc, remedy)
        stages.append(ReadStage(stratum, unit, values, names))
        above = unit
    return stages


def design_with_pps(
    rows: int,
    names: DesignNames,
    weights: NumberArray | None,
    stages: Sequence[ReadStage],
    pps: Pps,
) -> _core.Design:
    """A design of one stage whose variance comes from joint inclusion probabilities."""
    if len(stages) > 1:
        raise DesignMismatch(f"pps={pps.method!r} is for one stage: use 'brewer' for several")
    first = stages[0]
    name = first.names.fpc or ""
    probability = np.asarray(first.fpc, dtype=np.float64)
    bad = np.flatnonzero(~((probability > 0) & (probability <= 1)))
    if len(bad) > 0:
        raise error_in_rows(
            InvalidFpc,
            name,
            bad.tolist(),
            f"fpc column {name!r} is not a probability",
            "with pps=, fpc= is each unit's probability of being sampled, above 0 and at most 1",
        )
    codes = None if first.unit is None else first.unit.codes.to_numpy()
    of_unit = first_of_each(probability, codes)
    if codes is not None:
        differs = np.flatnonzero(of_unit[codes] != probability)
        if len(differs) > 0:
            raise error_in_rows(
                InvalidFpc,
                name,
                differs.tolist(),
                f"fpc column {name!r} differs within a unit",
                "a unit was sampled with one probability",
            )
    strata = None
    if first.stratum is not None:
        own = first_of_each(first.stratum.codes.to_numpy(), codes)
        strata = _core.Codes(own, len(first.stratum.levels))
    labels = () if first.stratum is None else first.stratum.levels
    try:
        form = pps.ordered(_appearance(codes, len(of_unit))).form(of_unit, strata, labels)
    except ValueError as error:
        raise DesignMismatch(f"pps={pps.method!r}: {error}") from None
    given = np.ascontiguousarray(1 / probability) if weights is None else weights
    return _core.Design.with_form(rows, names.weights or name, given, first.core, form, None)


def _appearance(codes: CodeArray | None, units: int) -> npt.NDArray[np.int64]:
    """Where each unit stands in the order in which units first appear."""
    if codes is None:
        return np.arange(units)
    _, first = np.unique(codes, return_index=True)
    return np.argsort(np.argsort(first))


def check_df(rule: DfRule | float) -> DfRule | float:
    """Refuse what is no rule for degrees of freedom."""
    known = isinstance(rule, str) and rule in get_args(DfRule)
    number = isinstance(rule, Real) and not isinstance(rule, bool) and rule > 0
    if not known and not number:
        raise ValueError(
            f"df={rule!r} is no rule for degrees of freedom: choose one of "
            f"{', '.join(map(repr, get_args(DfRule)))}, or give a positive number"
        )
    return rule


def df_text(rule: DfRule | float) -> str:
    """A rule for degrees of freedom in words."""
    return _DF_TEXT[rule] if isinstance(rule, str) else f"{rule:g}, as given"


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
