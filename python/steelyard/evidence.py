"""The evidence behind each estimate: counts of rows and units, and design effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands beside each estimate: counts of rows and units, and design effects."""

    n: Integers
    missing: Integers
    units: Integers
    strata: Integers
    deff: Floats
    deff_replace: Floats

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
            nothing,
        )

    @classmethod
    def pooled(cls, parts: Sequence["Evidence"]) -> "Evidence":
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
            nothing,
        )

    def combined(self, size: int) -> "Evidence":
        """Evidence of `size` functions of all the estimates."""
        nothing = np.full(size, np.nan)
        return Evidence(
            np.full(size, self.n.min()),
            np.full(size, self.missing.max()),
            np.full(size, self.units.min()),
            np.full(size, self.strata.max()),
            nothing,
            nothing,
        )
