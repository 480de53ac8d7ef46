"""Waves compared: what is estimated in each, which units they share, which pairs are comparable."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, TypeAlias, TypeVar
from uuid import uuid4

from steelyard import _core
from steelyard.breaks import Break, breaks_between, linked
from steelyard.change import Change, Pair
from steelyard.comparison import Comparison, Conventions, printed_of
from steelyard.condition import Where
from steelyard.errors import BreakInSeries, EmptyDomain, SteelyardError, nearest_text
from steelyard.estimates import Estimates
from steelyard.multiplicity import Adjustment, check_adjustment
from steelyard.period import Period, in_order, plain_period, position_of
from steelyard.published import Figure
from steelyard.published_wave import Published, PublishedLevels
from steelyard.statistic import Statistic
from steelyard.survey import Survey

P = TypeVar("P", bound=Period)
Wave: TypeAlias = Survey | Estimates | Published | Figure | str
Asked: TypeAlias = (
    Statistic | Sequence[Statistic] | Mapping[str, Statistic] | Callable[[Survey], Estimates]
)
PREVIOUS = "previous"


def compare(
    waves: Mapping[P, Wave],
    statistic: Asked | None = None,
    *,
    base: P | Literal["previous"] | None = None,
    by: str | Sequence[str] | None = None,
    where: Where | None = None,
    overlap: str = "auto",
    breaks: Break | Sequence[Break] = (),
    adjust: Adjustment = "holm",
    level: float | None = None,
    seed: int = 1,
) -> Comparison:
    """Compare waves of a survey: levels and changes, with covariances, tests and verdicts.

    Parameters
    ----------
    waves : mapping from period to Survey, Estimates, Published or figure as printed
        In the order to be shown. A period is a year, a quarter ("2023-Q1"), a date, or any label.
    statistic : Statistic, several of them, or callable, optional
        What to estimate in each Survey: for example ``sy.mean("hours")``, a mapping of names to
        statistics, or ``lambda s: s.proportion("relevance", positive=[...], by="modality")``. Not
        needed where no wave is a Survey.
    base : period or "previous", optional
        What the others are compared with: the first if not given, or each with the one before.
    by, where
        As for :meth:`Survey.mean`; not with a callable, which says so itself.
    overlap : {"auto", "none"} or str
        "auto": clusters of the same name are the same unit; at a further stage, those of the same
        name within a cluster of the same name. "none": the samples were drawn apart,
        whatever their names. Or a column that names the same units in every wave (see
        :meth:`Survey.identified_by`).
    breaks : Break or sequence of Break
        Where figures stop being comparable. A change across a break is refused, unless the break
        has a link, whose error is then part of the change's.
    adjust : {"holm", "hochberg", "benjamini-hochberg", "bonferroni", "max-t", "none"}
        How p-values allow for the number of changes. "max-t" also makes the intervals simultaneous,
        from the joint covariance.
    level : float, optional
        Confidence level; if not given, that of the estimates, 0.95 where they are made here.
    seed : int
        Of the draws of "max-t", and of tests for change points.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        Fewer than two waves, a base that is not one of them, or waves of different rules for
        degrees of freedom.
    TypeError
        A wave is a Survey and no statistic was given; or `overlap` names a column and a wave is no
        Survey.
    EmptyDomain
        Two waves have no estimate in common.
    BreakInSeries
        Every change is across a break without a link.
    FigureError
        A published figure cannot be read.

    Notes
    -----
    Deviations of units with the same name are aligned, and what they share is the covariance of the
    two waves, at whatever stage they are shared and whatever stratum they are in (Kish 1965,
    section 12.4; Berger and Priam 2016, Journal of the Royal Statistical Society A 179(1)). It is
    the Gram matrix of stacked deviations, never indefinite. Each wave keeps its own level and
    standard error. Where the design has a finite population correction, what samples drawn apart
    would share by chance is taken out of the covariance of each change (Tam 1984, The American
    Statistician 38(4); Qualité and Tillé 2008, Survey Methodology 34(2)); in series of several
    periods, and in arithmetic of estimates, it is not. In strata of few units of which some are
    replaced, the covariance is understated: with n units of which m are shared, by the factor
    (n² - 2n + m) / (n² - n), so that errors of change are too large rather than too small. Degrees
    of freedom of a change are units minus strata over both waves, shared units counted once.

    Examples
    --------
    >>> import steelyard as sy
    >>> waves = {
    ...     year: sy.Survey(
    ...         sy.datasets.simulate_evaluation(year),
    ...         weights="weight",
    ...         strata="stratum",
    ...         clusters="activity",
    ...         fpc="activities_in_stratum",
    ...     )
    ...     for year in (2022, 2023)
    ... }
    >>> change = sy.compare(waves, sy.mean("satisfaction"))
    >>> change.overlap
    {2023: 12}
    >>> change.verdicts
    ['no clear change: +0.032, 95 % CI -0.117 to +0.181']
    """
    check_adjustment(adjust)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed={seed!r} is no seed: a whole number from 0")
    if level is not None and not 0 < level < 1:
        raise ValueError(f"level={level} is not a confidence level between 0 and 1")
    _check_waves(waves, statistic, by, where)
    waves = {plain_period(period): wave for period, wave in waves.items()}  # type: ignore[misc]
    asked = _Asked(statistic, by, where, level)
    given = _levels({period: _identified(wave, overlap) for period, wave in waves.items()}, asked)
    if overlap == "none":
        given = {period: _apart(levels) for period, levels in given.items()}
    _check_df([levels for levels in given.values() if isinstance(levels, Estimates)])
    declared = _declared(breaks)
    changes = [_change(before, period, given, declared) for before, period in _pairs(given, base)]
    if all(change.refused is not None for change in changes):
        first = changes[0]
        assert first.refused is not None
        raise BreakInSeries(
            f"{first.period} and {first.base} are not comparable: {first.refused.text}. Leave it "
            "out, choose another base=, or give the break a link, as in Break(period, reason, "
            "link=Link.shift(0.02, se=0.01))"
        )
    shown = printed_of(given[changes[0].period]).presentation.level
    return Comparison(given, changes, declared, Conventions(shown, adjust, seed))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is estimated in each wave."""

    statistic: Asked | None
    by: str | Sequence[str] | None
    where: Where | None
    level: float | None

    def of(self, wave: Survey) -> Estimates:
        if self.statistic is None:
            raise TypeError("say what to compare: a wave is a Survey, and no statistic was given")
        if callable(self.statistic):
            return self.statistic(wave)
        if not isinstance(self.statistic, Statistic | Mapping | Sequence) or isinstance(
            self.statistic, str
        ):
            raise TypeError(
                f"statistic={self.statistic!r} is neither a statistic, such as sy.mean('hours'), "
                "nor a function of a Survey"
            )
        return wave.estimate(self.statistic, by=self.by, where=self.where)


