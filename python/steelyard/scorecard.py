"""The KPI scorecard: indicators computed, compared, and judged against their targets."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from steelyard.card import Card, Indicator, Target, read_card
from steelyard.comparison import Change, compare
from steelyard.cumulative import cumulative_proportion
from steelyard.datafile import read_frame
from steelyard.errors import CardError, DataFileError, SteelyardError, nearest_text
from steelyard.estimates import Estimates
from steelyard.levels import Level
from steelyard.published import Figure
from steelyard.render import WIDTH, text_table
from steelyard.survey import Survey
from steelyard.table import Cell, Table, cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Verdict: TypeAlias = Literal["met", "not met", "undetermined"]


@dataclass(frozen=True, slots=True)
class YearResult:
    """An indicator in one year."""

    year: int
    estimate: Estimates
    published: Figure | None

    @property
    def agrees(self) -> bool | None:
        """Does the estimate print as the published figure?"""
        return None if self.published is None else self.published.agrees_with(self.estimate.value)


@dataclass(frozen=True, slots=True)
class IndicatorResult:
    """An indicator in all its years, with its change and its verdict.

    Attributes
    ----------
    indicator : Indicator
    years : tuple of YearResult
    cumulative : Estimates or None
        The target's years taken together, where all of them were evaluated and there are several.
    change : Change or None
        The last year against the one before, unless a break lies between them.
    not_comparable : str or None
        Why there is no change.
    """

    indicator: Indicator
    years: tuple[YearResult, ...]
    cumulative: Estimates | None
    change: Change | None
    not_comparable: str | None

    @property
    def judged(self) -> Estimates | None:
        """The estimate that the target is judged by: of exactly the years that it is for."""
        target = self.indicator.target
        if target is None:
            return None
        if len(target.years) > 1:
            return self.cumulative
        found = [y.estimate for y in self.years if y.year == target.years[0]]
        return found[0] if found else None

    @property
    def verdict(self) -> Verdict | None:
        """Whether the target is met, as far as the interval says.

        None without a target, or where not all of its years were evaluated.
        """
        target, judged = self.indicator.target, self.judged
        return None if target is None or judged is None else judge(judged, target)

    @property
    def not_judged(self) -> str | None:
        """Why a target has no verdict."""
        target = self.indicator.target
        if target is None or self.judged is not None:
            return None
        broken = self.indicator.break_between(target.years[0], target.years[-1])
        if broken is not None:
            return f"not judged: a break in {broken.year}: {broken.reason}"
        return f"the target is for {target.period}, which was not evaluated"


def judge(estimate: Estimates, target: Target) -> Verdict:
    """Say "met" or "not met" only where the whole confidence interval is on that side."""
    low, high = estimate.ci()[0]
    if np.isnan(low) or (low == high and not estimate.evidence.census[0]):
        return "undetermined"
    goal = target.value.value
    if target.direction == "at most":
        low, high, goal = -high, -low, -goal
    if low >= goal:
        return "met"
    return "not met" if high < goal else "undetermined"


class Scorecard:
    """Indicators as a file describes them, to be evaluated on surveys.

    Examples
    --------
    >>> import steelyard as sy
    >>> card = sy.Scorecard.from_toml(sy.datasets.founding_card())
    >>> [indicator.code for indicator in card.indicators]
    ['2.A', '2.B', '2.C', '2.D']
    """

    def __init__(self, card: Card) -> None:
        self._card = card

    @classmethod
    def from_toml(cls, path: str | Path) -> "Scorecard":
        """Read a scorecard file.

        Parameters
        ----------
        path : str or Path
            TOML with a `title`, and for each ``[[indicator]]`` a `code`, `label`, `question`
            (column), `positive` answers, and optionally `base` (column to answers), `target`
            (`value` as printed, `years`, `direction`, `history`), `published` figures by year as
            printed, and `break` (`year`, `reason`). ``[design]`` and ``[data]`` say how to read the
            data, for :meth:`load`.

        Raises
        ------
        CardError
            With file, line and key.
        """
        return cls(read_card(path))

    @property
    def card(self) -> Card:
        """What the file says."""
        return self._card

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        """The indicators, in the order of the file."""
        return self._card.indicators

    def __repr__(self) -> str:
        lines = [f"Scorecard: {self._card.title}"]
        for indicator in self.indicators:
            target = f"  (target {indicator.target.value})" if indicator.target else ""
            lines += wrap(
                f"{indicator.code}  {indicator.label}{target}", WIDTH, subsequent_indent="  "
            )
        return "\n".join(lines)

    def retitled(self, title: str, note: str) -> "Scorecard":
        """Return the same scorecard under another title, with a note under the table."""
        return Scorecard(replace(self._card, title=title, note=note))

    def load(self) -> dict[int, Survey]:
        """Make the surveys that the file's ``[data]`` and ``[design]`` describe.

        Raises
        ------
        CardError
            A data file cannot be read, or the design does not fit it.
        """
        if not self._card.data:
            raise CardError(f"{self._card.path}: there is no [data] with a file for each year")
        return {year: self._survey(file) for year, file in self._card.data.items()}

    def evaluate(self, waves: Mapping[int, Survey], *, level: float = 0.95) -> "Evaluation":
        """Compute every indicator in every year.

        Parameters
        ----------
        waves : mapping from year to Survey
        level : float
            Confidence level of the intervals, which the verdicts go by.

        Returns
        -------
        Evaluation

        Raises
        ------
        CardError
            A question, base or positive answer does not occur in a year's data; names indicator and
            year.
        """
        if not waves:
            raise ValueError("there is no year to evaluate: pass at least one Survey")
        for year in waves:
            if isinstance(year, bool) or not isinstance(year, int):
                raise TypeError(f"waves are named by year, as whole numbers; {year!r} is not one")
        surveys = dict(sorted(waves.items()))
        results = [self._evaluate(indicator, surveys, level) for indicator in self.indicators]
        return Evaluation(self._card, tuple(results), level)

    def _evaluate(
        self, indicator: Indicator, waves: Mapping[int, Survey], level: float
    ) -> IndicatorResult:
        answers = [*indicator.answers, *indicator.positive]
        if not indicator.answers and not self._occur(indicator, waves):
            answers = []
        years = tuple(
            YearResult(
                year,
                self._share(indicator, year, survey, level, answers),
                indicator.published.get(year),
            )
            for year, survey in waves.items()
        )
        cumulative = self._cumulative(indicator, waves, level, answers)
        change, reason = self._change(indicator, years)
        return IndicatorResult(indicator, years, cumulative, change, reason)

    def _cumulative(
        self,
        indicator: Indicator,
        waves: Mapping[int, Survey],
        level: float,
        answers: Sequence[Level],
    ) -> Estimates | None:
        """The target's years together, where there are several, all evaluated and comparable."""
        target = indicator.target
        if target is None or len(target.years) < 2 or not set(target.years) <= set(waves):
            return None
        if indicator.break_between(target.years[0], target.years[-1]) is not None:
            return None
        with self._said_of(indicator, target.period):
            return cumulative_proportion(
                [waves[year] for year in target.years],
                indicator.question,
                indicator.positive,
                levels=answers,
                where=indicator.base,
                level=level,
            )

    def _occur(self, indicator: Indicator, waves: Mapping[int, Survey]) -> bool:
        """Does each positive answer occur in some year? Then its absence in another counts 0."""
        known = {level for survey in waves.values() for level in _levels(survey, indicator)}
        return set(indicator.positive) <= known

    def _share(
        self,
        indicator: Indicator,
        year: int,
        survey: Survey,
        level: float,
        answers: Sequence[Level],
    ) -> Estimates:
        with self._said_of(indicator, str(year)):
            return survey.proportion(
                indicator.question,
                positive=indicator.positive,
                levels=answers,
                where=indicator.base,
                level=level,
            )

    @contextmanager
    def _said_of(self, indicator: Indicator, period: str) -> Iterator[None]:
        """Name card, indicator and period in whatever goes wrong."""
        try:
            yield
        except SteelyardError as error:
            raise CardError(
                f"{self._card.path}: indicator {indicator.code!r} in {period}: {error}",
                column=error.column,
            ) from None

    def _change(
        self, indicator: Indicator, years: Sequence[YearResult]
    ) -> tuple[Change | None, str | None]:
        if len(years) < 2:
            return None, "one year only"
        before, last = years[-2:]
        broken = indicator.break_between(before.year, last.year)
        if broken is not None:
            return None, f"break in {broken.year}: {broken.reason}"
        compared = compare({before.year: before.estimate, last.year: last.estimate})
        return compared.changes[0], None

    def _survey(self, file: Path) -> Survey:
        try:
            return Survey(read_frame(file), **self._card.design)  # type: ignore[arg-type]
        except DataFileError as error:
            raise CardError(f"{self._card.path}: [data]: {error}") from None
        except SteelyardError as error:
            raise CardError(f"{self._card.path}: [design] on {file}: {error}") from None


