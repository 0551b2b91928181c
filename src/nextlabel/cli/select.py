"""`nextlabel select`: the images to label next, from features in files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put, put_json
from nextlabel.cli.values import parse_options, parse_weights
from nextlabel.core.errors import UsageError

TASK = "task"


def command(
    budget: Annotated[int, typer.Option(metavar="N", help="The number of images to choose.")],
    features: Annotated[
        list[str],
        typer.Option(
            metavar="[NAME=]FILE",
            help="One row of features per image, as .npy or .npz. Several blocks: --features t.npy "
            "--features vae=v.npz. A file without a name is the block task.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    strategy: Annotated[
        str, typer.Option(help="The name of a strategy; `nextlabel strategies` lists them.")
    ] = "core_set",
    weights: Annotated[
        str | None,
        typer.Option(metavar="NAME=W,…", help="The weight of each block; 1 by default."),
    ] = None,
    scale: Annotated[
        Literal["rms", "unit", "none"],
        typer.Option(
            help="rms: divide each block by its root-mean-square distance between images first, "
            "so that weights can be compared; unit: divide each row of a block by its length, for "
            "cosine distances; none: take the rows as they are."
        ),
    ] = "rms",
    probabilities: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="One row of class probabilities per image, as .npy."),
    ] = None,
    labelled: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The labelled images: one id or file name per line."),
    ] = None,
    exclude: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Images that must not be chosen: one id or file name per line."
        ),
    ] = None,
    option: Annotated[
        list[str],
        typer.Option(metavar="KEY=VALUE", help="A setting of the strategy, such as entropy_top=50"),
    ] = [],  # noqa: B006 - typer copies it
    seed: Annotated[
        int, typer.Option(min=0, help="The number that decides everything random.")
    ] = 0,
    multi_label: Annotated[
        bool,
        typer.Option("--multi-label", help="An image may have several classes, or none of them."),
    ] = False,
    json: options.AsJson = False,
) -> None:
    """Choose the images to label next; print their ids, or file names if the file has them."""
    import numpy as np

    from nextlabel.core.types import as_ids
    from nextlabel.data.lists.id_list import read_ids
    from nextlabel.selection import select
    from nextlabel.selection.rows import common_labels, held_out, rows_of

    blocks = {name: rows_of(path, name) for name, path in named_files(features).items()}
    labels = common_labels(blocks)
    names = None if labels is None else tuple(map(str, labels.labels))
    labelled_ids = as_ids(() if labelled is None else read_ids(labelled, names))
    excluded_ids = as_ids(() if exclude is None else read_ids(exclude, names))
    held = held_out(list(blocks.values()), labelled_ids, excluded_ids)
    if len(held):
        note(f"{plural(len(held), 'image')} of validation and test cannot be chosen")
    arrays = {name: rows.array for name, rows in blocks.items()}
    unnamed = list(arrays) == [TASK] and weights is None
    chosen = select(
        arrays[TASK] if unnamed else arrays,
        budget,
        strategy=strategy,
        options=parse_options(option),
        weights=parse_weights(weights),
        scale=scale,
        probabilities=None
        if probabilities is None
        else rows_of(probabilities, "probabilities").array,
        labelled=labelled_ids,
        excluded=np.concatenate([excluded_ids, held]),
        seed=seed,
        task="multilabel" if multi_label else "multiclass",
    )
    words = [str(i) if names is None else names[i] for i in chosen.tolist()]
    if json:
        facts = {"strategy": strategy, "budget": budget, "seed": seed, "ids": chosen.tolist()}
        put_json(facts if names is None else {**facts, "names": words})
    else:
        for word in words:
            put(word)


def named_files(given: Sequence[str]) -> dict[str, Path]:
    """Return files by block name; a file without a name is the block "task"."""
    files: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or Path(text).exists():
            name, path = TASK, text
        if not name or not path:
            raise UsageError(
                f"features {text!r} are not [NAME=]FILE; write vae=vae.npz", code="not-a-named-file"
            )
        if name in files:
            raise UsageError(
                f"block {name!r} is given twice; name each: --features vae={path}",
                code="block-twice",
            )
        files[name] = Path(path)
    return files
