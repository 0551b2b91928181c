"""Tables of the page."""

from typing import Any

from nextlabel.report.sections import section
from nextlabel.report.sections.section import Heading, TableView


def test_a_table_of_many_rows_is_measured_once(monkeypatch: Any) -> None:
    """Each cell reads it: measured for each, a table of 10,000 trials took many minutes."""
    measured, width = list[str](), section._least_width

    def counted(heading: Heading, *cells: str) -> int:
        measured.append(heading.text)
        return width(heading, *cells)

    monkeypatch.setattr(section, "_least_width", counted)
    headings = Heading("arm", False), Heading("seed", True)
    narrow = TableView(headings, tuple(("random", str(seed)) for seed in range(50)))
    assert not any(narrow.wide for _ in range(100))
    assert measured == ["arm", "seed"]
    assert TableView(headings, (("random" * 8, "1"),)).wide