def _levels(survey: Survey, indicator: Indicator) -> tuple[Level, ...]:
    try:
        return survey.levels(indicator.question)
    except SteelyardError:
        return ()  # said with the year, when its share is estimated


class Evaluation(Table):
    """A scorecard with its figures: one row for an indicator and a year.

    In Jupyter it shows as a page; :meth:`plot` draws it, :meth:`to_html` writes it.
    """

    def __init__(self, card: Card, results: tuple[IndicatorResult, ...], level: float) -> None:
        self._card = card
        self._results = results
        self._level = level

    @property
    def card(self) -> Card:
        """What the scorecard file says."""
        return self._card

    @property
    def results(self) -> tuple[IndicatorResult, ...]:
        """The indicators in the order of the file."""
        return self._results

    @property
    def level(self) -> float:
        """Confidence level of the intervals."""
        return self._level

    def __getitem__(self, code: str) -> IndicatorResult:
        for result in self._results:
            if result.indicator.code == code:
                return result
        known = [result.indicator.code for result in self._results]
        raise KeyError(f"there is no indicator {code!r}.{nearest_text(code, known)}")

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return the table as a column of plain values a name, shares between 0 and 1.

        Columns: code, label, year ("2022-2023" for the years of a target together), estimate, se,
        ci_low, ci_high, n, missing, published (as printed), agrees, change (from the year before),
        change_low, change_high, p_value, target, verdict, note.
        """
        rows = self._rows()
        return {name: [row[name] for row in rows] for name in rows[0]}

    def _rows(self) -> list[dict[str, Cell]]:
        return [row for result in self._results for row in _rows(result)]

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw every indicator with its years, intervals, published figures and target.

        Needs matplotlib (``pip install "steelyard[plot]"``).
        """
        from steelyard.plots import plot_scorecard

        return plot_scorecard(self, ax)

    def to_html(self, path: str | Path | None = None) -> str:
        """Write the scorecard as one self-contained page, and return it.

        Needs Jinja2 and matplotlib (``pip install "steelyard[report]"``).
        """
        from steelyard.page import scorecard_page, write_page

        page = scorecard_page(self)
        if path is not None:
            write_page(page, path)
        return page

    def __repr__(self) -> str:
        rows = [_text_row(row) for row in self._rows()]
        table = {name: [row[name] for row in rows] for name in rows[0]}
        labels = [f"{r.indicator.code}: {r.indicator.label}" for r in self._results]
        return text_table(table, [*labels, *self.footer()], number_notes=False)

    def _repr_html_(self) -> str:
        from steelyard.page import scorecard_fragment

        return scorecard_fragment(self)

    def footer(self) -> list[str]:
        """Say in sentences how the figures were made."""
        lines = [
            f"Shares are weighted, with {100 * self._level:g}% logit intervals on the design's "
            "degrees of freedom; n is unweighted.",
            "A target is met, or not met, when the whole interval is on that side of it; otherwise "
            "the data leave it undetermined.",
            "Years together: positive answers of all the years over answers of all the years, each "
            "year with its weights.",
        ]
        return ([self._card.note] if self._card.note else []) + lines


