"""Sweeps: the area under the curve against the weight of a block."""

from nextlabel.report.figures.sweep import draw_sweep
from nextlabel.report.formatting import metric_name, percent
from nextlabel.report.frame import Table
from nextlabel.report.results import Results
from nextlabel.report.sections.section import Drawing, Section
from nextlabel.report.sweeps import Sweep
from nextlabel.report.tables import sweep_frame
from nextlabel.statistics import attainable


def build(results: Results) -> Section | None:
    """Return the section; None without a sweep."""
    if not results.sweeps:
        return None
    return Section(
        "The weight of a block",
        text=(
            "α is the weight of a block’s features; it acts on squared distances as α². The axis "
            "is linear up to the smallest α above 0, and logarithmic beyond.",
        ),
        figures=tuple(
            Drawing(
                f"alpha-{number}",
                _caption(sweep),
                draw_sweep(sweep, metric_name(results.headline)),
                Table(f"alpha-{number}", sweep_frame(sweep)),
            )
            for number, sweep in enumerate(results.sweeps, 1)
        ),
        name="alpha",
    )


def _caption(sweep: Sweep) -> str:
    seeds = f"{len(sweep.seeds)} paired seeds" if len(sweep.seeds) > 1 else "a single seed"
    bars = (
        f"; bars are {_level(sweep)} intervals of the paired differences to α = 0, the broken line"
        if any(point.against_zero for point in sweep.points)
        else "; there is no arm at α = 0 to compare with"
    )
    return f"Area under the curve against {sweep.title}: mean over {seeds}{bars}."


def _level(sweep: Sweep) -> str:
    return percent(attainable(len(sweep.seeds)))
