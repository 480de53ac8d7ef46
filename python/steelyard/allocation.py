"""How a sample is shared among strata."""

from collections.abc import Mapping
from numbers import Integral
from typing import Literal, TypeAlias, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from steelyard import _core
from steelyard.errors import DesignMismatch

Allocation: TypeAlias = Literal["proportional", "equal", "neyman", "power"]
Floats: TypeAlias = npt.NDArray[np.float64]
Stratum = TypeVar("Stratum")


def allocate(
    population: Mapping[Stratum, float],
    n: int,
    *,
    method: Allocation = "proportional",
    sd: Mapping[Stratum, float] | None = None,
    power: float = 0.5,
    minimum: int = 2,
) -> dict[Stratum, int]:
    """Share a sample among strata.

    Parameters
    ----------
    population : mapping of stratum to number of units
    n : int
        Units to draw in all.
    method : {"proportional", "equal", "neyman", "power"}
        In proportion to the units of each stratum; to none; to units times the standard deviation
        of what is measured, for the smallest error of its mean (Neyman); or to units to the power
        `power`, times the standard deviation where given, so that small strata have more.
    sd : mapping of stratum to float, optional
        Standard deviations; needed for "neyman".
    power : float
        Of "power": from 0, as "equal", to 1, as "proportional".
    minimum : int
        Units to draw from each stratum at least, or all where it has fewer.

    Returns
    -------
    dict of stratum to int
        They add up to n, rounded by largest remainders, none above its stratum.

    Raises
    ------
    DesignMismatch
        n is less than the minima add up to, or more than the population; or a stratum has no
        standard deviation.

    Notes
    -----
    Cochran (1977), sections 5.5 to 5.9; Bankier (1988), The American Statistician 42(3).

    Examples
    --------
    >>> import steelyard as sy
    >>> schools = {"E": 4421, "H": 755, "M": 1018}
    >>> sy.allocate(schools, 200)
    {'E': 143, 'H': 24, 'M': 33}
    >>> sy.allocate(schools, 200, method="neyman", sd={"E": 100, "H": 130, "M": 120})
    {'E': 133, 'H': 30, 'M': 37}
    """
    if method not in get_args(Allocation):
        raise ValueError(
            f"method={method!r} is none of {', '.join(map(repr, get_args(Allocation)))}"
        )
    if method == "neyman" and sd is None:
        raise DesignMismatch("method='neyman' needs sd=, the standard deviation in each stratum")
    if not isinstance(n, Integral):
        raise ValueError(f"n={n!r}: a whole number of units is needed")
    size = np.array([float(units) for units in population.values()])
    spread = np.ones(len(size)) if sd is None else _of_strata("sd", sd, population)
    measure = {
        "proportional": size,
        "equal": np.ones(len(size)),
        "neyman": size * spread,
        "power": size**power * spread,
    }[method]
    try:
        found = _core.allocate(measure, int(n), size, float(minimum))
    except ValueError as error:
        raise DesignMismatch(f"allocate(): {error}, and {n:,} are asked for") from None
    return {stratum: int(k) for stratum, k in zip(population, found, strict=True)}


def allocate_for_precision(
    population: Mapping[Stratum, float],
    sd: Mapping[str, Mapping[Stratum, float]],
    se: Mapping[str, float],
    *,
    cost: Mapping[Stratum, float] | None = None,
    minimum: int = 2,
) -> dict[Stratum, int]:
    """Find the cheapest sample by which the means of several variables have given errors.

    Parameters
    ----------
    population : mapping of stratum to number of units
    sd : mapping of variable to mapping of stratum to float
        Standard deviations of each variable in each stratum.
    se : mapping of variable to float
        The standard error that its population mean may have.
    cost : mapping of stratum to float, optional
        Of a unit drawn; 1 without it.
    minimum : int
        Units to draw from each stratum at least, or all where it has fewer.

    Returns
    -------
    dict of stratum to int
        Rounded up.

    Notes
    -----
    Bethel (1989), Sample allocation in multivariate surveys, Survey Methodology 15(1).

    Examples
    --------
    >>> import steelyard as sy
    >>> schools = {"E": 4421, "H": 755, "M": 1018}
    >>> scores = {"E": 100, "H": 130, "M": 120}
    >>> pupils = {"E": 180, "H": 700, "M": 350}
    >>> sy.allocate_for_precision(
    ...     schools, {"score": scores, "pupils": pupils}, {"score": 8, "pupils": 15}
    ... )
    {'E': 145, 'H': 96, 'M': 65}
    """
    if not se:
        raise DesignMismatch("se= is empty: name at least one variable and the error it may have")
    size = np.array([float(units) for units in population.values()])
    missing = [name for name in se if name not in sd]
    if missing:
        raise DesignMismatch(f"sd= lacks {missing[0]!r}, which se= names")
    spread = np.column_stack([_of_strata(f"sd of {name!r}", sd[name], population) for name in se])
    if not (np.isfinite(spread).all() and (spread >= 0).all()):
        raise DesignMismatch("sd=: standard deviations are finite and at least 0")
    wanted = np.array([(size.sum() * error) ** 2 for error in se.values()])
    each = np.ones(len(size)) if cost is None else _of_strata("cost", cost, population)
    try:
        found = _core.allocate_for_precision(
            np.ascontiguousarray(spread**2), wanted, each, size, float(minimum)
        )
    except ValueError as error:
        raise DesignMismatch(f"allocate_for_precision(): {error}") from None
    whole = np.minimum(np.ceil(found - 1e-9), size)
    return {stratum: int(k) for stratum, k in zip(population, whole, strict=True)}


def _of_strata(
    what: str, given: Mapping[Stratum, float], population: Mapping[Stratum, float]
) -> Floats:
    missing = [stratum for stratum in population if stratum not in given]
    if missing:
        raise DesignMismatch(f"{what} lacks stratum {missing[0]!r}")
    return np.array([float(given[stratum]) for stratum in population])
