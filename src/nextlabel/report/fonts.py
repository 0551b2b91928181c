"""Which fonts the words of a figure take: the house's own, and installed ones for what it lacks."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.font_manager import FontEntry

HOUSE = "DejaVu Sans"
PLAIN = (400, "normal", "regular", "book", "roman")
"""The weights of a font for running text, as matplotlib names them."""


def families(words: str) -> list[str]:
    """Return font families for `words`: the house's, then installed ones for what it lacks.

    The font that has most of it comes first, so that words of one script look alike; what none has
    is left out. The same words give the same families as long as no font is installed.
    """
    from matplotlib.font_manager import findfont, fontManager

    lacking = _without(findfont(HOUSE), frozenset(c for c in words if c.isprintable()))
    found = [HOUSE]
    while lacking:
        left = {font.name: _without(font.fname, lacking) for font in _plain(fontManager.ttflist)}
        best = min(left, key=lambda name: (len(left[name]), name), default=None)
        if best is None or left[best] == lacking:
            break
        found.append(best)
        lacking = left[best]
    return found


def _plain(fonts: "list[FontEntry]") -> "Iterator[FontEntry]":
    """Yield upright fonts of usual weight, without those that have a box for everything."""
    for font in fonts:
        last = "lastresort" in font.name.lower().replace(" ", "")
        if font.style == "normal" and font.weight in PLAIN and not last:
            yield font


@cache
def _without(file: str, characters: frozenset[str]) -> frozenset[str]:
    """Return the characters that a font file has no glyph for; all, when it cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(file)
        return frozenset(c for c in characters if not font.get_char_index(ord(c)))
    except (OSError, RuntimeError):
        return characters
