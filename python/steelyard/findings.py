"""Findings: a table of results that are not estimates alone, with what must be said under it."""

from collections.abc import Mapping, Sequence

from steelyard.estimates import Estimates
from steelyard.render import html_table, text_table
from steelyard.table import Cell, Table


class Findings(Table):
    """A table of findings.

    Attributes
    ----------
    title : str
        What was asked.
    estimates : Estimates or None
        The estimates that the findings are about, with their covariance.
    conventions : tuple of str
        How the figures were made.
    """

    def __init__(
        self,
        title: str,
        columns: Mapping[str, list[Cell]],
        conventions: Sequence[str],
        estimates: Estimates | None = None,
    ) -> None:
        self._columns = {name: list(values) for name, values in columns.items()}
        self.title = title
        self.conventions = tuple(conventions)
        self.estimates = estimates

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), []))

    def __getitem__(self, name: str) -> list[Cell]:
        return list(self._columns[name])

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return the table as a column of plain values a name; None where there is no figure."""
        return {name: list(values) for name, values in self._columns.items()}

    def __repr__(self) -> str:
        return "\n".join([self.title, text_table(self._columns, self.conventions)])

    def _repr_html_(self) -> str:
        return html_table(self._columns, [self.title, *self.conventions])
