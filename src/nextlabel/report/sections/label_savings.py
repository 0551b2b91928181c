"""The labels that arms save against their baselines."""

from nextlabel.report.frame import Table
from nextlabel.report.results import Results
from nextlabel.report.sections.section import Download, Section, view, with_interval


def build(results: Results) -> Section | None:
    """Return the section; None without a comparison."""
    if not results.pairs:
        return None
    frame = results.label_savings()
    last = with_interval(frame, "saved_low", "saved_high", "saved_interval")
    last = last.groupby(["arm", "baseline"], sort=False).tail(1)
    last = last.assign(comparison=last["arm"] + " − " + last["baseline"])
    columns = ("comparison", "saved", "saved_interval", "level", "baseline_needs", "arm_needs")
    return Section(
        "Labels saved",
        text=(
            "The number of labels that an arm needs for the best level that its baseline reached, "
            "read off the mean curves, with straight lines between measured counts. There is no "
            "test of these numbers. For the intervals the seeds are drawn again, the curves of a "
            "pair together; in some of these draws an arm may not reach the level.",
        ),
        tables=(view(last, columns, headings={"comparison": "arm − baseline"}),),
        downloads=(Download(Table("label_saving", frame), "CSV, at every label count"),),
        folded=True,
        name="saving",
    )
