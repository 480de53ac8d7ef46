"""Who a set of estimates is for: groups of rows, made without dropping any."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steelyard import _core
from steelyard.columns import Columns, Where, cross
from steelyard.errors import EmptyDomain
from steelyard.levels import Level


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
    EmptyDomain
        `where` holds for no row, or every row has a label missing.
    """
    if not names and where is None:
        return Domain(None, (), [()], 0)
    keep = np.zeros(0, dtype=np.bool_) if where is None else columns.mask(where)
    if where is not None and not keep.any():
        raise EmptyDomain("where= holds for no row: there is nothing to estimate from")
    factors = [columns.factor(name) for name in names]
    codes, labels, ungrouped = cross(factors, keep, len(columns))
    if not labels:
        raise EmptyDomain(f"every row is missing in one of the columns {list(names)} of by=")
    return Domain(codes, tuple(names), labels, ungrouped)
