"""Units drawn with unequal probabilities and without replacement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias, TypeVar, get_args, runtime_checkable

import numpy as np
import numpy.typing as npt

from steelyard import _core
from steelyard.levels import Level

PpsMethod: TypeAlias = Literal["brewer", "overton", "hartley-rao", "joint"]
JointVariance: TypeAlias = Literal["horvitz-thompson", "yates-grundy"]
Number = TypeVar("Number", bound=np.generic)


@runtime_checkable
class SparseMatrix(Protocol):
    """A sparse matrix, such as those of SciPy."""

    def toarray(self) -> npt.NDArray[np.generic]:
        """Return the dense matrix."""


@dataclass(frozen=True, slots=True, eq=False)
class Pps:
    """How the variance accounts for unequal probabilities of selection without replacement.

    Parameters
    ----------
    method : {"brewer", "overton", "hartley-rao", "joint"}
        How the joint probabilities of two units are known: Brewer's approximation, which needs no
        pairs and works in several stages; Overton's; Hartley and Rao's; or given by `joint`.
    variance : {"horvitz-thompson", "yates-grundy"}
        The form of the variance estimate that uses them. Horvitz and Thompson's may come out
        negative, and the standard error is then NaN.
    joint : array or sparse matrix, shape (units, units), optional
        Joint probabilities of the units sampled, and their own on the diagonal, in the order of
        the rows (of clusters: in the order in which they first appear).
        Surveys whose variance comes from pairs of units do not find what they share with another.
    sum_of_squares : float or mapping of stratum to float, optional
        For "hartley-rao": the sum over the population of the squared probabilities. Without it,
        the sample estimates it.

    Notes
    -----
    Brewer (2002), Combined Survey Sampling Inference, chapter 9; Overton (1985); Hartley and Rao
    (1962), Annals of Mathematical Statistics 33(2); Berger (2004), Statistics in Transition 6(5).

    Examples
    --------
    >>> import steelyard as sy
    >>> sy.Pps("overton", variance="yates-grundy").needs_form
    True
    """

    method: PpsMethod = "brewer"
    variance: JointVariance = "horvitz-thompson"
    joint: npt.ArrayLike | SparseMatrix | None = None
    sum_of_squares: float | Mapping[str, float] | Mapping[Level, float] | None = None

    def __post_init__(self) -> None:
        for name, value, known in (
            ("method", self.method, get_args(PpsMethod)),
            ("variance", self.variance, get_args(JointVariance)),
        ):
            if value not in known:
                raise ValueError(f"{name}={value!r} is none of {', '.join(map(repr, known))}")
        if (self.joint is None) == (self.method == "joint"):
            raise ValueError("joint= goes with method='joint', and that with joint=")
        if self.sum_of_squares is None:
            return
        if self.method != "hartley-rao":
            raise ValueError("sum_of_squares= goes with method='hartley-rao'")
        given = self.sum_of_squares
        numbers = list(given.values()) if isinstance(given, Mapping) else [given]
        if not all(np.isfinite(number) and number > 0 for number in numbers):
            raise ValueError(f"sum_of_squares={given!r}: positive numbers are needed")

    @property
    def needs_form(self) -> bool:
        """Does the variance come from pairs of units?"""
        return self.method != "brewer"

    @property
    def text(self) -> str:
        """The method in words."""
        if self.method == "brewer":
            return "Brewer's approximation"
        form = "Horvitz–Thompson" if self.variance == "horvitz-thompson" else "Yates–Grundy"
        joint = {
            "overton": "Overton's approximation to the joint probabilities",
            "hartley-rao": "Hartley and Rao's approximation to the joint probabilities",
            "joint": "the joint probabilities given",
        }[self.method]
        return f"{form} with {joint}"

    def form(
        self,
        probability: npt.NDArray[np.float64],
        strata: _core.Codes | None,
        labels: Sequence[Level],
    ) -> _core.VarianceForm:
        """The variance as a quadratic form in the totals of units.

        Raises
        ------
        ValueError
            The probabilities cannot be those of a sample, or one unit of a stratum stands alone.
        """
        if self.method == "overton":
            return _core.overton(probability, strata, self.variance)
        if self.method == "hartley-rao":
            square = self._sum_of_squares(strata, labels)
            return _core.hartley_rao(probability, strata, square, self.variance)
        given = self.joint.toarray() if isinstance(self.joint, SparseMatrix) else self.joint
        matrix = np.ascontiguousarray(given, dtype=np.float64)
        size = len(probability)
        if matrix.shape != (size, size):
            raise ValueError(f"joint= has shape {matrix.shape}, and there are {size} units")
        differs = np.flatnonzero(np.abs(np.diag(matrix) - probability) > 1e-9 * probability)
        if len(differs) > 0:
            raise ValueError(
                f"the diagonal of joint= differs from fpc= for {len(differs)} units, first: unit "
                f"{differs[0]}"
            )
        return _core.from_joint_probabilities(matrix, self.variance)

    def ordered(self, position: npt.NDArray[np.int64]) -> "Pps":
        """The same, with joint probabilities in another order of units.

        `position` is where each unit stands in `joint`.
        """
        if self.joint is None:
            return self
        given = self.joint.toarray() if isinstance(self.joint, SparseMatrix) else self.joint
        matrix = np.asarray(given, dtype=np.float64)
        if matrix.shape != (len(position), len(position)):
            return self  # refused where the form is made
        return replace(self, joint=matrix[np.ix_(position, position)])

    def _sum_of_squares(
        self, strata: _core.Codes | None, labels: Sequence[Level]
    ) -> npt.NDArray[np.float64] | None:
        if self.sum_of_squares is None:
            return None
        if strata is None:
            if isinstance(self.sum_of_squares, Mapping):
                raise ValueError("sum_of_squares= is one number where there are no strata")
            return np.array([float(self.sum_of_squares)])
        if not isinstance(self.sum_of_squares, Mapping):
            raise ValueError("sum_of_squares= needs a number for each stratum")
        missing = [label for label in labels if label not in self.sum_of_squares]
        if missing:
            raise ValueError(f"sum_of_squares= lacks stratum {missing[0]!r}")
        given = dict(self.sum_of_squares.items())
        return np.array([float(given[label]) for label in labels])


def first_of_each(
    values: npt.NDArray[Number], codes: npt.NDArray[np.int32] | None
) -> npt.NDArray[Number]:
    """The value of each unit's first row."""
    if codes is None:
        return np.ascontiguousarray(values)
    _, first = np.unique(codes, return_index=True)
    return np.ascontiguousarray(values[first])
