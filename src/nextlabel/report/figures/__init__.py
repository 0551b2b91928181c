"""The figures of the report, one kind per file: values in, matplotlib figures out."""

from nextlabel.report.figures.render import FORMATS, ImageFormat, inline_svg, render
from nextlabel.report.figures.style import HUES, Style, arm_styles, plot_style

__all__ = [
    "FORMATS",
    "HUES",
    "ImageFormat",
    "Style",
    "arm_styles",
    "inline_svg",
    "plot_style",
    "render",
]
