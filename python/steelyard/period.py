"""Periods: when a wave of a survey was, and how far apart two waves are."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from numbers import Integral, Real
from typing import TypeAlias

import numpy as np

from steelyard.evidence import Floats

Period: TypeAlias = int | str | date

_DAYS = 365.2425  # a year of the Gregorian calendar
_YEAR = re.compile(r"\d{4}")
_QUARTER = re.compile(r"(\d{4})[\s-]*Q([1-4])", re.IGNORECASE)
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_YEARS = re.compile(r"(\d{4})[-/–](\d{2}|\d{4})")


def time_of(period: Period) -> float | None:
    """When a period begins, in years; None for a label that names no time.

    A year, a quarter ("2023-Q1"), a month ("2023-04"), a date, and several years ("2022-23",
    "2022/2023"), which count from their middle.

    Examples
    --------
    >>> time_of("2023-Q3"), time_of(2023), time_of("2022/23"), time_of("baseline")
    (2023.5, 2023.0, 2022.5, None)
    """
    if isinstance(period, datetime):
        period = period.date()
    if isinstance(period, date):
        return period.year + (period.timetuple().tm_yday - 1) / _DAYS
    if isinstance(period, int | Integral):
        return float(period)
    text = period.strip()
    if _YEAR.fullmatch(text):
        return float(text)
    if found := _QUARTER.fullmatch(text):
        return int(found[1]) + (int(found[2]) - 1) / 4
    if found := _MONTH.fullmatch(text):
        return int(found[1]) + (int(found[2]) - 1) / 12
    if found := _YEARS.fullmatch(text):
        last = int(found[1][: 4 - len(found[2])] + found[2])
        return (int(found[1]) + last) / 2 if last > int(found[1]) else None
    try:
        return time_of(date.fromisoformat(text))
    except ValueError:
        return None


def plain_period(period: object) -> Period:
    """A period as a year, text or date, whatever library it comes from.

    Raises
    ------
    TypeError
        It is none of these.
    """
    if isinstance(period, str):
        return period
    if isinstance(period, date):
        return period
    if isinstance(period, Real) and not isinstance(period, bool) and float(period).is_integer():
        return int(float(period))
    if type(period).__name__ == "Period":  # of pandas
        return str(period)
    raise TypeError(
        f"{period!r} is no period: waves are named by years, dates, or texts such as '2023-Q1'"
    )


def times_of(periods: Sequence[Period], times: Sequence[float] | None = None) -> Floats:
    """When each period is, as read from it or as given.

    Raises
    ------
    ValueError
        A label names no time and `times` were not given, or they do not ascend.
    """
    if times is not None and len(times) != len(periods):
        raise ValueError(f"times= has {len(times)} values, and there are {len(periods)} periods")
    found = [time_of(period) for period in periods] if times is None else [float(t) for t in times]
    if any(time is None for time in found):
        unread = next(p for p, time in zip(periods, found, strict=True) if time is None)
        raise ValueError(
            f"period {unread!r} does not say when it was: give times=, one number a period"
        )
    result = np.array(found, dtype=np.float64)
    if not (np.diff(result) > 0).all():
        raise ValueError("periods are in the order of time here: sort the waves")
    return result


def in_order(periods: Sequence[Period]) -> list[Period]:
    """The periods in the order of time where all of them name one, else as they are given."""
    times = [time_of(period) for period in periods]
    if any(time is None for time in times):
        return list(periods)
    return sorted(periods, key=lambda period: time_of(period) or 0.0)


def position_of(period: Period, periods: Sequence[Period]) -> int:
    """How many of the periods are before this one, in their order.

    Raises
    ------
    ValueError
        It is none of them, and cannot be placed among them by time.
    """
    ordered = in_order(periods)
    if period in ordered:
        return ordered.index(period)
    time = time_of(period)
    known = [time_of(each) for each in ordered]
    if time is None or any(each is None for each in known):
        raise ValueError(
            f"period {period!r} is none of {', '.join(repr(each) for each in periods)}, and names "
            "no time by which to place it"
        )
    return sum(each < time for each in known if each is not None)
