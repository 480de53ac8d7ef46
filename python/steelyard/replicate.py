"""Replicate weights: those supplied with the data, and those made here."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from narwhals.typing import IntoDataFrame

from steelyard import _core
from steelyard.columns import Columns, NumberArray
from steelyard.errors import (
    ColumnNotFound,
    DesignMismatch,
    InvalidWeights,
    NotNumeric,
    error_in_rows,
)

ReplicateKind: TypeAlias = Literal[
    "jk1", "jkn", "jk2", "brr", "fay", "bootstrap", "sdr", "acs", "other"
]
ReplicateMethod: TypeAlias = Literal[
    "jackknife",
    "brr",
    "fay",
    "rao-wu",
    "canty-davison",
    "preston",
    "rao-wu-yue-beaumont",
    "generalised",
    "successive-difference",
    "random-groups",
]
StageDraw: TypeAlias = Literal["fixed-size", "poisson"]
Floats: TypeAlias = npt.NDArray[np.float64]

_KIND_TEXT: dict[ReplicateKind, str] = {
    "jk1": "jackknife (JK1)",
    "jkn": "jackknife (JKn)",
    "jk2": "paired jackknife (JK2)",
    "brr": "balanced repeated replication (BRR)",
    "fay": "Fay's balanced repeated replication",
    "bootstrap": "bootstrap",
    "sdr": "successive-difference replication (SDR)",
    "acs": "successive-difference replication (ACS)",
    "other": "replicates with the scales given",
}

_METHOD_TEXT: dict[ReplicateMethod, str] = {
    "jackknife": "jackknife, a unit left out at a time",
    "brr": "balanced repeated replication (BRR)",
    "fay": "Fay's balanced repeated replication",
    "rao-wu": "rescaled bootstrap (Rao–Wu)",
    "canty-davison": "bootstrap (Canty–Davison)",
    "preston": "multistage rescaled bootstrap (Preston)",
    "rao-wu-yue-beaumont": "bootstrap (Rao–Wu–Yue–Beaumont)",
    "generalised": "generalised bootstrap (Beaumont–Patak)",
    "successive-difference": "successive-difference replication (SDR)",
    "random-groups": "jackknife, a random group left out at a time",
}

# How many replicates, where nobody says; methods that are not here settle it themselves.
_USUAL: dict[ReplicateMethod, int] = {
    "rao-wu": 500,
    "canty-davison": 500,
    "preston": 500,
    "rao-wu-yue-beaumont": 500,
    "generalised": 500,
    "successive-difference": 80,
    "random-groups": 30,
}


@dataclass(frozen=True, slots=True, eq=False)
class ReplicateWeights:
    """Replicate weights that came with the data.

    Parameters
    ----------
    columns : str, sequence of str, or array of shape (rows, replicates)
        Names of the columns; or the prefix that they share, followed by numbers, as in
        ``"repwt"`` for repwt1 to repwt80; or the weights themselves. Read as they are stored, in
        single or double precision, and summed in double.
    kind : {"jk1", "jkn", "jk2", "brr", "fay", "bootstrap", "sdr", "acs", "other"}
        How they were made, which sets the scale: (R - 1)/R for "jk1", 1 for "jkn" (with
        `rscales`), 1 for "jk2", 1/R for "brr", 1/(R (1 - rho)²) for "fay", 1/(R - 1) for
        "bootstrap", 4/R for "sdr" and "acs", with R replicates. "other" takes `scale`, `rscales`
        or both.
    rho : float, optional
        Of "fay": how far from 0 and 2 its factors stay, from 0 to below 1.
    scale : float, optional
        Of the sum of squares, where it is not that of the kind.
    rscales : float or sequence of float, optional
        One more factor for each replicate's square; "jkn" needs them.
    combined : bool
        These are weights. If not, they are factors of the survey's weights.
    mse : bool
        Squares are of distances from the estimate; if not, from the mean over replicates.

    Raises
    ------
    ValueError
        The kind is unknown, or lacks or does not take one of the parameters.

    Notes
    -----
    The variance is scale · sum over replicates r of rscales_r (θ_r - θ)² (Wolter 2007, chapters 3
    to 5), as R's ``svrepdesign``. A replicate under which a figure is not defined is left out,
    which the result says.

    Examples
    --------
    >>> import steelyard as sy
    >>> given = sy.ReplicateWeights("repwt", "acs")
    >>> given.scales(80)[:2].tolist()
    [0.05, 0.05]
    """

    columns: str | Sequence[str] | npt.NDArray[np.floating]
    kind: ReplicateKind
    rho: float | None = None
    scale: float | None = None
    rscales: float | Sequence[float] | None = None
    combined: bool = True
    mse: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(ReplicateKind):
            known = ", ".join(map(repr, get_args(ReplicateKind)))
            raise ValueError(f"kind={self.kind!r} is none of {known}")
        if (self.rho is None) == (self.kind == "fay"):
            raise ValueError("rho= goes with kind='fay', and that with rho=")
        if self.rho is not None and not 0 <= self.rho < 1:
            raise ValueError(f"rho={self.rho}: at least 0 and below 1")
        if self.kind == "jkn" and self.rscales is None:
            raise ValueError(
                "kind='jkn' needs rscales=: (n - 1)/n for each replicate, with n the units of the "
                "stratum that lost one (times 1 less the sampling fraction, if corrected)"
            )
        if self.kind == "other" and self.scale is None and self.rscales is None:
            raise ValueError("kind='other' needs scale=, rscales=, or both")

    @property
    def text(self) -> str:
        """What they are, in words."""
        rho = "" if self.rho is None else f", rho {self.rho:g}"
        return f"{_KIND_TEXT[self.kind]}{rho}, as supplied"

    def scales(self, count: int) -> Floats:
        """Compute the factor of each replicate's square, of so many replicates.

        Raises
        ------
        DesignMismatch
            There is another number of `rscales`.
        """
        usual = {
            "jk1": (count - 1) / count,
            "brr": 1 / count,
            "fay": 1 / (count * (1 - (self.rho or 0.0)) ** 2),
            "bootstrap": 1 / (count - 1) if count > 1 else 1.0,
            "sdr": 4 / count,
            "acs": 4 / count,
        }
        scale = usual.get(self.kind, 1.0) if self.scale is None else self.scale
        own = np.asarray(1.0 if self.rscales is None else self.rscales, dtype=np.float64)
        if own.ndim > 0 and own.shape != (count,):
            raise DesignMismatch(f"rscales= has {own.size} values, for {count} replicates")
        return np.ascontiguousarray(np.broadcast_to(scale * own, (count,)))

    def read(self, columns: Columns) -> _core.Replicates:
        """Read the weights of a frame's rows.

        Raises
        ------
        ColumnNotFound
            A column does not exist, or none has the prefix.
        InvalidWeights
            A weight is missing, infinite or text.
        DesignMismatch
            The array has another number of rows, or there are fewer than two replicates.
        """
        names, values = self._named(columns)
        if len(names) < 2:
            raise DesignMismatch("replicates=: two replicates or more are needed")
        try:
            return _core.Replicates.of_rows(
                names, values, self.combined, self.scales(len(names)), self.mse
            )
        except _core.InvalidColumn as error:
            _, problem, name, _, rows, *_ = error.args
            raise error_in_rows(
                InvalidWeights,
                name,
                list(rows),
                f"replicate weights {name!r} are {'missing' if problem == 'nan' else problem}",
                "every row needs a weight under every replicate, 0 where it is left out",
            ) from None
        except ValueError as error:
            raise DesignMismatch(f"replicates=: {error}") from None

    def _named(self, columns: Columns) -> tuple[list[str], list[NumberArray]]:
        if isinstance(self.columns, str):
            names = _numbered(columns.names, self.columns)
        elif isinstance(self.columns, np.ndarray):
            return _of_array(self.columns, len(columns))
        else:
            names = list(self.columns)
        try:
            return names, [columns.numbers(name) for name in names]
        except NotNumeric as error:
            raise InvalidWeights(f"replicate weights: {error}", column=error.column) from None


@dataclass(frozen=True, slots=True)
class ReplicateOptions:
    """What the methods that make replicates may be told."""

    replicates: int | None = None
    seed: int = 1
    rho: float | None = None
    draws: tuple[StageDraw, ...] = ()
    tau: float | None = None
    mse: bool = False


def made(
    design: _core.Design, method: ReplicateMethod, options: ReplicateOptions
) -> tuple[_core.Replicates, str]:
    """Make replicates of a design, and say in words what they are.

    Raises
    ------
    ValueError
        The method is unknown, or does not take one of the options.
    DesignMismatch
        The design cannot be replicated so.
    """
    if method not in get_args(ReplicateMethod):
        known = ", ".join(map(repr, get_args(ReplicateMethod)))
        raise ValueError(f"method={method!r} is none of {known}")
    _refuse_unused(method, options)
    count = options.replicates or _USUAL.get(method, 0)
    try:
        found = _maker(method, count, options)(design)
    except ValueError as error:
        raise DesignMismatch(f"{method!r} replicates: {error}") from None
    seed = f", seed {options.seed}" if _is_random(method) else ""
    rho = f", rho {options.rho:g}" if options.rho is not None else ""
    return found, f"{_METHOD_TEXT[method]}{rho}{seed}"


def spread_text(replicates: _core.Replicates) -> str:
    """How many replicates there are, and where squares are taken from, in words."""
    centre = "the estimate (mse)" if replicates.about_estimate else "their mean"
    return f"{replicates.count} replicates, about {centre}"


def weights_frame(design: _core.Design, columns: Columns) -> IntoDataFrame:
    """The weight of each row and those under every replicate, as a frame of the caller's kind."""
    weights: dict[str, NumberArray] = {"weight": design.row_weights()}
    if design.replicates > 0:
        every = np.asfortranarray(design.replicate_weights())
        weights |= {f"replicate_{r + 1}": every[:, r] for r in range(design.replicates)}
    return columns.like(weights)


