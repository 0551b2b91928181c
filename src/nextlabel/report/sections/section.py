"""The content of a section: text, figures, tables, pictures and subsections that unfold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nextlabel.report.columns import Column, column
from nextlabel.report.formatting import Cell, percent, show
from nextlabel.report.frame import Table
from nextlabel.statistics import CONFIDENCE, attainable

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

PHONE = 44
"""Characters of a table that a phone shows next to each other."""

Facts = tuple[tuple[str, str], ...]
"""Names and values."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure, the name of its files, its caption, and the table of its numbers."""

    name: str
    caption: str
    figure: "Figure"
    table: Table | None = None


@dataclass(frozen=True)
class Heading:
    """The heading of a column; numbers are aligned to the right."""

    text: str
    number: bool


@dataclass(frozen=True)
class TableView:
    """A table as the page shows it: all cells are text."""

    headings: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    @cached_property
    def wide(self) -> bool:
        """True where the columns do not fit side by side on a phone. Each cell reads it."""
        columns = zip(self.headings, *self.rows, strict=True)
        return sum(_least_width(*column) + 1 for column in columns) > PHONE


def _least_width(heading: Heading, *cells: str) -> int:
    """Return the characters of a column's longest piece; text breaks at spaces, numbers do not."""
    pieces = heading.text.split() + [
        piece for cell in cells for piece in ([cell] if heading.number else cell.split())
    ]
    return max(map(len, pieces), default=0)


@dataclass(frozen=True)
class Sheet:
    """A PNG picture, its caption, and a line of text per image that it shows."""

    caption: str
    png: bytes
    images: tuple[str, ...] = ()


@dataclass(frozen=True)
class Download:
    """A link to the CSV file of a table."""

    table: Table
    label: str = "CSV"


@dataclass(frozen=True, eq=False)
class Section:
    """A section of the page, or a subsection of one.

    Parameters
    ----------
    title
        The heading.
    text
        Paragraphs.
    figures, tables, sheets, facts, downloads
        The content after the text, in this order.
    items
        Sentences of a list.
    code
        Text with its line breaks, for example JSON.
    subsections
        Sections within this one, at the end.
    folded
        True when only the title is visible at first.
    style
        "verdict" for the result itself, "notice" for its limits.
    name
        The anchor of the section, unique on the page; only for the outermost sections.
    """

    title: str = ""
    text: tuple[str, ...] = ()
    figures: tuple[Drawing, ...] = ()
    tables: tuple[TableView, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    facts: Facts = ()
    downloads: tuple[Download, ...] = ()
    items: tuple[str, ...] = ()
    code: str = ""
    subsections: tuple["Section", ...] = ()
    folded: bool = False
    style: str = "plain"
    name: str = ""

    def walk(self) -> Iterator["Section"]:
        """Yield this section and all its subsections."""
        yield self
        for one in self.subsections:
            yield from one.walk()


def view(
    frame: "DataFrame",
    columns: Sequence[str] = (),
    caption: str = "",
    headings: Mapping[str, str] | None = None,
) -> TableView:
    """Return a DataFrame as a table of text.

    Parameters
    ----------
    frame
        The rows.
    columns
        The columns to show, by name; all by default.
    caption
        The line above the table.
    headings
        Headings by column, in place of those of `nextlabel.report.columns`.
    """
    shown = frame[list(columns)] if columns else frame
    described = {str(name): column(str(name)) for name in shown.columns}
    cells = shown.astype(object).where(shown.notna(), None)
    return TableView(
        tuple(_heading(name, of, headings or {}) for name, of in described.items()),
        tuple(
            tuple(show(row[name], of.format) for name, of in described.items())
            for row in cells.to_dict("records")
        ),
        caption,
    )


def with_interval(frame: "DataFrame", low: str, high: str, name: str) -> "DataFrame":
    """Return a DataFrame with one more column `name`: the interval from `low` to `high` as text."""
    from nextlabel.report.formatting import interval
    from nextlabel.report.tables import NOT_REACHED

    cells = frame.astype(object).where(frame.notna(), None)
    ends: list[tuple[Cell, Cell]] = list(zip(cells[low], cells[high], strict=True))
    format = column(low).format
    texts = [interval(show(a, format), show(b, format), NOT_REACHED) for a, b in ends]
    return frame.assign(**{name: texts})


def interval_heading(frame: "DataFrame") -> str:
    """Return the heading of a column of intervals: their level, where all have the same."""
    levels = frame["confidence"].dropna().unique()
    if len(levels) == 1:
        return f"{percent(levels[0])} interval"
    return f"interval, up to {percent(CONFIDENCE)}"


def interval_note(frame: "DataFrame") -> str:
    """Return the sentence that says what few pairs can cover, with a space before; or ""."""
    short = sorted(
        {int(n) for n in frame["pairs"].dropna() if 1 < n and attainable(n) < CONFIDENCE}
    )
    if not short:
        return ""
    covers = ", ".join(f"{n} pairs {percent(attainable(n))}" for n in short)
    return f" An interval of few pairs cannot have {percent(CONFIDENCE)}: at most, {covers}."


def _heading(name: str, of: Column, headings: Mapping[str, str]) -> Heading:
    return Heading(headings.get(name, of.heading), of.format != "text")