def _check_waves(waves: object, statistic: object, by: object, where: object) -> None:
    if not isinstance(waves, Mapping):
        raise TypeError("waves= maps each period to a Survey: compare({2022: svy22, 2023: svy23})")
    for period, wave in waves.items():
        if isinstance(wave, float):
            raise TypeError(
                f"{period!r} is a number: if it was published so, say Published({wave})"
            )
        if not isinstance(wave, Survey | Estimates | Published | Figure | str):
            raise TypeError(f"{period!r} is a {type(wave).__name__}: make a Survey of it first")
    if len(waves) < 2:
        raise ValueError("compare needs at least two waves")
    asks = statistic is not None or by is not None or where is not None
    if asks and not any(isinstance(wave, Survey) for wave in waves.values()):
        raise TypeError(
            "no wave is a Survey, so that there is nothing to estimate: leave the statistic, by= "
            "and where= out"
        )
    if callable(statistic) and (by is not None or where is not None):
        raise TypeError(
            "by= and where= go with a statistic such as sy.mean('hours'): a function says them "
            "itself, as in lambda s: s.mean('hours', by='gender')"
        )


def _declared(breaks: object) -> tuple[Break, ...]:
    found = (breaks,) if isinstance(breaks, Break) else breaks
    if not isinstance(found, Iterable) or not all(isinstance(each, Break) for each in found):
        raise TypeError("breaks= are Breaks, as in breaks=[Break(2021, 'the method changed')]")
    return tuple(found)


def _identified(wave: Wave, overlap: str) -> Wave:
    if overlap in ("auto", "none"):
        return wave
    if isinstance(wave, Estimates):
        raise TypeError(
            f"overlap={overlap!r} names a column, and a wave is Estimates: make them of "
            f"survey.identified_by({overlap!r}), and leave overlap= out"
        )
    return wave.identified_by(overlap) if isinstance(wave, Survey) else wave


