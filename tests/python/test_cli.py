"""The command line: exit statuses, JSON, pages that stand alone and are never half written."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from traceback import print_exc
from typing import Any

import pytest

import steelyard as sy
from steelyard.cli import app
from steelyard.page import render_page, write_page

POSSIBLE, IMPOSSIBLE, BAD_INPUT = 0, 1, 2


@dataclass
class Outcome:
    status: int
    out: str
    err: str


def run(*arguments: object) -> Outcome:
    out, err = StringIO(), StringIO()
    status = 1  # what a traceback ends with
    with redirect_stdout(out), redirect_stderr(err):
        try:
            app([str(a) for a in arguments], prog_name="steelyard")
        except SystemExit as end:
            status = int(end.code or 0)
        except Exception:
            print_exc()
    return Outcome(status, out.getvalue(), err.getvalue())


def in_a_shell(*arguments: str, cwd: Path | None = None) -> Outcome:
    """A process of its own, as the command is."""
    command = [sys.executable, "-W", "error", "-c", "from steelyard.cli import main; main()"]
    package = Path(sy.__file__).parent.parent
    result = subprocess.run(
        [*command, *arguments],
        capture_output=True,
        encoding="utf-8",
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(package), "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    return Outcome(result.returncode, result.stdout, result.stderr)


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails where tags do not close in order."""

    EMPTY = frozenset({"meta", "br", "img", "hr", "link", "input"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def stands_alone(html: str) -> Page:
    """A page that loads nothing and runs nothing."""
    page = Page(html)
    assert html.startswith("<!DOCTYPE html>")
    assert not {"script", "iframe", "object", "embed", "link", "base", "form"} & set(page.tags)
    for _, name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("src", "href", "srcset", "data", "action", "poster"):
            assert value.startswith("data:image/png;base64,")
        assert "url(" not in value
    assert "@import" not in html
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(https?:)?//""", html)
    return page


# audit


@pytest.mark.parametrize(
    ("figure", "status"),
    [
        ("96,9 %", IMPOSSIBLE),
        ("93,8 %", POSSIBLE),
        ("93,6 per cent", POSSIBLE),
        ("0.754", POSSIBLE),
        ("95", POSSIBLE),
        ("foo", BAD_INPUT),
        ("101 %", BAD_INPUT),
        ("9.6.9 %", BAD_INPUT),
    ],
)
def test_audit(figure: str, status: int) -> None:
    outcome = run("audit", figure, "--n", 627)
    assert outcome.status == status
    if status == BAD_INPUT:
        assert outcome.out == ""
        assert outcome.err.startswith(f"steelyard: {figure!r} ")
        assert outcome.err.count("\n") == 1
    else:
        assert outcome.err == ""
        assert outcome.out == f"{sy.audit(figure, 627)!r}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit"],
        ["audit", "96,9 %"],
        ["audit", "96,9 %", "--n", "many"],
        ["audit", "96,9 %", "--n", "6.5"],
        ["audit", "96,9 %", "--n", "0"],
        ["audit", "96,9 %", "--n", "-3"],
        ["audit", "96,9 %", "--n", "2000000000"],
        ["audit", "96,90000 %", "--n", "627"],
        ["audit", "-5 %", "--n", "627"],
        ["audit", "96,9 %", "--n", "627", "--rounding", "up"],
        ["audit", "96,9 %", "--n", "627", "--bogus"],
        ["bogus"],
        [],
    ],
)
def test_bad_input_has_a_status_of_its_own(arguments: list[str]) -> None:
    assert run(*arguments).status == BAD_INPUT


@pytest.mark.parametrize(
    ("figure", "n"), [("96,9 %", str(10**30)), ("0.1234567890123456789012", "627")]
)
def test_numbers_beyond_64_bits_are_bad_input(figure: str, n: str) -> None:
    assert run("audit", figure, "--n", n).status == BAD_INPUT


def test_audit_as_json() -> None:
    for figure, status in (("96,9 %", IMPOSSIBLE), ("93,8 %", POSSIBLE)):
        outcome = run("audit", figure, "--n", 627, "--json")
        assert outcome.status == status
        assert json.loads(outcome.out) == json.loads(json.dumps(sy.audit(figure, 627).to_dict()))


def test_audit_with_another_rounding() -> None:
    status = {
        r: run("audit", "13 %", "--n", 8, "--rounding", r).status for r in ("half_up", "half_even")
    }
    assert status == {"half_up": POSSIBLE, "half_even": IMPOSSIBLE}


