"""The table after a run: an arm a line, with its difference to its baseline."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nextlabel.report.tables import SummaryRow

Table = tuple[Sequence[str], Sequence[Sequence[object]]]


def summarise(rows: "Sequence[SummaryRow]", headline: str) -> Table:
    """Return headers and cells; differences are those of the area under the curve (AUBC)."""
    headers = ("arm", "seeds", f"{headline}: first", "last", "AUBC", "against", "difference", "p")
    return headers, [_cells(row) for row in rows]


def _cells(row: "SummaryRow") -> tuple[object, ...]:
    from nextlabel.report.words import p_value, signed

    difference = "–"
    if row.difference is not None:
        difference = signed(row.difference)
        if row.low is not None and row.high is not None:
            difference += f" [{signed(row.low)}, {signed(row.high)}]"
    p = "–" if row.p is None else p_value(row.p) + (" (primary)" if row.primary else "")
    numbers = (_number(value) for value in (row.first, row.last, row.area))
    return row.arm, row.seeds, *numbers, row.baseline or "–", difference, p


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
