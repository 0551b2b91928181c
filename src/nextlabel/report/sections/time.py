"""Time and memory."""

from nextlabel.report.frame import Table
from nextlabel.report.results import Results
from nextlabel.report.run_time import run_time_frame
from nextlabel.report.sections.section import Download, Section, view


def build(results: Results) -> Section | None:
    """Return the section; None without a complete trial."""
    if not results.drawn:
        return None
    times = results.times()
    pairs = run_time_frame(results, results.pairs, results.data_name)
    shown = [name for name in pairs.columns if name != "data"]
    text = (
        "Each arm: the mean of a complete trial, by phase. Arms that train alike share a round, "
        "which is computed once. Peak memory is that of the whole process so far."
    )
    if len(pairs):
        text += (
            " Each pair: all its trials together, as in the paper; a shared round is counted once."
        )
    return Section(
        "Time and memory",
        text=(text,),
        tables=(
            view(times, caption="Each arm"),
            *([view(pairs, shown, f"Each pair, on {results.data_name}")] if len(pairs) else []),
        ),
        downloads=(
            Download(Table("time", times), "CSV of time"),
            Download(Table("run_time", pairs), "CSV of run time"),
        ),
        folded=True,
        name="time",
    )
