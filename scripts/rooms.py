"""The picture of the packages in docs/images/packages.svg, drawn from their imports.

Rows are the layers that `make lint` enforces. A line leads from a package down to one that it
imports directly; a line that follows from others is left out. `python -m scripts.rooms` writes the
picture, with `--check` it only compares.
"""

import sys
import tomllib
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "packages.svg"
WIDTH, ROW, BOX, HEIGHT = 900, 84, 130, 34
AROUND = BOX // 2 + 10
"""Half the width of a box with its margins."""

STYLE = """
  rect { fill: #f4f6f8; stroke: #5b6b7b; }
  text { font: 14px sans-serif; fill: #1b1f24; text-anchor: middle; }
  path { stroke: #8a98a6; fill: none; }
  @media (prefers-color-scheme: dark) {
    rect { fill: #22272e; stroke: #8a98a6; }
    text { fill: #e6edf3; }
    path { stroke: #66727f; }
  }
"""


def layers() -> list[list[str]]:
    """Return the layers of the contract in pyproject.toml, the highest first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (rows,) = (c["layers"] for c in contracts if c["type"] == "layers")
    return [[name.strip().removeprefix("nextlabel.") for name in row.split("|")] for row in rows]


def imports(names: list[str]) -> dict[str, set[str]]:
    """Return the packages that each package imports directly."""
    graph = grimp.build_graph("nextlabel", cache_dir=None)
    imported_by: dict[str, set[str]] = {name: set() for name in names}
    for module in graph.modules:
        importer = module.split(".")[1] if "." in module else ""
        for imported in graph.find_modules_directly_imported_by(module):
            package = imported.split(".")[1] if "." in imported else ""
            if importer in imported_by and package in imported_by and importer != package:
                imported_by[importer].add(package)
    return imported_by


def without_implied(edges: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the edges that no longer path implies."""

    def below(name: str) -> set[str]:
        return edges[name].union(*(below(lower) for lower in edges[name]))

    return {
        name: {n for n in lower if not any(n in below(other) for other in lower - {n})}
        for name, lower in edges.items()
    }


def draw(rows: list[list[str]], edges: dict[str, set[str]]) -> str:
    """Return the picture as SVG."""
    places = {}
    for y, row in enumerate(rows):
        gap = WIDTH / len(row)
        for x, name in enumerate(row):
            places[name] = (round(gap * (x + 0.5)), 30 + ROW * y)
    height = 30 + ROW * (len(rows) - 1) + HEIGHT + 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>The packages of nextlabel and their direct imports</title>",
        f"<style>{STYLE}</style>",
    ]
    taken = {(x + step, y) for x, y in places.values() for step in range(-AROUND, AROUND + 1)}
    for name in places:
        for lower in sorted(edges[name], key=lambda n: places[n]):
            lines.append(f'<path d="{route(taken, places[name], places[lower])}"/>')
    for name, (x, y) in places.items():
        left = x - BOX // 2
        lines.append(f'<rect x="{left}" y="{y}" width="{BOX}" height="{HEIGHT}" rx="6"/>')
        lines.append(f'<text x="{x}" y="{y + 22}">{escape(name)}</text>')
    return "\n".join([*lines, "</svg>", ""])


def route(taken: set[tuple[int, int]], start: tuple[int, int], end: tuple[int, int]) -> str:
    """Return the line between two boxes as an SVG path that crosses no box and no other line.

    `taken` holds the places (x, y of a row) that are not free; those of the line are added.
    """
    x, y = start
    path, y = f"M{x} {y + HEIGHT}", y + HEIGHT
    while y < end[1]:
        below = y - HEIGHT + ROW
        straight = x + (end[0] - x) * (below - y) / max(end[1] - y, 1)
        last = below >= end[1]
        to_x = end[0] if last else free(taken, straight, below)
        middle = (y + below) // 2
        path += f" C{x} {middle} {to_x} {middle} {to_x} {below}"
        if not last:
            path += f" V{below + HEIGHT}"
        x, y = to_x, below + HEIGHT
    return path


def free(taken: set[tuple[int, int]], x: float, y: int) -> int:
    """Return the free column nearest to x in the row at y, and take it and its neighbours."""
    near = sorted(range(20, WIDTH - 19), key=lambda column: abs(column - x))
    column = next(column for column in near if (column, y) not in taken)
    taken |= {(column + step, y) for step in range(-8, 9)}
    return column


def picture() -> str:
    """Return the picture of the packages as they are now."""
    rows = layers()
    return draw(rows, without_implied(imports([name for row in rows for name in row])))


def main(arguments: list[str]) -> int:
    """Write the picture, or compare it with `--check`; return 1 if it differs."""
    text = picture()
    if "--check" in arguments:
        same = PICTURE.exists() and PICTURE.read_text(encoding="utf-8") == text
        if not same:
            print("docs/images/packages.svg is not up to date; run make reference")
        return 0 if same else 1
    PICTURE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