def _levels(waves: Mapping[P, Wave], asked: _Asked) -> dict[Period, Estimates | PublishedLevels]:
    own = {
        period: _shown_at(_of(period, wave, asked), asked.level)
        for period, wave in waves.items()
        if isinstance(wave, Survey | Estimates)
    }
    like = next(iter(own.values()), None)
    result: dict[Period, Estimates | PublishedLevels] = {}
    for period, wave in waves.items():
        if period in own:
            result[period] = own[period]
        else:
            printed = wave if isinstance(wave, Published) else Published(wave)  # type: ignore[arg-type]
            result[period] = printed.levels(like)
    return result


def _of(period: Period, wave: Survey | Estimates, asked: _Asked) -> Estimates:
    if isinstance(wave, Estimates):
        return wave
    try:
        return asked.of(wave)
    except SteelyardError as error:
        raise type(error)(
            f"in {period}: {error}", column=error.column, count=error.count, rows=error.rows
        ) from None


def _shown_at(estimates: Estimates, level: float | None) -> Estimates:
    if level is None:
        return estimates
    shown = replace(estimates.presentation, level=level)
    return Estimates(estimates.core, estimates.labels, estimates.evidence, shown)


def _apart(levels: Estimates | PublishedLevels) -> Estimates | PublishedLevels:
    if isinstance(levels, PublishedLevels):
        return levels
    core = levels.core.apart(int.from_bytes(uuid4().bytes[:8]))
    return Estimates(core, levels.labels, levels.evidence, levels.presentation)


def _check_df(levels: Sequence[Estimates]) -> None:
    rules = dict.fromkeys(str(level.presentation.df) for level in levels)
    if len(rules) > 1:
        raise ValueError(
            f"the waves follow different rules for degrees of freedom ({', '.join(rules)}): make "
            "their Surveys with one df="
        )


def _pairs(periods: Iterable[Period], base: Period | None) -> list[tuple[Period, Period]]:
    known = list(periods)
    if base == PREVIOUS and PREVIOUS not in known:
        return list(pairwise(in_order(known)))
    first = known[0] if base is None else base
    if first not in known:
        raise ValueError(f"base {first!r} is not a wave.{nearest_text(first, known)}")
    return [(first, period) for period in known if period != first]


def _end(levels: Estimates | PublishedLevels, highest: bool) -> Estimates:
    if isinstance(levels, Estimates):
        return levels
    return levels.highest if highest else levels.lowest


def _change(
    base: Period,
    period: Period,
    levels: Mapping[Period, Estimates | PublishedLevels],
    breaks: Sequence[Break],
) -> Change:
    before, after = levels[base], levels[period]
    rows = _common_rows(printed_of(before), printed_of(after), period)
    periods = list(levels)
    across = breaks_between(base, period, breaks, periods)
    refused = next((each for each in across if each.link is None), None)

    def pair(old: Estimates, new: Estimates) -> Pair:
        old, new = old.rows([i for i, _ in rows]), new.rows([j for _, j in rows])
        if refused is not None or not across:
            return Pair(old, new)
        if position_of(base, periods) < position_of(period, periods):
            return Pair(linked(old, across), new)
        return Pair(old, linked(new, across))

    printed = isinstance(before, PublishedLevels) or isinstance(after, PublishedLevels)
    own = pair(printed_of(before), printed_of(after))
    shared, further = _core.shared_units(own.before.core, own.after.core)
    return Change(
        period,
        base,
        own,
        shared_units=shared,
        shared_further=further,
        shared_share=shared / max(1, printed_of(after).core.counted_units),
        by_unit=own.before.core.by_unit and own.after.core.by_unit,
        of_replicates=own.before.presentation.replicated or own.after.presentation.replicated,
        refused=refused,
        rounded=(
            pair(_end(before, True), _end(after, False)),
            pair(_end(before, False), _end(after, True)),
        )
        if printed
        else None,
    )


def _common_rows(before: Estimates, after: Estimates, period: Period) -> list[tuple[int, int]]:
    position = {key: i for i, key in enumerate(after.labels.keys())}
    pairs = [(i, position[key]) for i, key in enumerate(before.labels.keys()) if key in position]
    if not pairs:
        raise EmptyDomain(f"the estimates of {period!r} have no label in common with the base")
    return pairs
