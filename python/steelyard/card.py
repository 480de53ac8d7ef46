"""The scorecard file: indicators, targets and published figures as TOML."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, get_args

from steelyard.breaks import Break, breaks_between
from steelyard.design import DfRule, Lonely
from steelyard.errors import CardError, FigureError, nearest_text
from steelyard.levels import Level
from steelyard.pps import PpsMethod
from steelyard.published import Figure
from steelyard.target import FormerTarget, Target, TargetRounding

Base: TypeAlias = Mapping[str, Level | Sequence[Level]]

_CARD_KEYS = ("title", "source", "note", "design", "data", "indicator")
_DESIGN_KEYS = (
    "weights",
    "strata",
    "clusters",
    "fpc",
    "nest",
    "lonely",
    "lonely_domain",
    "pps",
    "df",
)
_CHOICES: dict[str, tuple[str, ...]] = {
    "lonely": get_args(Lonely),
    "lonely_domain": get_args(Lonely),
    "pps": tuple(method for method in get_args(PpsMethod) if method != "joint"),
    "df": get_args(DfRule),
}
_INDICATOR_KEYS = (
    "code",
    "label",
    "question",
    "positive",
    "answers",
    "base",
    "target",
    "published",
    "break",
)
_TARGET_KEYS = ("value", "years", "direction", "history", "rounding")


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: the share of positive answers to a question, among its base."""

    code: str
    label: str
    question: str
    positive: tuple[Level, ...]
    answers: tuple[Level, ...] = ()
    base: Base | None = None
    target: Target | None = None
    published: Mapping[int, Figure] = field(default_factory=dict)
    breaks: tuple[Break, ...] = ()

    def break_between(self, first: int, second: int) -> Break | None:
        """The break that makes two years incomparable, if there is one."""
        found = breaks_between(first, second, self.breaks, (first, second))
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Card:
    """What a scorecard file says."""

    path: Path
    title: str
    source: str
    note: str
    design: Mapping[str, str | list[str | list[str]] | bool]
    data: Mapping[int, Path]
    indicators: tuple[Indicator, ...]


