"""Numbers and names as text."""

import math
from typing import Literal

Cell = str | int | float | bool | None
CellFormat = Literal[
    "text",
    "count",
    "number",
    "signed",
    "effect",
    "spread",
    "p",
    "seconds",
    "bytes",
    "labels",
    "plain",
    "share",
]

MISSING = "–"
MINUS, THIN_SPACE = "\u2212", "\u202f"

METRICS = {
    "auroc": "AUROC",
    "map": "mean average precision",
    "ece": "expected calibration error",
}
"""The metrics whose names are abbreviations; the others are words with underscores."""


def show(value: Cell, format: CellFormat = "text") -> str:
    """Return a cell of a table as text; an en dash where there is no value."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, str) or format == "text":
        return str(value)
    if format == "count":
        return f"{value:,}".replace(",", THIN_SPACE) if value >= 10_000 else f"{value}"
    if format == "bytes":
        return f"{value / 2**20:.0f} MiB"
    if format == "plain":
        return f"{value:g}"
    if format == "labels":
        return f"{value:.0f}"
    if format == "signed":
        return signed(value)
    if format == "effect":
        return signed(value, 2)
    if format == "share":
        return f"{100 * value:.1f}%"
    if format == "p":
        return p_value(value)
    return seconds(value) if format == "seconds" else f"{value:.4f}"


def signed(value: float, digits: int = 4) -> str:
    """Return a difference with its sign; zero, also after rounding, has none."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return ("+" if value > 0 else MINUS) + text


def interval(low: str, high: str, unreached: str) -> str:
    """Return the interval between two ends that are text.

    An end that is `unreached` is a level that the arm does not reach in part of the subsets.
    """
    if low == high == MISSING:
        return MISSING
    if low == high == unreached:
        return unreached
    if unreached in (low, high):
        return f"{unreached} in part of the subsets, up to {high if low == unreached else low}"
    return f"{low} to {high}"


def percent(share: float) -> str:
    """Return a share as a percentage with the digits it has: "95%", "93.75%"."""
    return f"{100 * share:.6g}%"


def p_value(p: float) -> str:
    """Return a p-value to four decimals; one below that is not shown as 0."""
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def seconds(value: float) -> str:
    """Return a length of time in its natural unit."""
    if value < 10:
        return f"{value:.2f} s" if value < 1 else f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    minutes = round(value / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def metric_name(name: str) -> str:
    """Return the readable name of a metric: "AUROC, validation" for `validation/auroc`."""
    part, _, metric = name.rpartition("/")
    readable = METRICS.get(metric, metric.replace("_", " "))
    return f"{readable}, {part}" if part else readable
