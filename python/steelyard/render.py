"""Tables as text and as HTML, readable without documentation."""

from collections.abc import Mapping, Sequence
from html import escape
from textwrap import wrap

from steelyard.levels import Level

WIDTH = 80
_WHOLE = {"verdict", "interval"}  # texts that are never cut
_INTEGERS = {"n", "missing", "df"}


def number_text(value: float, digits: int = 4) -> str:
    """Write a number with as many digits as its size deserves."""
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1e12 or size < 1e-5:
        return f"{value:.{digits - 1}e}"
    if size < 0.01:
        return f"{value:.{digits - 2}g}" if size >= 1e-4 else f"{value:.{digits - 2}e}"
    decimals = max(0, digits - len(str(int(size)))) if size >= 1 else digits
    return f"{value:,.{decimals}f}"


def cell_text(name: str, value: Level) -> str:
    """Write one cell; nothing where there is no figure."""
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return " ".join(str(value).split())
    if isinstance(value, int):
        return f"{value:,}" if name in _INTEGERS else str(value)
    if name in _INTEGERS:
        return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    return number_text(value)


def text_table(
    columns: Mapping[str, Sequence[Level]], footer: Sequence[str], *, number_notes: bool = True
) -> str:
    """Lay a table out in 80 columns: figures to the right, notes below their rows.

    Notes that repeat are numbered and stand under the table, unless `number_notes` is false.
    """
    notes = columns.get("note", ())
    shown = {
        name: values
        for name, values in columns.items()
        if name != "note" and any(v is not None and (name != "missing" or v) for v in values)
    }
    cells = {name: [cell_text(name, v) for v in values] for name, values in shown.items()}
    marks, legend = _marks(notes) if number_notes else ([], [])
    if marks:
        cells["note"] = marks
    heading = _fit(cells)
    right = {name for name, values in shown.items() if _is_number(values)}
    widths = {name: _column_width(name, values) for name, values in cells.items()}
    _narrow(widths, right)
    lines = [*heading, _line({name: name for name in cells}, widths, right)]
    for i in range(len(next(iter(cells.values()), []))):
        lines.append(_line({name: values[i] for name, values in cells.items()}, widths, right))
        if not marks and i < len(notes) and notes[i]:
            lines += wrap(f"^ {notes[i]}", WIDTH, initial_indent="  ", subsequent_indent="    ")
    return "\n".join([*lines, *_wrapped(legend), *_wrapped(footer)])


def _marks(notes: Sequence[Level]) -> tuple[list[str], list[str]]:
    """Where notes repeat, number them: a mark for each row, and what each mark means."""
    distinct = list(dict.fromkeys(str(note) for note in notes if note))
    if len(distinct) == sum(1 for note in notes if note):
        return [], []
    number = {note: str(i) for i, note in enumerate(distinct, start=1)}
    marks = [f"[{number[str(note)]}]" if note else "" for note in notes]
    return marks, [f"[{mark}] {note}" for note, mark in number.items()]


def html_table(columns: Mapping[str, Sequence[Level]], footer: Sequence[str]) -> str:
    """Write a table as self-contained HTML; everything from outside is escaped."""
    numeric = {name for name, values in columns.items() if _is_number(values)}
    empty = {name for name, values in columns.items() if all(v is None for v in values)}
    shown = {name: values for name, values in columns.items() if name not in empty}

    def cell(tag: str, name: str, text: str) -> str:
        align = "right" if name in numeric else "left"
        scope = ' scope="col"' if tag == "th" else ""
        style = f"text-align:{align};padding:0.2em 0.8em;font-variant-numeric:tabular-nums"
        return f'<{tag}{scope} style="{style}">{escape(text)}</{tag}>'

    head = "".join(cell("th", name, name) for name in shown)
    rows = len(next(iter(shown.values()), []))
    body = "".join(
        "<tr>"
        + "".join(cell("td", name, cell_text(name, values[i])) for name, values in shown.items())
        + "</tr>"
        for i in range(rows)
    )
    notes = "<br>".join(escape(line) for line in footer)
    return (
        '<table style="border-collapse:collapse"><thead style="border-bottom:1px solid">'
        f"<tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f'<p style="font-size:smaller;opacity:0.8">{notes}</p>'
    )


def _is_number(values: Sequence[Level]) -> bool:
    known = [v for v in values if v is not None]
    return bool(known) and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in known
    )


def _column_width(name: str, values: Sequence[str]) -> int:
    return max(len(name), *(len(v) for v in values), 1)


def _width(cells: Mapping[str, Sequence[str]]) -> int:
    return sum(_column_width(name, values) + 2 for name, values in cells.items()) - 2


def _fit(cells: dict[str, list[str]]) -> list[str]:
    """Take columns out until the line fits: what is the same in every row becomes a heading."""
    heading = []
    for name in ("level", "variable", "base"):
        values = cells.get(name)
        if _width(cells) > WIDTH and values and len(set(values)) == 1 and len(cells) > 1:
            heading += _wrapped([f"{name}: {values[0]}"])
            del cells[name]
    for name in ("deff", "df", "missing", "se", "n"):
        if _width(cells) > WIDTH and name in cells:
            del cells[name]
    return heading


def _narrow(widths: dict[str, int], right: set[str]) -> None:
    """Shorten the widest labels until the line fits, then names too; figures are never cut."""
    for narrowest in (len, lambda name: 0):
        while sum(widths.values()) + 2 * len(widths) - 2 > WIDTH:
            cut = [n for n in widths if n not in right and n not in _WHOLE]
            labels = [n for n in cut if widths[n] > max(6, narrowest(n))]
            if not labels:
                break
            widths[max(labels, key=widths.__getitem__)] -= 1


def _line(cells: Mapping[str, str], widths: Mapping[str, int], right: set[str]) -> str:
    parts = []
    for name, text in cells.items():
        width = widths[name]
        cut = text if len(text) <= width else _shortened(text, width)
        parts.append(cut.rjust(width) if name in right else cut.ljust(width))
    return "  ".join(parts).rstrip()


def _shortened(text: str, width: int) -> str:
    """Cut the middle out: answers often differ in their ends."""
    tail = (width - 1) // 2
    return text[: width - 1 - tail] + "…" + (text[-tail:] if tail else "")


def _wrapped(footer: Sequence[str]) -> list[str]:
    return [line for text in footer for line in wrap(text, WIDTH, subsequent_indent="  ")]
