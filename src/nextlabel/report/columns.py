"""What stands above and in the cells of the report's tables, and the columns that several share."""

from dataclasses import dataclass
from typing import Literal

from nextlabel.report.comparisons import Ends
from nextlabel.statistics import Comparison, Saving

Cell = str | int | float | bool | None
Kind = Literal[
    "text",
    "count",
    "number",
    "signed",
    "effect",
    "spread",
    "p",
    "seconds",
    "bytes",
    "labels",
    "plain",
]


@dataclass(frozen=True)
class Column:
    """A column: its name in CSV files, its heading on the page, and how its cells are shown."""

    name: str
    heading: str
    kind: Kind = "text"


COMPARED = (
    Column("pairs", "pairs", "count"),
    Column("difference", "difference of AUBC", "signed"),
    Column("low", "95% from", "signed"),
    Column("high", "to", "signed"),
    Column("effect_dz", "d_z", "effect"),
    Column("p", "p", "p"),
    Column("p_holm", "p, Holm", "p"),
    Column("smallest_p", "least p possible", "p"),
    Column("detectable", "detectable", "spread"),
)
"""The columns of a comparison of AUBCs; `compared_cells` gives their cells."""

SAVED = (
    Column("saved", "labels saved", "labels"),
    Column("saved_low", "95% from", "labels"),
    Column("saved_high", "to", "labels"),
)
"""The columns of a label saving with its interval; `saved_cells` gives their cells."""


def compared_cells(area: Comparison, p_holm: float | None) -> tuple[Cell, ...]:
    """Return the cells under COMPARED."""
    return (
        *(area.n, area.mean, area.low, area.high, area.effect),
        *(area.test.p, p_holm, area.test.smallest_p, area.detectable),
    )


def saved_cells(saving: Saving, ends: Ends | None) -> tuple[Cell, ...]:
    """Return the cells under SAVED; a single seed has no interval, and no ends."""
    return (saving.saved, *((None, None) if ends is None else map(reached, ends)))


def reached(labels: float | None) -> float | str:
    """Return a number of labels, or in words that the level was not reached."""
    return "not reached" if labels is None else labels
