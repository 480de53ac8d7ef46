"""What unequal weights alone cost."""

from collections.abc import Sequence

from steelyard import _core
from steelyard.condition import Where
from steelyard.render import html_table, text_table
from steelyard.sample import Sample
from steelyard.table import Cell, Table, cells

_FOOTER = ["weighting_effect: n sum of w² / (sum of w)² (Kish), for variables unrelated to weights"]


class WeightingEffect(Table):
    """Kish's design effect of weighting, and the effective number of rows, of each group.

    Made by :meth:`Survey.weighting_effect`.
    """

    def __init__(self, sample: Sample, by: str | Sequence[str] | None, where: Where | None) -> None:
        self._domain = sample.domain(by, where)
        self.effect, self.n = _core.weighting_effect(sample.design, self._domain.codes)

    def to_dict(self) -> dict[str, list[Cell]]:
        """Return one row a group."""
        groups: dict[str, list[Cell]] = {
            name: [label[i] for label in self._domain.labels]
            for i, name in enumerate(self._domain.columns)
        }
        return {
            **groups,
            "n": [int(n) for n in self.n],
            "weighting_effect": cells(self.effect),
            "effective_n": cells(self.n / self.effect),
        }

    def __repr__(self) -> str:
        return text_table(self.to_dict(), _FOOTER)

    def _repr_html_(self) -> str:
        return html_table(self.to_dict(), _FOOTER)
