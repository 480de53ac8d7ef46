"""Was there no change that matters? Equivalence, non-inferiority, and what could be detected."""

from typing import TYPE_CHECKING, get_args

import numpy as np

from steelyard import _core
from steelyard.change import MarginKind
from steelyard.findings import Findings
from steelyard.labels import Labels
from steelyard.series import label_text
from steelyard.table import Cell, cells

if TYPE_CHECKING:
    from steelyard.comparison import Comparison


def equivalence(
    comparison: "Comparison", low: float, high: float, alpha: float, kind: MarginKind
) -> Findings:
    """Test by two one-sided tests whether changes lie within margins.

    Parameters
    ----------
    comparison : Comparison
    low, high : float
        Margins in the unit of the change (0.02: two percentage points); one may be infinite.
    alpha : float
        Of each one-sided test, between 0 and 0.5.
    kind : {"difference", "relative", "log-odds"}
        "relative" for a ratio: its margins count from 0.

    Returns
    -------
    Findings
        A row a change: its estimate, the interval at 1 - 2 alpha (one-sided at 1 - alpha where one
        margin is infinite), p-value, and "within the margin", "beyond the margin" or
        "undetermined". With a published side, the least favourable of what its rounding allows.

    Raises
    ------
    ValueError
        Margins or alpha are out of range.

    Notes
    -----
    Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15(6).

    Examples
    --------
    >>> import steelyard as sy
    >>> svy = sy.Survey(sy.datasets.load("apistrat"), weights="pw", strata="stype", fpc="fpc")
    >>> score = {year: svy.estimate({"score": sy.mean(f"api{year}")}) for year in ("99", "00")}
    >>> sy.compare(score).noninferiority(20)["verdict"]
    ['within the margin']
    """
    if kind not in get_args(MarginKind):
        raise ValueError(
            f"kind={kind!r} is none of {', '.join(map(repr, get_args(MarginKind)))}: margins count "
            "from no change, which is 0"
        )
    estimates, *ends = comparison.together(kind)
    df = estimates.degrees_of_freedom()
    rows = []
    for i in range(len(estimates)):
        tests = [
            _core.equivalence(end.estimate[i], end.se[i], df[i], low, high, alpha) for end in ends
        ]
        rows.append(
            (
                min(test.interval[0] for test in tests),
                max(test.interval[1] for test in tests),
                max(test.p_value for test in tests),
                # Far enough beyond one margin, whichever value within the rounding is the true one.
                min(max(test.above_low, test.below_high) for test in tests),
            )
        )
    figures = np.array(rows).reshape(-1, 4)
    columns: dict[str, list[Cell]] = {
        "change": _names(comparison, estimates.labels),
        "estimate": cells(estimates.estimate),
        "ci_low": cells(figures[:, 0]),
        "ci_high": cells(figures[:, 1]),
        "p_value": cells(figures[:, 2]),
        "verdict": [_verdict(row[2], row[3], alpha) for row in figures],
    }
    one_sided = np.isinf(low) or np.isinf(high)
    level = 1 - alpha if one_sided else 1 - 2 * alpha
    margins = (
        f"above {low:g}"
        if np.isinf(high)
        else f"below {high:g}"
        if np.isinf(low)
        else f"between {low:g} and {high:g}"
    )
    return Findings(
        f"Is the {kind} {margins}?",
        columns,
        [
            f"intervals: {100 * level:g}%; p-value of the change being at or beyond a margin, by "
            "two one-sided t tests"
            if not one_sided
            else f"intervals: {100 * level:g}%, one-sided; p-value of the change being at or "
            "beyond the margin, by a one-sided t test",
            *comparison.left_unsaid(),
        ],
        estimates,
    )


def check_margin(comparison: "Comparison", margin: float, kind: MarginKind) -> None:
    """Refuse a margin that is none, or that was meant in points.

    Raises
    ------
    ValueError
        It is not above 0, or 1 or more for shares.
    """
    if not margin > 0:
        raise ValueError(f"margin={margin:g}: a margin is above 0, whichever way it counts")
    shares = any(share for change in comparison.changes for share in change.of_shares)
    if shares and kind == "difference" and margin >= 1:
        raise ValueError(
            f"margin={margin:g}: differences of shares lie between -1 and 1, so that two points "
            "are 0.02"
        )


def detectable(comparison: "Comparison", power: float, level: float) -> Findings:
    """Say which change each comparison would have found with a given probability.

    Parameters
    ----------
    comparison : Comparison
    power : float
        The probability to find it, between (1 - level) / 2 and 1.
    level : float
        Confidence level of the two-sided test.

    Returns
    -------
    Findings
        A row a difference: its standard error and the minimum detectable change, in the unit of the
        estimates.

    Notes
    -----
    (t_{(1 + level) / 2} + t_power) times the standard error (Bloom 1995, Evaluation Review 19(5)).
    """
    estimates, *_ = comparison.together("difference")
    rows = zip(estimates.se, estimates.degrees_of_freedom(), strict=True)
    smallest = [
        _core.minimum_detectable(se, df, level, power) if se > 0 else np.nan for se, df in rows
    ]
    columns: dict[str, list[Cell]] = {
        "change": _names(comparison, estimates.labels),
        "estimate": cells(estimates.estimate),
        "se": cells(estimates.se),
        "detectable": cells(np.array(smallest)),
    }
    return Findings(
        f"Which change would have been found with a probability of {100 * power:g}%?",
        columns,
        [f"by a two-sided t test at {100 * level:g}%", *comparison.left_unsaid()],
        estimates,
    )


def _names(comparison: "Comparison", labels: Labels) -> list[Cell]:
    """What changed, and from when to when."""
    spans = [
        f"{c.base} to {c.period}" for c in comparison.comparable for _ in range(len(c.pair.after))
    ]
    rows = [label_text(key[1:]) for key in labels.keys()]  # noqa: SIM118
    return [f"{span}: {name}" for span, name in zip(spans, rows, strict=True)]


def _verdict(within: float, beyond: float, alpha: float) -> str:
    if np.isnan(within):
        return "error not estimable"
    if within <= alpha:
        return "within the margin"
    return "beyond the margin" if beyond >= 1 - alpha else "undetermined"
