"""The paired tests at each label count."""

from nextlabel.report.formatting import metric_name
from nextlabel.report.frame import Table
from nextlabel.report.results import Results
from nextlabel.report.sections.section import Download, Section, TableView, view
from nextlabel.report.tables import count_frame


def build(results: Results) -> Section | None:
    """Return the section; None without a comparison."""
    if not results.pairs:
        return None
    return Section(
        "At each label count",
        text=(
            f"Two-sided paired t tests of {metric_name(results.headline)}, corrected by Holm’s "
            "method over the counts of a pair. Round 0 is left out where both arms begin with the "
            "same labels.",
        ),
        tables=tuple(_view(results, position) for position in range(len(results.pairs))),
        downloads=(Download(Table("p_values", results.p_values())),),
        folded=True,
        name="p-values",
    )


def _view(results: Results, position: int) -> TableView:
    pair = results.pairs[position]
    frame = count_frame([pair])
    columns = ["labelled", "difference", "p", "p_holm", "arm_mean", "baseline_mean"]
    if frame["note"].astype(bool).any():
        columns.append("note")
    headings = {"p": "p, paired t", "arm_mean": pair.arm, "baseline_mean": pair.baseline}
    return view(frame, columns, pair.title, headings)
