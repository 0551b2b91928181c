"""`nextlabel report`: the report page and its figures, made from a store."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, put, put_json
from nextlabel.cli.status import store_locations
from nextlabel.core.errors import UsageError


class Format(StrEnum):
    """The format of a figure file."""

    SVG = "svg"
    PDF = "pdf"
    PNG = "png"


def command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[EXPERIMENT]", help="The experiment's name, as for --experiment."),
    ] = None,
    store: options.StoreAt = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="The folder of the files; by default that of the store."
        ),
    ] = None,
    experiment: Annotated[
        str | None,
        typer.Option(
            "--experiment", metavar="NAME", help="The experiment, if the store holds several."
        ),
    ] = None,
    formats: Annotated[
        list[Format],
        typer.Option(
            "--format", help="Format of the figure files; all by default. May be repeated."
        ),
    ] = [],  # noqa: B006 - typer copies it
    json: options.AsJson = False,
) -> None:
    """Build report.html, and tables and figures as files, from a store; nothing is run."""
    from nextlabel.report.page import build_report
    from nextlabel.store.store import Store

    if name is not None and experiment not in (None, name):
        raise UsageError(
            f"experiments {name!r} and --experiment {experiment!r} are two; give one",
            code="two-experiments",
        )
    experiment = experiment or name
    chosen = [format.value for format in formats or Format]
    locations = store_locations(store, experiment)
    location = locations[0]
    if len(locations) > 1:
        raise UsageError(
            f"there are {len(locations)} stores here; choose one with --experiment "
            f"{Path(location).parent.name}, or --store {location}",
            code="store-not-named",
        )
    with Store.read(location) as opened:
        if out is None and "://" in location:
            raise UsageError(
                f"store {opened.location} is not a file, so it has no folder; give --out",
                code="out-missing",
            )
        paths = build_report(opened, experiment, out or Path(location).parent, chosen)
    if json:
        put_json({"report": str(paths.html), "files": [str(path) for path in paths.files]})
    else:
        put(str(paths.html))
        for path in paths.files:
            note(f"also {path}")
