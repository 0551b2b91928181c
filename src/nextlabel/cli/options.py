"""The options that several commands share, worded once."""

from pathlib import Path
from typing import Annotated

import typer

Overrides = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Change the experiment: arms.0.features.vae=2"),
]
SeedList = Annotated[
    str | None,
    typer.Option("--seeds", metavar="LIST", help="Other seeds: 5 (0 to 4), 0-9 or 0,3,7."),
]
Arms = Annotated[
    list[str],
    typer.Option("--arm", metavar="NAME", help="Run this arm alone; may be given several times."),
]
StoreAt = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="PATH|URL", help="The database; by default runs/NAME/store.db."
    ),
]
OutDir = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder of the report; by default runs/NAME."),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        envvar="NEXTLABEL_DATA",
        help="Where data sets lie; what is missing is downloaded to the user's cache.",
    ),
]
CacheDir = Annotated[
    Path | None,
    typer.Option(
        "--cache-dir", metavar="DIR", help="The folder of fitted features and decoded images."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", "-j", min=1, metavar="N", help="Trials at a time; by default one a core."
    ),
]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first trial that fails.")]
PlanOnly = Annotated[
    bool,
    typer.Option("--plan", help="Say what would run, how long and how much disk; run nothing."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write data as JSON.")]
