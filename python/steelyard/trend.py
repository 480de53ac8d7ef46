"""Trends over several periods: slopes, a change point, and whether a series only ever rose."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from steelyard import _core
from steelyard.errors import EmptyDomain
from steelyard.estimates import Estimates
from steelyard.evidence import Floats
from steelyard.findings import Findings
from steelyard.multiplicity import max_t
from steelyard.period import Period, times_of
from steelyard.series import Key, Series, label_text, together
from steelyard.table import Cell, cells

_TERMS = ("linear", "quadratic", "cubic", "quartic")


def trend(
    series: Series,
    degree: int,
    times: Sequence[float] | None,
    weights: Literal["equal", "precision"],
    level: float,
) -> Findings:
    """Test for a trend by contrasts of the levels.

    Parameters
    ----------
    series : Series
        Missing years are allowed; the distance between periods counts.
    degree : int
        1: a straight line; 2: also its curvature.
    times : sequence of float, optional
        When each period was, in a unit of time; read from the periods if not given.
    weights : {"equal", "precision"}
        How levels count in the least squares that define the trend: all alike, or by the inverse
        of their variances.
    level : float
        Confidence level.

    Returns
    -------
    Findings
        A row an estimate and term: the slope a unit of time, or the coefficient of its square, with
        interval and p-value; then a test that there was no change at all. Its `estimates` are the
        coefficients.

    Raises
    ------
    ValueError
        A period does not say when it was, periods are not in the order of time, or there are not
        more than `degree`.

    Notes
    -----
    Contrasts of polynomials, with the covariances of the levels (Ingram et al. 2018, NCHS
    Guidelines for Analysis of Trends, Vital Health Stat 2(179)).
    """
    when = _times(series, times)
    if weights not in ("equal", "precision"):
        raise ValueError(f"weights={weights!r} is neither 'equal' nor 'precision'")
    parts, tests = [], []
    for key in series.rows:
        periods = series.known(key)
        if len(periods) <= degree:
            continue
        own = np.array([when[period] for period in periods])
        contrasts = _core.trend_contrasts(
            own, _precision(series.of_one(key, periods), weights), degree
        )
        names = [_TERMS[d] if d < len(_TERMS) else f"degree {d + 1}" for d in range(degree)]
        parts.append(series.combined(key, periods, contrasts, names))
        tests.append(_no_change(series.of_one(key, periods)))
    if not parts:
        raise EmptyDomain(f"a trend of degree {degree} needs {degree + 1} periods with an error")
    found = together(parts)
    bounds = found.ci(level)
    columns: dict[str, list[Cell]] = {
        "term": found.labels.by["period"],
        **{name: own for name, own in found.labels.columns().items() if name != "period"},
        "estimate": cells(found.estimate),
        "se": cells(found.se),
        "ci_low": cells(bounds[:, 0]),
        "ci_high": cells(bounds[:, 1]),
        "p_value": cells(found.p_value()),
        "no_change_p": [p for test in tests for p in [test, *[None] * (degree - 1)]],
    }
    return Findings(
        "Is there a trend?",
        columns,
        [
            f"linear: change a unit of time (a year, unless times were given), "
            f"{100 * level:g}% intervals by t"
            + ("; quadratic: the coefficient of time squared" if degree > 1 else ""),
            f"least squares of the levels, weights {weights}; no_change_p: p-value of all periods "
            "being equal, by Wald's F",
            *_said(series, found, degree + 1),
        ],
        found,
    )


def joinpoint(series: Series, times: Sequence[float] | None, level: float, seed: int) -> Findings:
    """Look for one period at which two straight lines meet.

    Parameters
    ----------
    series : Series
        Four periods or more.
    times, level
        As for :func:`trend`.
    seed : int
        Of the draws behind the p-values.

    Returns
    -------
    Findings
        A row an estimate and candidate: slope before, slope after, their difference with its
        p-value, adjusted for having tried every period, and whether it is the likeliest. Its
        `estimates` are the differences of slopes.

    Notes
    -----
    For each period between the first and the last, two lines fitted by least squares weighted by
    precision (Kim et al. 2000, Statistics in Medicine 19(3)); the largest |t| is judged by its
    joint distribution.
    """
    when = _times(series, times)
    blocks: list[dict[str, list[Cell]]] = []
    changes = []
    for key in series.rows:
        periods = series.known(key)
        if len(periods) < 4:
            continue
        own = np.array([when[period] for period in periods])
        contrasts = _core.joinpoint_contrasts(
            own, _precision(series.of_one(key, periods), "precision")
        )
        names = [str(period) for period in periods[1:-1]]
        wide = series.combined(key, periods, contrasts, [name for name in names for _ in range(3)])
        change = wide.rows(range(2, len(wide), 3))
        blocks.append(_joinpoint_block(key, wide, change, level, seed))
        changes.append(change)
    if not blocks:
        raise EmptyDomain("a change point needs four periods with an error")
    found = together(changes)
    columns = {name: [x for block in blocks for x in block[name]] for name in blocks[0]}
    return Findings(
        "Did the trend change at one period?",
        columns,
        [
            "two straight lines that meet at the period, fitted by precision; p_value: of the "
            "slope being the same, adjusted for trying every period (largest t)",
            *_said(series, found, 4),
        ],
        found,
    )


def monotonicity(series: Series, level: float, seed: int) -> Findings:
    """Test whether a series rose, or fell, from each period to the next.

    Parameters
    ----------
    series : Series
        Three periods or more.
    level : float
        Confidence level, by which the verdict goes.
    seed : int
        Of the draws behind the p-values.

    Returns
    -------
    Findings
        A row an estimate: `rose_p`, the p-value against "it rose every time" (the largest of the
        one-sided p-values of all steps: intersection-union test, Berger 1982); `fall_p`, that of
        "it never fell" (the smallest, adjusted by the largest t); the same of falling; a verdict.
        Its `estimates` are the steps.
    """
    rows_of: list[dict[str, Cell]] = []
    steps = []
    for key in series.rows:
        periods = series.known(key)
        if len(periods) < 3:
            continue
        names = [f"{b} - {a}" for a, b in pairwise(periods)]
        contrasts = _core.step_contrasts(len(periods))
        step = series.combined(key, periods, contrasts, names)
        rows_of.append(_monotonicity_row(key, step, level, seed))
        steps.append(step)
    if not steps:
        raise EmptyDomain("whether a series only rose needs three periods with an error")
    found = together(steps)
    columns = {name: [row[name] for row in rows_of] for name in rows_of[0]}
    return Findings(
        "Did the series only rise, or only fall?",
        columns,
        [
            "rose_p: p-value of it not having risen every time; fall_p: of it never having fallen; "
            "fell_p and rise_p: the same the other way round",
            *_said(series, found, 3),
        ],
        found,
    )


def _joinpoint_block(
    key: Key, wide: Estimates, change: Estimates, level: float, seed: int
) -> dict[str, list[Cell]]:
    size = len(change)
    drawn = max_t(change, level=level, seed=seed)
    p_values = np.full(size, np.nan) if drawn is None else drawn.p_values
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.abs(change.estimate / change.se)
    best = int(np.nanargmax(distance)) if np.isfinite(distance).any() else -1
    return {
        "estimate_of": [label_text(key)] * size,
        "at": list(change.labels.by["period"]),
        "slope_before": cells(wide.estimate[0::3]),
        "slope_after": cells(wide.estimate[1::3]),
        "change": cells(change.estimate),
        "se": cells(change.se),
        "p_value": cells(p_values),
        "likeliest": [i == best for i in range(size)],
    }


def _monotonicity_row(key: Key, step: Estimates, level: float, seed: int) -> dict[str, Cell]:
    df = step.degrees_of_freedom()
    each = [
        _core.confidence_in_bound(value, se, free, "lower", 0.0)
        for value, se, free in zip(step.estimate, step.se, df, strict=True)
    ]
    not_risen, not_fallen = 1 - min(each), max(each)
    below = max_t(step, side="lower", level=level, seed=seed)
    above = max_t(step, side="upper", level=level, seed=seed)
    fall = 1.0 if below is None else float(np.nanmin(below.p_values))
    rise = 1.0 if above is None else float(np.nanmin(above.p_values))
    alpha = 1 - level
    verdict = (
        "rose every time"
        if not_risen <= alpha
        else "fell every time"
        if not_fallen <= alpha
        else "rose and fell"
        if fall <= alpha and rise <= alpha
        else "fell at least once"
        if fall <= alpha
        else "rose at least once"
        if rise <= alpha
        else "undetermined"
    )
    return {
        "estimate_of": label_text(key),
        "steps": len(step),
        "rose_p": not_risen,
        "fall_p": fall,
        "fell_p": not_fallen,
        "rise_p": rise,
        "verdict": verdict,
    }


def _times(series: Series, times: Sequence[float] | None) -> dict[Period, float]:
    return dict(zip(series.periods, times_of(series.periods, times).tolist(), strict=True))


def _precision(levels: Estimates, weights: str) -> Floats:
    variances = levels.se**2
    if weights == "equal" or not (variances > 0).all():
        return np.ones(len(levels))
    return 1.0 / variances


def _no_change(levels: Estimates) -> float | None:
    try:
        return levels.equality_test().p_value
    except ValueError:  # no error to test by, or more periods than degrees of freedom
        return None


def _said(series: Series, found: Estimates, fewest: int) -> list[str]:
    few = [label_text(key) for key in series.rows if len(series.known(key)) < fewest]
    left_out = [f"fewer than {fewest} periods with an error, so left out: {', '.join(few)}"]
    return [
        *(left_out if few else []),
        *series.conventions,
        *(f"{name}: {text}" for name, text in found.conventions.items()),
    ]
