"""What a change is made of: the rates of groups, or the mix of groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import narwhals as nw
import numpy as np
import numpy.typing as npt

from steelyard import _core
from steelyard.columns import as_names, level_codes
from steelyard.condition import Where, mask_of
from steelyard.errors import EmptyDomain
from steelyard.estimates import Estimates
from steelyard.evidence import Evidence, Floats
from steelyard.labels import SHARES, Labels
from steelyard.levels import Level
from steelyard.period import Period
from steelyard.propagation import join
from steelyard.render import html_table, number_text, text_table
from steelyard.sample import Sample
from steelyard.statistic import Statistic, count
from steelyard.survey import Survey
from steelyard.table import Cell, Table, cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Reference: TypeAlias = Literal["average", "before", "after"]
_PARTS = ("total", "rates", "composition", "interaction")


class Decomposition(Table):
    """A change parted into what rates of groups changed and what their mix did.

    Made by :func:`decompose` and :func:`oaxaca`.
    """

    def __init__(
        self,
        ends: tuple[Period | Level, Period | Level],
        levels: tuple[float, float],
        everything: Estimates,
        method: str,
        *,
        is_of_shares: bool,
    ) -> None:
        self._ends = ends
        self._levels = levels
        self._everything = everything
        self._method = method
        self._is_of_shares = is_of_shares

    @property
    def before(self) -> Period | Level:
        """The period, or group, that the change is from."""
        return self._ends[0]

    @property
    def after(self) -> Period | Level:
        """The period, or group, that it is to."""
        return self._ends[1]

    @property
    def levels(self) -> tuple[float, float]:
        """The figure before and after."""
        return self._levels

    @property
    def is_of_shares(self) -> bool:
        """Are the figures shares?"""
        return self._is_of_shares

    @property
    def total(self) -> Estimates:
        """The whole change."""
        return self._everything.rows([0])

    @property
    def parts(self) -> Estimates:
        """What the rates changed, what the mix did, and, where there is one, the interaction."""
        return self._everything.rows(range(1, self._sums()))

    @property
    def details(self) -> Estimates:
        """The part of each group, by rates and by composition."""
        return self._everything.rows(range(self._sums(), len(self._everything)))

    def _sums(self) -> int:
        """Rows of all groups together, which come first."""
        return 4 if "interaction" in self._everything.labels.by["part"] else 3

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return the table as a column of plain values a name.

        Columns: part ("total", "rates", "composition", "interaction"), those of the groups (empty
        for all together), estimate, se, ci_low, ci_high, p_value, share (of the whole change).
        """
        found = self._everything
        bounds = found.ci()
        whole = found.estimate[0]
        shares = found.estimate / whole if whole != 0 else np.full(len(found), np.nan)
        return {
            **found.labels.by,
            "estimate": cells(found.estimate),
            "se": cells(found.se),
            "ci_low": cells(bounds[:, 0]),
            "ci_high": cells(bounds[:, 1]),
            "p_value": cells(found.p_value()),
            "share": cells(shares),
        }

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the change as a waterfall; needs matplotlib (``pip install "steelyard[plot]"``)."""
        from steelyard.change_plots import plot_waterfall

        return plot_waterfall(self, ax)

    def __repr__(self) -> str:
        return "\n".join([self._title(), text_table(self.to_dict(), self._footer())])

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), [self._title(), *self._footer()])

    def _title(self) -> str:
        before, after = (number_text(level) for level in self._levels)
        return f"{self.before}: {before}, {self.after}: {after}"

    def _footer(self) -> list[str]:
        shown = self._everything.presentation
        return [
            self._method,
            "rates: what rates (or coefficients) would have changed with the mix of the reference; "
            "composition: what the mix would have, with its rates; share: of the whole change",
            f"interval: {100 * shown.level:g}%, t",
            *(f"{name}: {text}" for name, text in shown.conventions.items()),
        ]


def decompose(
    waves: Mapping[Period, Survey] | Survey,
    statistic: Statistic,
    by: str | Sequence[str],
    *,
    between: tuple[str, Level, Level] | None = None,
    reference: Reference = "average",
    where: Where | None = None,
    level: float = 0.95,
) -> Decomposition:
    """Part a change, or a difference of two groups, into rates and composition.

    Parameters
    ----------
    waves : mapping of two periods to Surveys, or one Survey
        Before and after.
    statistic : Statistic
        A mean, or a proportion of a set of answers: what the groups' rates are of.
    by : str or sequence of str
        Columns whose combinations are the groups; a row without a label is in none and left out.
    between : (column, label, label), optional
        With one Survey: the column, and which of its values come before and after.
    reference : {"average", "before", "after"}
        Whose composition the rates are taken with, and whose rates the composition: the mean of
        both (Kitagawa), which leaves no interaction, or one side.
    where : condition, optional
        As for :meth:`Survey.mean`.
    level : float
        Confidence level.

    Returns
    -------
    Decomposition
        `parts`, `total` and `details`, with all covariances: shares and rates are estimates on both
        sides, and covary with each other and over units that the sides share.

    Raises
    ------
    ValueError
        The statistic is none of these, or the sides are not two.
    EmptyDomain
        A group has answers on one side only: merge it with another.

    Notes
    -----
    Kitagawa (1955), Journal of the American Statistical Association 50(272); Das Gupta (1978),
    Demography 15(1). Errors by the delta method.

    Examples
    --------
    >>> import steelyard as sy
    >>> waves = {
    ...     year: sy.Survey(
    ...         sy.datasets.simulate_evaluation(year),
    ...         weights="weight",
    ...         strata="stratum",
    ...         clusters="activity",
    ...     )
    ...     for year in (2022, 2023)
    ... }
    >>> found = sy.decompose(waves, sy.mean("satisfaction"), by="modality")
    >>> bool(abs(found.parts.estimate.sum() - found.total.value) < 1e-12)
    True
    """
    check_statistic(statistic)
    check_reference(reference)
    groups = as_names(by)
    if not groups:
        raise ValueError("by= names no column: groups are what a change is parted by")
    ends, samples = groups_of_one(waves, between, where)
    sides = [side_of(sample, statistic, groups, mask, level) for sample, mask in samples]
    before, after = _matched((sides[0], sides[1]), ends)
    parts = join(
        join(before.rates.core, before.sizes.core), join(after.rates.core, after.sizes.core)
    )
    core = _core.kitagawa(parts, reference)
    everything = _labelled(core, before, after, groups)
    if reference == "average":  # which leaves no interaction
        everything = everything.rows([i for i in range(len(everything)) if i != 3])
    figures = tuple(_overall(side) for side in (before, after))
    is_share = before.rates.labels.kind[0] in SHARES
    what = "share" if is_share else "mean"
    method = f"Kitagawa's decomposition of a {what}, reference {reference}"
    return Decomposition(ends, (figures[0], figures[1]), everything, method, is_of_shares=is_share)


def standardised_levels(
    waves: Mapping[Period, Survey],
    statistic: Statistic,
    adjust: str | Sequence[str],
    *,
    to: Period,
    where: Where | None = None,
    level: float = 0.95,
) -> dict[Period, Estimates]:
    """Levels of each wave as they would be with the composition of one of them.

    Parameters
    ----------
    waves : mapping from period to Survey
    statistic : Statistic
        A mean, or a proportion of a set of answers.
    adjust : str or sequence of str
        Columns whose combinations are held to their shares in the reference wave.
    to : period
        The reference wave. Its shares are estimates, and their error is part of the result.
    where, level
        As for :meth:`Survey.mean`.

    Returns
    -------
    dict from period to Estimates
        To be compared by :func:`compare`.

    Raises
    ------
    EmptyDomain
        A group has answers in one of the waves only.

    Notes
    -----
    Direct standardisation (Fleiss, Levin and Paik 2003, section 19.3), with the composition
    estimated.

    Examples
    --------
    >>> import steelyard as sy
    >>> waves = {
    ...     year: sy.Survey(
    ...         sy.datasets.simulate_evaluation(year),
    ...         weights="weight",
    ...         strata="stratum",
    ...         clusters="activity",
    ...     )
    ...     for year in (2022, 2023)
    ... }
    >>> same_mix = sy.standardised_levels(
    ...     waves, sy.mean("satisfaction"), adjust="modality", to=2022
    ... )
    >>> list(sy.compare(same_mix).differences)
    [2023]
    """
    check_statistic(statistic)
    if to not in waves:
        raise ValueError(f"to={to!r} is none of the waves")
    groups = as_names(adjust)
    sides = {
        period: side_of(survey.sample, statistic, groups, where, level)
        for period, survey in waves.items()
    }
    result = {}
    for period, side in sides.items():
        own, base = _matched((side, sides[to]), (period, to))
        core = _core.standardised(own.rates.core, base.sizes.core)
        used = np.ones((1, len(own.rates)))
        labels, counts = own.rates.labels, own.rates.evidence
        evidence = replace(
            counts.of_functions(used),
            n=counts.n.sum(keepdims=True),
            missing=counts.missing.sum(keepdims=True),
        )
        result[period] = Estimates(
            core,
            Labels({}, [labels.variable[0]], [labels.level[0]], [labels.kind[0]]),
            evidence,
            own.rates.presentation,
        ).with_convention("composition", f"of {to}, by {', '.join(groups)}")
    return result


@dataclass(frozen=True, slots=True)
class Side:
    """Rates of groups and weighted numbers of those whom the rates are of."""

    groups: list[tuple[Level, ...]]
    rates: Estimates
    sizes: Estimates
    missing: int  # rows without an answer, in all groups

    def rows(self, groups: Sequence[tuple[Level, ...]]) -> "Side":
        """The same of these groups, in their order."""
        at = [self.groups.index(group) for group in groups]
        return Side(list(groups), self.rates.rows(at), self.sizes.rows(at), self.missing)


def check_statistic(statistic: Statistic) -> None:
    """Refuse what has no one rate in each group."""
    one = statistic.kind == "mean" or (
        statistic.kind == "proportion" and statistic.positive is not None
    )
    if not one:
        raise ValueError(
            f"a {statistic.kind} has no rate in each group: give a mean, or a proportion with "
            "positive="
        )


def check_reference(reference: Reference) -> None:
    """Refuse what is no reference of a decomposition."""
    if reference not in get_args(Reference):
        raise ValueError(
            f"reference={reference!r} is none of {', '.join(map(repr, get_args(Reference)))}"
        )


def groups_of_one(
    waves: Mapping[Period, Survey] | Survey,
    between: tuple[str, Level, Level] | None,
    where: Where | None,
) -> tuple[tuple[Period | Level, Period | Level], list[tuple[Sample, Where | None]]]:
    """The two sides of a decomposition: two waves, or two groups of one survey."""
    if isinstance(waves, Survey):
        if between is None:
            raise ValueError("one Survey has two sides with between=(column, before, after)")
        column, first, second = between
        sample = waves.sample
        factor = sample.columns.factor(column)
        codes, keep = factor.codes.to_numpy(), _kept(sample, where)
        return (first, second), [
            (sample, keep & np.isin(codes, level_codes(column, factor, label)))
            for label in (first, second)
        ]
    if not isinstance(waves, Mapping) or len(waves) != 2:
        raise ValueError("two waves are decomposed: decompose({2022: svy22, 2023: svy23}, ...)")
    if between is not None:
        raise ValueError("between= is for groups of one Survey; here the waves are the two sides")
    first_period, second_period = waves
    return (first_period, second_period), [(wave.sample, where) for wave in waves.values()]


def side_of(
    sample: Sample,
    statistic: Statistic,
    groups: tuple[str, ...],
    where: Where | None,
    level: float,
) -> Side:
    """Rates of groups, and the weighted numbers of those who answered."""
    kept = _kept(sample, where)
    inside = kept & _answered(sample, statistic.columns[0])
    both = sample.estimate([statistic, count()], groups, inside, level)
    size = len(both) // 2
    rates = both.rows(range(0, len(both), 2))
    sizes = both.rows(range(1, len(both), 2))
    labels = [tuple(column[i] for column in rates.labels.by.values()) for i in range(size)]
    return Side(labels, rates, sizes, int(kept.sum() - inside.sum()))


def _kept(sample: Sample, where: Where | None) -> npt.NDArray[np.bool_]:
    if where is None:
        return np.ones(len(sample.columns), dtype=np.bool_)
    return mask_of(sample.columns, where)


def _answered(sample: Sample, column: str) -> npt.NDArray[np.bool_]:
    series = sample.columns.series(column)
    missing = series.is_null().to_numpy()
    if series.dtype in (nw.Float32, nw.Float64):
        missing = missing | np.isnan(series.to_numpy())
    return ~missing.astype(np.bool_)


def _matched(
    sides: tuple[Side, Side], ends: tuple[Period | Level, Period | Level]
) -> tuple[Side, Side]:
    first, second = sides
    for own, other, end in ((first, second, ends[1]), (second, first, ends[0])):
        lacking = [group for group in own.groups if group not in other.groups]
        if lacking:
            name = " / ".join(str(label) for label in lacking[0])
            raise EmptyDomain(
                f"group {name!r} has no answers in {end}, so that it has no rate there: merge it "
                "with another, or leave it out by where="
            )
    return first, second.rows(first.groups)


def _overall(side: Side) -> float:
    return float(_core.standardised(side.rates.core, side.sizes.core).values[0])


def _labelled(
    core: _core.Estimates, before: Side, after: Side, groups: tuple[str, ...]
) -> Estimates:
    size = len(before.groups)
    parts: list[Level] = [*_PARTS, *["rates"] * size, *["composition"] * size]
    by: dict[str, list[Level]] = {"part": parts}
    for j, name in enumerate(groups):
        own = [group[j] for group in before.groups]
        by[name] = [None] * len(_PARTS) + own + own
    variable = before.rates.labels.variable[0]
    labels = Labels(by, [variable] * len(parts), [None] * len(parts), ["contrast"] * len(parts))
    evidence = _evidence(before.rates.evidence.with_other(after.rates.evidence), size)
    return Estimates(core, labels, evidence, before.rates.presentation)


def _evidence(groups: Evidence, size: int) -> Evidence:
    """Of all groups together for the sums, of each for its parts."""
    rows: Floats = np.zeros((len(_PARTS) + 2 * size, size))
    rows[: len(_PARTS)] = 1
    rows[len(_PARTS) : len(_PARTS) + size] = np.eye(size)
    rows[len(_PARTS) + size :] = np.eye(size)
    return groups.of_functions(rows)
