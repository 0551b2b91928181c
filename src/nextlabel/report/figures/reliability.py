"""Reliability: accuracy against confidence, a line per arm, and the diagonal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nextlabel.report.figures.legend import draw_legend
from nextlabel.report.figures.style import NEUTRAL, WIDTH, Style, legend_entry, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Line = tuple[Sequence[float], Sequence[float]]
"""Confidences and accuracies, one each per range of confidence."""


def draw_reliability(lines: Mapping[str, Line], styles: Mapping[str, Style]) -> "Figure":
    """Draw the line of each arm; both axes go from 0 to 1."""
    figure, axes = new_figure(0.8 * WIDTH)
    axes.plot((0, 1), (0, 1), color=NEUTRAL, linewidth=0.8)
    for arm, (confidence, accuracy) in lines.items():
        style = styles[arm]
        axes.plot(
            confidence,
            accuracy,
            color=style.colour,
            dashes=style.dashes or (None, None),
            marker=style.marker,
            label=legend_entry(arm),
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("confidence")
    axes.set_ylabel("accuracy")
    draw_legend(figure, axes)
    return figure
