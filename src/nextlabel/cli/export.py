"""`nextlabel export`: labels and predictions of a project to a file."""

from pathlib import Path
from typing import Annotated

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put, put_json


def command(
    project: options.ProjectFolder,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="The file to write; its suffix says the format: .csv, .jsonl, .parquet, .json "
            "(Label Studio), .npz, .answers.jsonl (the log), or none for a folder per class.",
        ),
    ],
    format: options.ExchangeFormat = None,
    link: Annotated[
        bool, typer.Option("--link", help="Make links to the images instead of copies.")
    ] = False,
    store: options.ProjectStore = None,
    json: options.AsJson = False,
) -> None:
    """Write the labels and predictions of a project to a file; the CSV fits --labels."""
    from nextlabel.project.exchange.transfer import export
    from nextlabel.project.labelling.project import Project

    with Project.open(project, store=store) as opened:
        rows = export(opened, out, format=format, link=link)
        labelled = len(opened.state().labels)
    note(f"{plural(rows, 'file')}, {plural(labelled, 'image')} labelled")
    if json:
        put_json({"file": str(out), "rows": rows, "labelled": labelled})
    else:
        put(str(out))
