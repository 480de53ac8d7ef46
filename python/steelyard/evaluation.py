"""An evaluated scorecard: figures, changes and verdicts, as a table, a picture and a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.card import Card, Indicator
from steelyard.change import Change
from steelyard.errors import nearest_text
from steelyard.estimates import Estimates
from steelyard.published import Figure
from steelyard.render import text_table
from steelyard.table import Cell, Table, cells
from steelyard.target import Judgement, Verdict, judge

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
        return None if self.judgement is None else self.judgement.verdict

    @property
    def judgement(self) -> Judgement | None:
        """The judgement behind the verdict: bound, confidence and distance."""
        target, judged = self.indicator.target, self.judged
        if target is None or judged is None:
            return None
        return judge(judged, target, level=judged.presentation.level)

    @property
    def unused(self) -> str | None:
        """Published figures of years that were not evaluated."""
        years = sorted(set(self.indicator.published) - {year.year for year in self.years})
        return f"published for {', '.join(map(str, years))}, not evaluated" if years else None

    @property
    def not_judged(self) -> str | None:
        """Why a target has no verdict."""
        target = self.indicator.target
        if target is None or self.judged is not None:
            return None
        broken = self.indicator.break_between(target.years[0], target.years[-1])
        if broken is not None:
            return f"not judged: a {broken.text}"
        return f"the target is for {target.period}, which was not evaluated"


class Evaluation(Table):
    """A scorecard with its figures: one row for an indicator and a year.

    In Jupyter it shows as a page; :meth:`plot` draws it, :meth:`to_html` writes it.
    """

    def __init__(
        self,
        card: Card,
        results: tuple[IndicatorResult, ...],
        level: float,
        designs: tuple[str, ...] = (),
    ) -> None:
        self._card = card
        self._results = results
        self._level = level
        self._designs = designs

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

    def _overlap(self) -> list[str]:
        """What the change of the first indicator that has one rests on."""
        for result in self._results:
            if result.change is not None:
                before, last = (year.year for year in result.years[-2:])
                shared = result.change.shared_units
                what = f"{shared:,} units of the same name" if shared else "no unit"
                return [f"{last} shares {what} with {before}, and the change accounts for it."]
        return []

    def footer(self) -> list[str]:
        """Say in sentences how the figures were made."""
        lines = [
            *self._designs,
            *self._overlap(),
            f"Shares have {100 * self._level:g}% logit intervals on the design's degrees of "
            "freedom; n counts answers, unweighted.",
            f"A target is met, or not met, when the whole one-sided {100 * self._level:g}% "
            "interval is on that side of it; otherwise the data leave it undetermined.",
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
        "published": None
        if published is None
        else f"{Figure.parse(str(published))}{'' if row['agrees'] else ' differs'}",
        "change": f"{change} ({interval})" if interval else change,
        "note": "; ".join(notes) or None,
    }


def _rows(result: IndicatorResult) -> list[dict[str, Cell]]:
    rows = [_row(result, str(y.year), y.estimate) | _published_cells(y) for y in result.years]
    rows[-1] |= _change_cells(result)
    rows[-1]["note"] = _joined(rows[-1]["note"], _change_note(result), result.unused)
    target = result.indicator.target
    if target is not None:
        judged: dict[str, Cell] = {"target": target.printed, "verdict": result.verdict}
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
