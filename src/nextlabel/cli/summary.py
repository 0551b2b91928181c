"""The table after a run: one line per arm, with the difference to its baseline."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nextlabel.cli.output import plural, put, put_table

if TYPE_CHECKING:
    from nextlabel.report.summary import SummaryRow

HEADERS = ("arm", "seeds", "first", "last", "area", "against", "difference", "p")


def show_summary(rows: "Sequence[SummaryRow]", headline: str) -> None:
    """Write the table; `difference` is that of the areas under the curve, seed by seed."""
    from nextlabel.report.formatting import metric_name

    cells = [_cells(row) for row in rows]
    headers: Sequence[str] = HEADERS
    seeds = {row.seeds for row in rows}
    title = metric_name(headline)
    if len(seeds) == 1:  # the same in every row, and terminals are narrow
        title += f"; mean of {plural(seeds.pop(), 'seed')}"
        headers, cells = _without_seeds(HEADERS), [_without_seeds(row) for row in cells]
    put(f"{title}; area: under the curve")
    put_table(headers, cells)
    if any(row.primary and row.p is not None for row in rows):
        put("* the primary test; p by sign flips of the paired differences, not corrected")


def _cells(row: "SummaryRow") -> tuple[str, ...]:
    from nextlabel.report.formatting import p_value, signed

    numbers = ["–" if v is None else f"{v:.4f}" for v in (row.first, row.last, row.area)]
    difference = "–" if row.difference is None else signed(row.difference)
    p = "–" if row.p is None else p_value(row.p) + (" *" if row.primary else "")
    return row.arm, str(row.seeds), *numbers, row.baseline or "–", difference, p


def _without_seeds(row: Sequence[str]) -> tuple[str, ...]:
    return tuple(cell for i, cell in enumerate(row) if i != HEADERS.index("seeds"))
