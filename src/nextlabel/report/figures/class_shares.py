"""The share of each class among the picked images, by round."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nextlabel.report.figures.legend import draw_legend
from nextlabel.report.figures.style import (
    DASHES,
    INK,
    WIDTH,
    Style,
    legend_entry,
    mark_counts,
)
from nextlabel.report.picks import ClassShares

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CLASSES = 12
COLUMNS = 2


def draw_class_shares(shares: Sequence[ClassShares], styles: Mapping[str, Style]) -> "Figure":
    """Draw a panel per class and a line per arm; the dashed line is the class's share of the pool.

    Only the first MOST_CLASSES classes are drawn.
    """
    from matplotlib.figure import Figure

    classes = shares[0].classes[:MOST_CLASSES]
    columns = min(COLUMNS, len(classes))
    rows = -(-len(classes) // columns)
    figure = Figure(figsize=(WIDTH, 0.5 + 1.5 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for position, name in enumerate(classes):
        axes = grid[position // columns][position % columns]
        axes.axhline(100 * shares[0].pool[position], color=INK, linewidth=0.9, dashes=DASHES[1])
        for arm in shares:
            style = styles[arm.arm]
            axes.plot(
                arm.labelled,
                100 * arm.picks[:, position],
                color=style.colour,
                dashes=style.dashes or (None, None),
                marker=style.marker,
                label=legend_entry(arm.arm),
            )
        axes.set_title(name)
        mark_counts(axes, arm.labelled.tolist()[:: max(1, len(arm.labelled) // 4)])
    for empty in range(len(classes), rows * columns):
        grid[empty // columns][empty % columns].set_axis_off()
    highest = max(float(max(arm.picks.max(), arm.pool.max())) for arm in shares)
    grid[0][0].set_ylim(0, 108 * highest)
    for axes in grid[-1]:
        axes.set_xlabel("labelled images")
    for row in grid:
        row[0].set_ylabel("% of picks")
    draw_legend(figure, grid[0][0])
    return figure