def read_card(path: str | Path) -> Card:
    """Read and check a scorecard file.

    Raises
    ------
    CardError
        The file cannot be read, is not TOML, or says something that cannot be used. The message
        names the file, the line and the key.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CardError(f"{file}: the scorecard file cannot be read: {reason}") from None
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CardError(f"{file}: this is not TOML: {error}") from None
    root = _Node(file, text.splitlines(), tree, ())
    root.only(_CARD_KEYS)
    return Card(
        path=file,
        title=root.text("title", default=file.stem),
        source=root.text("source", default=""),
        note=root.text("note", default=""),
        design=_design(root),
        data=_data(root),
        indicators=_indicators(root),
    )


class _Node:
    """A table of the file, which knows where it stands so that errors can say it."""

    def __init__(
        self,
        file: Path,
        lines: list[str],
        table: Mapping[str, object],
        at: tuple[str | int, ...],
    ) -> None:
        self.file, self.lines, self.table, self.at = file, lines, table, at

    def error(self, key: str | None, problem: str) -> CardError:
        line = _line_of(self.lines, (*self.at, key) if key is not None else self.at)
        names = [f"[{part + 1}]" if isinstance(part, int) else part for part in self.at]
        name = ".".join(names + ([key] if key is not None else [])).replace(".[", "[")
        return CardError(f"{self.file}, line {line}, {name or 'the file'}: {problem}")

    def only(self, keys: Sequence[str]) -> None:
        for key in self.table:
            if key not in keys:
                raise self.error(key, f"there is no such key.{nearest_text(key, keys)}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self.table.get(key, default)
        if value is None:
            raise self.error(None, f"the key {key!r} is missing")
        if not isinstance(value, str):
            raise self.error(key, f"text is needed, not {value!r}")
        if default is None and not value.strip():
            raise self.error(key, "this must not be empty")
        return value

    def figure(self, key: str) -> Figure:
        value = self.table.get(key)
        if value is None:
            raise self.error(None, f"the key {key!r} is missing")
        if not isinstance(value, str):
            number = value if isinstance(value, int | float) else 75
            percent = number * 100 if number < 1 else number
            raise self.error(
                key, f'write the figure as printed, as text: for example "{percent:g} per cent"'
            )
        try:
            return Figure.parse(value)
        except FigureError as error:
            raise self.error(key, str(error)) from None

    def node(self, key: str) -> "_Node | None":
        value = self.table.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.error(key, "a table is needed")
        return _Node(self.file, self.lines, value, (*self.at, key))

    def nodes(self, key: str) -> list["_Node"]:
        value = self.table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise self.error(key, "a list of tables is needed")
        return [
            _Node(self.file, self.lines, table, (*self.at, key, i)) for i, table in enumerate(value)
        ]

    def year(self, key: str) -> int:
        if not re.fullmatch(r"\d{4}", key):
            raise self.error(key, "a year of four digits is needed")
        return int(key)


def _design(root: _Node) -> Mapping[str, str | list[str | list[str]] | bool]:
    node = root.node("design")
    if node is None:
        return {}
    node.only(_DESIGN_KEYS)
    for key, value in node.table.items():
        names = isinstance(value, list) and all(isinstance(v, str) for v in value)
        if key == "nest" and not isinstance(value, bool):
            raise node.error(key, f"true or false is needed, not {value!r}")
        if key in _CHOICES and value not in _CHOICES[key]:
            raise node.error(key, f"{value!r} is none of {', '.join(_CHOICES[key])}")
        if key in ("clusters", "fpc") and not (isinstance(value, str) or names):
            raise node.error(key, f"a column, or a list of one column a stage, not {value!r}")
        if key == "strata" and not (isinstance(value, str) or names or _is_per_stage(value)):
            raise node.error(key, f"a column or a list of columns is needed, not {value!r}")
        if key == "weights" and not isinstance(value, str):
            raise node.error(key, f"the name of one column is needed, not {value!r}")
    return dict(node.table)  # type: ignore[arg-type]


def _is_per_stage(value: object) -> bool:
    """Is it a list of columns, or of lists of columns to cross, one entry a stage?"""
    return isinstance(value, list) and all(
        isinstance(entry, str)
        or (isinstance(entry, list) and all(isinstance(name, str) for name in entry))
        for entry in value
    )


def _data(root: _Node) -> dict[int, Path]:
    node = root.node("data")
    if node is None:
        return {}
    return {node.year(key): root.file.parent / node.text(key) for key in node.table}


def _indicators(root: _Node) -> tuple[Indicator, ...]:
    nodes = root.nodes("indicator")
    if not nodes:
        raise root.error(None, "there is no [[indicator]] in it")
    indicators = tuple(_indicator(node) for node in nodes)
    codes = [indicator.code for indicator in indicators]
    for i, code in enumerate(codes):
        if code in codes[:i]:
            raise nodes[i].error("code", f"another indicator is called {code!r} already")
    return indicators


def _indicator(node: _Node) -> Indicator:
    node.only(_INDICATOR_KEYS)
    positive = _answers(node, "positive")
    answers = _answers(node, "answers") if "answers" in node.table else ()
    for answer in positive:
        if answers and answer not in answers:
            raise node.error(
                "positive", f"{answer!r} is not among answers.{nearest_text(answer, answers)}"
            )
    base = node.node("base")
    target = node.node("target")
    return Indicator(
        code=node.text("code"),
        label=node.text("label"),
        question=node.text("question"),
        positive=positive,
        answers=answers,
        base=None if base is None else _base(base),
        target=None if target is None else _target(target),
        published=_published(node),
        breaks=tuple(_break(b) for b in node.nodes("break")),
    )


def _answers(node: _Node, key: str) -> tuple[Level, ...]:
    value = node.table.get(key)
    levels = value if isinstance(value, list) else [] if value is None else [value]
    if not levels or not all(isinstance(v, str | int | float | bool) for v in levels):
        raise node.error(
            key if value is not None else None,
            f'list the answers, as in {key} = ["Agree", "Strongly agree"]',
        )
    return tuple(levels)


def _base(node: _Node) -> Base:
    for key, value in node.table.items():
        many = value if isinstance(value, list) else [value]
        if not many or not all(isinstance(v, str | int | float | bool) for v in many):
            raise node.error(key, "an answer or a list of answers is needed")
    return dict(node.table)  # type: ignore[arg-type]


def _target(node: _Node) -> Target:
    node.only(_TARGET_KEYS)
    years = node.table.get("years")
    if not isinstance(years, list) or not years or not all(_is_year(y) for y in years):
        raise node.error(
            "years" if years is not None else None,
            "list the years that the target is for, as in years = [2022, 2023]",
        )
    if len(set(years)) < len(years):
        raise node.error("years", f"a year stands twice in {years}")
    direction = node.text("direction", default="at least")
    if direction not in ("at least", "at most"):
        raise node.error("direction", f"{direction!r} is neither 'at least' nor 'at most'")
    rounding = node.text("rounding", default="exact")
    if rounding not in get_args(TargetRounding):
        raise node.error("rounding", f"{rounding!r} is neither 'exact' nor 'as printed'")
    history = tuple(_former(former) for former in node.nodes("history"))
    return Target(
        node.figure("value"),
        tuple(sorted(years)),
        "at most" if direction == "at most" else "at least",
        history,
        "as printed" if rounding == "as printed" else "exact",
    )


def _former(node: _Node) -> FormerTarget:
    node.only(("value", "reason"))
    return FormerTarget(node.figure("value"), node.text("reason", default=""))


def _published(node: _Node) -> dict[int, Figure]:
    published = node.node("published")
    if published is None:
        return {}
    return {published.year(key): published.figure(key) for key in published.table}


def _break(node: _Node) -> Break:
    node.only(("year", "reason"))
    year = node.table.get("year")
    if not isinstance(year, int) or not _is_year(year):
        raise node.error(
            "year" if year is not None else None,
            "the first year of the new series is needed, as four digits",
        )
    return Break(year, node.text("reason"))


def _is_year(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1000 <= value <= 9999


def _line_of(lines: Sequence[str], at: Sequence[str | int]) -> int:
    """The line, counted from 1, that a key stands in; that of its table if the key is not found.

    A number in the path is the position in an array of tables, as in ("indicator", 1, "code").
    """
    wanted = [part for part in at if isinstance(part, str)]
    numbers = {
        tuple(p for p in at[:i] if isinstance(p, str)): part
        for i, part in enumerate(at)
        if isinstance(part, int)
    }
    seen: dict[tuple[str, ...], int] = {}
    best, depth = 1, 0
    inside: tuple[str, ...] = ()
    for number, line in enumerate(lines, start=1):
        header = re.match(r"\s*(\[{1,2})\s*([^\]]+?)\s*\]{1,2}\s*(#.*)?$", line)
        if header:
            inside = tuple(part.strip().strip("\"'") for part in header[2].split("."))
            if header[1] == "[[":
                seen[inside] = seen.get(inside, -1) + 1
                seen = {k: v for k, v in seen.items() if len(k) <= len(inside)}
            path = inside
        else:
            key = re.match(r"\s*([\w\-\"'.]+)\s*=", line)
            if key is None:
                continue
            path = inside + tuple(part.strip("\"'") for part in key[1].split("."))
        right = all(seen.get(k, n) == n for k, n in numbers.items() if path[: len(k)] == k)
        if right and list(path) == wanted[: len(path)] and len(path) > depth:
            best, depth = number, len(path)
    return best
