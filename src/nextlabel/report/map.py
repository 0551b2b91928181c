"""Maps of feature spaces, Figures 5-6: drawn from what the store has, with their numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nextlabel.report.columns import Cell, Column
from nextlabel.report.figures import HUES, INK, NEUTRAL, render
from nextlabel.report.sections import Sheet, flatten
from nextlabel.report.tables import Table
from nextlabel.store.maps import Map, MappedSpace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUPS: dict[str, tuple[str, str]] = {
    "unlabelled": (NEUTRAL, "o"),
    "labelled": (HUES[0], "s"),
    "picked": (HUES[1], "^"),
}
"""Colour and marker of each group, from the bottom up."""
AREA: Mapping[str, float] = {"o": 1.0, "s": 0.886, "^": 1.253}
"""Sides of markers that cover the same area: π/4, 1 and 1/2 of the side's square."""
SIZE, CROWD = 3.0, 600
"""How wide a marker is; among more images than this it shrinks by the fourth root of how many."""
MANY = 20_000
"""More points than this are drawn as one picture within the SVG, which else grows too large."""

MEASURES = (
    Column("kurtosis", "kurtosis", "effect"),
    Column("nearest", "nearest neighbour", "number"),
    Column("spread", "spread", "number"),
    Column("sparse", "in the sparsest tenth", "number"),
    Column("offset", "off centre", "number"),
)


@dataclass(frozen=True, eq=False)
class MapView:
    """A map as the report has it: `name` is that of its files."""

    name: str
    title: str
    caption: str
    figure: "Figure"
    points: Table
    numbers: Table
    seconds: Table
    notes: tuple[str, ...]
    sheets: tuple[Sheet, ...]


def map_views(maps: Sequence[Map], spec: Mapping[str, Any]) -> tuple[MapView, ...]:
    """Return a view of each map; `spec` is the experiment as its trials had it.

    To be called within `figures.house_style`.
    """
    return tuple(map_view(found, f"map-{n}", spec) for n, found in enumerate(maps, 1))


def map_view(found: Map, name: str, spec: Mapping[str, Any]) -> MapView:
    """Return what the report shows of one map."""
    return MapView(
        name,
        f"{found.arm}, seed {found.seed}",
        _caption(found),
        draw_map(found),
        point_table(found, name),
        number_table(f"{name}-numbers", [found]),
        second_table(f"{name}-seconds", found.seconds),
        (*found.notes, *_differences(found, spec)),
        tuple(
            Sheet(
                f"{len(space.picked)} picked in {space.name}, in the order of choice", space.sheet
            )
            for space in found.spaces
        ),
    )


def map_files(view: MapView, formats: Sequence[str]) -> dict[str, bytes]:
    """Return a map's files by name: the figure in `formats`, and its tables as CSV."""
    files = {f"{view.name}.{kind}": render(view.figure, kind) for kind in formats}
    for table in (view.points, view.numbers, view.seconds):
        files[f"{table.name}.csv"] = table.csv.encode()
    return files


def draw_map(found: Map) -> "Figure":
    """Draw the spaces of a map side by side: three groups by colour and shape, none larger."""
    from matplotlib.figure import Figure

    count = len(found.spaces)
    figure = Figure(figsize=(0.3 + 3.5 * count, 4.0), layout="constrained")
    for place, space in enumerate(found.spaces):
        axes = figure.add_subplot(1, count, place + 1)
        _draw_space(axes, found, space)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    legend = figure.legend(
        handles, labels, loc="outside lower center", ncols=len(handles), handletextpad=0.1
    )
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set(markersize=6, alpha=1)
    return figure


def _draw_space(axes: "Axes", found: Map, space: MappedSpace) -> None:
    groups = np.array(found.groups(space))
    size = SIZE * min(1.0, CROWD / len(groups)) ** 0.25
    axes.set_title(f"{space.name} · {space.dimensions} dimensions", fontsize=9)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=INK, alpha=0.35)
    for group, (colour, marker) in GROUPS.items():
        points = space.points[groups == group]
        axes.plot(
            *points.T,
            linestyle="none",
            marker=marker,
            markersize=size * AREA[marker],
            markeredgewidth=0,
            color=colour,
            label=f"{group} ({len(points):,})",
            rasterized=len(groups) > MANY,
        )


def _caption(found: Map) -> str:
    shown = found.settings
    strategy = next(
        (a["strategy"] for a in found.spec["arms"] if a["name"] == found.arm), found.arm
    )
    parts = " and ".join(f"{space.name} ({space.dimensions} dimensions)" for space in found.spaces)
    return (
        f"t-SNE (perplexity {shown['perplexity']:g}) of {parts}: {found.labelled:,} labelled "
        f"images, {len(found.candidates):,} unlabelled ones, and the {shown['picked']:,} of them "
        f"that {strategy} picks."
    )


def point_table(found: Map, name: str) -> Table:
    """Return every point of every space: id, place, group."""
    columns = (
        Column("space", "space"),
        Column("id", "image", "count"),
        Column("group", "group"),
        Column("x", "x", "number"),
        Column("y", "y", "number"),
        Column("pick", "order of choice", "count"),
    )
    rows: list[tuple[Cell, ...]] = []
    for space in found.spaces:
        order = {id: number for number, id in enumerate(space.picked.tolist(), 1)}
        ids, points = found.ids.tolist(), np.round(space.points, 3).tolist()
        rows += [
            (space.name, id, group, x, y, order.get(id))
            for id, group, (x, y) in zip(ids, found.groups(space), points, strict=True)
        ]
    return Table(name, columns, tuple(rows))


def number_table(name: str, maps: Sequence[Map]) -> Table:
    """Return the measures of each space, in the space itself and in the map."""
    columns = (
        Column("arm", "arm"),
        Column("seed", "seed", "count"),
        Column("space", "space"),
        Column("measured_in", "measured in"),
        *MEASURES,
    )
    rows = [
        (
            found.arm,
            found.seed,
            space.name,
            where,
            *(getattr(shape, column.name) for column in MEASURES),
        )
        for found in maps
        for space in found.spaces
        for where, shape in (("space", space.in_space), ("map", space.in_map))
    ]
    return Table(name, columns, tuple(rows))


def second_table(name: str, seconds: Mapping[str, float]) -> Table:
    """Return how long each part took."""
    rows = tuple((part, float(value)) for part, value in seconds.items())
    return Table(name, (Column("part", "part"), Column("seconds", "time", "seconds")), rows)


def _differences(found: Map, spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield how a map's experiment differs from the one whose trials stand beside it."""
    for part in ("data", "model", "training", "blocks"):
        mine, theirs = (dict(flatten(s.get(part) or {}, f"{part}.")) for s in (found.spec, spec))
        for name in sorted(mine.keys() | theirs.keys()):
            if mine.get(name) != theirs.get(name):
                was, now = theirs.get(name, "not set"), mine.get(name, "not set")
                yield f"{name} is {now} here, and {was} in the experiment"
