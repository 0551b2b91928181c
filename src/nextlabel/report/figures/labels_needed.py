"""The labels that each arm needs for a level, with intervals, a panel per level."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nextlabel.report.figures.style import WIDTH, Style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLES = 30
"""Characters of the titles of all panels that fit next to each other."""
LINE = 0.15
"""The height of a line of a title, in inches."""


@dataclass(frozen=True)
class Need:
    """The labels that an arm needs, and the ends of the interval; None: the level is not reached.

    `low` is None where the lower end does not reach it either, or there is no interval.
    """

    arm: str
    labels: float | None
    low: float | None
    high: float | None


def draw_labels_needed(
    needs_by_level: Mapping[str, Sequence[Need]], styles: Mapping[str, Style], most: float
) -> "Figure":
    """Draw a tick for the labels that an arm needs, and a bar for the interval.

    A bar that ends in an arrow at `most` labels is of an arm that does not reach the level with
    some or all subsets of the seeds.
    """
    from matplotlib.figure import Figure

    compared = {need.arm for needs in needs_by_level.values() for need in needs}
    arms = [arm for arm in styles if arm in compared]
    titles = [textwrap.fill(level, TITLES // len(needs_by_level)) for level in needs_by_level]
    lines = max(title.count("\n") for title in titles)
    height = 0.7 + LINE * lines + 0.23 * len(arms)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    panels = figure.subplots(1, len(needs_by_level), sharex=True, sharey=True, squeeze=False)[0]
    for axes, title, needs in zip(panels, titles, needs_by_level.values(), strict=True):
        for need in needs:
            row, colour = arms.index(need.arm), styles[need.arm].colour
            open_end = need.labels is None or (need.low is not None and need.high is None)
            if need.low is not None:
                end = most if need.high is None else need.high
                axes.plot([need.low, end], [row, row], color=colour, linewidth=2.6)
            if need.labels is not None:
                axes.plot([need.labels], [row], marker="|", markersize=9, color=colour)
            if open_end:
                axes.plot([most], [row], marker=">", markersize=5, color=colour, clip_on=False)
        axes.set_title(title, fontsize=8)
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.locator_params(axis="x", nbins=4)
    panels[0].set_xlim(0, 1.03 * most)
    panels[0].set_yticks(range(len(arms)), arms)
    panels[0].set_ylim(len(arms) - 0.4, -0.6)
    panels[-1].set_xlabel("labels needed", loc="right")
    return figure
