"""The scorecard: the founding card on simulated data, verdicts, breaks, mistakes in a file."""

import json
import math
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import steelyard as sy
from steelyard import _core
from steelyard.errors import CardError, DataFileError

YEARS = (2022, 2023)
COLUMNS = [
    *("code", "label", "year", "estimate", "se", "ci_low", "ci_high", "n", "missing", "published"),
    *("agrees", "change", "change_low", "change_high", "p_value", "target", "verdict", "note"),
]


# The founding card on simulated data


def simulated(year: int) -> pl.DataFrame:
    frame = sy.datasets.simulate_evaluation(year, backend="polars")
    assert isinstance(frame, pl.DataFrame)
    return frame


@cache
def waves() -> dict[int, sy.Survey]:
    return {
        year: sy.Survey(
            simulated(year),
            weights="weight",
            strata="stratum",
            clusters="activity",
            fpc="activities_in_stratum",
        )
        for year in YEARS
    }


@cache
def founding() -> sy.Evaluation:
    return sy.Scorecard.from_toml(sy.datasets.founding_card()).evaluate(waves())


CODES = ["2.A", "2.B", "2.C", "2.D"]


def rows(evaluation: sy.Evaluation) -> list[dict[str, Any]]:
    table = evaluation.to_dict()
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


@pytest.mark.parametrize("code", CODES)
def test_simulated_figures_agree_with_the_published_ones(code: str) -> None:
    result = founding()[code]
    assert [year.year for year in result.years] == list(YEARS)
    for year in result.years:
        assert year.published is not None
        assert year.agrees
        shown = year.published.same_precision(year.estimate.value)
        assert year.published.text.replace(",", ".").startswith(shown)
        alone = waves()[year.year].proportion(
            result.indicator.question, positive=result.indicator.positive
        )
        assert year.estimate.to_dict() == alone.to_dict()


@pytest.mark.parametrize("code", CODES)
def test_years_together_are_pooled_answers(code: str) -> None:
    result = founding()[code]
    question, positive = result.indicator.question, result.indicator.positive
    cumulative = result.cumulative
    assert cumulative is not None
    pooled = pl.concat([simulated(year) for year in YEARS]).drop_nulls(question)
    yes = pooled.filter(pl.col(question).is_in(positive))
    share = math.fsum(yes["weight"]) / math.fsum(pooled["weight"])
    assert cumulative.value == pytest.approx(share, rel=1e-14)
    assert cumulative.n.tolist() == [len(pooled)]
    assert cumulative.missing.tolist() == [sum(simulated(y)[question].null_count() for y in YEARS)]
    # The same by arithmetic: four counts, in which activities of both years covary.
    positives = [s.count(question, positive=positive) for s in waves().values()]
    answers = [s.total("one", where={"answered": True}) for s in with_ones(question)]
    by_hand = (positives[0] + positives[1]) / (answers[0] + answers[1])
    assert cumulative.se[0] == pytest.approx(by_hand.se[0], rel=1e-9)
    assert cumulative.df == by_hand.df
    assert cumulative.se[0] < max(year.estimate.se[0] for year in result.years)


def with_ones(question: str) -> list[sy.Survey]:
    return [
        sy.Survey(
            simulated(year).with_columns(one=1, answered=pl.col(question).is_not_null()),
            weights="weight",
            strata="stratum",
            clusters="activity",
            fpc="activities_in_stratum",
        )
        for year in YEARS
    ]


@pytest.mark.parametrize("code", CODES)
def test_change_is_a_comparison(code: str) -> None:
    result = founding()[code]
    compared = sy.compare(
        waves(),
        sy.proportion(result.indicator.question, positive=result.indicator.positive),
    )
    assert result.change is not None
    assert result.not_comparable is None
    assert result.change.shared_units == 12
    assert result.change.difference.to_dict() == compared.differences[2023].to_dict()
    last = next(r for r in rows(founding()) if r["code"] == code and r["year"] == "2023")
    assert last["change"] == compared.differences[2023].value
    assert last["p_value"] == compared.differences[2023].p_value()[0]


