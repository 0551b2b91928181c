"""`nextlabel select`: the next batch, for those who have embeddings already."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put, put_json
from nextlabel.cli.values import parse_options, parse_weights
from nextlabel.core.errors import DataError, UsageError

if TYPE_CHECKING:
    from nextlabel.core.types import Ids
    from nextlabel.features.embedding_file import Features

TASK = "task"


def command(
    budget: Annotated[int, typer.Option(metavar="N", help="How many to choose.")],
    features: Annotated[
        list[str],
        typer.Option(
            metavar="[NAME=]FILE",
            help="Rows of features, .npy or .npz; several blocks: --features t.npy "
            "--features vae=v.npz. One without a name is called task.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    strategy: Annotated[str, typer.Option(help="See `nextlabel strategies`.")] = "core_set",
    weights: Annotated[
        str | None,
        typer.Option(metavar="NAME=W,…", help="What each block weighs (equation 6); 1 by default."),
    ] = None,
    scale: Annotated[
        Literal["rms", "none"],
        typer.Option(help="Make a weight mean the same for every block, or take rows as they are."),
    ] = "rms",
    probabilities: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Class probabilities, .npy: a row for each image."),
    ] = None,
    labelled: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What is labelled already, one a line.")
    ] = None,
    exclude: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What must not be chosen, one a line.")
    ] = None,
    option: Annotated[
        list[str],
        typer.Option(metavar="KEY=VALUE", help="A setting of the strategy: entropy_top=50"),
    ] = [],  # noqa: B006 - typer copies it
    seed: Annotated[int, typer.Option(min=0, help="Decides all that is random.")] = 0,
    multi_label: Annotated[
        bool, typer.Option("--multi-label", help="Each probability stands for itself.")
    ] = False,
    json: options.AsJson = False,
) -> None:
    """Choose which images to label next; prints ids, or file names where there are some."""
    import numpy as np

    from nextlabel.core.types import as_ids
    from nextlabel.features.embedding_file import read_features, read_ids
    from nextlabel.selection import select

    blocks = {name: read_features(path) for name, path in named_files(features).items()}
    names = common_names(blocks)
    known = as_ids(() if labelled is None else read_ids(labelled, names))
    barred = as_ids(() if exclude is None else read_ids(exclude, names))
    held = held_out(blocks, known, barred)
    if len(held):
        note(f"{plural(len(held), 'image')} of validation and test cannot be chosen")
    chosen = select(
        {name: block.rows for name, block in blocks.items()},
        budget=budget,
        strategy=strategy,
        options=parse_options(option),
        weights=parse_weights(weights),
        scale=scale,
        probabilities=None if probabilities is None else read_features(probabilities).rows,
        labelled=known,
        excluded=np.concatenate([barred, held]),
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


def held_out(blocks: "dict[str, Features]", labelled: "Ids", barred: "Ids") -> "Ids":
    """Return the rows (M) of validation and test images, those given otherwise left aside."""
    import numpy as np

    held = {row for block in blocks.values() for row in block.held.tolist()}
    return np.array(sorted(held.difference(labelled.tolist(), barred.tolist())), np.int64)


def named_files(given: Sequence[str]) -> dict[str, Path]:
    """Return files by block name; one without a name is the block "task"."""
    files: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or Path(text).exists():
            name, path = TASK, text
        if not name or not path:
            raise UsageError(f"features {text!r} are not [NAME=]FILE; write vae=vae.npz")
        if name in files:
            raise UsageError(f"block {name!r} is given twice; name each: --features vae={path}")
        files[name] = Path(path)
    return files


def common_names(blocks: "dict[str, Features]") -> tuple[str, ...] | None:
    """Return the file names that the blocks agree on; DataError when their rows differ."""
    known = {name: block.names for name, block in blocks.items() if block.names is not None}
    for name, names in known.items():
        first, expected = next(iter(known.items()))
        differ = [i for i, (a, b) in enumerate(zip(expected, names, strict=False)) if a != b]
        if differ:
            raise DataError(
                f"row {differ[0]} is {expected[differ[0]]!r} in block {first!r} but "
                f"{names[differ[0]]!r} in block {name!r}; embed the same images for both"
            )
    return next(iter(known.values()), None)
