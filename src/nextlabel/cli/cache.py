"""`nextlabel cache`: the size of the cache, and removing its entries."""

from typing import TYPE_CHECKING, Annotated

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put, put_json, size
from nextlabel.core.errors import UsageError

if TYPE_CHECKING:
    from nextlabel.features.cache import CacheSize

CONTENTS = {
    "block-pretrained": "fits of the block pretrained",
    "folder-features": "features of folders",
    "folders": "digests of the files of folders",
    "images": "decoded images of data sets",
    "round0": "task models of the initial labels",
    "rows": "features of single images by pretrained networks",
    "small-images": "decoded images of folders",
}
"""The contents of the folders of the cache, other than fits of most blocks."""

app = typer.Typer(help="Show or prune the cache of fitted features and decoded images.")


@app.callback(invoke_without_command=True)
def _default(
    context: typer.Context, cache_dir: options.CacheDir = None, json: options.AsJson = False
) -> None:
    command = context.invoked_subcommand
    if command is None:
        measure(cache_dir, json)
    elif json or cache_dir is not None:
        raise UsageError(
            f"options before {command!r} do not reach it; write them after it",
            code="options-before-command",
        )


@app.command("size")
def measure(cache_dir: options.CacheDir = None, json: options.AsJson = False) -> None:
    """Say how many entries there are and how much disk they take."""
    from nextlabel.features.cache import Cache

    _show(Cache.open(cache_dir).size(), json)


@app.command()
def prune(
    everything: Annotated[bool, typer.Option("--all", help="Remove all entries.")] = False,
    days: Annotated[
        float | None,
        typer.Option(
            "--older-than",
            min=0,
            metavar="DAYS",
            help="Remove entries that were not used for this number of days.",
        ),
    ] = None,
    cache_dir: options.CacheDir = None,
    json: options.AsJson = False,
) -> None:
    """Remove entries; they are computed again when they are needed."""
    from nextlabel.features.cache import Cache

    if everything == (days is not None):
        raise UsageError(
            "say what to remove: either --all or --older-than DAYS", code="nothing-to-remove"
        )
    removed = Cache.open(cache_dir).prune(older_than_days=days)
    _show(removed, json)
    if not json:
        note("removed")


def _show(total: "CacheSize", json: bool) -> None:
    if json:
        facts = {
            "entries": total.entries,
            "bytes": total.bytes,
            "kinds": dict(total.by_kind),
        }
        put_json(facts)
        return
    put(f"{plural(total.entries, 'file')}, {size(total.bytes)}")
    contents = CONTENTS | _fits()
    for folder, number in sorted(total.by_kind.items()):
        name = f"{contents[folder]} ({folder})" if folder in contents else folder
        put(f"  {name}: {size(number)}")


def _fits() -> dict[str, str]:
    """Return what the folders of blocks hold; nothing where a plug-in does not load."""
    from nextlabel.features.blocks import BLOCKS
    from nextlabel.features.fitted import cache_folder

    try:
        return {cache_folder(BLOCKS[name]): f"fits of the block {name}" for name in BLOCKS}
    except UsageError:
        return {}