def test_the_founding_table() -> None:
    table = founding().to_dict()
    assert list(table) == COLUMNS
    assert table["code"] == [code for code in CODES for _ in range(3)]
    assert table["year"] == ["2022", "2023", "2022-2023"] * 4
    assert table["published"][:3] == ["95 per cent", "96,9 per cent", None]
    assert table["target"] == [None, None, "75 per cent"] * 3 + [None, None, "50 per cent"]
    assert table["verdict"] == [None, None, "met"] * 4
    assert table["note"] == [None] * 12  # the break of 2021 lies before both years
    assert json.loads(json.dumps(table, allow_nan=False)) == table
    assert founding().to_polars().columns == COLUMNS
    assert list(founding().to_pandas().columns) == COLUMNS
    assert founding().to_polars()["estimate"].to_list() == table["estimate"]


def test_an_indicator_by_its_code() -> None:
    assert founding()["2.D"].indicator.breaks[0].period == 2021
    former = founding()["2.D"].indicator.target
    assert former is not None
    assert [(f.value.value, f.reason[:11]) for f in former.history] == [(0.6, "re-adjusted")]
    with pytest.raises(KeyError, match=r"there is no indicator '2.F'.*There are: '2.A', '2.B'"):
        founding()["2.F"]


def test_one_year_is_enough() -> None:
    card = sy.Scorecard.from_toml(sy.datasets.founding_card())
    one = card.evaluate({2023: waves()[2023]})
    assert one.to_dict()["year"] == ["2023"] * 4
    assert one.to_dict()["change"] == [None] * 4
    assert one["2.A"].cumulative is None
    assert one["2.A"].not_comparable == "one year only"
    with pytest.raises(ValueError, match="there is no year to evaluate"):
        card.evaluate({})


def test_years_are_shown_in_order() -> None:
    card = sy.Scorecard.from_toml(sy.datasets.founding_card())
    assert card.evaluate({y: waves()[y] for y in (2023, 2022)}).to_dict() == founding().to_dict()


def test_the_level_of_confidence() -> None:
    card = sy.Scorecard.from_toml(sy.datasets.founding_card())
    narrow = card.evaluate(waves(), level=0.5)
    low, high = narrow["2.A"].years[0].estimate.ci(0.5)[0]
    assert narrow.to_dict()["ci_low"][0] == low
    assert narrow.to_dict()["ci_high"][0] == high
    assert "50% logit intervals" in repr(narrow)


def test_a_scorecard_under_another_title() -> None:
    card = sy.Scorecard.from_toml(sy.datasets.founding_card()).retitled("Simulated", "no evidence")
    evaluation = card.evaluate(waves())
    assert evaluation.card.title == "Simulated"
    assert "no evidence" in repr(evaluation)
    assert "no evidence" in evaluation._repr_html_()


# Small cards


def answers(seed: int, share: float, clusters: int = 30) -> pl.DataFrame:
    """Answers of `clusters` activities, 5 each; the first two of them are the same every year."""
    random = np.random.default_rng(seed)
    activity = np.repeat(np.arange(clusters), 5)
    return pl.DataFrame(
        {
            "agrees": np.where(random.random(len(activity)) < share, "Yes", "No"),
            "activity": [f"{'P' if a < 2 else seed}-{a}" for a in activity],
            "online": activity % 2 == 0,
            "language": np.array(["EN", "ES", "FR"])[activity % 3],
            "score": random.integers(1, 6, size=len(activity)),
        }
    )


CARD = """title = "Small"

[design]
clusters = "activity"

[data]
2022 = "2022.csv"
2023 = "2023.csv"

[[indicator]]
code = "A"
label = "Agrees"
question = "agrees"
positive = "Yes"
"""


def small(tmp_path: Path, more: str = "", card: str = CARD) -> sy.Scorecard:
    for year, share in ((2022, 0.55), (2023, 0.8)):
        file = tmp_path / f"{year}.csv"
        if not file.exists():
            answers(year, share).write_csv(file)
    path = tmp_path / "card.toml"
    path.write_text(card + more, encoding="utf-8")
    return sy.Scorecard.from_toml(path)


def evaluated(tmp_path: Path, more: str = "", card: str = CARD) -> sy.Evaluation:
    scorecard = small(tmp_path, more, card)
    return scorecard.evaluate(scorecard.load())


