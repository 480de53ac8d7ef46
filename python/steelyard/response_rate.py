"""Response rates as the American Association for Public Opinion Research defines them."""

from collections.abc import Mapping
from typing import Literal, TypeAlias, cast, get_args

import numpy as np
from narwhals.typing import IntoDataFrame

from steelyard.columns import Columns, level_codes
from steelyard.errors import DesignMismatch, MissingValues, UnknownLevel, error_in_rows
from steelyard.render import html_table, number_text, text_table
from steelyard.statistic import Levels
from steelyard.table import Cell, Table

Disposition: TypeAlias = Literal[
    "complete", "partial", "refusal", "noncontact", "other", "unknown", "ineligible"
]


class ResponseRates(Table):
    """The six response rates of AAPOR.

    Made by :func:`response_rates`. `counts` holds the weight of each disposition, `e` the share of
    those of unknown eligibility that is taken to be eligible.
    """

    def __init__(self, counts: Mapping[Disposition, float], e: float, rows: int) -> None:
        self.counts = dict(counts)
        self.e = e
        self.rows = rows

    @property
    def rates(self) -> dict[str, float]:
        """Each rate by its name, RR1 to RR6."""
        c = self.counts
        interviews = c["complete"] + c["partial"]
        known = interviews + c["refusal"] + c["noncontact"] + c["other"]
        bases = (known + c["unknown"], known + self.e * c["unknown"], known)
        return {
            f"RR{1 + 2 * i + j}": part / base
            for i, base in enumerate(bases)
            for j, part in enumerate((c["complete"], interviews))
        }

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return one row a rate."""
        return {"rate": list(self.rates), "value": list(self.rates.values())}

    def __repr__(self) -> str:
        return text_table(self.to_dict(), self._footer())

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), self._footer())

    def _footer(self) -> list[str]:
        listed = ", ".join(f"{name} {number_text(size)}" for name, size in self.counts.items())
        return [
            "odd rates count complete interviews, even ones partial ones too",
            "of all that may be eligible (RR1, RR2), with a share of the unknown (RR3, RR4), or "
            "of those known to be (RR5, RR6)",
            f"eligible among the unknown: {number_text(self.e)}",
            listed,
        ]


def response_rates(
    frame: IntoDataFrame,
    disposition: str,
    codes: Mapping[Disposition, Levels],
    *,
    weights: str | None = None,
    e: float | None = None,
) -> ResponseRates:
    """Compute the response rates RR1 to RR6 of AAPOR.

    Parameters
    ----------
    frame : frame that narwhals reads
        One row for each unit that was sampled.
    disposition : str
        Column of what became of each.
    codes : mapping from disposition to level or levels
        "complete", "partial", "refusal", "noncontact", "other" (eligible, no interview),
        "unknown" (eligibility not known), "ineligible". Those that did not occur may be left out.
    weights : str, optional
        Column of base weights; 1 without it.
    e : float, optional
        Share of those of unknown eligibility that is eligible, for RR3 and RR4. Without it, the
        share among those of which it is known.

    Returns
    -------
    ResponseRates

    Raises
    ------
    UnknownLevel
        A level of the column has no disposition, or is none of the column's.
    MissingValues
        A row has no disposition.

    Notes
    -----
    AAPOR (2023), Standard Definitions: Final Dispositions of Case Codes and Outcome Rates for
    Surveys, 10th edition.

    Examples
    --------
    >>> import polars as pl
    >>> import steelyard as sy
    >>> calls = pl.DataFrame({"status": ["done"] * 60 + ["no"] * 25 + ["?"] * 10 + ["moved"] * 5})
    >>> found = sy.response_rates(
    ...     calls,
    ...     "status",
    ...     {"complete": "done", "refusal": "no", "unknown": "?", "ineligible": "moved"},
    ... )
    >>> round(found.rates["RR1"], 4), round(found.rates["RR3"], 4)
    (0.6316, 0.6353)
    """
    columns = Columns(frame)
    unknown = [name for name in codes if name not in get_args(Disposition)]
    if unknown:
        known = ", ".join(map(repr, get_args(Disposition)))
        raise DesignMismatch(f"codes= names {unknown[0]!r}, which is none of {known}")
    if e is not None and not 0 <= e <= 1:
        raise ValueError(f"e={e}: a share, from 0 to 1")
    factor = columns.complete_factor(disposition, "disposition")
    weight = np.ones(len(columns)) if weights is None else columns.numbers(weights).astype(float)
    bad = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if len(bad) > 0:
        raise error_in_rows(
            MissingValues,
            str(weights),
            bad.tolist(),
            f"weights {weights!r} are missing, infinite or negative",
            "every row that was sampled has a base weight",
        )
    of_level = np.bincount(factor.codes.to_numpy(), weight, len(factor.levels))
    taken: dict[int, str] = {}
    counts: dict[Disposition, float] = dict.fromkeys(
        cast(tuple[Disposition, ...], get_args(Disposition)), 0.0
    )
    for name, levels in codes.items():
        for code in level_codes(disposition, factor, levels):
            if code in taken:
                raise DesignMismatch(
                    f"{factor.levels[code]!r} is both {taken[code]!r} and {name!r} in codes="
                )
            taken[code] = name
            counts[name] += float(of_level[code])
    for code, level in enumerate(factor.levels):
        if code not in taken and factor.codes.counts[code] > 0:
            raise UnknownLevel(
                f"{level!r} of column {disposition!r} ({factor.codes.counts[code]:,} rows) has no "
                "disposition in codes=",
                column=disposition,
            )
    eligible = sum(
        counts[name] for name in ("complete", "partial", "refusal", "noncontact", "other")
    )
    if not eligible > 0:
        raise DesignMismatch("nobody is known to be eligible: there is no rate to compute")
    share = eligible / (eligible + counts["ineligible"]) if e is None else e
    return ResponseRates(counts, share, len(columns))
