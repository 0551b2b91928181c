"""`nextlabel embed`: features of any data set or folder of images, in one file."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put, put_json
from nextlabel.cli.project import say_changes
from nextlabel.cli.target import check_target
from nextlabel.cli.values import parse_options, parse_reading

if TYPE_CHECKING:
    from nextlabel.data.folder.summary import FolderSummary
    from nextlabel.features.kept_features import Changes


def command(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A data set's name, a folder of images, or an .npy or .npz file of them.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE.npz", help="The file to write.")
    ],
    block: Annotated[
        str, typer.Option(help="The feature block, such as vae, pca or pixels.")
    ] = "vae",
    image_size: Annotated[
        int | None,
        typer.Option(
            min=4,
            max=1024,
            metavar="N",
            help="The height and width to resize images to, in pixels.",
        ),
    ] = None,
    overrides: Annotated[
        list[str],
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A setting of the block, such as latent=16"
        ),
    ] = [],  # noqa: B006 - typer copies it
    unreadable: Annotated[
        Literal["refuse", "skip"],
        typer.Option(help="Refuse a folder with images that cannot be read, or skip them."),
    ] = "refuse",
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="The list of a folder's images to read; by default its manifest.csv, or all.",
        ),
    ] = None,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Follow links that lead out of the folder.")
    ] = False,
    unique: Annotated[
        bool,
        typer.Option(
            "--unique", help="Read only one of several files with equal bytes, the first by name."
        ),
    ] = False,
    channels: options.Channels = None,
    page: options.Page = None,
    project: options.Project = None,
    grey_range: options.GreyRange = None,
    refit: options.Refit = False,
    data_dir: options.DataDir = None,
    cache_dir: options.CacheDir = None,
    seed: Annotated[
        int, typer.Option(min=0, help="The number that decides everything random.")
    ] = 0,
    json: options.AsJson = False,
) -> None:
    """Learn features of images without labels, and write one row per image.

    When images of a folder come and go, the rows of the others stay as they were.
    """
    check_target(out, [Path(data)], ".npz")
    from nextlabel.features.embed import embed

    summaries: list[FolderSummary] = []
    differences: list[Changes] = []
    made = embed(
        data,
        block,
        options=parse_options(overrides),
        image_size=image_size,
        data_dir=data_dir,
        cache_dir=cache_dir,
        seed=seed,
        unreadable=unreadable,
        follow_links=follow_links,
        unique=unique,
        reading=parse_reading(channels, page, project, grey_range)
        | ({} if manifest is None else {"manifest": manifest}),
        progress=sys.stderr.isatty(),
        refit=refit,
        on_summary=summaries.append,
        on_changes=differences.append,
    )
    made.save(out)
    rows, columns = made.features.shape
    for changes in differences:
        say_changes(changes, rows)
    if json:
        facts = {"file": str(out), "images": rows, "columns": columns, "block": block}
        put_json(facts | {name: value for s in summaries for name, value in asdict(s).items()})
    else:
        put(str(out))
        sizes = f"{plural(rows, 'image')}, {plural(columns, 'column')}"
        note("; ".join([sizes, *map(str, summaries)]))
