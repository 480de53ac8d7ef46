"""Pictures of results, with matplotlib."""

from typing import TYPE_CHECKING

import numpy as np

from steelyard.balance import Balance
from steelyard.evaluation import Evaluation, IndicatorResult
from steelyard.evidence import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Two blues of Okabe and Ito's palette, told apart by lightness alone.
_LAST, _BEFORE = "#0072B2", "#8FC1E3"
_INK = "#222222"


def plot_scorecard(evaluation: Evaluation, ax: "Axes | None" = None) -> "Axes":
    """Draw a line for each indicator and year: share, interval, published figure and target.

    Parameters
    ----------
    evaluation : Evaluation
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib Axes
    """
    if ax is None:
        lines = sum(len(result.years) for result in evaluation.results)
        ax = new_axes(8, 1.4 + 0.42 * lines)
    position = 0.0
    ticks, names = [], []
    for result in reversed(evaluation.results):
        top = _draw_indicator(ax, result, position)
        ticks.append((position + top) / 2)
        names.append(result.indicator.code)
        position = top + 1.6
    ax.set_yticks(ticks, names, parse_math=False)
    ax.set_ylim(-0.8, position - 0.8)
    lowest = min(
        np.nanmin([year.estimate.ci()[0, 0], year.estimate.value])
        for result in evaluation.results
        for year in result.years
    )
    ax.set_xlim(left=max(-12.0, min(40.0, 100 * lowest - 14)), right=101.5)
    ax.set_xlabel("per cent of participants (weighted)")
    ax.tick_params(length=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.grid(axis="x", color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_title(
        evaluation.card.title, loc="left", pad=28, fontsize=11, fontweight="bold", parse_math=False
    )
    _legend(ax)
    return ax


def plot_balance(balance: Balance, ax: "Axes | None" = None) -> "Axes":
    """Draw standardised differences before and after weighting, a line each (love plot).

    Parameters
    ----------
    balance : Balance
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib Axes
    """
    names = [
        variable if level is None else f"{variable}: {level}"
        for variable, level in zip(balance.variable, balance.level, strict=True)
    ]
    places = np.arange(len(names))[::-1]
    if ax is None:
        ax = new_axes(7, 1.2 + 0.32 * len(names))
    before, after = balance.difference_before, balance.difference_after
    ax.hlines(places, before, after, color="#cccccc", linewidth=1.5, zorder=1)
    ax.scatter(before, places, color=_BEFORE, marker="o", s=42, zorder=2, label="before weighting")
    ax.scatter(after, places, color=_LAST, marker="D", s=34, zorder=3, label="after")
    ax.axvline(0, color=_INK, linewidth=0.8)
    for end in (-0.1, 0.1):
        ax.axvline(end, color="#bbbbbb", linewidth=0.8, linestyle=(0, (4, 3)))
    ax.set_yticks(places, names, parse_math=False)
    ax.set_xlabel("standardised difference from the target")
    ax.tick_params(length=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    return ax


def plot_weights(before: Floats, after: Floats, ax: "Axes | None" = None) -> "Axes":
    """Draw how weights above 0 are spread, before and after weighting, as shares of their mean.

    Parameters
    ----------
    before, after : array of float
        Weights of each row.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib Axes
    """
    if ax is None:
        ax = new_axes(7, 3)
    relative = [w[w > 0] / w[w > 0].mean() for w in (before, after)]
    ends = np.histogram_bin_edges(np.concatenate(relative), bins=40).tolist()
    ax.hist(relative[0], ends, color=_BEFORE, label="before weighting")
    ax.hist(relative[1], ends, histtype="step", color=_LAST, linewidth=2, label="after")
    ax.set_xlabel("weight, as a multiple of the mean weight")
    ax.set_ylabel("rows")
    ax.tick_params(length=0)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.legend(frameon=False)
    return ax


def new_axes(width: float, height: float) -> "Axes":
    """Axes of a new figure, in inches, which a notebook shows by itself."""
    from matplotlib import pyplot

    _, ax = pyplot.subplots(figsize=(width, height), layout="constrained")
    return ax


def _draw_indicator(ax: "Axes", result: IndicatorResult, bottom: float) -> float:
    """Draw the years of one indicator, the last at the bottom; return the highest line."""
    top = bottom + len(result.years) - 1
    target = result.indicator.target
    if target is not None:
        goal = 100 * target.number
        ax.plot([goal, goal], [bottom - 0.45, top + 0.45], color=_INK, linewidth=2, zorder=2)
    for i, year in enumerate(result.years):
        y = top - i
        colour = _LAST if year is result.years[-1] else _BEFORE
        low, high = 100 * year.estimate.ci()[0]
        value = 100 * year.estimate.value
        ax.plot([low, high], [y, y], color=colour, linewidth=3, solid_capstyle="round", zorder=3)
        ax.plot([value], [y], "o", color=colour, markersize=7, zorder=4)
        if year.published is not None:
            ax.plot(
                [100 * year.published.value],
                [y],
                "D",
                markerfacecolor="none",
                markeredgecolor=_INK,
                markersize=9,
                zorder=5,
            )
        ax.annotate(
            f"{year.year}: {value:.1f}",
            (np.nanmin([low, value]), y),
            xytext=(-8, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=9,
            color=_INK,
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
    return top


def _legend(ax: "Axes") -> None:
    from matplotlib.lines import Line2D

    ax.legend(
        handles=[
            Line2D([], [], color=_LAST, marker="o", linewidth=3, label="estimate, interval"),
            Line2D(
                [],
                [],
                color=_INK,
                marker="D",
                markerfacecolor="none",
                linewidth=0,
                label="published",
            ),
            Line2D([], [], color=_INK, linewidth=2, label="target"),
        ],
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=3,
        frameon=False,
        fontsize=9,
    )
