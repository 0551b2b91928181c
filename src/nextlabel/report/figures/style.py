"""The colours, fonts and sizes that all figures share."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 4.6
"""The width of a figure in inches; all are equally wide, so that their text is equally large."""

HUES = (
    *("#0067a5", "#c24e00", "#00795a", "#a5407c", "#8a6a00", "#4a4fc4"),
    *("#b0002f", "#00737d", "#7a4a2b"),
)
"""The colours of arms on a light page; each has a contrast of 4.5 : 1 or more."""
DARK_HUES = (
    *("#5db5f2", "#ff9d5c", "#3ecf9e", "#f09fd0", "#e3c04a", "#aeb4ff"),
    *("#ff8d9a", "#4fc9d4", "#d3a585"),
)
"""The colours that replace HUES, in the same order, on a dark page."""
NEUTRAL, DARK_NEUTRAL = "#757575", "#9a9a9a"
"""The colour of random choice and of reference lines."""
INK = "#1c1d1f"
"""The colour of axes and text; on the page it becomes the colour of the text around."""

DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (4, 1.6),
    (1.2, 1.2),
    (5, 1.4, 1.2, 1.4),
    (2.2, 1.2),
    (6, 1.2, 1.2, 1.2, 1.2, 1.2),
)
MARKERS = "osD^vPX*<"

FONTS = (
    "DejaVu Sans",
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK KR", "Source Han Sans"),
    *("Hiragino Sans", "PingFang SC", "Yu Gothic", "Microsoft YaHei", "Malgun Gothic"),
    *("WenQuanYi Micro Hei", "IPAGothic", "NanumGothic", "Droid Sans Fallback"),
    *("Noto Sans Devanagari", "Noto Sans Arabic", "Noto Sans Thai", "Arial Unicode MS"),
)
"""Font families: matplotlib takes each character from the first installed one that has it."""

SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "nextlabel",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.5,
    "text.parse_math": False,  # the name of an arm may contain a dollar sign
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
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.handlelength": 3.2,
}


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw and render with the settings above, and not with the user's own for matplotlib.

    A character without an installed font becomes a box in PNG and PDF, without a warning; in SVG
    it stays text, for the fonts of the reader.
    """
    import matplotlib as mpl
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    families = [name for name in FONTS if name in installed]
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from")
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS | {"font.family": families})
        yield


@dataclass(frozen=True)
class Style:
    """The colour, dashes and marker of an arm."""

    colour: str
    dashes: tuple[float, ...]
    marker: str


def arm_styles(arms: Mapping[str, Mapping[str, Any]]) -> dict[str, Style]:
    """Return a style for each arm: a colour for each, and dashes for each arm of one strategy.

    Random choice is neutral grey. An arm and its twin differ in colour, dashes and marker. No two
    of up to 54 arms of one colour look alike.
    """
    coloured = [name for name, spec in arms.items() if spec["strategy"] != "random"]
    styles: dict[str, Style] = {}
    for position, (arm, spec) in enumerate(arms.items()):
        same = [name for name, other in arms.items() if other["strategy"] == spec["strategy"]]
        turn, hue = divmod(coloured.index(arm), len(HUES)) if arm in coloured else (0, None)
        colour = NEUTRAL if hue is None else HUES[hue]
        wanted = same.index(arm) + turn, position + position // len(MARKERS)
        looks = [_look(colour, *wanted, step) for step in range(len(DASHES) * len(MARKERS))]
        taken = set(styles.values())
        styles[arm] = next((look for look in looks if look not in taken), looks[0])
    return styles


def _look(colour: str, dash: int, marker: int, step: int) -> Style:
    """Return a style near the wanted dash and marker: first with other markers, then dashes."""
    more, step = divmod(step, len(MARKERS))
    dashes = DASHES[(dash + more) % len(DASHES)]
    return Style(colour, dashes, MARKERS[(marker + step) % len(MARKERS)])


def legend_entry(arm: str) -> str:
    """Return the name of an arm for a legend, which leaves out names that begin with _."""
    return f" {arm}" if arm.startswith("_") else arm


def new_figure(height: float, width: float = WIDTH) -> "tuple[Figure, Axes]":
    """Return a figure with one set of axes; sizes are in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def mark_counts(axes: "Axes", counts: Iterable[int]) -> None:
    """Put ticks at the label counts, where they are few enough to be read."""
    ticks = list(counts)
    if ticks and len(ticks) <= 8:
        axes.set_xticks(ticks)
