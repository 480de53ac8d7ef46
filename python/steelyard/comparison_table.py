"""The table of a comparison: blocks of plain values, and rows for people."""

from collections.abc import Mapping

import numpy as np

from steelyard.change import Change, Judged
from steelyard.estimates import Estimates
from steelyard.evidence import UNKNOWN, Floats
from steelyard.labels import SHARES
from steelyard.period import Period
from steelyard.render import number_text
from steelyard.series import label_text
from steelyard.table import Cell


def unmatched(levels: Mapping[Period, Estimates]) -> dict[Period, list[str]]:
    """Labels of the rows that not every period has."""
    keys = {period: estimates.labels.keys() for period, estimates in levels.items()}
    common = set.intersection(*(set(each) for each in keys.values()))
    return {
        period: [label_text(key) for key in each if key not in common]
        for period, each in keys.items()
    }


def overlap_text(change: Change) -> str:
    """What two periods share, in a sentence."""
    if change.rounded is not None:
        return f"{change.period} and {change.base} are compared as independent: not both are data"
    if not change.by_unit:
        return (
            f"{change.period} and {change.base} are compared as independent samples: what each row "
            "adds is not known, as there are too many, or they were saved without names; name "
            "clusters, or see identified_by, to find shared units"
        )
    if change.of_replicates:
        return (
            f"{change.period} and {change.base} are compared as independent samples: replicates "
            "do not tell which units are shared; without them, clusters of one name do"
        )
    text = (
        f"{change.period} shares {change.shared_units:,} units with {change.base} "
        f"({change.shared_share:.0%} of its own)"
    )
    if change.shared_further:
        text += f" and {change.shared_further:,} of further stages"
    found = change.correlation[np.isfinite(change.correlation)]
    if len(found) == 0 or not found.any():
        return f"{text}: compared as independent samples"
    low, high = found.min(), found.max()
    much = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
    return f"{text}; correlation of the levels {much}"


def block(
    statistic: str, period: Period, base: Period | None, table: dict[str, list[Cell]]
) -> dict[str, list[Cell]]:
    """One block of the table: the same statistic, period and base in every row."""
    size = len(table["note"])
    note = table.pop("note")
    nothing: list[Cell] = [None] * size
    return {
        "statistic": [statistic] * size,
        "period": [period_cell(period)] * size,
        "base": [None if base is None else period_cell(base)] * size,
        **table,
        "p_value": nothing,
        "p_adjusted": nothing,
        "correlation": nothing,
        "verdict": nothing,
        "note": note,
    }


def refused_block(change: Change) -> dict[str, list[Cell]]:
    """Rows of a change that is not comparable: no figures, and the reason."""
    assert change.refused is not None
    labels = change.pair.after.labels
    table: dict[str, list[Cell]] = dict(labels.columns())
    table["note"] = [f"not comparable: {change.refused.text}"] * len(labels)
    return block("difference", change.period, change.base, table)


def append(table: dict[str, list[Cell]], part: dict[str, list[Cell]]) -> None:
    """Add a block below; a column that only one of them has is empty in the other."""
    rows = len(next(iter(table.values()), []))
    more = len(part["statistic"])
    for name in [*table, *(name for name in part if name not in table)]:
        table.setdefault(name, [None] * rows).extend(part.get(name, [None] * more))
    if "note" in table:
        table["note"] = table.pop("note")


def period_cell(period: Period) -> Cell:
    """A period as a plain value."""
    return period if isinstance(period, int | str) else str(period)


def level_row(
    period: Period, level: Estimates, i: int, bounds: Floats, published: bool
) -> dict[str, Cell]:
    """One level for people: per cent, or a number, and its interval."""
    is_share = level.labels.kind[i] in SHARES
    shown = {name: column[i] for name, column in level.labels.columns().items()}
    n = int(level.n[i])
    row: dict[str, Cell] = {"period": period_cell(period), **shown}
    row["%" if is_share else "value"] = _figure(level.estimate[i], is_share)
    row["interval"] = _interval(bounds, is_share)
    row["n"] = None if n == UNKNOWN else n
    row["note"] = None if published else level.notes[i]
    return row


def difference_cells(
    change: Change | None,
    found: Judged,
    at: tuple[int, str | None] | None,
    row: Mapping[str, Cell],
) -> dict[str, Cell]:
    """The change beside a level, and what is to be said of it."""
    if change is None:
        return {}
    if change.refused is not None:
        why = f"not comparable with {change.base}: {change.refused.text}"
        return {"note": _joined(row.get("note"), why)}
    if at is None:
        return {}
    position, words = at
    is_share = "%" in row
    p = found.p_adjusted[position]
    said = f"{change.base} to {change.period}: {words}" if words else None
    return {
        "change": _figure(found.estimates.estimate[position], is_share, signed=True),
        "p": None if np.isnan(p) else "<0.001" if p < 0.0005 else f"{p:.3f}",
        "note": _joined(row.get("note"), said, _note_of(change, found, position)),
    }


def _figure(value: float, is_share: bool, *, signed: bool = False) -> str:
    if np.isnan(value):
        return ""
    text = f"{100 * value:.1f}" if is_share else number_text(float(value))
    if float(text.replace(",", "")) == 0:
        return text.removeprefix("-")
    return f"+{text}" if signed and value > 0 else text


def _interval(bounds: Floats, is_share: bool) -> str:
    if np.isnan(bounds).any():
        return ""
    return f"{_figure(bounds[0], is_share)} to {_figure(bounds[1], is_share)}"


def _joined(*notes: Cell) -> str | None:
    return "; ".join(str(note) for note in notes if note) or None


def _note_of(change: Change, found: Judged, position: int) -> str | None:
    """The note on a change; what is only printed does not vary by its nature."""
    only_printed = change.rounded is not None and np.isnan(found.p_value[position])
    return None if only_printed else found.estimates.notes[position]
