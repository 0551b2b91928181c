"""Drawing: values in, figures out; nothing here reads the store."""

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.report.comparisons import Pair
from nextlabel.report.fonts import families
from nextlabel.report.results import Curve, Study
from nextlabel.report.sweeps import Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Format = Literal["svg", "pdf", "png"]
FORMATS: tuple[Format, ...] = ("svg", "pdf", "png")

HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""The colours of Okabe and Ito (https://jfly.uni-koeln.de/color/) that show on light and dark."""
NEUTRAL = "#848484"
INK = "#1c1d1f"
"""Axes and words; in the page it becomes the colour of the text around."""
DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (4, 1.6),
    (1.2, 1.2),
    (5, 1.4, 1.2, 1.4),
    (2.2, 1.2),
    (6, 1.2, 1.2, 1.2, 1.2, 1.2),
)
MARKERS = "osD^vP"

SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "nextlabel",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "font.size": 9.0,
    "text.parse_math": False,  # an arm may have a dollar sign in its name
    "text.color": INK,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": NEUTRAL,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.handlelength": 3.2,
}


@contextmanager
def house_style(words: str = "") -> Iterator[None]:
    """Draw and render within this: matplotlib's own defaults and ours, whatever a user has set.

    `words` are those that will be drawn, so that fonts for them are found. Characters that no font
    here has become boxes in PNG and PDF without a warning; in SVG they stay text, for the fonts of
    whoever reads it.
    """
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from")
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS | {"font.family": families(words)})
        yield


@dataclass(frozen=True)
class Style:
    """How an arm is drawn; arms of one strategy share the colour, not dashes and marker."""

    colour: str
    dashes: tuple[float, ...]
    marker: str


def styles(study: Study) -> dict[str, Style]:
    """Return a style for each arm: a colour for each strategy, random's being neutral grey."""
    strategies = list(dict.fromkeys(str(spec["strategy"]) for spec in study.arms.values()))
    coloured = [name for name in strategies if name != "random"]
    found: dict[str, Style] = {}
    for arm, spec in study.arms.items():
        own = str(spec["strategy"])
        relatives = [name for name, other in study.arms.items() if other["strategy"] == own]
        dashes = DASHES[relatives.index(arm) % len(DASHES)]
        place = None if own == "random" else coloured.index(own)
        found[arm] = Style(
            NEUTRAL if place is None else HUES[place % len(HUES)],
            dashes,
            MARKERS[list(study.arms).index(arm) % len(MARKERS)],
        )
    return found