@pytest.mark.parametrize(
    ("value", "direction", "verdict"),
    [
        ("10 %", "at least", "met"),
        ("99 %", "at least", "not met"),
        ("72 %", "at least", "undetermined"),
        ("99 %", "at most", "met"),
        ("10 %", "at most", "not met"),
        ("72 %", "at most", "undetermined"),
    ],
)
def test_verdicts(tmp_path: Path, value: str, direction: str, verdict: str) -> None:
    target = f'target = {{ value = "{value}", years = [2023], direction = "{direction}" }}'
    evaluation = evaluated(tmp_path, target)
    assert evaluation["A"].verdict == verdict
    assert evaluation.to_dict()["verdict"] == [None, verdict]
    assert f"target {value}: {verdict}" in repr(evaluation)
    assert evaluated(tmp_path)["A"].verdict is None


def test_a_target_at_the_end_of_the_interval(tmp_path: Path) -> None:
    result = evaluated(tmp_path, 'target = { value = "50 %", years = [2023] }')["A"]
    estimate, target = result.judged, result.indicator.target
    assert target is not None
    low = float(estimate.ci(side="lower")[0, 0])
    high = float(estimate.ci(side="upper")[0, 1])

    class Printed(sy.Figure):
        value = property(lambda self: float(self.text))

    def verdict(goal: float, direction: Any) -> str:
        figure = Printed(repr(goal), 0, 0, 1)
        return sy.judge(estimate, sy.Target(figure, (2023,), direction)).verdict

    assert verdict(low, "at least") == "met"
    assert verdict(math.nextafter(low, 1), "at least") == "undetermined"
    assert verdict(high, "at least") == "undetermined"
    assert verdict(math.nextafter(high, 1), "at least") == "not met"
    assert verdict(high, "at most") == "met"
    assert verdict(math.nextafter(high, 0), "at most") == "undetermined"
    assert verdict(low, "at most") == "undetermined"
    assert verdict(math.nextafter(low, 0), "at most") == "not met"


def test_a_target_of_several_years_is_judged_by_all_of_them(tmp_path: Path) -> None:
    result = evaluated(tmp_path, 'target = { value = "60 %", years = [2022, 2023] }')["A"]
    assert result.cumulative is not None
    assert result.judged is result.cumulative
    first, second = (year.estimate.value for year in result.years)
    assert first < result.cumulative.value < second


@pytest.mark.parametrize("year", [2022, 2030])
def test_a_target_is_judged_by_its_own_year(tmp_path: Path, year: int) -> None:
    result = evaluated(tmp_path, f'target = {{ value = "75 %", years = [{year}] }}')["A"]
    if year == 2030:
        assert result.verdict is None
    else:
        assert result.judged.value == result.years[0].estimate.value


def test_a_target_of_years_that_are_not_all_there(tmp_path: Path) -> None:
    scorecard = small(tmp_path, 'target = { value = "60 %", years = [2022, 2023] }')
    waves = scorecard.load()
    evaluation = scorecard.evaluate({2023: waves[2023]})
    assert evaluation["A"].verdict is None or "2022" in repr(evaluation)


@pytest.mark.parametrize(("year", "comparable"), [(2021, True), (2022, True), (2023, False)])
def test_a_break_between_the_years(tmp_path: Path, year: int, comparable: bool) -> None:
    evaluation = evaluated(tmp_path, f'break = [{{ year = {year}, reason = "another question" }}]')
    result, last = evaluation["A"], rows(evaluation)[-1]
    assert (result.change is not None) == comparable
    assert (last["change"] is not None) == comparable
    if not comparable:
        assert result.not_comparable == "break in 2023: another question"
        assert last["note"] == "no change shown: break in 2023: another question"
        assert [last[c] for c in ("change", "change_low", "change_high", "p_value")] == [None] * 4
        assert "no change shown: break in 2023" in repr(evaluation)
        assert "break in 2023: another question" in evaluation._repr_html_()


