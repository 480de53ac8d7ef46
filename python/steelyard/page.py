"""The scorecard as HTML: a fragment for notebooks and a page that stands alone."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steelyard.estimates import Estimates
from steelyard.evaluation import Evaluation, IndicatorResult, YearResult
from steelyard.published import Audit
from steelyard.target import percent_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Text on ground with a contrast above 4.5 : 1.
_BADGES = {
    "met": "color:#0b5c3f;background:#e0f2ea",
    "not met": "color:#8f1d1d;background:#fbe4e4",
    "undetermined": "color:#5f4600;background:#fdf1cf",
}
_CELL = "padding:0.35em 0.8em;vertical-align:top;text-align:{};font-variant-numeric:tabular-nums"
_LINE = '<br><span style="font-size:0.85em;opacity:0.8;white-space:{}">{}</span>'
_SHORT = 24  # characters that stay on one line


def scorecard_fragment(evaluation: Evaluation) -> str:
    """Write the scorecard as one table, without page around it; all text is escaped."""
    years = [year.year for year in evaluation.results[0].years]
    heads = ["Indicator", *map(str, years), "Change", "Years together", "Target", "Verdict"]
    right = {*map(str, years), "Change", "Years together", "Target"}
    head = "".join(_cell("th", name, "right" if name in right else "left") for name in heads)
    body = "".join(_row(result) for result in evaluation.results)
    notes = "<br>".join(escape(line) for line in evaluation.footer())
    title = escape(evaluation.card.title)
    return (
        '<table style="border-collapse:collapse"><caption style="text-align:left;'
        f'font-weight:bold;padding:0.4em 0.8em">{title}</caption>'
        f'<thead style="border-bottom:1px solid currentColor"><tr>{head}</tr></thead>'
        f'<tbody>{body}</tbody></table><p style="font-size:0.85em;opacity:0.85">{notes}</p>'
    )


def scorecard_page(evaluation: Evaluation) -> str:
    """Write the scorecard as a page of its own."""
    return render_page(
        title=evaluation.card.title,
        source=evaluation.card.source,
        sections=[("Scorecard", [scorecard_fragment(evaluation), picture(evaluation.plot())])],
    )


def audit_fragment(rows: Sequence[tuple[str, int, Audit]]) -> str:
    """Write audits as a table: what was published, for which year, and the finding."""
    heads = ["Indicator", "Year", "Published", "Finding"]
    head = "".join(_cell("th", name, "left") for name in heads)
    body = "".join(
        f"<tr>{_cell('td', code)}{_cell('td', str(year))}{_cell('td', audit.figure.text)}"
        f"{_cell('td', audit.verdict)}</tr>"
        for code, year, audit in rows
    )
    power = "<br>".join(dict.fromkeys(escape(audit.power) for _, _, audit in rows))
    return (
        '<table style="border-collapse:collapse"><thead style="border-bottom:1px solid '
        f'currentColor"><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        f'<p style="font-size:0.85em;opacity:0.85">{power}</p>'
    )


def picture(ax: "Axes", alternative: str = "The same figures as a picture") -> str:
    """Embed a drawing in the page, and close it."""
    from matplotlib import pyplot

    image = BytesIO()
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.savefig(image, format="png", dpi=160, metadata={"Software": None})
    pyplot.close(figure)
    data = b64encode(image.getvalue()).decode()
    return f'<img alt="{escape(alternative)}" src="data:image/png;base64,{data}">'


def render_page(title: str, source: str, sections: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Put fragments of HTML into a page that needs nothing else.

    Raises
    ------
    ImportError
        Jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader
    except ImportError:
        raise ImportError('pages need Jinja2: pip install "steelyard[report]"') from None
    from markupsafe import Markup

    from steelyard._core import __version__

    environment = Environment(loader=PackageLoader("steelyard"), autoescape=True)
    safe = [(name, [Markup(part) for part in parts]) for name, parts in sections]
    template = environment.get_template("page.html.j2")
    return template.render(title=title, source=source, sections=safe, version=__version__)


def write_page(page: str, path: str | Path) -> None:
    """Write a page aside and move it into place, so that nothing is ever half written."""
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent} to write {target.name} into")
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder: name the file to write")
    part = target.with_name(f"{target.name}.part")
    try:
        part.write_text(page, encoding="utf-8")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _row(result: IndicatorResult) -> str:
    indicator = result.indicator
    cells = [_cell("td", indicator.code, below=[indicator.label])]
    cells += [_year_cell(year) for year in result.years]
    cells.append(_change_cell(result))
    cumulative = result.cumulative
    cells.append(_cell("td", "") if cumulative is None else _share_cell(cumulative))
    cells.append(_target_cell(result))
    verdict = result.verdict
    badge = (
        ""
        if verdict is None
        else f'<span style="{_BADGES[verdict]};padding:0.15em 0.6em;border-radius:1em;'
        f'white-space:nowrap">{verdict}</span>'
    )
    why = result.not_judged or _sureness(result)
    reason = _LINE.format("normal", escape(why)) if why else ""
    cells.append(f'<td style="{_CELL.format("left")}">{badge}{reason}</td>')
    return f'<tr style="border-bottom:1px solid #8884">{"".join(cells)}</tr>'


def _cell(tag: str, text: str, align: str = "left", below: Sequence[str] = ()) -> str:
    """Write a cell: its text on one line, and smaller lines below."""
    scope = ' scope="col"' if tag == "th" else ""
    small = "".join(
        _LINE.format("nowrap" if len(line) <= _SHORT else "normal", escape(line))
        for line in below
        if line
    )
    main = f'<span style="white-space:nowrap">{escape(text)}</span>' if small else escape(text)
    return f'<{tag}{scope} style="{_CELL.format(align)}">{main}{small}</{tag}>'


def _share_cell(estimate: Estimates, more: str = "") -> str:
    low, high = estimate.ci()[0]
    lines = [
        "" if np.isnan(low) else f"{100 * low:.1f} to {100 * high:.1f}",
        f"n = {int(estimate.n[0]):,}",
        more,
        estimate.notes[0] or "",
    ]
    return _cell("td", f"{100 * estimate.value:.1f} %", "right", lines)


def _year_cell(year: YearResult) -> str:
    if year.published is None:
        return _share_cell(year.estimate)
    agrees = "agrees" if year.agrees else "differs"
    return _share_cell(year.estimate, f"published {year.published}: {agrees}")


def _change_cell(result: IndicatorResult) -> str:
    if result.change is None:
        return _cell("td", "–", "right", [result.not_comparable or ""])
    difference = result.change.difference
    low, high = difference.ci()[0]
    points = f"{100 * difference.value:+.1f} points"
    if np.isnan(low):
        return _cell("td", points, "right", [difference.notes[0] or ""])
    arrow, meaning = (
        ("▲", "rose") if low > 0 else ("▼", "fell") if high < 0 else ("▬", "no clear change")
    )
    lines = [f"{100 * low:+.1f} to {100 * high:+.1f}", difference.notes[0] or meaning]
    return _cell("td", f"{arrow} {points}", "right", lines)


def _sureness(result: IndicatorResult) -> str:
    if result.judgement is None or np.isnan(result.judgement.confidence[0]):
        return ""
    return f"confidence that it is reached {percent_text(float(result.judgement.confidence[0]))}"


def _target_cell(result: IndicatorResult) -> str:
    target = result.indicator.target
    if target is None:
        return _cell("td", "")
    rule = ", rounded as printed" if target.rounding == "as printed" else ""
    lines = [f"{target.direction}, {target.period}{rule}"]
    lines += [f"was {former.value}: {former.reason}" for former in target.history]
    return _cell("td", str(target.value), "right", lines)
