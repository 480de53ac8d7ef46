"""Who a set of estimates is for: groups of rows, made without dropping any."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steelyard import _core
from steelyard.columns import Columns, cross
from steelyard.condition import Where, mask_of
from steelyard.errors import EmptyDomain, ReservedName
from steelyard.levels import Level

RESERVED = frozenset(
    (
        *("statistic", "period", "base", "variable", "level", "estimate", "se", "ci_low"),
        *("ci_high", "df", "n", "missing", "deff", "p_value", "note"),
    )
)


@dataclass(frozen=True, slots=True)
class Domain:
    """The group of each row (None: all rows are one), and the labels of each group.

    `ungrouped` counts rows that belong to no group because a label is missing.
    """

    codes: _core.Codes | None
    columns: tuple[str, ...]
    labels: list[tuple[Level, ...]]
    ungrouped: int


def domain_of(columns: Columns, names: Sequence[str], where: Where | None) -> Domain:
    """Group the rows for which `where` holds by the combinations of columns that occur among them.

    Raises
    ------
    ReservedName
        A column is called as a column of the result is.
    EmptyDomain
        `where` holds for no row, or every row has a label missing.
    """
    if not names and where is None:
        return Domain(None, (), [()], 0)
    for name in names:
        if name in RESERVED:
            raise ReservedName(
                f"by={name!r} has the name of a column of the result: rename the column",
                column=name,
            )
    keep = np.zeros(0, dtype=np.bool_) if where is None else mask_of(columns, where)
    if where is not None and not keep.any():
        raise EmptyDomain("where= holds for no row: there is nothing to estimate from")
    factors = [columns.factor(name) for name in names]
    codes, labels, ungrouped = cross(factors, keep, len(columns))
    if not labels:
        raise EmptyDomain(f"every row is missing in one of the columns {list(names)} of by=")
    return Domain(codes, tuple(names), labels, ungrouped)
