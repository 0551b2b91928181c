"""Curves: a metric against the number of labels."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nextlabel.report.experiment_record import Curve
from nextlabel.report.figures.legend import draw_legend
from nextlabel.report.figures.style import WIDTH, Style, legend_entry, mark_counts, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_WITH_SEEDS = 2
"""Each seed has a line of its own in figures of this many arms or fewer."""


def draw_curves(curves: Sequence[Curve], styles: Mapping[str, Style], metric: str) -> "Figure":
    """Draw the mean of each curve, and a thin line per seed where two arms are compared.

    A hollow marker is a round that ended under the required train accuracy.
    """
    figure, axes = new_figure(0.6 * WIDTH)
    each_seed = shows_seeds(curves)
    for curve in curves:
        style = styles[curve.arm]
        reached = curve.reached.all(axis=0)
        if each_seed:
            axes.plot(
                curve.counts,
                curve.values.T,
                color=style.colour,
                linewidth=0.7,
                alpha=0.45,
                dashes=style.dashes or (None, None),
            )
        axes.plot(
            curve.counts,
            curve.mean,
            color=style.colour,
            dashes=style.dashes or (None, None),
            marker=style.marker,
            markevery=np.flatnonzero(reached).tolist(),
            label=legend_entry(curve.arm),
        )
        axes.plot(
            curve.counts[~reached],
            curve.mean[~reached],
            linestyle="none",
            marker=style.marker,
            color=style.colour,
            markerfacecolor="none",
        )
    axes.set_xlabel("labelled images")
    axes.set_ylabel(metric)
    if curves:
        mark_counts(axes, curves[0].counts.tolist())
    draw_legend(figure, axes)
    return figure


def shows_seeds(curves: Sequence[Curve]) -> bool:
    """Return whether a figure of these curves has a line for each seed."""
    return len(curves) <= MOST_WITH_SEEDS and any(len(curve.seeds) > 1 for curve in curves)
