"""Several periods taken together: averages, moving averages and their change."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, TypeAlias

import numpy as np

from steelyard import _core
from steelyard.errors import nearest_text
from steelyard.estimates import Estimates
from steelyard.evidence import UNKNOWN, Floats
from steelyard.period import Period
from steelyard.series import Key, Series, label_text, together

Weighting: TypeAlias = Literal["equal", "precision", "respondents"] | Mapping[Period, float]


def average(
    series: Series, weights: Weighting, periods: Sequence[Period] | None = None
) -> Estimates:
    """Average the levels of several periods.

    Parameters
    ----------
    series : Series
    weights : {"equal", "precision", "respondents"} or mapping from period to number
        "precision": by the inverse of each level's variance; "respondents": by the rows used; a
        mapping gives what each period counts for, such as its population. Weights are taken as
        known, and stated in the conventions. For a figure over the answers of all periods, with
        the error of each year's size, see :func:`cumulative`.
    periods : sequence of period, optional
        Those to average; all, if not given.

    Returns
    -------
    Estimates
        One for each estimate that all these periods have.

    Raises
    ------
    ValueError
        A period is none of the series', or weights are not numbers of at least 0.

    Examples
    --------
    >>> import steelyard as sy
    >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
    >>> score = {1900 + year: svy.estimate({"score": sy.mean("api99")}) for year in (98, 99)}
    >>> both = sy.compare(score).average()
    >>> bool(both.se[0] == score[1999].se[0])  # the same units: no more is known of them
    True
    """
    chosen = _chosen(series, periods)
    return _averaged(series, chosen, weights, len(chosen))


def moving_average(series: Series, window: int, weights: Weighting) -> Estimates:
    """Average `window` periods one after the other; arguments as for :func:`average`."""
    return _averaged(series, series.periods, weights, window)


def net_change(
    series: Series,
    before: Sequence[Period],
    after: Sequence[Period],
    weights: Weighting,
) -> Estimates:
    """The average of some periods less that of others; arguments as for :func:`average`."""
    first, last = _chosen(series, before), _chosen(series, after)
    used = tuple(period for period in series.periods if period in (*first, *last))
    parts = []
    for key in _keys_in(series, used):
        coefficients = np.zeros((1, len(used)))
        for periods, sign in ((first, -1.0), (last, 1.0)):
            means = _core.average_contrasts(_weights(series, key, periods, weights), len(periods))
            for period, share in zip(periods, means[0], strict=True):
                coefficients[0, used.index(period)] += sign * share
        name = f"{_span(last)} - {_span(first)}"
        parts.append(series.combined(key, used, coefficients, [name]))
    return _stated(together(parts), weights, series, used)


def _averaged(
    series: Series, periods: Sequence[Period], weights: Weighting, window: int
) -> Estimates:
    if not 1 <= window <= len(periods):
        raise ValueError(f"window={window} does not fit into {len(periods)} periods")
    parts = []
    for key in _keys_in(series, periods):
        contrasts = _core.average_contrasts(_weights(series, key, periods, weights), window)
        for i, row in enumerate(contrasts):
            inside = periods[i : i + window]
            part = series.combined(key, inside, row[None, i : i + window], [_span(inside)])
            parts.append(part)
    return _stated(together(parts), weights, series, periods)


def _chosen(series: Series, periods: Period | Sequence[Period] | None) -> tuple[Period, ...]:
    if isinstance(periods, int | str | date):
        chosen: tuple[Period, ...] = (periods,)
    else:
        chosen = series.periods if periods is None else tuple(periods)
    for period in chosen:
        if period not in series.periods:
            raise ValueError(
                f"period {period!r} is none of the series.{nearest_text(period, series.periods)}"
            )
    if len(set(chosen)) < len(chosen):
        raise ValueError("a period is named twice: each counts once, or by weights=")
    if not chosen:
        raise ValueError("there is no period to average")
    return chosen


def _keys_in(series: Series, periods: Sequence[Period]) -> list[Key]:
    keys = [key for key, rows in series.rows.items() if all(period in rows for period in periods)]
    if not keys:
        raise ValueError("no estimate is in all of these periods")
    return keys


def _weights(series: Series, key: Key, periods: Sequence[Period], weights: Weighting) -> Floats:
    if isinstance(weights, Mapping):
        lacking = [period for period in periods if period not in weights]
        if lacking:
            raise ValueError(f"weights= has no number for period {lacking[0]!r}")
        return np.array([float(weights[period]) for period in periods])
    if weights == "equal":
        return np.ones(len(periods))
    if weights == "respondents":
        counts = np.array([series.levels[p].n[series.rows[key][p]] for p in periods])
        if (counts == UNKNOWN).any():
            raise ValueError("weights='respondents': a published figure does not say how many")
        return counts.astype(np.float64)
    if weights == "precision":
        errors = np.array([series.levels[p].se[series.rows[key][p]] for p in periods])
        variances = errors**2
        if not (variances > 0).all():
            raise ValueError(
                f"weights='precision': {label_text(key)} has no sampling error in some period"
            )
        return 1.0 / variances
    raise ValueError(f"weights={weights!r} is none of 'equal', 'precision', 'respondents'")


def _stated(
    estimates: Estimates, weights: Weighting, series: Series, periods: Sequence[Period]
) -> Estimates:
    text = "as given" if isinstance(weights, Mapping) else weights
    found = estimates.with_convention("periods weighted", f"{text}, taken as known")
    left_out = [
        label_text(key)
        for key, rows in series.rows.items()
        if not all(period in rows for period in periods)
    ]
    if left_out:
        found = found.with_convention("not in every period, so left out", ", ".join(left_out))
    if series.conventions:
        found = found.with_convention("published", "; ".join(series.conventions))
    return found


def _span(periods: Sequence[Period]) -> str:
    first, last = periods[0], periods[-1]
    return str(first) if len(periods) == 1 else f"{first} to {last}"
