"""Pictures of change: dumbbells, lines with intervals, and waterfalls of its parts."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from steelyard.evidence import Floats
from steelyard.labels import SHARES
from steelyard.period import Period, position_of, time_of
from steelyard.plots import new_axes
from steelyard.series import Key, label_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from steelyard.comparison import Comparison
    from steelyard.decomposition import Decomposition

_INK = "#222222"
_GREY = "#8a8a8a"
_BEFORE, _AFTER = "#8FC1E3", "#0072B2"
# Okabe and Ito's palette, in the order in which lines are told apart best.
_LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def plot_dumbbell(comparison: "Comparison", ax: "Axes | None" = None) -> "Axes":
    """Draw first and last level of each estimate as two dots on a line, with the verdict beside it.

    Parameters
    ----------
    comparison : Comparison
        Its last change is drawn, whose base is the light dot.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib Axes
    """
    change = comparison.comparable[-1]
    before, after = change.pair.before, change.pair.after
    keys = after.labels.keys()
    texts = comparison.verdicts[-len(keys) :]
    if ax is None:
        ax = new_axes(8.5, 1.3 + 0.62 * len(keys))
    scale = _scale(after.labels.kind)
    ends = [_bounds_of(comparison, period, keys) for period in (change.base, change.period)]
    for i, text in enumerate(texts):
        y = float(len(keys) - 1 - i)
        pair = (scale * before.estimate[i], scale * after.estimate[i])
        bounds = (scale * ends[0][i], scale * ends[1][i])
        ax.plot(pair, [y, y], color="#cfcfcf", linewidth=3, zorder=1)
        for value, end, colour, up in (
            (pair[0], bounds[0], _BEFORE, 0.14),
            (pair[1], bounds[1], _AFTER, -0.14),
        ):
            ax.plot(end, [y + up, y + up], color=colour, linewidth=1.6, zorder=2)
            ax.plot([value], [y], "o", color=colour, markersize=9, zorder=3)
        reason = text or after.notes[i] or ""
        ax.annotate(
            reason,
            (0.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(2, 15),
            textcoords="offset points",
            fontsize=8.5,
            color=_INK,
            va="center",
            parse_math=False,
        )
    ax.set_yticks(range(len(keys)), [label_text(key) for key in reversed(keys)], parse_math=False)
    ax.set_ylim(-0.5, len(keys) - 0.3)
    _finish(ax, x_label=_unit(after.labels.kind))
    _period_legend(ax, str(change.base), str(change.period))
    return ax


def plot_slope(comparison: "Comparison", ax: "Axes | None" = None) -> "Axes":
    """Draw each estimate over the periods, with intervals; a declared break interrupts the line.

    Parameters
    ----------
    comparison : Comparison
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib Axes
    """
    if ax is None:
        ax = new_axes(8, 4.2)
    periods = comparison.periods
    given = [time_of(period) for period in periods]
    known = [time for time in given if time is not None]
    at = known if len(known) == len(given) else [float(i) for i in range(len(periods))]
    breaks = [b for b in comparison.breaks if b.link is None]
    starts = [position_of(each.period, periods) for each in breaks]
    rows = {
        period: {key: i for i, key in enumerate(level.labels.keys())}
        for period, level in comparison.levels.items()
    }
    keys = list(dict.fromkeys(key for own in rows.values() for key in own))
    kinds = [str(key[-1]) for key in keys]
    scale = _scale(kinds)
    ends: list[tuple[float, str, str]] = []
    for j, key in enumerate(keys):
        colour = _LINES[j % len(_LINES)]
        offset = (j - (len(keys) - 1) / 2) * 0.012 * (at[-1] - at[0])
        points = []
        for i, (period, level) in enumerate(comparison.levels.items()):
            row = rows[period].get(key)
            if row is None:
                continue
            low, high = scale * comparison.level_bounds(period)[row]
            value = scale * level.estimate[row]
            points.append((i, at[i] + offset, value))
            ax.plot([at[i] + offset] * 2, [low, high], color=colour, linewidth=1.6, alpha=0.8)
            ax.plot([at[i] + offset], [value], "o", color=colour, markersize=6)
        for (i, x, y), (k, x2, y2) in pairwise(points):
            if not any(i < start <= k for start in starts):
                ax.plot([x, x2], [y, y2], color=colour, linewidth=2)
        if points:
            ends.append((points[-1][2], label_text(key), colour))
    _label_ends(ax, at[-1], ends)
    for each, start in zip(breaks, starts, strict=True):
        if 0 < start < len(at):
            middle = (at[start - 1] + at[start]) / 2
            ax.axvline(middle, color=_GREY, linewidth=1, linestyle=(0, (4, 3)))
            ax.annotate(
                f"break in {each.period}",
                (middle, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=8.5,
                color=_GREY,
                parse_math=False,
            )
    ax.set_xticks(at, [str(period) for period in periods], parse_math=False)
    ax.set_xlim(at[0] - 0.08 * (at[-1] - at[0]), at[-1] + 0.32 * (at[-1] - at[0]))
    ax.set_ylabel(_unit(kinds))
    _finish(ax)
    return ax


def plot_waterfall(decomposition: "Decomposition", ax: "Axes | None" = None) -> "Axes":
    """Draw how a change is made up: the level before, what each part added, the level after.

    Parameters
    ----------
    decomposition : Decomposition
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib Axes
    """
    if ax is None:
        ax = new_axes(8, 4)
    parts = decomposition.parts
    scale = 100.0 if decomposition.is_of_shares else 1.0
    start, end = (scale * value for value in decomposition.levels)
    parted = [str(part) for part in parts.labels.by["part"]]
    names = [str(decomposition.before), *parted, str(decomposition.after)]
    values = scale * parts.estimate
    tops = np.concatenate([[start], start + np.cumsum(values)])
    lowest, highest = min(*tops, end), max(*tops, end)
    floor = lowest - 0.35 * max(highest - lowest, 1e-9 + 0.02 * abs(highest))
    for x, level in ((0, start), (len(names) - 1, end)):
        ax.bar([x], [level - floor], bottom=floor, width=0.6, color=_GREY)
        ax.annotate(
            f"{level:.1f}", (x, level), xytext=(0, 4), textcoords="offset points", ha="center"
        )
    bounds = scale * parts.ci()
    for i, value in enumerate(values):
        base = tops[i]
        colour = "#009E73" if value >= 0 else "#D55E00"
        ax.bar([i + 1], [value], bottom=base, width=0.6, color=colour)
        ax.plot([i + 1] * 2, base + bounds[i], color=_INK, linewidth=1.2)
        ax.plot([i + 0.3, i + 1.3], [base, base], color=_GREY, linewidth=0.8)
        ax.annotate(
            f"{value:+.1f}",
            (i + 1, max(base, base + value, base + bounds[i][1])),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
        )
    ax.set_xticks(range(len(names)), names, parse_math=False)
    ax.set_ylim(floor, None)
    ax.margins(y=0.12)
    ax.set_ylabel("per cent" if decomposition.is_of_shares else "")
    _finish(ax)
    return ax


def _finish(ax: "Axes", x_label: str = "") -> None:
    if x_label:
        ax.set_xlabel(x_label)
    ax.tick_params(length=0)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.set_axisbelow(True)


def _period_legend(ax: "Axes", before: str, after: str) -> None:
    from matplotlib.lines import Line2D

    legend = ax.legend(
        handles=[
            Line2D([], [], color=colour, marker="o", markersize=8, label=label)
            for colour, label in ((_BEFORE, before), (_AFTER, after))
        ],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        frameon=False,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _bounds_of(comparison: "Comparison", period: Period, keys: Sequence[Key]) -> Floats:
    """Intervals of a period's levels, in the order of some keys."""
    row = {key: i for i, key in enumerate(comparison.levels[period].labels.keys())}
    return comparison.level_bounds(period)[[row[key] for key in keys]]


def _label_ends(ax: "Axes", x: float, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write each line's name at its end, moved apart where they would overlap."""
    low, high = ax.get_ylim()
    apart = 0.06 * (high - low)
    position = -np.inf
    for value, name, colour in sorted(ends):
        position = max(value, position + apart)
        ax.annotate(
            name,
            (x, position),
            xytext=(14, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=colour,
            parse_math=False,
        )


def _scale(kinds: Sequence[str]) -> float:
    shares = [kind in SHARES for kind in kinds]
    if any(shares) and not all(shares):
        raise ValueError("shares and other figures do not fit on one axis: compare them apart")
    return 100.0 if all(shares) else 1.0


def _unit(kinds: Sequence[str]) -> str:
    return "per cent" if all(kind in SHARES for kind in kinds) else ""
