"""How large a sample must be: for a margin of error, in domains, or to detect a change."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from steelyard import _core
from steelyard.errors import DesignMismatch
from steelyard.levels import Level
from steelyard.render import html_table, text_table
from steelyard.table import Cell, Table


@dataclass(frozen=True, slots=True, eq=False)
class SampleSize(Table):
    """Answers that are needed, and how many to invite for them.

    Attributes
    ----------
    answers : int
        In all, so that the whole and every domain has what it needs.
    invitations : int
        Answers over the response rate that is expected.
    domains : dict of domain to (int, float)
        Answers to expect in each, and the margin of error that they give.
    margin : float
        That of the whole, with so many answers.
    """

    answers: int
    invitations: int
    margin: float
    domains: dict[Level, tuple[int, float]]
    text: str

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return one row for the whole and for each domain."""
        return {
            "domain": ["all", *self.domains],
            "answers": [self.answers, *(count for count, _ in self.domains.values())],
            "margin": [self.margin, *(margin for _, margin in self.domains.values())],
        }

    def __repr__(self) -> str:
        return text_table(self.to_dict(), self._footer())

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), self._footer())

    def _footer(self) -> list[str]:
        return [f"invitations: {self.invitations:,}", self.text]


def sample_size(
    margin: float,
    *,
    proportion: float | None = None,
    sd: float | None = None,
    level: float = 0.95,
    deff: float = 1.0,
    population: float = math.inf,
    domains: Mapping[Level, float] | None = None,
    domain_margin: float | None = None,
    response_rate: float = 1.0,
) -> SampleSize:
    """Compute how many answers give a margin of error.

    Parameters
    ----------
    margin : float
        Half the width of the interval: 0.03 for 3 percentage points, or in the unit of a mean.
    proportion : float, optional
        The share that is expected; 0.5, the worst case, if neither it nor `sd` is given.
    sd : float, optional
        The standard deviation of what is measured, for a mean.
    level : float
        Confidence level.
    deff : float
        Design effect: 1 for simple random sampling, more for clusters and unequal weights.
    population : float
        Units in the population, for the finite population correction.
    domains : mapping of domain to share, optional
        Shares of the population that have a margin of their own.
    domain_margin : float, optional
        That margin; `margin` if not given.
    response_rate : float
        Share of those invited who will answer.

    Returns
    -------
    SampleSize

    Raises
    ------
    ValueError
        A number is out of range.

    Notes
    -----
    Cochran (1977), section 4.4, by the normal distribution.

    Examples
    --------
    >>> import steelyard as sy
    >>> sy.sample_size(0.03).answers
    1068
    >>> plan = sy.sample_size(0.05, population=6194, deff=1.5, response_rate=0.4)
    >>> plan.answers, plan.invitations
    (528, 1320)
    """
    if proportion is not None and sd is not None:
        raise ValueError("proportion= and sd= are two ways: give one of them")
    variance = _variance(proportion, sd)
    if not 0 < response_rate <= 1:
        raise ValueError(f"response_rate={response_rate}: above 0 and at most 1")
    needed = [_core.size_for_margin(variance, margin, level, deff, population)]
    shares = dict((domains or {}).items())
    for domain, share in shares.items():
        if not 0 < share <= 1:
            raise ValueError(f"the share of domain {domain!r} is {share}: above 0 and at most 1")
        own = _core.size_for_margin(
            variance, domain_margin or margin, level, deff, max(1.0, population * share)
        )
        needed.append(own / share)
    answers = min(_up(max(needed)), population)
    answers = int(answers)

    def reached(count: float, of: float) -> float:
        return _core.margin_of_size(variance, min(count, of), level, deff, of)

    return SampleSize(
        answers,
        _up(answers / response_rate),
        reached(answers, population),
        {
            domain: (round(answers * share), reached(answers * share, population * share))
            for domain, share in shares.items()
        },
        f"margin: half a {100 * level:g}% interval, design effect {deff:g}, response rate "
        f"{response_rate:g}",
    )


def sample_size_for_change(
    before: float,
    after: float,
    *,
    sd: float | None = None,
    level: float = 0.95,
    power: float = 0.8,
    deff: float = 1.0,
    overlap: float = 0.0,
    correlation: float = 0.0,
    response_rate: float = 1.0,
) -> int:
    """Compute how many to invite in each of two waves to detect a change.

    Parameters
    ----------
    before, after : float
        The two shares, as 0.75 and 0.80; with `sd`, the two means.
    sd : float, optional
        The standard deviation of what is measured, for means.
    level : float
        1 less the error of claiming a change where there is none, two-sided.
    power : float
        The probability of finding the change.
    deff : float
        Design effect of each wave.
    overlap : float
        Share of a wave's units that are in the other too.
    correlation : float
        Between the two answers of a unit that is in both.
    response_rate : float
        Share of those invited who will answer.

    Returns
    -------
    int

    Notes
    -----
    Kish (1965), section 12.4; Valliant, Dever and Kreuter (2018), section 4.4.

    Examples
    --------
    >>> import steelyard as sy
    >>> sy.sample_size_for_change(0.75, 0.80)
    1091
    >>> sy.sample_size_for_change(0.75, 0.80, overlap=0.5, correlation=0.6)
    765
    """
    first, second = _variances(before, after, sd)
    if not 0 < response_rate <= 1:
        raise ValueError(f"response_rate={response_rate}: above 0 and at most 1")
    options = _core.ChangeOptions(level, power, deff, overlap, correlation)
    needed = _core.size_for_change(first, second, after - before, options)
    return _up(_up(needed) / response_rate)


def detectable_change(
    answers: int,
    before: float,
    *,
    sd: float | None = None,
    level: float = 0.95,
    power: float = 0.8,
    deff: float = 1.0,
    overlap: float = 0.0,
    correlation: float = 0.0,
) -> float:
    """Compute the smallest change that two waves of so many answers each would detect.

    Parameters
    ----------
    answers : int
        In each wave.
    before : float
        The first wave's share, or with `sd` its mean; both waves are taken to vary as it does.
    sd, level, power, deff, overlap, correlation
        As for :func:`sample_size_for_change`.

    Returns
    -------
    float
        In the unit of the share or mean: 0.05 is 5 percentage points.

    Examples
    --------
    >>> import steelyard as sy
    >>> round(sy.detectable_change(627, 0.75), 3)
    0.069
    """
    first, _ = _variances(before, before, sd)
    options = _core.ChangeOptions(level, power, deff, overlap, correlation)
    return _core.detectable_change(first, first, float(answers), options)


def _up(value: float) -> int:
    """Round up, but for rounding of the value itself."""
    return int(np.ceil(value * (1 - 1e-12)))


def _variance(proportion: float | None, sd: float | None) -> float:
    if sd is not None:
        if not (np.isfinite(sd) and sd > 0):
            raise ValueError(f"sd={sd}: a number above 0 is needed")
        return sd**2
    p = 0.5 if proportion is None else proportion
    if not 0 < p < 1:
        raise ValueError(f"proportion={p}: between 0 and 1, both excluded")
    return p * (1 - p)


def _variances(before: float, after: float, sd: float | None) -> tuple[float, float]:
    if sd is not None:
        return _variance(None, sd), _variance(None, sd)
    for name, p in (("before", before), ("after", after)):
        if not 0 < p < 1:
            raise DesignMismatch(
                f"{name}={p}: a share lies between 0 and 1; for means give sd= as well"
            )
    return _variance(before, None), _variance(after, None)