def _text_row(row: Mapping[str, Cell]) -> dict[str, Cell]:
    """A row for people: percentages, intervals in one cell, the verdict as a note."""

    def percent(name: str, form: str = ".1f") -> str:
        value = row[name]
        return f"{100 * value:{form}}" if isinstance(value, float) else ""

    def between(low: str, high: str, form: str) -> str:
        known = isinstance(row[low], float) and isinstance(row[high], float)
        return f"{percent(low, form)} to {percent(high, form)}" if known else ""

    published = row["published"]
    change = percent("change", "+.1f")
    interval = between("change_low", "change_high", "+.1f")
    verdict = f"target {row['target']}: {row['verdict']}" if row["verdict"] else None
    notes = [str(note) for note in (verdict, row["note"]) if note]
    return {
        "code": row["code"],
        "year": row["year"],
        "share": percent("estimate"),
        "interval": between("ci_low", "ci_high", ".1f"),
        "n": row["n"],
        "published": None if published is None else str(Figure.parse(str(published))),
        "change": f"{change} ({interval})" if interval else change,
        "note": "; ".join(notes) or None,
    }


def _rows(result: IndicatorResult) -> list[dict[str, Cell]]:
    rows = [_row(result, str(y.year), y.estimate) | _published_cells(y) for y in result.years]
    rows[-1] |= _change_cells(result)
    rows[-1]["note"] = _joined(rows[-1]["note"], _change_note(result))
    target = result.indicator.target
    if target is not None:
        judged: dict[str, Cell] = {"target": target.value.text, "verdict": result.verdict}
        if result.cumulative is not None:
            rows.append(_row(result, target.period, result.cumulative) | judged)
        else:
            at = [i for i, y in enumerate(result.years) if y.estimate is result.judged] or [-1]
            rows[at[0]] |= judged
            rows[at[0]]["note"] = _joined(rows[at[0]]["note"], result.not_judged)
    return rows


