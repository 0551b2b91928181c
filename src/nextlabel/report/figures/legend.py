"""The legend of arms below a figure."""

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LAYOUTS = ((2, None), (1, None), (1, 60), (1, 30), (1, 15))
"""Columns of a legend, and characters in a line of it; the first that is narrow enough is taken."""


def draw_legend(figure: "Figure", axes: "Axes") -> None:
    """Name the lines of `axes` below all axes: in two columns where the names fit, else in one.

    The figure becomes higher by the legend. Names that are wider than the figure are broken.
    """
    handles, names = axes.get_legend_handles_labels()
    if not handles:
        return
    for columns, characters in LAYOUTS:
        labels = names
        if characters is not None:
            labels = [textwrap.fill(name, characters) for name in names]
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=columns)
        size = legend.get_window_extent()
        if size.width <= figure.bbox.width or (columns, characters) == LAYOUTS[-1]:
            break
        legend.remove()
    figure.set_figheight(figure.get_figheight() + size.height / figure.dpi)
