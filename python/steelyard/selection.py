"""Choosing a sample from a list: with equal or unequal probabilities, stratified or balanced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Literal, TypeAlias, get_args

import narwhals as nw
import numpy as np
import numpy.typing as npt
from narwhals.typing import IntoDataFrame

from steelyard import _core
from steelyard.allocation import Allocation, allocate
from steelyard.columns import Columns, as_names, cross
from steelyard.errors import DesignMismatch, MissingValues, ReservedName, error_in_rows
from steelyard.levels import Level
from steelyard.pps import Pps
from steelyard.survey import Survey

SelectionMethod: TypeAlias = Literal[
    "srs", "systematic", "sampford", "brewer", "tille", "poisson", "cube"
]
Floats: TypeAlias = npt.NDArray[np.float64]

_ADDED = ("population", "probability", "weight")
_LARGEST_JOINT = 2000  # units of a stratum whose joint probabilities are computed


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """A sample drawn from a list.

    Made by :func:`select`.

    Attributes
    ----------
    frame : frame of the caller's kind
        The rows drawn, in the order of the list, with `population` (units of the stratum in the
        list), `probability` of being drawn, and `weight`, its inverse.
    rows : array of int
        Where they stand in the list, counted from 0.
    sizes : dict of stratum to int
        Units drawn from each stratum.
    joint : array, shape (units, units), or None
        Joint probabilities of the units drawn, where they are known and were asked for.
    """

    frame: IntoDataFrame
    rows: npt.NDArray[np.int64]
    sizes: dict[tuple[Level, ...], int]
    joint: Floats | None
    method: SelectionMethod
    strata: tuple[str, ...]
    unequal: bool

    def survey(self) -> Survey:
        """Make the survey of the sample, with the design by which it was drawn.

        Returns
        -------
        Survey
            Variances are those of simple random sampling within strata; with unequal
            probabilities by their joint ones where known, else by Brewer's approximation; of a
            Poisson sample those of units drawn on their own, whose number varies. A
            balanced sample is treated as one drawn without balance, which errs on the safe side:
            calibrate it to the same variables (:func:`weight`) to account for it.
        """
        strata = list(self.strata) or None
        if self.method == "poisson":
            p = 1 / np.asarray(Columns(self.frame).numbers("weight"), dtype=np.float64)
            joint = np.outer(p, p)  # each on its own
            np.fill_diagonal(joint, p)
            drawn = Pps("joint", "horvitz-thompson", joint)
            return Survey(self.frame, weights="weight", fpc="probability", pps=drawn)
        if not self.unequal:
            return Survey(self.frame, weights="weight", strata=strata, fpc="population")
        pps = Pps("joint", "yates-grundy", self.joint) if self.joint is not None else Pps()
        return Survey(self.frame, weights="weight", strata=strata, fpc="probability", pps=pps)


def select(
    frame: IntoDataFrame,
    n: int | Mapping[Level, int] | Mapping[tuple[Level, ...], int],
    *,
    method: SelectionMethod = "srs",
    strata: str | Sequence[str] = (),
    allocation: Literal["proportional", "equal", "power"] = "proportional",
    size: str | None = None,
    balance: str | Sequence[str] = (),
    minimum: int = 2,
    joint: bool = False,
    seed: int,
) -> Selected:
    """Draw a sample of units from a list of the population.

    Parameters
    ----------
    frame : frame that narwhals reads
        One row for each unit of the population, such as an activity.
    n : int, or mapping of stratum to int
        Units to draw in all, or from each stratum (keys are tuples with several columns).
    method : str
        "srs": simple random sampling. "systematic": at equal steps, in the order of the list.
        "sampford", "brewer", "tille": with unequal probabilities, in proportion to `size`.
        "poisson": each on its own, so that the number drawn varies. "cube": balanced on the columns
        of `balance`, so that the sample mirrors the population.
    strata : str or sequence of str, optional
        Columns whose combinations are drawn from apart; with "cube", whose numbers are fixed.
    allocation : {"proportional", "equal", "power"}
        How a total `n` is shared among strata: in proportion to their units, to none, or to the
        square root of their units.
    size : str, optional
        Column of numbers above 0 that probabilities are in proportion to. Units that would have
        more than 1 are certain.
    balance : str or sequence of str
        Of "cube": columns of numbers, or of categories, the most important first.
    minimum : int
        Units to draw from each stratum at least, where `n` is shared.
    joint : bool
        Compute joint probabilities of the units drawn: for "systematic" with `size`, "sampford" and
        "tille", up to 2,000 units a stratum.
    seed : int
        Equal seeds draw equal samples from equal lists, on every machine.

    Returns
    -------
    Selected

    Raises
    ------
    DesignMismatch
        The sample is larger than a stratum, or a method lacks what it needs.
    MissingValues
        A unit has no stratum, size or balancing variable.

    Notes
    -----
    Tillé (2006), Sampling Algorithms; Sampford (1967), Biometrika 54; Brewer (1975), Australian
    Journal of Statistics 17; Tillé (1996), Biometrika 83; Deville and Tillé (2004), Biometrika
    91(4).

    Examples
    --------
    >>> import steelyard as sy
    >>> schools = sy.datasets.load("apistrat", backend="polars")
    >>> drawn = sy.select(schools, 40, strata="stype", seed=1)
    >>> drawn.sizes
    {('E',): 20, ('H',): 10, ('M',): 10}
    >>> drawn.survey()
    Survey: 40 rows, 40 units (rows), 3 strata, 37 degrees of freedom
    """
    _check(method, size, as_names(balance), joint, seed)
    if allocation not in ("proportional", "equal", "power"):
        raise ValueError(
            f"allocation={allocation!r} is none of 'proportional', 'equal', 'power'; for others "
            "give n= as a mapping, from allocate()"
        )
    columns = Columns(frame)
    names = as_names(strata)
    taken = [name for name in _ADDED if name in columns.names]
    if taken:
        raise ReservedName(
            f"the list has a column {taken[0]!r}, which select() adds: rename it", column=taken[0]
        )
    codes, labels = _strata(columns, names)
    counts = np.bincount(codes, minlength=len(labels)).astype(np.float64)
    wanted = _sizes(n, labels, counts, allocation, minimum)
    measure = np.ones(len(columns)) if size is None else _measure(columns, size)
    probability = _probabilities(codes, wanted, measure, labels)
    if method == "cube":
        draw = _balanced(columns, as_names(balance), codes, len(labels), probability, seed)
    else:
        draw = _by_stratum(method, size, codes, wanted, measure, probability, seed)
    rows = np.array(sorted(draw), dtype=np.int64)
    known = _joint(method, codes, wanted, measure, probability, rows) if joint else None
    added = {
        "population": counts[codes][rows],
        "probability": probability[rows],
        "weight": 1 / probability[rows],
    }
    drawn = np.bincount(codes[rows], minlength=len(labels))
    return Selected(
        _taken(columns, rows, added),
        rows,
        dict(zip(labels, drawn.tolist(), strict=True)),
        known,
        method,
        names,
        size is not None,
    )


def _check(method: str, size: str | None, balance: tuple[str, ...], joint: bool, seed: int) -> None:
    if method not in get_args(SelectionMethod):
        known = ", ".join(map(repr, get_args(SelectionMethod)))
        raise ValueError(f"method={method!r} is none of {known}")
    if size is None and method in ("sampford", "brewer", "tille"):
        raise DesignMismatch(f"method={method!r} needs size=, the column that probabilities go by")
    if size is not None and method == "srs":
        raise DesignMismatch(
            "method='srs' draws with equal probabilities: with size= choose 'systematic', "
            "'sampford', 'brewer', 'tille', 'poisson' or 'cube'"
        )
    if (len(balance) > 0) != (method == "cube"):
        raise DesignMismatch("balance= goes with method='cube', and that with balance=")
    if joint and (method not in ("systematic", "sampford", "tille") or size is None):
        raise DesignMismatch(
            "joint probabilities are computed for 'systematic' with size=, 'sampford' and 'tille'"
        )
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"seed={seed}: a whole number of at least 0 is needed")


def _strata(
    columns: Columns, names: tuple[str, ...]
) -> tuple[npt.NDArray[np.int32], list[tuple[Level, ...]]]:
    if not names:
        return np.zeros(len(columns), dtype=np.int32), [()]
    factors = [columns.complete_factor(name, "strata") for name in names]
    codes, labels, _ = cross(factors, np.zeros(0, dtype=np.bool_), len(columns))
    return codes.to_numpy(), labels


def _sizes(
    n: int | Mapping[Level, int] | Mapping[tuple[Level, ...], int],
    labels: list[tuple[Level, ...]],
    counts: Floats,
    allocation: Allocation,
    minimum: int,
) -> npt.NDArray[np.int64]:
    population = dict(zip(labels, counts.tolist(), strict=True))
    given_sizes = list(n.values()) if isinstance(n, Mapping) else [n]
    if not all(isinstance(k, Integral) for k in given_sizes):
        raise ValueError(f"n={n!r}: whole numbers of units are needed")
    if not isinstance(n, Mapping):
        if len(labels) == 1:
            shared = {labels[0]: int(n)}
        else:
            shared = allocate(population, int(n), method=allocation, minimum=minimum)
    else:
        given = {key if isinstance(key, tuple) else (key,): int(k) for key, k in n.items()}
        unknown = [key for key in given if key not in population]
        if unknown:
            raise DesignMismatch(f"n= names the stratum {unknown[0]}, which the list has not")
        shared = {label: given.get(label, 0) for label in labels}
    for label, k in shared.items():
        if not 0 <= k <= population[label]:
            raise DesignMismatch(
                f"{k:,} units cannot be drawn from stratum {label} of {population[label]:,.0f}"
                if label
                else f"{k:,} units cannot be drawn from a list of {population[label]:,.0f}"
            )
    return np.array([shared[label] for label in labels], dtype=np.int64)


def _measure(columns: Columns, name: str) -> Floats:
    values = columns.numbers(name).astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if len(bad) > 0:
        raise error_in_rows(
            MissingValues,
            name,
            bad.tolist(),
            f"size column {name!r} is missing or not above 0",
            "every unit of the list needs a chance to be drawn",
        )
    return np.ascontiguousarray(values)


def _probabilities(
    codes: npt.NDArray[np.int32],
    wanted: npt.NDArray[np.int64],
    measure: Floats,
    labels: list[tuple[Level, ...]],
) -> Floats:
    probability = np.zeros(len(codes))
    for h, k in enumerate(wanted.tolist()):
        own = codes == h
        if k == 0:
            raise DesignMismatch(
                f"no unit is drawn from stratum {labels[h]}: merge it with another, or raise n="
            )
        probability[own] = _core.inclusion_probabilities(np.ascontiguousarray(measure[own]), k)
    return probability


def _by_stratum(
    method: SelectionMethod,
    size: str | None,
    codes: npt.NDArray[np.int32],
    wanted: npt.NDArray[np.int64],
    measure: Floats,
    probability: Floats,
    seed: int,
) -> list[int]:
    drawn: list[int] = []
    for h, k in enumerate(wanted.tolist()):
        own = np.flatnonzero(codes == h)
        p, sizes = (np.ascontiguousarray(values[own]) for values in (probability, measure))
        if method == "srs":
            found = _core.draw_simple(len(own), k, seed, h)
        elif method == "tille":
            found = _core.draw_tille(sizes, k, seed, h)
        else:
            try:
                found = _core.draw(method, p, seed, h)
            except RuntimeError as error:
                raise DesignMismatch(f"{error}: choose 'brewer' or 'tille'") from None
        drawn += own[found].tolist()
    return drawn


def _balanced(
    columns: Columns,
    balance: tuple[str, ...],
    codes: npt.NDArray[np.int32],
    strata: int,
    probability: Floats,
    seed: int,
) -> list[int]:
    fixed = [np.where(codes == h, probability, 0.0) for h in range(strata)]
    variables = [*fixed, *(column for name in balance for column in _balancing(columns, name))]
    matrix = np.ascontiguousarray(np.column_stack(variables))
    return _core.draw_balanced(probability, matrix, seed)


def _balancing(columns: Columns, name: str) -> list[Floats]:
    """A column of numbers, or the indicators of all categories but one."""
    if columns.series(name).dtype.is_numeric():
        values = columns.numbers(name).astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad) > 0:
            raise error_in_rows(
                MissingValues,
                name,
                bad.tolist(),
                f"balancing column {name!r} is missing or infinite",
                "every unit of the list needs a number",
            )
        return [values]
    factor = columns.complete_factor(name, "balancing")
    codes = factor.codes.to_numpy()
    return [(codes == level).astype(np.float64) for level in range(len(factor.levels) - 1)]


def _joint(
    method: SelectionMethod,
    codes: npt.NDArray[np.int32],
    wanted: npt.NDArray[np.int64],
    measure: Floats,
    probability: Floats,
    rows: npt.NDArray[np.int64],
) -> Floats:
    p = probability[rows]
    joint = np.outer(p, p)  # strata are drawn apart
    for h, k in enumerate(wanted.tolist()):
        own = np.flatnonzero(codes == h)
        if len(own) > _LARGEST_JOINT:
            raise DesignMismatch(
                f"joint probabilities are computed for {_LARGEST_JOINT:,} units a stratum at most, "
                f"and one has {len(own):,}"
            )
        of_stratum = np.ascontiguousarray(probability[own])
        if method == "systematic":
            every = _core.joint_systematic(of_stratum)
        elif method == "sampford":
            every = _core.joint_sampford(of_stratum)
        else:
            every = _core.joint_tille(np.ascontiguousarray(measure[own]), k)
        mine = np.flatnonzero(codes[rows] == h)
        at = np.searchsorted(own, rows[mine])
        joint[np.ix_(mine, mine)] = every[np.ix_(at, at)]
    np.fill_diagonal(joint, p)
    return joint


def _taken(
    columns: Columns, rows: npt.NDArray[np.int64], added: Mapping[str, Floats]
) -> IntoDataFrame:
    frame = columns.frame[rows.tolist(), :]
    series = [
        nw.new_series(name, values, backend=frame.implementation) for name, values in added.items()
    ]
    frame = nw.maybe_reset_index(frame)  # rows of the sample are counted from 0
    result: IntoDataFrame = frame.with_columns(*series).to_native()
    return result