@pytest.mark.parametrize(
    ("base", "where"),
    [
        ('language = "EN"', {"language": "EN"}),
        ('language = ["EN", "FR"]', {"language": ["EN", "FR"]}),
        ("online = true", {"online": True}),
        ("score = [4, 5]", {"score": [4, 5]}),
        ('online = false\nlanguage = "ES"', {"online": False, "language": "ES"}),
    ],
)
def test_a_base(tmp_path: Path, base: str, where: Any) -> None:
    scorecard = small(tmp_path, f"[indicator.base]\n{base}\n")
    waves = scorecard.load()
    result = scorecard.evaluate(waves)["A"]
    for year in result.years:
        alone = waves[year.year].proportion("agrees", positive="Yes", where=where)
        assert year.estimate.to_dict() == alone.to_dict()
        assert year.estimate.n[0] < 150


@pytest.mark.parametrize(("positive", "kind"), [("[4, 5]", "score"), ("true", "online")])
def test_positive_answers_of_any_type(tmp_path: Path, positive: str, kind: str) -> None:
    card = CARD.replace('"agrees"', f'"{kind}"').replace('"Yes"', positive)
    value = evaluated(tmp_path, card=card)["A"].years[0].estimate.value
    column = answers(2022, 0.55)[kind]
    assert value == pytest.approx((column >= 4).mean() if kind == "score" else column.mean())


def test_published_figures_that_differ(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path, 'published = { 2022 = "12,5 per cent", 1999 = "1 %" }')
    assert evaluation.to_dict()["agrees"] == [False, None]
    assert evaluation.to_dict()["published"] == ["12,5 per cent", None]
    assert "published 12.5 %: differs" in evaluation._repr_html_()


def test_a_base_inside_one_cluster_is_not_judged_by_itself(tmp_path: Path) -> None:
    more = 'target = { value = "60 %", years = [2023] }\nbase = { activity = "P-0" }'
    evaluation = evaluated(tmp_path, more)
    assert evaluation["A"].verdict == "undetermined"
    table = evaluation.to_dict()
    assert table["se"] == table["ci_low"] == [None, None]
    assert all("one unit only" in str(note) for note in table["note"])
    assert "nan" not in repr(evaluation)


ONE = 'base = { activity = "P-0" }'


def test_a_change_without_an_error_is_plain_data(tmp_path: Path) -> None:
    json.dumps(evaluated(tmp_path, ONE).to_dict(), allow_nan=False)


def test_an_interval_that_is_not_known_is_not_nan_in_html(tmp_path: Path) -> None:
    assert not re.search(r"\bnan\b", evaluated(tmp_path, ONE)._repr_html_())


def test_a_change_of_unknown_error_has_no_meaning(tmp_path: Path) -> None:
    assert "no clear change" not in evaluated(tmp_path, ONE)._repr_html_()


def test_an_interval_that_is_not_known_is_not_half_a_sentence(tmp_path: Path) -> None:
    assert not re.search(r"\( *to *\)| {2}to {2}", repr(evaluated(tmp_path, ONE)))


def test_years_together_inside_one_cluster_have_no_error(tmp_path: Path) -> None:
    more = f'{ONE}\ntarget = {{ value = "5 %", years = [2022, 2023] }}'
    result = evaluated(tmp_path, more)["A"]
    assert [math.isnan(year.estimate.se[0]) for year in result.years] == [True, True]
    assert result.cumulative is not None
    assert result.cumulative.notes[0] is not None


def test_a_change_from_a_share_of_all_says_so(tmp_path: Path) -> None:
    answers(1, 1.0, clusters=3).with_columns(agrees=pl.lit("Yes")).write_csv(tmp_path / "2022.csv")
    last = rows(evaluated(tmp_path))[-1]
    assert last["change"] is not None
    assert last["note"] is not None


def test_years_are_numbers() -> None:
    card = sy.Scorecard.from_toml(sy.datasets.founding_card())
    with pytest.raises((TypeError, ValueError), match="2023"):
        card.evaluate({"2023": waves()[2023]})  # type: ignore[dict-item]


def test_a_scorecard_prints_what_it_holds() -> None:
    assert "2.A" in repr(sy.Scorecard.from_toml(sy.datasets.founding_card()))


# Mistakes in the file

