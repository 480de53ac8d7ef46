"""The main job in one go: published figures audited, a scorecard computed, a KPI checked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

import narwhals as nw

from steelyard import datasets
from steelyard.comparison import Comparison
from steelyard.estimates import Estimates
from steelyard.evaluation import Evaluation
from steelyard.page import audit_fragment, picture, render_page, scorecard_fragment, write_page
from steelyard.published import Audit, audit
from steelyard.render import WIDTH, text_table
from steelyard.scorecard import Scorecard
from steelyard.statistic import mean
from steelyard.survey import Survey
from steelyard.waves import compare

RESPONSES_2023 = 627
SIMULATED = (
    "SIMULATED answers: the microdata behind the published figures are not public. The simulation "
    "was made to print as the published figures, so agreement with them is no evidence."
)


@dataclass(frozen=True, slots=True)
class SchoolsExample:
    """A KPI on real data: schools that met their growth target, and the truth in the population."""

    met: Estimates
    truth: float
    growth: Comparison
    true_growth: float


def founding_audits() -> list[tuple[str, int, Audit]]:
    """Audit the published figures of 2023, which come from 627 responses."""
    card = Scorecard.from_toml(datasets.founding_card())
    year = 2023
    return [
        (indicator.code, year, audit(indicator.published[year], RESPONSES_2023))
        for indicator in card.indicators
    ]


def simulated_scorecard() -> Evaluation:
    """Compute the founding scorecard on the simulated evaluations of 2022 and 2023."""
    waves = {
        year: Survey(
            datasets.simulate_evaluation(year),
            weights="weight",
            strata="stratum",
            clusters="activity",
            fpc="activities_in_stratum",
        )
        for year in (2022, 2023)
    }
    card = Scorecard.from_toml(datasets.founding_card())
    return card.retitled("Scorecard of a simulated evaluation, 2022 and 2023", SIMULATED).evaluate(
        waves
    )


def schools_example() -> SchoolsExample:
    """Estimate the share of Californian schools that met their target, and the change in score."""
    svy = Survey(datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
    population = nw.from_native(datasets.load("apipop"), eager_only=True)
    score = {
        1999: svy.estimate({"score": mean("api99")}),
        2000: svy.estimate({"score": mean("api00")}),
    }
    return SchoolsExample(
        met=svy.proportion("sch.wide", positive="Yes"),
        truth=float((population["sch.wide"] == "Yes").mean()),
        growth=compare(score),
        true_growth=float((population["api00"] - population["api99"]).mean()),
    )


def run_demo(show: Callable[[str], None], output: Path) -> None:
    """Show all tables as text and write the same as one page."""
    audits = founding_audits()
    evaluation = simulated_scorecard()
    schools = schools_example()
    show("1  Are the published figures possible?  (627 responses, no microdata needed)\n")
    show(_audits_text(audits))
    show(f"\n2  {evaluation.card.title}\n")
    show(repr(evaluation))
    show("\n3  A KPI on real data: Californian schools, 200 sampled of 6,194\n")
    show(schools_text(schools))
    write_page(demo_page(audits, evaluation, schools), output)
    show(f"\nWritten: {output}")


def demo_page(
    audits: list[tuple[str, int, Audit]], evaluation: Evaluation, schools: SchoolsExample
) -> str:
    """Put the three parts of the demonstration on one page."""
    return render_page(
        title="steelyard: a demonstration",
        source=evaluation.card.source,
        sections=[
            ("Are the published figures possible?", [audit_fragment(audits)]),
            (
                evaluation.card.title,
                [
                    scorecard_fragment(evaluation),
                    picture(evaluation.plot(), f"{evaluation.card.title}: the same figures"),
                ],
            ),
            (
                "A KPI on real data: Californian schools",
                [
                    f"<p>{schools_text(schools, 'met')}</p>",
                    schools.growth._repr_html_(),
                    f"<p>{schools_text(schools, 'growth')}</p>",
                ],
            ),
        ],
    )


def schools_text(schools: SchoolsExample, part: str | None = None) -> str:
    """Say what was estimated and what is true."""
    low, high = schools.met.ci()[0]
    difference = schools.growth.differences[2000]
    change_low, change_high = difference.ci()[0]
    sentences = {
        "met": (
            "Percentage of schools that met their school-wide growth target: "
            f"{100 * schools.met.value:.1f} % (95 % interval {100 * low:.1f} to {100 * high:.1f}); "
            f"true value in the population {100 * schools.truth:.1f} %."
        ),
        "growth": (
            f"Mean score, 1999 to 2000, on the same schools: {difference.value:+.1f} points "
            f"({change_low:+.1f} to {change_high:+.1f}); true change {schools.true_growth:+.1f}."
        ),
    }
    return sentences[part] if part else "\n".join(fill(text, WIDTH) for text in sentences.values())


def _audits_text(audits: list[tuple[str, int, Audit]]) -> str:
    table = {
        "indicator": [code for code, _, _ in audits],
        "published": [found.figure.text for _, _, found in audits],
        "possible": ["yes" if found.possible else "no" for _, _, found in audits],
        "note": [found.verdict for _, _, found in audits],
    }
    return text_table(table, [audits[0][2].power])
