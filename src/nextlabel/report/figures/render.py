"""Figures as bytes of SVG, PDF and PNG files, and as SVG elements of a page."""

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from nextlabel.core.errors import UsageError
from nextlabel.report.figures.style import HUES, INK, NEUTRAL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ImageFormat = Literal["svg", "pdf", "png"]
FORMATS: tuple[ImageFormat, ...] = ("svg", "pdf", "png")

PIXELS_PER_INCH = 108
"""The size of a figure on the page, which may only shrink: its 9-point text is 13.5 pixels high."""


def render(figure: "Figure", format: str) -> bytes:
    """Return a figure as the bytes of a file, without a date: equal figures give equal bytes.

    SVG is transparent, for light and dark pages; the other formats are on white.
    """
    dates: Mapping[str, Mapping[str, None]] = {
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
        "png": {"Software": None},
    }
    if format not in dates:
        raise UsageError(
            f"unknown figure format {format!r}; known: {', '.join(FORMATS)}",
            code="figure-format-unknown",
        )
    if figure.get_layout_engine() is not None:  # lay out once, not for each format
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    file = io.BytesIO()
    background = "none" if format == "svg" else "white"
    metadata = dict(dates[format])
    figure.savefig(file, format=format, dpi=200, facecolor=background, metadata=metadata)
    return file.getvalue()


def inline_svg(figure: "Figure", name: str, description: str) -> str:
    """Return a figure as an SVG element of a page.

    Text takes the colour of the page, arms take the variables --hue-0, --hue-1, … and --neutral,
    and ids begin with `name`.
    """
    svg = render(figure, "svg").decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = svg.replace(INK, "currentColor").replace(NEUTRAL, "var(--neutral)")
    for number, hue in enumerate(HUES):
        svg = svg.replace(hue, f"var(--hue-{number})")
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\1{name}-", svg)
    head, rest = svg.split(">", 1)
    head = re.sub(r'\s(width|height|version|xmlns(:xlink)?)="[^"]*"', "", head)
    head = re.sub(r"\s+", " ", head).strip()
    width = f"max-width: {PIXELS_PER_INCH * figure.get_figwidth():.0f}px"
    element = f'{head} role="img" style="{width}" aria-label="{description}">{rest}'
    return element.replace("xlink:href", "href")
