"""The labels that arms save against their baselines."""

from nextlabel.report.frame import Table
from nextlabel.report.results import Results
from nextlabel.report.sections.section import (
    Download,
    Section,
    interval_heading,
    view,
    with_interval,
)


def build(results: Results) -> Section | None:
    """Return the section; None without a comparison."""
    if not results.pairs:
        return None
    frame = results.label_savings()
    last = with_interval(frame, "saved_low", "saved_high", "saved_interval")
    last = last.groupby(["arm", "baseline"], sort=False).tail(1)
    last = last.assign(comparison=last["arm"] + " − " + last["baseline"])
    columns = ("comparison", "saved", "saved_interval", "level", "baseline_needs", "arm_needs")
    headings = {"comparison": "arm − baseline", "saved_interval": interval_heading(last)}
    return Section(
        "Labels saved",
        text=(
            "The number of labels that an arm needs for the best level that its baseline reached, "
            "read off the mean curves, with straight lines between measured counts. There is no "
            "test of these numbers. The intervals take the mean curves of all subsets of the "
            "seeds, those of a pair together; in some subsets an arm may not reach the level.",
        ),
        tables=(view(last, columns, headings=headings),),
        downloads=(Download(Table("label_saving", frame), "CSV, at every label count"),),
        folded=True,
        name="saving",
    )
