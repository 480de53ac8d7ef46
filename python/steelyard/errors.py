"""What can go wrong, each with its own class: the message says where and what to do."""

from collections.abc import Sequence
from difflib import get_close_matches

__all__ = [
    "BreakInSeries",
    "CardError",
    "ClusterInTwoStrata",
    "ColumnNotFound",
    "CovarianceUnknown",
    "DataFileError",
    "DesignMismatch",
    "DuplicateColumn",
    "EmptyDomain",
    "EmptyFrame",
    "FigureError",
    "FitFailed",
    "FormulaError",
    "InfiniteValues",
    "InvalidCondition",
    "InvalidFpc",
    "InvalidWeights",
    "LabelNotFound",
    "LonelyStratum",
    "MissingValues",
    "MixedLevels",
    "NegativeValues",
    "NoDegreesOfFreedom",
    "NoVariation",
    "NotNumeric",
    "ReservedName",
    "SavedFileError",
    "SteelyardError",
    "TooManyLevels",
    "UnknownLevel",
    "UnorderedLevels",
    "WeightingFailed",
]


ROWS_SHOWN = 5


class SteelyardError(Exception):
    """Any error that steelyard raises on purpose.

    Attributes
    ----------
    column : str or None
        The column at fault.
    count : int
        Rows at fault.
    rows : tuple of int
        The first of them, counted from 0.
    """

    def __init__(
        self,
        message: str,
        *,
        column: str | None = None,
        count: int = 0,
        rows: Sequence[int] = (),
    ) -> None:
        super().__init__(message)
        self.column = column
        self.count = count
        self.rows = tuple(rows)

    def __str__(self) -> str:
        return str(self.args[0])


class ColumnNotFound(SteelyardError, KeyError):
    """The frame has no column of that name."""


class LabelNotFound(SteelyardError, KeyError):
    """No estimate has that label."""


class DuplicateColumn(SteelyardError, ValueError):
    """The frame has two columns of the same name."""


class NotNumeric(SteelyardError, TypeError):
    """A column of numbers was needed and this one holds something else."""


class InvalidWeights(SteelyardError, ValueError):
    """Weights are missing, negative, infinite, all zero, or not numbers."""


class InvalidFpc(SteelyardError, ValueError):
    """The finite population correction cannot be read as counts or as fractions."""


class InfiniteValues(SteelyardError, ValueError):
    """A column to be estimated holds infinite values."""


class NegativeValues(SteelyardError, ValueError):
    """A column holds negative values, and the statistic is of values that are not."""


class MixedLevels(SteelyardError, TypeError):
    """A column of answers holds values of several types."""


class InvalidCondition(SteelyardError, TypeError):
    """What was given as where= is not a condition on the rows of the frame."""


class ReservedName(SteelyardError, ValueError):
    """A by= column has the name of a column of the result."""


class MissingValues(SteelyardError, ValueError):
    """A value is missing where none may be."""


class EmptyFrame(SteelyardError, ValueError):
    """The frame has no rows."""


class EmptyDomain(SteelyardError, ValueError):
    """No row, or no answer, is left to estimate from."""


class TooManyLevels(SteelyardError, ValueError):
    """A column has so many distinct values that a share of each says nothing."""


class UnknownLevel(SteelyardError, ValueError):
    """An answer that does not occur in the column."""


class UnorderedLevels(SteelyardError, ValueError):
    """Answers in words whose order is needed and not known."""


class ClusterInTwoStrata(SteelyardError, ValueError):
    """A cluster has rows in two strata."""


class DesignMismatch(SteelyardError, ValueError):
    """The arguments of a design do not fit together, such as strata for more stages than units."""


class LonelyStratum(SteelyardError, ValueError):
    """A stratum has a single sampled unit, so its variance cannot be estimated."""


class NoDegreesOfFreedom(SteelyardError, ValueError):
    """There are as many strata as units, so no variance can be estimated."""


class NoVariation(SteelyardError, ValueError):
    """There is no sampling error to test an estimate against."""


class CovarianceUnknown(SteelyardError, ValueError):
    """Two estimates of one sample whose covariance was not kept."""


class BreakInSeries(SteelyardError, ValueError):
    """Figures from both sides of a declared break were to be compared, and nothing links them."""


class FormulaError(SteelyardError, ValueError):
    """A model's formula that cannot be read, or names what is not there."""


class WeightingFailed(SteelyardError, ValueError):
    """There are no weights that do what a step of weighting asks for."""


class FitFailed(SteelyardError, ValueError):
    """A model that these answers cannot be fitted by: separated, empty, or not converging."""


class FigureError(SteelyardError, ValueError):
    """A printed figure that cannot be read, or not as the figure that was asked for."""


class DataFileError(SteelyardError, OSError):
    """A data file that cannot be read."""


class SavedFileError(SteelyardError, OSError):
    """A file of saved estimates that cannot be written or read."""


class CardError(SteelyardError, ValueError):
    """A scorecard file says something that cannot be used; names file, line and key."""


def rows_text(count: int, rows: Sequence[int]) -> str:
    """Say how many rows and which come first, as in "3 rows (first: 4, 17, 20)"."""
    counted = f"{count:,} row" + ("" if count == 1 else "s")
    if not rows:
        return counted
    listed = ", ".join(str(row) for row in rows)
    return f"{counted} ({'first: ' if count > len(rows) else 'row ' if count == 1 else ''}{listed})"


def error_in_rows(
    kind: type[SteelyardError], column: str, rows: Sequence[int], fault: str, remedy: str
) -> SteelyardError:
    """Say that `column` has a fault in some rows, which come first, and what to do."""
    shown = [int(row) for row in rows[:ROWS_SHOWN]]
    return kind(
        f"{fault} in {rows_text(len(rows), shown)}: {remedy}",
        column=column,
        count=len(rows),
        rows=shown,
    )


def nearest_text(name: object, names: Sequence[object]) -> str:
    """Offer the nearest of `names`, and list them where they are few."""
    known = [str(n) for n in names]
    close = get_close_matches(str(name), known, n=1, cutoff=0.5)
    offer = f" Did you mean {close[0]!r}?" if close else ""
    few = 12
    listed = ", ".join(repr(n) for n in known[:few]) + (", ..." if len(known) > few else "")
    return f"{offer} There are: {listed}." if known else offer


def shortened(labels: Sequence[object], most: int = 5) -> str:
    """List the first few labels."""
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return ", ".join(repr(label) for label in labels[:most]) + more
