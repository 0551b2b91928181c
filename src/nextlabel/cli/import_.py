"""`nextlabel import`: labels of a file, of class folders or of another project into a project."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put_json


def command(
    project: options.ProjectFolder,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="What `nextlabel export` writes, another tool's CSV or Label Studio's JSON, a "
            "folder with a sub-folder per class, or another project.",
        ),
    ],
    format: options.ExchangeFormat = None,
    person: Annotated[
        str, typer.Option(metavar="NAME", help="The person for labels that do not name one.")
    ] = "me",
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Take the label of the file where the project has another."),
    ] = False,
    task: Annotated[
        Literal["multiclass", "multilabel"] | None,
        typer.Option(
            help="For a new project: one class per image, the default, or any number of them."
        ),
    ] = None,
    store: options.ProjectStore = None,
    json: options.AsJson = False,
) -> None:
    """Record the labels of a file in a project; a folder of images gets one if it has none.

    An image that has a label of the same person already keeps it, so the same file can be given
    again.
    """
    from nextlabel.project.exchange.transfer import import_file
    from nextlabel.project.labelling.project import Project

    with Project.open_or_create(project, store=store, task=task) as opened:
        opened.scan()
        result = import_file(opened, file, format=format, person=person, replace=replace)
        labelled = len(opened.state().labels)
    if result.classes:
        note(f"new classes: {', '.join(result.classes)}")
    if result.unknown:
        more = ", …" if len(result.unknown) > 1 else ""
        note(
            f"left out: {plural(len(result.unknown), 'path')} of no image of the project, "
            f"{result.unknown[0]!r}{more}"
        )
    if result.kept:
        note(f"{plural(result.kept, 'image')} with another label keep it; --replace changes them")
    note(
        f"{plural(result.recorded, 'answer')} recorded, {result.unchanged:,} there already; "
        f"{plural(labelled, 'image')} labelled"
    )
    if json:
        put_json(
            {
                "recorded": result.recorded,
                "unchanged": result.unchanged,
                "kept": result.kept,
                "classes": result.classes,
                "unknown": result.unknown,
                "labelled": labelled,
            }
        )
