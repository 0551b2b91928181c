"""Every metric at the last label count."""

from nextlabel.report.formatting import MISSING, metric_name, show
from nextlabel.report.frame import Table
from nextlabel.report.results import Results
from nextlabel.report.sections.section import Download, Heading, Section, TableView

Means = dict[tuple[str, str], str]


def build(results: Results) -> Section | None:
    """Return the section; None without a complete trial."""
    if not results.drawn:
        return None
    frame = results.metrics_table()
    means: Means = {
        (row["arm"], row["metric"]): _mean_and_spread(row["mean"], row["sd"])
        for row in frame.to_dict("records")
    }
    parts = dict.fromkeys(metric.rpartition("/")[0] for metric in results.metrics)
    return Section(
        f"All metrics at {results.spec['target']} labels",
        text=(
            "Mean ± s.d. over seeds. The test images are for information only: no test and no "
            "decision uses them.",
        ),
        tables=tuple(_view(results, part, means) for part in parts),
        downloads=(Download(Table("metrics", frame)),),
        folded=True,
        name="metrics",
    )


def _view(results: Results, part: str, means: Means) -> TableView:
    """Return the metrics of a part; their order is the same in every part."""
    order = list(dict.fromkeys(metric.rpartition("/")[2] for metric in results.metrics))
    names = [f"{part}/{name}" if part else name for name in order]
    names = [name for name in names if name in results.metrics]
    headings = (Heading("arm", False), *(Heading(_short(name), True) for name in names))
    rows = tuple(
        (arm, *(means.get((arm, name), MISSING) for name in names)) for arm in results.drawn
    )
    return TableView(headings, rows, part.capitalize())


def _short(name: str) -> str:
    """Return the readable name of a metric without its part."""
    return metric_name(name.rpartition("/")[2])


def _mean_and_spread(mean: float, spread: float) -> str:
    shown = show(spread, "spread")
    return show(mean, "number") + ("" if shown == MISSING else f" ± {shown}")
