"""Paired differences: each arm against its baseline, and each stated hypothesis."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nextlabel.report.comparisons import Pair
from nextlabel.report.figures.style import INK, Style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_differences(pairs: Sequence[Pair], styles: Mapping[str, Style]) -> "Figure":
    """Draw the differences of each pair in area under the curve.

    A dot is a seed; a bar is the interval of the mean, which is a tick on it.
    """
    figure, axes = new_figure(0.8 + 0.46 * len(pairs))
    axes.axvline(0, color=INK, linewidth=0.7)
    for row, pair in enumerate(pairs):
        colour = styles[pair.arm].colour
        if pair.area.low is not None and pair.area.high is not None:
            axes.plot([pair.area.low, pair.area.high], [row, row], color=colour, linewidth=2.6)
        axes.plot([pair.area.mean], [row], marker="|", markersize=13, color=colour)
        axes.plot(
            pair.differences,
            np.full(len(pair.differences), row + 0.24),
            linestyle="none",
            marker="o",
            markersize=3.2,
            color=colour,
        )
    names = [f"{p.arm}{' (primary)' if p.primary else ''}\n− {p.baseline}" for p in pairs]
    axes.set_yticks(range(len(pairs)), names)
    axes.set_ylim(len(pairs) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.locator_params(axis="x", nbins=5)
    # Long names leave the axis little width: a centred label would be cut off at the right.
    axes.set_xlabel("difference of the area under the curve", loc="right")
    return figure
