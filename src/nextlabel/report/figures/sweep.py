"""Sweeps: the area under the curve against the weight of a block."""

from typing import TYPE_CHECKING

from nextlabel.report.figures.style import DASHES, HUES, MARKERS, NEUTRAL, WIDTH, new_figure
from nextlabel.report.sweeps import Sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_sweep(sweep: Sweep, metric: str) -> "Figure":
    """Draw the area against α, with the paired interval of each difference to α = 0."""
    figure, axes = new_figure(0.66 * WIDTH)
    points = sweep.points
    alphas = [point.alpha for point in points]
    axes.plot(alphas, [point.mean for point in points], color=HUES[0], marker=MARKERS[0])
    zero = next((point for point in points if point.alpha == 0), None)
    if zero is not None:
        axes.axhline(zero.mean, color=NEUTRAL, linewidth=0.9, dashes=DASHES[1])
        for point in points:
            against = point.against_zero
            if against is not None and against.low is not None and against.high is not None:
                ends = [zero.mean + against.low, zero.mean + against.high]
                axes.plot([point.alpha] * 2, ends, color=HUES[0], linewidth=2.4, alpha=0.5)
    smallest = min(alpha for alpha in alphas if alpha > 0)
    axes.set_xscale("symlog", linthresh=smallest, linscale=0.6)
    axes.set_xticks(alphas, [f"{alpha:g}" for alpha in alphas])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(f"α, the weight of {sweep.block}")
    axes.set_ylabel(f"area under the curve\n{metric}")
    return figure
