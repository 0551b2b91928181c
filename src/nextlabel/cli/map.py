"""`nextlabel map`: labelled, unlabelled and picked images in two feature spaces (Figures 5-6)."""

import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put, put_json, put_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nextlabel.store.maps import Map


def command(
    experiment: Annotated[
        Path,
        typer.Argument(metavar="EXPERIMENT.toml", show_default=False, help="The experiment file."),
    ],
    arm: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The arm whose picks are shown; by default the primary arm."
        ),
    ] = None,
    labelled: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="The number of random labels to train on; by default 1,000, as in the paper.",
        ),
    ] = None,
    candidates: Annotated[
        int | None,
        typer.Option(min=1, help="The number of unlabelled images shown; by default 1,556."),
    ] = None,
    picked: Annotated[
        int | None, typer.Option(min=1, help="The number of them that are picked; by default 100.")
    ] = None,
    perplexity: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="The perplexity of t-SNE: about the number of near neighbours; by default 30.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=2**63 - 1, help="The seed; by default the first of the experiment."
        ),
    ] = None,
    overrides: options.Overrides = [],  # noqa: B006 - typer copies it
    store: options.StoreAt = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="The folder of the files; by default runs/NAME."),
    ] = None,
    data_dir: options.DataDir = None,
    cache_dir: options.CacheDir = None,
    json: options.AsJson = False,
) -> None:
    """Draw the picks of an arm in the task model's space and in its own, and measure both."""
    from pydantic import ValidationError

    from nextlabel.core.errors import UsageError
    from nextlabel.core.settings import refusal, refusal_code
    from nextlabel.engine.environment import environment
    from nextlabel.experiment.parse import load_experiment
    from nextlabel.files.atomic import write_files
    from nextlabel.project.exchange.experiment_data import with_project_data
    from nextlabel.store.store import Store
    from nextlabel.trial.space_map import MapSettings, make_map

    spec = load_experiment(experiment, overrides, with_project_data)
    folder = out or Path("runs") / spec.name
    given: dict[str, Any] = {
        "labelled": labelled,
        "candidates": candidates,
        "picked": picked,
        "perplexity": perplexity,
    }
    try:
        wanted = MapSettings(**{key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        raise UsageError(refusal(error, "map"), code=refusal_code(error)) from error
    location = store or str(Path("runs") / spec.name / "store.db")
    with Store.open(location) as opened:
        here = environment()  # as it is now: a checkout may move on while this runs
        steps = make_map(
            spec,
            arm,
            seed,
            wanted,
            data_dir=data_dir,
            cache_dir=cache_dir,
            progress=sys.stderr.isatty(),
        )
        space_map, files = _draw(_follow(steps))
        opened.keep_map(space_map, here)
        paths = write_files(folder, files)
        if json:
            put_json(_facts(space_map, opened.location, paths))
            return
        _show(space_map)
    for path in paths:
        put(str(path))
    again = location if "://" in location else f"{location} --out {Path(location).parent}"
    note(f"in the report as well: nextlabel report --store {again}")


def _follow(steps: "Iterator[str | Map]") -> "Map":
    """Say what is being done, and return the map that comes last."""
    for step in steps:
        if not isinstance(step, str):
            return step
        note(step)
    raise AssertionError("a map comes last")


def _draw(space_map: "Map") -> "tuple[Map, dict[str, bytes]]":
    """Return the map with the time of its drawing, and its files."""
    from nextlabel.report import figures
    from nextlabel.report.frame import Table
    from nextlabel.report.sections.maps import map_files, second_frame

    start = time.perf_counter()
    with figures.plot_style():
        files = map_files(space_map, "map", figures.FORMATS)
    seconds = {**space_map.seconds, "drawing": time.perf_counter() - start}
    files["map-seconds.csv"] = Table("map-seconds", second_frame(seconds)).csv.encode()
    for number, space in enumerate(space_map.spaces, 1):
        files[f"map-picked-{number}.png"] = space.sheet
    return replace(space_map, seconds=seconds), files


def _show(space_map: "Map") -> None:
    from nextlabel.report.formatting import seconds
    from nextlabel.report.sections.maps import MEASURES, number_frame
    from nextlabel.report.sections.section import view

    numbers = view(number_frame([space_map]), ("space", "measured_in", *MEASURES))
    put_table([heading.text for heading in numbers.headings], numbers.rows)
    times = [(phase, seconds(value)) for phase, value in space_map.seconds.items()]
    put_table(("part", "time"), [*times, ("total", seconds(sum(space_map.seconds.values())))])
    note(
        f"{space_map.arm}, seed {space_map.seed}: "
        f"{plural(space_map.labelled, 'labelled image')}, "
        f"{plural(len(space_map.candidates), 'candidate')}; random picks have about 1, 1, 0.1 and "
        "0 in the last four columns"
    )
    for line in space_map.notes:
        note(line)
    if space_map.facts.get("training taken from the cache"):
        note("the task model was taken from the cache: its time is that of reading it")


def _facts(space_map: "Map", store: str, paths: tuple[Path, ...]) -> dict[str, Any]:
    return {
        "experiment": space_map.spec["name"],
        "arm": space_map.arm,
        "seed": space_map.seed,
        **space_map.settings,
        "candidates": len(space_map.candidates),
        "spaces": [
            {
                "name": space.name,
                "weights": space.weights,
                "scale": space.scale,
                "dimensions": space.dimensions,
                "in_space": asdict(space.in_space),
                "in_map": asdict(space.in_map),
                "picked": space.picked.tolist(),
            }
            for space in space_map.spaces
        ],
        "facts": space_map.facts,
        "seconds": space_map.seconds,
        "notes": list(space_map.notes),
        "store": store,
        "files": [str(path) for path in paths],
    }