def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    assert in_a_shell("--version").out == f"steelyard {sy.__version__}\n"
    impossible = in_a_shell("audit", "96,9 %", "--n", "627")
    assert (impossible.status, impossible.err) == (IMPOSSIBLE, "")
    assert impossible.out == f"{sy.audit('96,9 %', 627)!r}\n"
    bad = in_a_shell("scorecard", "no.toml", cwd=tmp_path)
    assert (bad.status, bad.out) == (BAD_INPUT, "")
    assert bad.err == (
        "steelyard: no.toml: the scorecard file cannot be read: No such file or directory\n"
    )


def test_help_and_version() -> None:
    assert run("--version").out == f"steelyard {sy.__version__}\n"
    assert run("--version").status == POSSIBLE
    for command in ([], ["audit"], ["scorecard"], ["demo"]):
        outcome = run(*command, "--help")
        assert outcome.status == POSSIBLE
        assert "Usage:" in outcome.out


# scorecard

CARD = """title = "Small & <small>"
source = "A \\"source\\""
[design]
clusters = "activity"
[data]
2022 = "2022.csv"
2023 = "2023.csv"
[[indicator]]
code = "A"
label = "Percentage of participants who agreed, in a label that needs more than one line of text"
question = "agrees"
positive = "Yes"
target = { value = "40 %", years = [2022, 2023] }
"""


def small(tmp_path: Path, more: str = "", card: str = CARD) -> Path:
    for year, every in ((2022, 3), (2023, 4)):
        lines = [
            f"{'No' if i % every == i // 12 else 'Yes'},{year % 7 * (i > 9)}-{i // 5}"
            for i in range(60)
        ]
        (tmp_path / f"{year}.csv").write_text("\n".join(["agrees,activity", *lines]))
    path = tmp_path / "card.toml"
    path.write_text(card + more, encoding="utf-8")
    return path


def test_scorecard(tmp_path: Path) -> None:
    path = small(tmp_path)
    outcome = run("scorecard", path)
    assert (outcome.status, outcome.err) == (0, "")
    card = sy.Scorecard.from_toml(path)
    assert outcome.out == f"Small & <small>\n\n{card.evaluate(card.load())!r}\n"
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_scorecard_as_json(tmp_path: Path) -> None:
    path = small(tmp_path)
    outcome = run("scorecard", path, "--json")
    card = sy.Scorecard.from_toml(path)
    assert json.loads(outcome.out, parse_constant=refuse) == card.evaluate(card.load()).to_dict()


def refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def test_json_of_a_change_without_an_error(tmp_path: Path) -> None:
    path = small(tmp_path, 'base = { activity = "0-0" }')
    outcome = run("scorecard", path, "--json")
    assert outcome.status == 0
    json.loads(outcome.out, parse_constant=refuse)