FILE = """title = "T"
source = "S"

[design]
weights = "w"
clusters = "c"

[data]
2022 = "a.csv"
2023 = "b.csv"

[[indicator]]
code = "1"
label = "One"
question = "q"
positive = ["Yes"]
published = { 2022 = "50 %", 2023 = "60 %" }
target = { value = "40 %", years = [2022, 2023], history = [
  { value = "61 %", reason = "r" },
] }
break = [{ year = 2020, reason = "x" }]

[[indicator]]
code = "2"
label = "Two"
question = "q2"
positive = "No"

[indicator.base]
g = "a"

[indicator.target]
value = "45 %"
years = [2023]
direction = "at most"

[[indicator.target.history]]
value = "62 %"
reason = "s"

[[indicator.break]]
year = 2019
reason = "y"

[[indicator.break]]
year = 2018
reason = "z"
"""
AS_PRINTED = "write the figure as printed, as text: for example"
# What is written instead of what, the key and what is said of it. The line is that of the change.
MISTAKES: list[tuple[str, str, str, str]] = [
    ('title = "T"', 'titel = "T"', "titel", "there is no such key. Did you mean 'title'?"),
    ('title = "T"', "title = 5", "title", "text is needed, not 5"),
    ('source = "S"', "source = []", "source", "text is needed, not []"),
    ('source = "S"', "indicators = 1", "indicators", "Did you mean 'indicator'?"),
    ('weights = "w"', 'weight = "w"', "design.weight", "Did you mean 'weights'?"),
    ('weights = "w"', "weights = 5", "design.weights", "the name of one column is needed, not 5"),
    ('weights = "w"', 'nest = "yes"', "design.nest", "true or false is needed, not 'yes'"),
    ('2022 = "a.csv"', '22 = "a.csv"', "data.22", "a year of four digits is needed"),
    ('2022 = "a.csv"', '"last" = "a"', "data.last", "a year of four digits is needed"),
    ('2023 = "b.csv"', "2023 = 5", "data.2023", "text is needed, not 5"),
    ('code = "1"', "code = 1", "indicator[1].code", "text is needed, not 1"),
    ('code = "1"', "", "indicator[1]", "the key 'code' is missing"),
    ('label = "Two"', 'labl = "Two"', "indicator[2].labl", "Did you mean 'label'?"),
    ('label = "Two"', "", "indicator[2]", "the key 'label' is missing"),
    ('question = "q2"', "", "indicator[2]", "the key 'question' is missing"),
    ('question = "q2"', 'question = ["q"]', "indicator[2].question", "text is needed, not ['q']"),
    ('positive = ["Yes"]', "", "indicator[1]", "list the answers, as in positive"),
    (
        'positive = "No"',
        "positive = []",
        "indicator[2].positive",
        "list the answers, as in positive",
    ),
    (
        'positive = "No"',
        "positive = [[1]]",
        "indicator[2].positive",
        "list the answers, as in positive",
    ),
    ('positive = "No"', "positive = 2020-01-01", "indicator[2].positive", "list the answers"),
    ('2023 = "60 %"', "2023 = 60", "indicator[1].published.2023", f'{AS_PRINTED} "60 per cent"'),
    ('2023 = "60 %"', '2023 = "abc"', "indicator[1].published.2023", "'abc' is not a figure"),
    ('2023 = "60 %"', '2023 = "101 %"', "indicator[1].published.2023", "more than the whole"),
    ('2023 = "60 %"', 'now = "60 %"', "indicator[1].published.now", "a year of four digits"),
    ("published = {", "published = 5 # {", "indicator[1].published", "a table is needed"),
    ('value = "40 %"', "value = 40", "indicator[1].target.value", f'{AS_PRINTED} "40 per cent"'),
    ('value = "45 %"', "value = 0.45", "indicator[2].target.value", f'{AS_PRINTED} "45 per'),
    ('value = "45 %"', 'goal = "45 %"', "indicator[2].target.goal", "there is no such key."),
    ('value = "45 %"', "", "indicator[2].target", "the key 'value' is missing"),
    ('value = "45 %"', 'value = "all"', "indicator[2].target.value", "'all' is not a figure"),
    ("years = [2023]", "years = 2023", "indicator[2].target.years", "as in years = [2022, 2023]"),
    ("years = [2023]", "years = []", "indicator[2].target.years", "list the years"),
    ("years = [2023]", 'years = ["2023"]', "indicator[2].target.years", "list the years"),
    ("years = [2023]", "", "indicator[2].target", "list the years that the target is for"),
    ('"at most"', '"under"', "indicator[2].target.direction", "neither 'at least' nor 'at most'"),
    ('"at most"', "5", "indicator[2].target.direction", "text is needed, not 5"),
    ('value = "62 %"', "value = 62", "indicator[2].target.history[1].value", AS_PRINTED),
    ('"a"\n\n[indicator.t', "[]\n\n[indicator.t", "indicator[2].base.g", "an answer or a list"),
    ('g = "a"', "g = { h = 1 }", "indicator[2].base.g", "an answer or a list of answers"),
    ("year = 2019", 'year = "2019"', "indicator[2].break[1].year", "the first year of the new"),
    ('break = [{ year = 2020, reason = "x" }]', "break = 1", "indicator[1].break", "list of tab"),
    ('reason = "y"', 'why = "y"', "indicator[2].break[1].why", "there is no such key."),
]