def _joined(*notes: Cell) -> str | None:
    return "; ".join(str(note) for note in notes if note) or None


def _published_cells(year: YearResult) -> dict[str, Cell]:
    published = None if year.published is None else year.published.text
    return {"published": published, "agrees": year.agrees}


def _row(result: IndicatorResult, year: str, estimate: Estimates) -> dict[str, Cell]:
    table = estimate.to_dict()
    kept = ("estimate", "se", "ci_low", "ci_high", "n", "missing")
    return {
        "code": result.indicator.code,
        "label": result.indicator.label,
        "year": year,
        **{name: table[name][0] for name in kept},
        **dict.fromkeys(
            ("published", "agrees", "change", "change_low", "change_high", "p_value"), None
        ),
        "target": None,
        "verdict": None,
        "note": table["note"][0],
    }


def _change_cells(result: IndicatorResult) -> dict[str, Cell]:
    if result.change is None:
        return {}
    table = result.change.difference.to_dict()
    return {
        "change": table["estimate"][0],
        "change_low": table["ci_low"][0],
        "change_high": table["ci_high"][0],
        "p_value": cells(result.change.difference.p_value())[0],
    }


def _change_note(result: IndicatorResult) -> str | None:
    if result.change is not None:
        reason = result.change.difference.notes[0]
        return f"change: {reason}" if reason else None
    several = len(result.years) > 1
    return f"no change shown: {result.not_comparable}" if several else None
