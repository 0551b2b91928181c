"""Maps of feature spaces, with the numbers that describe them and the picked images."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nextlabel.report.figures import render
from nextlabel.report.figures.space_map import draw_map
from nextlabel.report.frame import Table, make_frame
from nextlabel.report.results import Results
from nextlabel.report.sections.facts import flatten
from nextlabel.report.sections.section import Download, Drawing, Section, Sheet, view
from nextlabel.store.maps import Map

if TYPE_CHECKING:
    from pandas import DataFrame

MEASURES = ("kurtosis", "nearest", "spread", "sparse", "offset")

TEXT = (
    "A feature space drawn in two dimensions, and the images in it that an arm picks: on the left "
    "by the features of the task model, on the right in the arm’s own space. The numbers measure "
    "what a picture only suggests, in the space itself and in its map, which distorts distances.",
    "Kurtosis is that of the cloud of images: 0 for a Gaussian, more for a crowded middle with far "
    "tails, −0.33 for an even disc. Nearest neighbour is the distance from a picked image to the "
    "nearest other one; an unlabelled image has 1 on average. Spread is the mean distance between "
    "two picked images, relative to that between any two. In the sparsest tenth is the share of "
    "the picks that lie there. Off centre is the distance of their mean from the centre, near 1 "
    "when they crowd at one edge. Random picks have about 1, 1, 0.1 and 0.",
)


def build(results: Results) -> Section | None:
    """Return the section; None when the store has no map."""
    if not results.maps:
        return None
    subsections = (
        _subsection(space_map, f"map-{number}", results.spec)
        for number, space_map in enumerate(results.maps, 1)
    )
    return Section("Maps", text=TEXT, subsections=tuple(subsections), name="maps")


def map_files(space_map: Map, name: str, formats: Sequence[str]) -> dict[str, bytes]:
    """Return a map's files by name: the figure in `formats`, and its tables as CSV.

    To be called within `figures.plot_style`.
    """
    figure = draw_map(space_map)
    files = {f"{name}.{format}": render(figure, format) for format in formats}
    tables = {
        name: point_frame(space_map),
        f"{name}-numbers": number_frame([space_map]),
        f"{name}-seconds": second_frame(space_map.seconds),
    }
    return files | {f"{n}.csv": Table(n, frame).csv.encode() for n, frame in tables.items()}


def point_frame(space_map: Map) -> "DataFrame":
    """Return every point of every space: id, coordinates, group and order of choice."""
    rows: list[dict[str, Any]] = []
    for space in space_map.spaces:
        order = {image: number for number, image in enumerate(space.picked.tolist(), 1)}
        ids, points = space_map.ids.tolist(), np.round(space.points, 3).tolist()
        rows += [
            {
                "space": space.name,
                "id": image,
                "group": group,
                "x": x,
                "y": y,
                "pick": order.get(image),
            }
            for image, group, (x, y) in zip(ids, space_map.groups(space), points, strict=True)
        ]
    return make_frame(("space", "id", "group", "x", "y", "pick"), rows)


def number_frame(maps: Sequence[Map]) -> "DataFrame":
    """Return the measures of each space, in the space itself and in the map."""
    return make_frame(
        ("arm", "seed", "space", "measured_in", *MEASURES),
        (
            {
                "arm": space_map.arm,
                "seed": space_map.seed,
                "space": space.name,
                "measured_in": where,
                **{name: getattr(shape, name) for name in MEASURES},
            }
            for space_map in maps
            for space in space_map.spaces
            for where, shape in (("space", space.in_space), ("map", space.in_map))
        ),
    )


def second_frame(seconds: Mapping[str, float]) -> "DataFrame":
    """Return the time of each part of the work."""
    rows = ({"part": part, "seconds": float(value)} for part, value in seconds.items())
    return make_frame(("part", "seconds"), rows)


def changed_settings(space_map: Map, spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield each setting in which a map's experiment differs from that of the trials, `spec`."""
    for table in ("data", "model", "training", "blocks"):
        of_map, of_trials = (
            dict(flatten(settings.get(table) or {}, f"{table}."))
            for settings in (space_map.spec, spec)
        )
        for name in sorted(of_map.keys() | of_trials.keys()):
            if of_map.get(name) != of_trials.get(name):
                trials, here = of_trials.get(name, "not set"), of_map.get(name, "not set")
                yield f"{name} is {here} here, and {trials} in the experiment"


def _subsection(space_map: Map, name: str, spec: Mapping[str, Any]) -> Section:
    numbers = number_frame([space_map])
    seconds = second_frame(space_map.seconds)
    notes = (*space_map.notes, *changed_settings(space_map, spec))
    sheets = (
        Section(
            f"{len(space.picked)} picked in {space.name}, in the order of choice",
            sheets=(Sheet(f"picked in {space.name}", space.sheet),),
            folded=True,
        )
        for space in space_map.spaces
    )
    times = Section(
        "Time",
        tables=(view(seconds),),
        downloads=(Download(Table(f"{name}-seconds", seconds)),),
        folded=True,
    )
    points = Table(name, point_frame(space_map))
    return Section(
        f"{space_map.arm}, seed {space_map.seed}",
        text=tuple(f"{note}." for note in notes),
        figures=(Drawing(name, _caption(space_map), draw_map(space_map), points),),
        tables=(view(numbers, ("space", "measured_in", *MEASURES)),),
        downloads=(Download(Table(f"{name}-numbers", numbers)),),
        subsections=(*sheets, times),
    )


def _caption(space_map: Map) -> str:
    settings = space_map.settings
    strategies = {arm["name"]: arm["strategy"] for arm in space_map.spec["arms"]}
    strategy = strategies.get(space_map.arm, space_map.arm)
    spaces = " and ".join(f"{s.name} ({s.dimensions} dimensions)" for s in space_map.spaces)
    return (
        f"t-SNE (perplexity {settings['perplexity']:g}) of {spaces}: {space_map.labelled:,} "
        f"labelled images, {len(space_map.candidates):,} unlabelled ones, and the "
        f"{settings['picked']:,} of them that {strategy} picks."
    )