def draw_curves(
    curves: Sequence[Curve], look: Mapping[str, Style], metric: str, width: float = 5.4
) -> "Figure":
    """Draw means over seeds against labels, with bands of ±1 s.d.; hollow: trained too little."""
    figure, axes = _figure(width, 0.63 * width + 0.17 * -(-len(curves) // 2))
    for curve in curves:
        style = look[curve.arm]
        enough = curve.reached.all(axis=0)
        axes.plot(
            curve.counts,
            curve.mean,
            color=style.colour,
            dashes=style.dashes or (None, None),
            marker=style.marker,
            markevery=np.flatnonzero(enough).tolist(),
            label=_entry(curve.arm),
        )
        spread = curve.deviation
        if spread is not None:
            axes.fill_between(
                curve.counts,
                curve.mean - spread,
                curve.mean + spread,
                color=style.colour,
                alpha=0.13,
                linewidth=0,
            )
        axes.plot(
            curve.counts[~enough],
            curve.mean[~enough],
            linestyle="none",
            marker=style.marker,
            color=style.colour,
            markerfacecolor="none",
        )
    axes.set_xlabel("labelled images")
    axes.set_ylabel(metric)
    if curves and len(curves[0].counts) <= 12:
        axes.set_xticks(curves[0].counts)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _entry(arm: str) -> str:
    """Return an arm's name for a legend, which would leave out those that begin with _."""
    return f" {arm}" if arm.startswith("_") else arm


def draw_differences(pairs: Sequence[Pair], look: Mapping[str, Style]) -> "Figure":
    """Draw each pair's difference of the AUBC: a dot a seed, mean and interval as a bar."""
    figure, axes = _figure(5.4, 0.9 + 0.45 * len(pairs))
    axes.axvline(0, color=INK, linewidth=0.7)
    for row, pair in enumerate(pairs):
        colour = look[pair.arm].colour
        axes.plot([pair.area.low, pair.area.high], [row, row], color=colour, linewidth=2.2)
        axes.plot([pair.area.mean], [row], marker="|", markersize=13, color=colour)
        axes.plot(
            pair.differences,
            np.full(len(pair.differences), row + 0.22),
            linestyle="none",
            marker="o",
            markersize=3,
            color=colour,
            alpha=0.8,
        )
    names = [f"{p.arm}\n− {p.baseline}{' (primary)' if p.primary else ''}" for p in pairs]
    axes.set_yticks(range(len(pairs)), names, fontsize=8)
    axes.set_ylim(len(pairs) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel("difference of the area under the curve")
    return figure


def draw_sweep(sweep: Sweep, metric: str) -> "Figure":
    """Draw the AUBC against α, with the paired interval of each difference to α = 0."""
    figure, axes = _figure(4.6, 3.1)
    points = sweep.points
    alphas = [point.alpha for point in points]
    positive = [alpha for alpha in alphas if alpha > 0]
    axes.plot(alphas, [point.mean for point in points], color=HUES[0], marker=MARKERS[0])
    zero = next((point for point in points if point.alpha == 0), None)
    if zero is not None:
        axes.axhline(zero.mean, color=NEUTRAL, linewidth=0.9, dashes=DASHES[1])
        for point in points:
            if point.against_zero is not None:
                ends = [zero.mean + point.against_zero.low, zero.mean + point.against_zero.high]
                axes.plot([point.alpha] * 2, ends, color=HUES[0], linewidth=2.2, alpha=0.4)
    axes.set_xscale("symlog", linthresh=min(positive), linscale=0.6)
    axes.set_xticks(alphas, [f"{alpha:g}" for alpha in alphas])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(f"α, the weight of {sweep.block}")
    axes.set_ylabel(f"area under the curve, {metric}")
    return figure


def draw_log(logs: Mapping[int, Sequence[Mapping[str, float]]]) -> "Figure":
    """Draw what a block reported by epoch: a panel for each number, a line for each seed."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for log in logs.values() for row in log for name in row))
    figure = Figure(figsize=(5.4, 2.3), layout="constrained")
    for place, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), place + 1)
        for n, (seed, log) in enumerate(logs.items()):
            values = [row.get(name, np.nan) for row in log]  # a gap where it was not reported
            axes.plot(
                range(1, len(log) + 1),
                values,
                color=HUES[n % len(HUES)],
                linewidth=1.1,
                label=f"seed {seed}",
            )
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("epoch")
        axes.tick_params(labelsize=7)
        axes.locator_params(nbins=4)
    if len(logs) <= len(HUES):
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(logs))
    return figure


def _figure(width: float, height: float) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def render(figure: "Figure", kind: str) -> bytes:
    """Return a figure as a file's bytes: the same for the same figure, with no date inside.

    SVG is transparent, so that it fits a dark page as well; the others are on white.
    """
    dates: Mapping[str, Mapping[str, None]] = {
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
        "png": {"Software": None},
    }
    if kind not in dates:
        raise UsageError(f"unknown figure format {kind!r}; known: {', '.join(FORMATS)}")
    if figure.get_layout_engine() is not None:  # lay out once, not for each format
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    file = io.BytesIO()
    background = "none" if kind == "svg" else "white"
    figure.savefig(file, format=kind, dpi=200, facecolor=background, metadata=dict(dates[kind]))
    return file.getvalue()


def inline_svg(figure: "Figure", name: str, description: str) -> str:
    """Return a figure as an SVG element for a page: words in the page's colour, ids of its own."""
    text = render(figure, "svg").decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = text.replace(INK, "currentColor")
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\1{name}-", text)
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(width|height|version|xmlns(:xlink)?)="[^"]*"', "", head)
    head = re.sub(r"\s+", " ", head).strip()
    return f'{head} role="img" aria-label="{description}">{rest}'.replace("xlink:href", "href")
