"""The table after a run, from rows made by hand."""

import pytest

from nextlabel.cli.summary import show_summary
from nextlabel.report.summary import SummaryRow

FOOTNOTE = "* the primary test"


def row(arm: str, p: float | None, primary: bool) -> SummaryRow:
    return SummaryRow(
        arm=arm,
        seeds=3,
        first=0.5,
        last=0.75,
        area=0.625,
        baseline="random",
        difference=0.0625,
        low=0.03125,
        high=0.09375,
        p=p,
        primary=primary,
    )


@pytest.mark.parametrize(
    ("rows", "marked"),
    [
        ([row("a", 0.25, False), row("b", 0.5, True)], True),
        ([row("a", 0.25, False), row("b", 0.5, False)], False),  # there is not a primary test
        ([row("a", 0.25, False), row("b", None, True)], False),  # the primary test has no p
        ([], False),
    ],
)
def test_the_footnote_is_there_when_a_p_is_marked_and_only_then(rows, marked, capsys) -> None:
    show_summary(rows, "accuracy on validation")
    output = capsys.readouterr().out
    assert (FOOTNOTE in output) == marked
    assert output.count("*") == 2 * marked  # the mark and its footnote