HEADINGS = {
    "indicator[1]": "[[indicator]]",
    "indicator[2]": '[[indicator]]\ncode = "2"',
    "indicator[2].target": "[indicator.target]",
}


def line_of(text: str) -> int:
    return FILE[: FILE.index(text)].count("\n") + 1


def refused(path: Path) -> str:
    with pytest.raises(CardError) as e:
        sy.Scorecard.from_toml(path)
    message = str(e.value)
    assert message.startswith(f"{path}")
    return message.removeprefix(f"{path}")


@pytest.mark.parametrize(("before", "after", "key", "message"), MISTAKES)
def test_mistakes_name_file_line_and_key(
    tmp_path: Path, before: str, after: str, key: str, message: str
) -> None:
    for newline in ("\n", "\r\n"):
        path = tmp_path / "card.toml"
        path.write_text(FILE.replace(before, after, 1), encoding="utf-8", newline=newline)
        said = refused(path)
        # What is missing is missing from its table.
        line = line_of(HEADINGS.get(key, before))
        assert said.startswith(f", line {line}, {key}: ")
        assert message in said


def test_the_file_of_the_mistakes_is_right(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(FILE, encoding="utf-8")
    first, second = sy.Scorecard.from_toml(path).indicators
    assert (first.code, second.code) == ("1", "2")
    assert second.base == {"g": "a"}
    assert first.target is not None
    assert second.target is not None
    assert [former.value.value for former in first.target.history] == [0.61]
    assert (first.target.period, second.target.period) == ("2022-2023", "2023")
    assert [b.period for b in second.breaks] == [2019, 2018]


def test_two_indicators_of_one_code(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(FILE.replace('code = "2"', 'code = "1"'), encoding="utf-8")
    assert "indicator[2].code: another indicator is called '1' already" in refused(path)


def test_the_second_of_two_indicators_is_at_fault(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(FILE.replace('code = "2"', 'code = "1"'), encoding="utf-8")
    line = line_of('code = "2"')
    assert refused(path).startswith(f", line {line}, indicator[2].code")


def test_the_line_of_a_second_break(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(FILE.replace("year = 2018", 'year = "2018"'), encoding="utf-8")
    assert refused(path).startswith(f", line {line_of('year = 2018')}, indicator[2].break[2].year")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param('reason = "s"', 'raeson = "s"'),
        pytest.param("years = [2023]", "years = [true]"),
        pytest.param("years = [2023]", "years = [23]"),
        pytest.param("years = [2023]", "years = [2023, 2023]"),
        pytest.param("year = 2019", "year = true"),
        pytest.param('weights = "w"', 'weights = ["w"]'),
        pytest.param('clusters = "c"', "clusters = [1]"),
        pytest.param('weights = "w"', 'lonely = "ignore"'),
        pytest.param('code = "2"', 'code = ""'),
    ],
)
def test_mistakes_that_pass(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "card.toml"
    path.write_text(FILE.replace(before, after, 1), encoding="utf-8")
    refused(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ", line 1, the file: there is no [[indicator]] in it"),
        ('title = "T"', ", line 1, the file: there is no [[indicator]] in it"),
        ("indicator = 5", ", line 1, indicator: a list of tables is needed"),
        ('title = "T\n', r": this is not TOML: .*line 1, column \d+"),
        ("[design\n", r": this is not TOML: .*line 1, column 8"),
        ("a = 1\na = 2\n", r": this is not TOML: .*line 2"),
    ],
)
def test_files_that_are_no_card(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "card.toml"
    path.write_text(text, encoding="utf-8")
    said = refused(path)
    assert message in said or re.match(message, said)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read: No such file or directory" in refused(tmp_path / "no.toml")
    assert "cannot be read: Is a directory" in refused(tmp_path)
    latin = tmp_path / "latin.toml"
    latin.write_bytes('title = "Évaluation"'.encode("latin-1"))
    assert "cannot be read: it is not UTF-8 text" in refused(latin)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(FILE, encoding="utf-8-sig")
    assert len(sy.Scorecard.from_toml(path).indicators) == 2


# Mistakes in the data


def write(text: str) -> Callable[[Path], object]:
    return lambda file: file.write_text(text, encoding="utf-8")


def remove(file: Path) -> None:
    file.unlink()


def make_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


BROKEN: list[tuple[Callable[[Path], object], str]] = [
    (remove, r"\[data\]: .*2022.csv: there is no such file"),
    (make_directory, r"\[data\]: .*2022.csv: there is no such file"),
    (write(""), r"\[data\]: .*2022.csv: polars cannot read it as CSV"),
    (lambda f: f.write_bytes(b"agrees,activity\n\xff\xfe,1\n"), r"\[data\]: .*2022.csv: .*cannot"),
    (write("agrees,activity\n"), r"\[design\] on .*2022.csv: the frame has no rows"),
    (write("agrees,activty\nYes,1\nNo,2\n"), r"\[design\] on .*Did you mean 'activty'"),
    (write("agrees,activity\nYes,1\nNo,1\n"), r"\[design\] on .*single sampled cluster"),
    (write("agrees,activity\nYes,\nNo,2\n"), r"\[design\] on .*'activity' is missing in 1 row"),
]


@pytest.mark.parametrize(("breaks", "message"), BROKEN)
def test_data_files(tmp_path: Path, breaks: Callable[[Path], object], message: str) -> None:
    scorecard = small(tmp_path)
    breaks(tmp_path / "2022.csv")
    with pytest.raises(CardError, match=message) as e:
        scorecard.load()
    assert str(e.value).startswith(f"{tmp_path / 'card.toml'}: ")


@pytest.mark.parametrize("name", ["2022.xlsx", "2022", "2022.csv.zip"])
def test_data_files_of_another_kind(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    scorecard = small(tmp_path, card=CARD.replace("2022.csv", name))
    with pytest.raises(CardError, match=r"a \.csv or \.parquet file is needed"):
        scorecard.load()


def test_data_files_of_every_kind_are_the_same(tmp_path: Path) -> None:
    expected = evaluated(tmp_path).to_dict()
    frame = pl.read_csv(tmp_path / "2022.csv")
    frame.write_parquet(tmp_path / "2022.parquet")
    assert evaluated(tmp_path, card=CARD.replace("2022.csv", "2022.parquet")).to_dict() == expected


def test_a_card_without_data(tmp_path: Path) -> None:
    card = re.sub(r"\[data\](\n.+)+", "", CARD)
    with pytest.raises(CardError, match=r"there is no \[data\] with a file for each year"):
        small(tmp_path, card=card).load()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('question = "agrees"', 'question = "agree"', "no column 'agree'. Did you mean 'agrees'"),
        ('positive = "Yes"', 'positive = "Yess"', "'Yess' does not occur .* Did you mean 'Yes'"),
        ('code = "A"', 'code = "A"\nbase = { onlin = true }', "no column 'onlin'. Did you mean"),
        ('code = "A"', 'code = "A"\nbase = { language = "DE" }', "'DE' does not occur in column"),
    ],
)
def test_indicators_that_do_not_fit_the_data(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    with pytest.raises(CardError, match=rf"card\.toml: indicator 'A' in 2022: .*{message}"):
        evaluated(tmp_path, card=CARD.replace(before, after))


def test_an_answer_that_nobody_gave_in_one_year(tmp_path: Path) -> None:
    answers(2022, 0.5).with_columns(agrees=pl.lit("No")).write_csv(tmp_path / "2022.csv")
    assert evaluated(tmp_path)["A"].years[0].estimate.value == 0


def test_an_answer_that_nobody_gave_in_any_year(tmp_path: Path) -> None:
    card = (
        CARD + 'answers = ["Yes", "No", "Maybe"]\ntarget = { value = "1 %", years = [2022, 2023] }'
    )
    for year in YEARS:
        answers(year, 0.5).write_csv(tmp_path / f"{year}.csv")
    result = evaluated(tmp_path, card=card.replace('positive = "Yes"', 'positive = "Maybe"'))["A"]
    assert [year.estimate.value for year in result.years] == [0, 0]
    assert result.cumulative is not None
    assert result.cumulative.value == 0
    assert "nobody gave this answer" in str(result.cumulative.notes[0])


def test_a_positive_answer_that_is_not_offered(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"'yes' is not among answers\. Did you mean 'Yes'"):
        small(tmp_path, card=CARD.replace('"Yes"', '"yes"') + 'answers = ["Yes", "No"]\n')


def test_years_on_both_sides_of_a_break_are_not_judged_together(tmp_path: Path) -> None:
    more = """target = { value = "50 per cent", years = [2022, 2023] }
break = [{ year = 2023, reason = "another question" }]
"""
    result = evaluated(tmp_path, more)["A"]
    assert result.cumulative is None
    assert result.verdict is None
    assert result.not_judged == "not judged: a break in 2023: another question"


def test_an_interval_of_no_width_decides_nothing(tmp_path: Path) -> None:
    equal = pl.DataFrame({"agrees": ["Yes", "No"] * 20, "activity": np.arange(40) // 4})
    for year in YEARS:
        equal.write_csv(tmp_path / f"{year}.csv")
    more = 'target = { value = "75 per cent", years = [2023] }\n'
    result = evaluated(tmp_path, more)["A"]
    assert result.verdict == "undetermined"
    assert "no variation between units" in str(result.years[1].estimate.notes[0])


def test_a_missing_data_file_is_an_error_of_its_own_class(tmp_path: Path) -> None:
    from steelyard.datafile import read_frame

    with pytest.raises(DataFileError, match="there is no such file"):
        read_frame(tmp_path / "no.csv")
    assert issubclass(DataFileError, OSError)


def test_a_core_estimate_of_both_years_is_positive_semi_definite() -> None:
    """The joint covariance behind change and cumulative figures."""
    counts = [s.count("relevance") for s in waves().values()]
    joint = _core.join(counts[0].core, counts[1].core).covariance
    assert np.linalg.eigvalsh(joint).min() > -1e-9 * joint.max()


def test_a_misspelt_answer_is_found_where_answers_are_declared(tmp_path: Path) -> None:
    misspelt = answers(2022, 0.5).with_columns(
        agrees=pl.when(pl.int_range(pl.len()) < 7).then(pl.lit("yes ")).otherwise(pl.col("agrees"))
    )
    misspelt.write_csv(tmp_path / "2022.csv")
    scorecard = small(tmp_path, card=CARD + 'answers = ["No", "Yes"]\n')
    with pytest.raises(CardError, match=r"'A' in 2022: 'yes ' \(7 rows\) .* Did you mean 'Yes'"):
        scorecard.evaluate()


def test_the_footer_says_what_the_figures_rest_on(tmp_path: Path) -> None:
    text = " ".join(repr(evaluated(tmp_path)).split())
    assert "2023: 150 rows, 30 units (clusters by activity), 1 stratum" in text
    assert "No weights in 2022, 2023: every answer counts the same." in text
    assert "2023 shares 2 units of the same name with 2022" in text


def test_published_figures_that_differ_are_marked(tmp_path: Path) -> None:
    card = CARD + 'published = { 2021 = "10 %", 2022 = "1 %", 2023 = "99 %" }\n'
    text = repr(evaluated(tmp_path, card=card))
    assert "1 % differs" in text
    assert "published for 2021, not evaluated" in text
