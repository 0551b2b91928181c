"""Placeholder of an image that cannot be shown: a picture with the reason."""

import textwrap
from html import escape

WIDTH, HEIGHT, LINE = 320, 240, 20
"""Sizes in pixels."""
LETTERS = 38
"""Letters of a line."""
MOST = 7
"""Lines at most."""


def placeholder(reason: str) -> str:
    """Return an SVG picture that shows a reason."""
    printable = "".join(letter if letter.isprintable() else " " for letter in reason)
    lines = textwrap.wrap(f"Cannot be shown: {printable}", LETTERS, max_lines=MOST)
    top = HEIGHT // 2 - LINE * (len(lines) - 1) // 2
    texts = "".join(
        f'<text x="{WIDTH // 2}" y="{top + LINE * number}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#f3e6d3"/>'
        '<g font-family="sans-serif" font-size="14" fill="#4a3210" text-anchor="middle">'
        f"{texts}</g></svg>"
    )
