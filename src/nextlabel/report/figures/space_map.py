"""Maps of feature spaces: labelled, unlabelled and picked images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from nextlabel.report.figures.style import HUES, INK, NEUTRAL
from nextlabel.store.maps import Map, MappedSpace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUPS: dict[str, tuple[str, str]] = {
    "unlabelled": (NEUTRAL, "o"),
    "labelled": (HUES[0], "s"),
    "picked": (HUES[1], "^"),
}
"""The colour and marker of each group, from the bottom to the top."""
AREA: Mapping[str, float] = {"o": 1.0, "s": 0.886, "^": 1.253}
"""Widths of markers that cover the same area: π/4, 1 and 1/2 of the square of the width."""
SIZE, CROWD = 3.0, 600
"""The width of a marker; with more images than CROWD it shrinks by the fourth root."""
MOST_VECTORS = 20_000
"""With more points than this the SVG holds them as one picture; else it would be too large."""


def draw_map(space_map: Map) -> "Figure":
    """Draw the spaces of a map next to each other; groups differ in colour and shape."""
    from matplotlib.figure import Figure

    count = len(space_map.spaces)
    figure = Figure(figsize=(0.3 + 3.5 * count, 4.0), layout="constrained")
    for position, space in enumerate(space_map.spaces):
        axes = figure.add_subplot(1, count, position + 1)
        _draw_space(axes, space_map, space)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    legend = figure.legend(
        handles, labels, loc="outside lower center", ncols=len(handles), handletextpad=0.1
    )
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set(markersize=6, alpha=1)
    return figure


def _draw_space(axes: "Axes", space_map: Map, space: MappedSpace) -> None:
    groups = np.array(space_map.groups(space))
    size = SIZE * min(1.0, CROWD / len(groups)) ** 0.25
    axes.set_title(f"{space.name} · {space.dimensions} dimensions")
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=INK, alpha=0.35)
    for group, (colour, marker) in GROUPS.items():
        points = space.points[groups == group]
        axes.plot(
            *points.T,
            linestyle="none",
            marker=marker,
            markersize=size * AREA[marker],
            markeredgewidth=0,
            color=colour,
            label=f"{group} ({len(points):,})",
            rasterized=len(groups) > MOST_VECTORS,
        )
