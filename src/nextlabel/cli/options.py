"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Overrides = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a value of the experiment file, such as arms.0.features.vae=2",
    ),
]
SeedList = Annotated[
    str | None,
    typer.Option(
        "--seeds", metavar="LIST", help="The seeds instead of the file's: 5 (0 to 4), 0-9 or 0,3,7."
    ),
]
Arms = Annotated[
    list[str],
    typer.Option(
        "--arm",
        metavar="NAME",
        help="The arm to run; several times for several arms. All by default.",
    ),
]
StoreAt = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="PATH|URL",
        help="The database of results; by default runs/NAME/store.db.",
    ),
]
OutDir = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="The folder of the report; by default runs/NAME."),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        envvar="NEXTLABEL_DATA",
        help="The folder of data sets; missing ones are downloaded into the user's cache.",
    ),
]
CacheDir = Annotated[
    Path | None,
    typer.Option(
        "--cache-dir", metavar="DIR", help="The folder of fitted features and decoded images."
    ),
]
CacheLocation = Annotated[
    str | None,
    typer.Option(
        "--cache-dir",
        metavar="DIR|URL",
        help="The folder of fitted features and decoded images, or an fsspec URL of fitted ones.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        min=1,
        metavar="N",
        help="The number of trials at a time; by default one per processor core, or per worker.",
    ),
]
ExecutorName = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="NAME",
        help="Where trials run: local (processes of this machine), dask (a cluster), in_process.",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="tcp://HOST:PORT",
        help="The scheduler of a Dask cluster; without it, --executor dask starts a cluster here.",
    ),
]
MixedWorkers = Annotated[
    bool,
    typer.Option(
        "--mixed-workers",
        help="Also use workers with other versions or another processor, whose rows may differ.",
    ),
]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first trial that fails.")]
PlanOnly = Annotated[
    bool,
    typer.Option("--plan", help="Show what would run, its time and its disk space; run nothing."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write the results as JSON.")]
ImageFolder = Annotated[
    Path,
    typer.Argument(metavar="FOLDER", help="The folder of images, or of a project with its labels."),
]
ProjectFolder = Annotated[
    Path,
    typer.Argument(metavar="PROJECT", help="The folder of a project, or that of its images."),
]
ProjectStore = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="The PostgreSQL database of the project, if its URL needs a password.",
    ),
]
ExchangeFormat = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="csv, jsonl, parquet, class_folders, label_studio, npz, answers or project; by "
        "default that of the suffix.",
    ),
]
LabelFiles = Annotated[
    list[Path],
    typer.Option(
        metavar="FILE.csv",
        help="The labels so far: the columns path and label; the label is empty if there is none. "
        "Or the folder of a project. Several can be given.",
    ),
]
ClassList = Annotated[
    str | None,
    typer.Option(
        metavar="LIST",
        help="The names of the classes, such as cell,debris; by default those of the labels.",
    ),
]
FeatureWeights = Annotated[
    list[str],
    typer.Option(
        metavar="BLOCK=W",
        help="A feature block and its weight, in place of the default ones: --features vae=1.",
    ),
]
Refit = Annotated[
    bool, typer.Option("--refit", help="Learn the features again from all images there are now.")
]
Channels = Annotated[
    str | None,
    typer.Option(
        "--channels",
        metavar="LIST",
        help="The channels of the files to take, from 0: 2 as grey, 0,2 as red and green.",
    ),
]
Page = Annotated[
    str | None,
    typer.Option("--page", metavar="N|middle", help="The page of files of several pages, from 0."),
]
Project = Annotated[
    Literal["max", "min", "mean"] | None,
    typer.Option(
        "--project", help="Join all pages of a file into one: the max, min or mean of each pixel."
    ),
]
GreyRange = Annotated[
    str | None,
    typer.Option(
        "--range",
        metavar="RULE",
        help="The values of more than 8 bits that become black and white: p0.1-p99.9 (the "
        "default), 0-4095, min-max.",
    ),
]
