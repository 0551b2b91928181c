"""`nextlabel report`: the page and the figures anew, from the store alone."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, put, put_json
from nextlabel.cli.status import places
from nextlabel.core.errors import UsageError


class Format(StrEnum):
    """A kind of figure file."""

    SVG = "svg"
    PDF = "pdf"
    PNG = "png"


def command(
    store: options.StoreAt = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where to; by default beside the store."),
    ] = None,
    experiment: Annotated[
        str | None, typer.Option("--experiment", metavar="NAME", help="Which, if there are more.")
    ] = None,
    formats: Annotated[
        list[Format],
        typer.Option(
            "--format", help="Kinds of figure files, if not all; may stand more than once."
        ),
    ] = [],  # noqa: B006 - typer copies it
    json: options.AsJson = False,
) -> None:
    """Build report.html, and figures as files, from what a store holds; nothing is run."""
    from nextlabel.report.page import build_report
    from nextlabel.store.store import Store

    kinds = [kind.value for kind in formats or Format]
    found = places(store, experiment)
    if len(found) > 1:
        raise UsageError(f"there are {len(found)} stores here; choose one with --store {found[0]}")
    with Store.read(found[0]) as opened:
        if out is None and "://" in found[0]:
            raise UsageError(f"store {opened.location} has no folder of its own; give --out")
        paths = build_report(opened, experiment, out or Path(found[0]).parent, kinds)
    if json:
        put_json({"report": str(paths.html), "files": [str(path) for path in paths.files]})
    else:
        put(str(paths.html))
        for path in paths.files:
            note(f"also {path}")
