"""Tables for people: text in 80 columns, HTML in which nothing from outside is markup."""

import math
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import steelyard as sy
from steelyard.render import cell_text, html_table, number_text, text_table

WIDTH = 80


@cache
def evaluation(year: int = 2023) -> sy.Survey:
    return sy.Survey(
        sy.datasets.simulate_evaluation(year),
        weights="weight",
        strata="stratum",
        clusters="activity",
        fpc="activities_in_stratum",
    )


@cache
def schools() -> sy.Survey:
    return sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")


def waves() -> dict[int, sy.Survey]:
    return {year: evaluation(year) for year in (2022, 2023)}


POSITIVE = ["Agree", "Strongly agree"]
Shown = sy.Estimates | sy.Comparison | sy.Evaluation
TABLES: dict[str, Callable[[], Shown]] = {
    "mean": lambda: evaluation().mean("satisfaction"),
    "several means": lambda: evaluation().mean(["competence_before", "competence_after"]),
    "mean by activity": lambda: evaluation().mean("satisfaction", by="activity"),
    "means by two": lambda: evaluation().mean(
        ["competence_before", "competence_after"], by=["region", "language"]
    ),
    "mean by four": lambda: schools().mean("api00", by=["stype", "awards", "sch.wide", "comp.imp"]),
    "share": lambda: evaluation().proportion("relevance", positive=POSITIVE),
    "share by two": lambda: evaluation().proportion(
        "relevance", positive=POSITIVE, by=["modality", "gender"]
    ),
    "levels": lambda: evaluation().proportion("relevance"),
    "levels by two": lambda: evaluation().proportion("relevance", by=["region", "modality"]),
    "totals": lambda: schools().total(["enroll", "api.stu"], by=["stype", "awards"]),
    "large totals": lambda: schools().total("enroll", by="stype") * 1000,
    "small means": lambda: schools().mean("api00", by="stype") / 1e9,
    "counts": lambda: schools().count("stype", by=["awards", "sch.wide"]),
    "ratio": lambda: schools().ratio("api.stu", "enroll", by="stype"),
    "difference": lambda: schools().mean("api00", by="stype") - schools().mean("api99", by="stype"),
    "comparison": lambda: sy.compare(waves(), sy.mean("satisfaction")),
    "comparison of a share": lambda: sy.compare(
        waves(), sy.proportion("relevance", positive=POSITIVE)
    ),
    "comparison by": lambda: sy.compare(waves(), lambda s: s.mean("satisfaction", by="gender")),
    "comparison of levels": lambda: sy.compare(waves(), sy.proportion("relevance")),
    "comparison by two": lambda: sy.compare(
        waves(), lambda s: s.proportion("relevance", positive=POSITIVE, by=["modality", "gender"])
    ),
    "scorecard": lambda: sy.Scorecard.from_toml(sy.datasets.founding_card()).evaluate(waves()),
}
TOO_WIDE = {"comparison by", "comparison of levels", "comparison by two"}


@pytest.mark.parametrize(
    "name",
    list(TABLES),
)
def test_typical_tables_fit_80_columns(name: str) -> None:
    lines = repr(TABLES[name]()).splitlines()
    assert [line for line in lines if len(line) > WIDTH] == []


@pytest.mark.parametrize("name", TABLES)
def test_no_figure_is_nan_and_no_line_ends_in_blanks(name: str) -> None:
    text = repr(TABLES[name]())
    assert "nan" not in text.lower().split()
    assert "None" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_a_table_is_there(name: str) -> None:
    table = TABLES[name]()
    rows = len(next(iter(table.to_dict().values())))
    if isinstance(table, sy.Comparison):  # shown a row a level, its change beside it
        rows = sum(len(level) for level in table.levels.values())
    if not isinstance(table, sy.Evaluation):
        assert table._repr_html_().count("<tr>") == rows + 1
    columns = table.to_dict()
    kinds = columns.get("statistic", ["level"] * len(columns["note"]))
    shown = zip(columns["note"], kinds, strict=True)
    reasons = [note for note, kind in shown if note and kind in ("level", "difference")]
    text = " ".join(repr(table).split())
    assert all(str(reason) in text for reason in reasons)


