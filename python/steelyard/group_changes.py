"""Changes of changes: how much more one group changed than another."""

from collections.abc import Sequence

import numpy as np

from steelyard.change import Change
from steelyard.errors import LabelNotFound, nearest_text
from steelyard.estimates import Estimates
from steelyard.labels import Labels, enclosed
from steelyard.levels import Level
from steelyard.series import in_period, together


def between_groups(
    changes: Sequence[Change], reference: Level, column: str | None = None
) -> Estimates:
    """Differences in differences, of all periods; see :meth:`Comparison.between_groups`."""
    parts = [
        in_period(change.period, _against(change.difference, reference, column))
        for change in changes
    ]
    bases = ", ".join(dict.fromkeys(f"{c.period} from {c.base}" for c in changes))
    return together(parts).with_convention("changes", bases)


def _against(differences: Estimates, reference: Level, column: str | None) -> Estimates:
    labels = differences.labels
    name = _group_column(list(labels.by), column)
    groups = labels.by[name]
    if reference not in groups:
        known = list(dict.fromkeys(groups))
        raise LabelNotFound(
            f"no group of {name!r} is {reference!r}.{nearest_text(reference, known)}"
        )
    keys = labels.keys()
    at = list(labels.by).index(name)
    row_of = {key: i for i, key in enumerate(keys)}
    rows, kept = [], []
    for i, key in enumerate(keys):
        partner = row_of.get((*key[:at], reference, *key[at + 1 :]))
        if key[at] != reference and partner is not None:
            row = np.zeros(len(keys))
            row[i], row[partner] = 1.0, -1.0
            rows.append(row)
            kept.append(i)
    if not rows:
        raise ValueError(f"there is no other group of {name!r} to compare {reference!r} with")
    own = labels.select(kept)
    by = dict(own.by)
    by[name] = [f"{enclosed(group)} - {enclosed(reference)}" for group in own.by[name]]
    matrix = np.array(rows)
    return Estimates(
        differences.core.contrast(matrix),
        Labels(by, own.variable, own.level, ["contrast"] * len(rows)),
        differences.evidence.of_functions(matrix),
        differences.presentation,
    )


def _group_column(columns: Sequence[str], column: str | None) -> str:
    if not columns:
        raise ValueError("there are no groups: compare(..., by=...) makes them")
    if column is None and len(columns) > 1:
        raise ValueError(
            f"there are several columns of groups: name one in column=.{nearest_text('', columns)}"
        )
    name = columns[0] if column is None else column
    if name not in columns:
        raise ValueError(f"column={name!r} makes no groups.{nearest_text(name, columns)}")
    return name