def _is_random(method: ReplicateMethod) -> bool:
    return method in _USUAL and method != "successive-difference"


def _refuse_unused(method: ReplicateMethod, options: ReplicateOptions) -> None:
    goes = {
        "replicates": (options.replicates is None, method in _USUAL),
        "rho": (options.rho is None, method == "fay"),
        "draws": (not options.draws, method == "rao-wu-yue-beaumont"),
        "tau": (options.tau is None, method == "generalised"),
    }
    for name, (is_unset, is_taken) in goes.items():
        if not is_unset and not is_taken:
            raise ValueError(f"{name}= has no meaning for {method!r} replicates")
    if method == "fay" and options.rho is None:
        raise ValueError("'fay' replicates need rho=, from 0 to below 1: 0.3 and 0.5 are usual")
    for name, value, least in (
        ("replicates", options.replicates, 2),
        ("seed", options.seed, 0),
    ):
        if value is not None and (not isinstance(value, Integral) or value < least):
            raise ValueError(f"{name}={value!r}: a whole number of at least {least} is needed")


def _maker(
    method: ReplicateMethod, count: int, options: ReplicateOptions
) -> Callable[[_core.Design], _core.Replicates]:
    mse = options.mse
    drawn = _core.BootstrapOptions(count, options.seed, mse)
    makers: dict[ReplicateMethod, Callable[[_core.Design], _core.Replicates]] = {
        "jackknife": lambda d: _core.jackknife(d, mse),
        "brr": lambda d: _core.half_samples(d, 0.0, mse),
        "fay": lambda d: _core.half_samples(d, options.rho or 0.0, mse),
        "rao-wu": lambda d: _core.rescaled_bootstrap(d, drawn),
        "canty-davison": lambda d: _core.canty_davison_bootstrap(d, drawn),
        "preston": lambda d: _core.multistage_bootstrap(d, drawn),
        "rao-wu-yue-beaumont": lambda d: _core.mixed_bootstrap(d, list(options.draws), drawn),
        "generalised": lambda d: _core.generalised_bootstrap(d, drawn, options.tau),
        "successive-difference": lambda d: _core.successive_differences(d, count, mse),
        "random-groups": lambda d: _core.random_groups(d, count, options.seed, mse),
    }
    return makers[method]


def _numbered(names: Sequence[str], prefix: str) -> list[str]:
    """Columns of a prefix and a number, in the order of their numbers."""
    found = [
        (int(match[1]), name)
        for name in names
        if (match := re.fullmatch(re.escape(prefix) + r"(\d+)", name))
    ]
    if not found:
        raise ColumnNotFound(
            f"no column is called {prefix!r} and a number: replicates= needs the names of the "
            "columns, or their prefix",
            column=prefix,
        )
    return [name for _, name in sorted(found)]


def _of_array(weights: npt.NDArray[np.floating], rows: int) -> tuple[list[str], list[NumberArray]]:
    if weights.ndim != 2 or weights.shape[0] != rows:
        raise DesignMismatch(
            f"replicates= has shape {weights.shape}, and (rows, replicates) is needed, with "
            f"{rows:,} rows"
        )
    kept = weights.dtype if weights.dtype in (np.float32, np.float64) else np.float64
    by_column = np.array(weights, dtype=kept, order="F")
    return (
        [f"replicate {r + 1}" for r in range(weights.shape[1])],
        [by_column[:, r] for r in range(weights.shape[1])],
    )