def test_scorecard_as_a_page(tmp_path: Path) -> None:
    output = tmp_path / "page.html"
    outcome = run("scorecard", small(tmp_path), "--output", output)
    assert outcome.status == 0
    assert outcome.out.endswith(f"\nWritten: {output}\n")
    page = stands_alone(output.read_text(encoding="utf-8"))
    assert "Small & <small>" in page.text
    assert 'Source: A "source"' in page.text
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("positive", "positives"), "line 12, indicator[1].positives: there is no such key."),
        (('"agrees"', '"agree"'), "indicator 'A' in 2022: there is no column 'agree'."),
        (('"2023.csv"', '"no.csv"'), "no.csv: there is no such file"),
        (('"activity"', '"activities"'), "Did you mean 'activity'?"),
        (("title = ", "title "), "this is not TOML"),
    ],
)
def test_mistakes_of_a_scorecard(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = small(tmp_path, card=CARD.replace(*change, 1))
    for more in ([], ["--json"], ["--output", tmp_path / "page.html"]):
        outcome = run("scorecard", path, *more)
        assert (outcome.status, outcome.out) == (BAD_INPUT, "")
        assert outcome.err.startswith(f"steelyard: {path}")
        assert message in outcome.err
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("more", ['lonely = "ignore"', 'weights = ["agrees"]', 'lonely = ["fail"]'])
def test_a_design_that_makes_no_sense_is_bad_input(tmp_path: Path, more: str) -> None:
    path = small(tmp_path, card=CARD.replace("[design]", f"[design]\n{more}"))
    assert run("scorecard", path).status == BAD_INPUT


@pytest.mark.parametrize("name", ["no/page.html", ""])
def test_a_page_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    outcome = run("scorecard", small(tmp_path), "--output", tmp_path / name)
    assert outcome.status == BAD_INPUT
    assert outcome.err.startswith("steelyard: ")
    assert list(tmp_path.parent.glob("*.part")) == []


def test_a_page_in_place_of_the_working_directory(tmp_path: Path) -> None:
    assert run("scorecard", small(tmp_path), "--output", ".").status == BAD_INPUT


def test_money_in_a_title(tmp_path: Path) -> None:
    card = CARD.replace("Small & <small>", r"Below 5 $\\frac to 6 $ a day")
    assert run("scorecard", small(tmp_path, card=card), "-o", tmp_path / "page.html").status == 0


# Pages are written aside


def test_a_page_replaces_the_old_one_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    write_page("old", target)
    write_page("new \u2013 \u25b2", str(target))
    assert target.read_text(encoding="utf-8") == "new \u2013 \u25b2"
    with pytest.raises(UnicodeEncodeError):
        write_page("half \ud800 written", target)
    assert target.read_text(encoding="utf-8") == "new \u2013 \u25b2"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_failed_command_leaves_the_old_page(tmp_path: Path) -> None:
    output = tmp_path / "page.html"
    assert run("scorecard", small(tmp_path), "-o", output).status == 0
    old = output.read_text(encoding="utf-8")
    (tmp_path / "2023.csv").unlink()
    assert run("scorecard", tmp_path / "card.toml", "-o", output).status == BAD_INPUT
    assert output.read_text(encoding="utf-8") == old
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize("failing", ["write_text", "replace"])
def test_a_disk_that_fails_leaves_the_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    output = tmp_path / "page.html"
    output.write_text("old")

    def fail(path: Path, *_: object, **__: object) -> None:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, failing, fail)
    with pytest.raises(OSError, match="No space left"):
        write_page("new", output)
    assert output.read_text() == "old"
    assert not (tmp_path / "page.html.part").exists()


def test_a_page_escapes_what_is_no_html() -> None:
    hostile = "<script>alert(1)</script>"
    page = stands_alone(render_page(hostile, hostile, [(hostile, ["<p>fine</p>"])]))
    assert page.tags.count("p") == 2
    assert page.text.count(hostile) == 4


# demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    output = tmp_path_factory.mktemp("demo") / "page.html"
    return run("demo", "--output", output), output


def test_demo(demo: tuple[Outcome, Path]) -> None:
    outcome, output = demo
    assert (outcome.status, outcome.err) == (0, "")
    assert "impossible for 627 unweighted, complete answers" in outcome.out
    assert "SIMULATED answers" in outcome.out
    assert "true value in the population" in outcome.out
    assert outcome.out.endswith(f"Written: {output}\n")
    assert [path.name for path in output.parent.iterdir()] == ["page.html"]


def test_demo_fits_80_columns(demo: tuple[Outcome, Path]) -> None:
    lines = demo[0].out.splitlines()
    assert [line for line in lines if len(line) > 80 and not line.startswith("Written")] == []


def test_the_page_of_the_demo_stands_alone(demo: tuple[Outcome, Path]) -> None:
    page = stands_alone(demo[1].read_text(encoding="utf-8"))
    text = page.text
    for code in ("2.A", "2.B", "2.C", "2.D"):
        assert code in text
    for part in ("SIMULATED answers", "96,9 per cent", "Turin, September 2023", "true value"):
        assert part in text
    assert not re.search(r"\bnan\b|None", text)
    images = [a for a in page.attributes if a[0] == "img"]
    assert {name for _, name, _ in images} == {"alt", "src"}
    assert all(value for _, _, value in images)
    assert ("html", "lang", "en") in page.attributes
    assert ("meta", "charset", "utf-8") in page.attributes


def test_demo_that_cannot_be_written(tmp_path: Path) -> None:
    outcome = run("demo", "-o", tmp_path / "no" / "page.html")
    assert outcome.status == BAD_INPUT
    assert "there is no folder" in outcome.err


# What else is promised


def test_without_typer_the_command_says_what_to_install() -> None:
    code = "import sys; sys.modules['typer'] = None\nimport steelyard.cli"
    package = Path(sy.__file__).parent.parent
    arguments: Sequence[str] = [sys.executable, "-c", code]
    result = subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(package)},
        check=False,
    )
    assert result.returncode == BAD_INPUT
    assert result.stderr == 'The command line needs typer: pip install "steelyard[report]"\n'
