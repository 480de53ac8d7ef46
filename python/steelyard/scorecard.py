"""The KPI scorecard: indicators as a file describes them, computed on surveys."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import wrap

from steelyard.card import Card, Indicator, read_card
from steelyard.change import Change
from steelyard.cumulative import cumulative
from steelyard.datafile import read_frame
from steelyard.errors import CardError, DataFileError, SteelyardError
from steelyard.estimates import Estimates
from steelyard.evaluation import Evaluation, IndicatorResult, YearResult
from steelyard.levels import Level
from steelyard.render import WIDTH
from steelyard.statistic import proportion
from steelyard.survey import Survey
from steelyard.waves import compare


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
            (column), `positive` answers, and optionally all `answers` in order (any other value is
            then an error, so that a misspelt answer is found), `base` (column to answers), `target`
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

    def evaluate(
        self, waves: Mapping[int, Survey] | None = None, *, level: float = 0.95
    ) -> "Evaluation":
        """Compute every indicator in every year.

        Parameters
        ----------
        waves : mapping from year to Survey, optional
            If not given, the data that the file names; see :meth:`load`.
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
        if waves is None:
            waves = self.load()
        if not waves:
            raise ValueError("there is no year to evaluate: pass at least one Survey")
        for year in waves:
            if isinstance(year, bool) or not isinstance(year, int):
                raise TypeError(f"waves are named by year, as whole numbers; {year!r} is not one")
        surveys = dict(sorted(waves.items()))
        results = [self._evaluate(indicator, surveys, level) for indicator in self.indicators]
        return Evaluation(self._card, tuple(results), level, designs_of(surveys))

    def _evaluate(
        self, indicator: Indicator, waves: Mapping[int, Survey], level: float
    ) -> IndicatorResult:
        answers = indicator.answers or self._occurring(indicator, waves)
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
            share = proportion(indicator.question, positive=indicator.positive, levels=answers)
            years = [waves[year] for year in target.years]
            return cumulative(years, share, where=indicator.base, level=level)

    def _occurring(self, indicator: Indicator, waves: Mapping[int, Survey]) -> tuple[Level, ...]:
        """Answers of all years together: one that is absent from a year counts 0 there.

        None where a positive answer occurs in no year, so that each year says what it lacks.
        """
        known = dict.fromkeys(
            level for survey in waves.values() for level in _levels(survey, indicator)
        )
        return tuple(known) if set(indicator.positive) <= set(known) else ()

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
            return None, broken.text
        compared = compare({before.year: before.estimate, last.year: last.estimate})
        return compared.changes[0], None

    def _survey(self, file: Path) -> Survey:
        try:
            return Survey(read_frame(file), **self._card.design)  # type: ignore[arg-type]
        except DataFileError as error:
            raise CardError(f"{self._card.path}: [data]: {error}") from None
        except SteelyardError as error:
            raise CardError(f"{self._card.path}: [design] on {file}: {error}") from None


def designs_of(surveys: Mapping[int, Survey]) -> tuple[str, ...]:
    """What each year's figures rest on, in words."""
    lines = [f"{year}: {survey.design_text}." for year, survey in surveys.items()]
    unweighted = [str(year) for year, survey in surveys.items() if not survey.is_weighted]
    if unweighted:
        lines.append(f"No weights in {', '.join(unweighted)}: every answer counts the same.")
    return tuple(lines)


def _levels(survey: Survey, indicator: Indicator) -> tuple[Level, ...]:
    try:
        return survey.levels(indicator.question)
    except SteelyardError:
        return ()  # said with the year, when its share is estimated