def test_every_result_says_how_it_was_made() -> None:
    text = " ".join(repr(evaluation().proportion("relevance", by="gender", level=0.9)).split())
    for convention in (
        "interval: 90%, t on the degrees of freedom shown, logit for proportions",
        "variance: Taylor linearisation, clusters as units, with finite population correction",
        "degrees of freedom: units minus strata of the whole design",
        "lonely strata: fail",
    ):
        assert convention in text
    assert "rows as units" in repr(schools().mean("api00"))


LONG = "Agreed that the course was relevant to the needs of the participant"


def labelled(answers: list[str]) -> sy.Survey:
    return sy.Survey(pl.DataFrame({"a question": answers * 4, "y": range(len(answers) * 4)}))


def test_long_labels_are_cut_with_a_mark() -> None:
    survey = labelled([f"1 {LONG}", f"2 {LONG}"])
    text = repr(survey.proportion("a question", by="a question"))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "…" in text
    assert f"1 {LONG}" in survey.proportion("a question")._repr_html_()


def test_labels_that_are_cut_can_be_told_apart() -> None:
    survey = labelled([f"{LONG}: fully", f"{LONG}: hardly"])
    text = repr(survey.proportion("a question", by="a question"))
    rows = [line.rsplit("  ", 6)[0] for line in text.splitlines() if line.startswith("Agreed")]
    assert len(rows) == len(set(rows)) == 4


def test_a_label_of_two_lines_stays_on_one() -> None:
    est = labelled(["yes\nno", "no"]).mean("y", by="a question")
    assert not any(line == "yes" for line in repr(est).splitlines())


def test_effective_size_where_nothing_varies() -> None:
    frame = pl.DataFrame({"y": [0, 1] * 6, "w": [2.0] * 12, "c": np.arange(12) // 2})
    est = sy.Survey(frame, weights="w", clusters="c").mean("y")
    assert est.se.tolist() == [0]
    assert len(est.effective_n) == 1


# Numbers


def test_numbers_keep_four_digits() -> None:
    random = np.random.default_rng(1)
    for exponent in range(-12, 20):
        for mantissa in random.uniform(1, 10, size=20).tolist():
            for value in (mantissa * 10.0**exponent, -mantissa * 10.0**exponent):
                text = number_text(value)
                error = abs(float(text.replace(",", "")) - value)
                # Four decimals below 1, where shares are; three or four digits elsewhere.
                small, share = abs(value) < 1e-4, 1e-4 <= abs(value) < 1
                relative = 5.1e-3 if small else 5.1e-4
                assert error <= (0.00005 if share else relative * abs(value)), value
                assert len(text) <= 22


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.96912, "0.9691"),
        (1.0, "1.000"),
        (662.28736, "662.3"),
        (6194.0, "6,194"),
        (3687177.5, "3,687,178"),
        (-32.89, "-32.89"),
        (0.0000123, "1.23e-05"),
        (1e20, "1.000e+20"),
    ],
)
def test_numbers_as_they_are_read(value: float, text: str) -> None:
    assert number_text(value) == text


def test_cells() -> None:
    assert cell_text("n", 6194) == "6,194"
    assert cell_text("year", 2023) == "2023"
    assert cell_text("df", 44.0) == "44"
    assert cell_text("df", 12.5) == "12.5"
    assert cell_text("online", True) == "True"
    assert cell_text("se", None) == ""
    assert cell_text("level", "1,000.0") == "1,000.0"


def test_a_table_of_nothing() -> None:
    assert text_table({"g": [], "estimate": []}, ["footer"]).endswith("footer")
    assert "<tbody></tbody>" in html_table({"g": [], "estimate": []}, [])


def test_small_errors_keep_more_than_one_digit() -> None:
    assert number_text(0.00006 * 2) != number_text(0.00007 * 2)


# HTML

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</td></table><iframe src='//evil'>",
    "<!-- & -->",
    "&lt;b&gt;",
    "<b>{{ 7 * 7 }}</b>{% raw %}",
]


