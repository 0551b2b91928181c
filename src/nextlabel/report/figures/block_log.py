"""The numbers that a feature block reported during its training."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nextlabel.report.figures.style import HUES, WIDTH
from nextlabel.statistics.latent_activity import LOGGED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 3


def draw_block_log(logs: Mapping[int, Sequence[Mapping[str, float]]]) -> "Figure":
    """Draw each number by epoch in a panel of its own, with a line per seed.

    The activity of the latent dimensions is left out: only the last epoch has it.
    """
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for log in logs.values() for row in log for name in row))
    names = [name for name in names if name not in LOGGED]
    rows, columns = -(-len(names) // COLUMNS), min(COLUMNS, len(names))
    figure = Figure(figsize=(WIDTH, 0.4 + 1.5 * rows), layout="constrained")
    for position, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, position + 1)
        for number, (seed, log) in enumerate(logs.items()):
            axes.plot(
                range(1, len(log) + 1),
                [row.get(name, np.nan) for row in log],  # a gap where it was not reported
                color=HUES[number % len(HUES)],
                linewidth=1.1,
                label=f"seed {seed}",
            )
        axes.set_title(name.replace("_", " "))
        axes.set_xlabel("epoch")
        axes.locator_params(nbins=3)
    if len(logs) <= len(HUES):
        handles, labels = figure.axes[0].get_legend_handles_labels()
        ncols = min(5, len(logs))
        figure.legend(handles, labels, loc="outside lower center", ncols=ncols, handlelength=1.6)
    return figure
