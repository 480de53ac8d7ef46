"""The evidence behind each estimate: counts of rows and units, and design effects."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from steelyard.quantile import QuantileInterval, SavedInterval

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

UNKNOWN = int(np.iinfo(np.int64).max)  # a count that was not published: more than any other


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands beside each estimate: counts of rows and units, and design effects.

    `certain` marks estimates made from a share of 0 or 1, whose error the sample does not show;
    `census` those of a domain that was taken whole, which have no sampling error; `own` holds
    intervals that are not made from the estimate and its error, and `df` degrees of freedom of
    each estimate where it has its own. `left_out` counts replicates under which an estimate is not
    defined.
    """

    n: Integers
    missing: Integers
    units: Integers
    strata: Integers
    deff: Floats
    deff_replace: Floats
    certain: Flags
    census: Flags
    own: tuple[QuantileInterval | SavedInterval | None, ...] = ()
    df: Floats | None = None
    left_out: Integers | None = None

    def __post_init__(self) -> None:
        counts = (self.n, self.missing, self.units, self.strata)
        for array in (*counts, self.deff, self.deff_replace, self.certain, self.census):
            array.flags.writeable = False

    def select(self, rows: Sequence[int]) -> "Evidence":
        """Keep some rows."""
        i = list(rows)
        return Evidence(
            self.n[i],
            self.missing[i],
            self.units[i],
            self.strata[i],
            self.deff[i],
            self.deff_replace[i],
            self.certain[i],
            self.census[i],
            tuple(self.own[j] for j in i) if self.own else (),
            None if self.df is None else self.df[i],
            None if self.left_out is None else self.left_out[i],
        )

    def without_intervals(self) -> "Evidence":
        """The same evidence of values that were changed: no design effects, no own intervals."""
        nothing = np.full(len(self.n), np.nan)
        return replace(self, deff=nothing, deff_replace=nothing.copy(), own=())

    @classmethod
    def stacked(cls, parts: Sequence["Evidence"]) -> "Evidence":
        """Evidence of several sets of estimates, one below the other."""
        size = [len(part.n) for part in parts]
        own = [part.own or (None,) * n for part, n in zip(parts, size, strict=True)]
        df = [part.df for part in parts]
        left_out = [part.left_out for part in parts]
        return cls(
            np.concatenate([part.n for part in parts]),
            np.concatenate([part.missing for part in parts]),
            np.concatenate([part.units for part in parts]),
            np.concatenate([part.strata for part in parts]),
            np.concatenate([part.deff for part in parts]),
            np.concatenate([part.deff_replace for part in parts]),
            np.concatenate([part.certain for part in parts]),
            np.concatenate([part.census for part in parts]),
            tuple(each for part in own for each in part) if any(p.own for p in parts) else (),
            None
            if any(x is None for x in df)
            else np.concatenate([x for x in df if x is not None]),
            None
            if all(x is None for x in left_out)
            else np.concatenate(
                [
                    np.zeros(n, dtype=np.int64) if x is None else x
                    for x, n in zip(left_out, size, strict=True)
                ]
            ),
        )

    def with_other(self, other: "Evidence") -> "Evidence":
        """Evidence of a combination: the weaker of the two; no design effect."""
        nothing = np.full(len(self.n), np.nan)
        return Evidence(
            np.minimum(self.n, other.n),
            np.maximum(self.missing, other.missing),
            np.minimum(self.units, other.units),
            np.maximum(self.strata, other.strata),
            nothing,
            nothing.copy(),
            self.certain | other.certain,
            self.census & other.census,
            df=_smaller(self.df, other.df),
            left_out=_larger(self.left_out, other.left_out),
        )

    def of_functions(self, jacobian: Floats) -> "Evidence":
        """Evidence of functions of the estimates: the weakest of those that each depends on."""
        parts = [self._of_function(row != 0) for row in jacobian]
        nothing = np.full(len(parts), np.nan)
        counts = np.array([part[:4] for part in parts], dtype=np.int64).reshape(-1, 4)
        return Evidence(
            counts[:, 0].copy(),
            counts[:, 1].copy(),
            counts[:, 2].copy(),
            counts[:, 3].copy(),
            nothing,
            nothing.copy(),
            np.array([part[4] for part in parts], dtype=np.bool_),
            np.array([part[5] for part in parts], dtype=np.bool_),
            df=None if self.df is None else _smallest_used(self.df, jacobian),
            left_out=None if self.left_out is None else _largest_used(self.left_out, jacobian),
        )

    def _of_function(self, used: Flags) -> tuple[int, int, int, int, bool, bool]:
        if not used.any():
            used = np.ones(len(self.n), dtype=np.bool_)
        return (
            int(self.n[used].min()),
            int(self.missing[used].max()),
            int(self.units[used].min()),
            int(self.strata[used].max()),
            bool(self.certain[used].any()),
            bool(self.census[used].all()),
        )

    @classmethod
    def pooled(cls, parts: Sequence["Evidence"], *, certain: bool) -> "Evidence":
        """Evidence of one function of several samples: the sums over the first row of each."""

        def total(counts: Sequence[Integers]) -> Integers:
            return np.array([sum(int(count[0]) for count in counts)])

        nothing = np.array([np.nan])
        return cls(
            total([part.n for part in parts]),
            total([part.missing for part in parts]),
            total([part.units for part in parts]),
            total([part.strata for part in parts]),
            nothing,
            nothing.copy(),
            np.array([certain]),
            np.array([all(bool(part.census[0]) for part in parts)]),
        )


def _smaller(first: Floats | None, second: Floats | None) -> Floats | None:
    if first is None or second is None:
        return first if second is None else second
    return np.minimum(first, second)


def _larger(first: Integers | None, second: Integers | None) -> Integers | None:
    if first is None or second is None:
        return first if second is None else second
    return np.maximum(first, second)


def _largest_used(counts: Integers, jacobian: Floats) -> Integers:
    used = [row != 0 if row.any() else np.ones(len(row), dtype=np.bool_) for row in jacobian]
    return np.array([counts[row].max() for row in used])


def _smallest_used(df: Floats, jacobian: Floats) -> Floats:
    """The smallest degrees of freedom of those that each function depends on."""
    used = [row != 0 if row.any() else np.ones(len(row), dtype=np.bool_) for row in jacobian]
    return np.array([df[row].min() for row in used])