class Fragment(HTMLParser):
    """Tags, attributes and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.cells: list[str] = []
        self.comments = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.cells.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments += 1


TAGS = {"table", "thead", "tbody", "tr", "th", "td", "p", "br", "span", "caption"}
PAGE = {"html", "head", "meta", "title", "style", "body", "main", "h1", "section", "h2", "div"}


def inert(html: str, *labels: str, page: bool = False) -> None:
    """The labels are shown, as text, and there is no tag or attribute that is not ours."""
    fragment = Fragment(html)
    assert fragment.tags <= TAGS | (PAGE | {"img", "footer"} if page else set())
    ours = {"style", "scope", *(("lang", "charset", "name", "content", "class") if page else ())}
    assert fragment.attributes <= ours | ({"alt", "src"} if page else set())
    assert fragment.comments == 0
    text = "".join(fragment.cells)
    for label in labels:
        assert label in text


@pytest.mark.parametrize("label", HOSTILE)
def test_labels_of_estimates_are_text(label: str) -> None:
    frame = pl.DataFrame(
        {label: [label, "other"] * 6, f"{label} y": range(12), "c": np.arange(12) // 2}
    )
    survey = sy.Survey(frame, clusters="c")
    inert(survey.mean(f"{label} y", by=label)._repr_html_(), label, f"{label} y")
    inert(survey.proportion(label, by=label)._repr_html_(), label)
    inert(survey.proportion(label, positive=[label, "other"])._repr_html_(), f"{label} + other")
    inert(survey.estimate({label: sy.count()})._repr_html_(), label)
    compared = sy.compare({label: survey, "then": survey}, lambda s: s.mean(f"{label} y", by=label))
    inert(compared._repr_html_(), label)
    assert label in repr(compared)


CARD = """title = '''{0}'''
source = '''{0} source'''
note = '''{0} note'''
[[indicator]]
code = '''{0} code'''
label = '''{0} label'''
question = "q"
positive = '''{0}'''
target = {{ value = "40 %", years = [2023], history = [
  {{ value = "50 %", reason = '''{0} was''' }},
] }}
break = [ {{ year = 2023, reason = '''{0} break''' }} ]
"""


@pytest.mark.parametrize("label", HOSTILE)
def test_labels_of_a_scorecard_are_text(tmp_path: Path, label: str) -> None:
    if label.startswith("'"):
        label = f" {label}"
    path = tmp_path / "card.toml"
    path.write_text(CARD.format(label), encoding="utf-8")
    frame = pl.DataFrame({"q": [label, "other", label, label] * 3})
    waves = {year: sy.Survey(frame) for year in (2022, 2023)}
    evaluation = sy.Scorecard.from_toml(path).evaluate(waves)
    parts = [f"{label} {part}" for part in ("note", "code", "label", "was", "break")]
    inert(evaluation._repr_html_(), label, *parts)
    page = tmp_path / "page.html"
    assert evaluation.to_html(page) == page.read_text(encoding="utf-8")
    inert(page.read_text(encoding="utf-8"), label, f"{label} source", *parts, page=True)


def test_numbers_stand_to_the_right_in_html() -> None:
    html = html_table({"g": ["a"], "estimate": [0.5], "se": [None], "note": ["why"]}, ["a & b"])
    assert '<th scope="col" style="text-align:left' in html
    assert ">0.5000</td>" in html
    assert "text-align:right" in html
    assert ">se<" not in html  # a column without any figure
    assert "a &amp; b" in html


def test_a_page_of_html_is_the_same_every_time(tmp_path: Path) -> None:
    card = sy.Scorecard.from_toml(sy.datasets.founding_card()).evaluate(waves())
    assert card.to_html() == card.to_html(tmp_path / "page.html")


def test_a_picture_of_a_scorecard() -> None:
    card = sy.Scorecard.from_toml(sy.datasets.founding_card()).evaluate(waves())
    ax = card.plot()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["2.D", "2.C", "2.B", "2.A"]
    words = " ".join(text.get_text() for text in ax.texts)
    for result in card.results:
        for year in result.years:
            assert f"{year.year}: {100 * year.estimate.value:.1f}" in words
    low, high = ax.get_xlim()
    assert low < 100 * min(y.estimate.ci()[0, 0] for r in card.results for y in r.years)
    assert high > 100
    assert card.plot(ax) is ax


def test_a_picture_where_an_interval_is_not_known() -> None:
    card = sy.Scorecard.from_toml(sy.datasets.founding_card())
    frame: Any = sy.datasets.simulate_evaluation(2023, backend="polars")
    frame = frame.with_columns(example_given=pl.lit("Yes"))
    ax = card.evaluate({2023: sy.Survey(frame, weights="weight", clusters="activity")}).plot()
    assert all(math.isfinite(x) for x in ax.get_xlim())
