"""`nextlabel select`: the images to label next, from features in files."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nextlabel.cli import options
from nextlabel.cli.output import json_text, note, plural, put
from nextlabel.cli.selection_files import (
    TASK,
    as_numbers,
    choosing_bar,
    csv_text,
    is_csv,
    named_files,
    read_inputs,
    write_file,
)
from nextlabel.cli.target import check_target
from nextlabel.cli.values import parse_options, parse_weights
from nextlabel.core.errors import UsageError
from nextlabel.files.standard_input import STDIN, title


def command(
    budget: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="The number of images to choose. Fewer are chosen, with a warning, if all "
            "others are copies of chosen or labelled images.",
        ),
    ],
    features: Annotated[
        list[str],
        typer.Option(
            metavar="[NAME=]FILE",
            help="One row of features per image, as .npy, .npz, .csv or .parquet; - is "
            "standard input. Several blocks: --features t.npy --features vae=v.npz. A file without "
            "a name is the block task.",
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
        typer.Option(
            metavar="FILE",
            help="One row of class probabilities per image, as .npy, .npz, .csv or .parquet. One "
            "column is the probability of the second of two classes.",
        ),
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The name of each row, if the features have none: one per line, or the first "
            "column or the index of a .csv or .parquet file.",
        ),
    ] = None,
    labelled: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The labelled images: one id or file name per line, or a CSV file with a column "
            "path; - is standard input.",
        ),
    ] = None,
    exclude: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Images that must not be chosen, as for --labelled."),
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
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Write the choice to a file instead; a .csv file has the scores too.",
        ),
    ] = None,
    json: options.AsJson = False,
) -> None:
    """Choose the images to label next; print their ids, or names if there are some."""
    files = named_files(features)
    given = [*files.values(), *filter(None, (probabilities, names, labelled, exclude))]
    if given.count(STDIN) > 1:
        raise UsageError(
            "standard input (-) is given for two files; write one of them to a file of its own",
            code="stdin-twice",
        )
    if out is not None:
        check_target(out, given)
    import numpy as np

    from nextlabel.core.types import as_ids
    from nextlabel.data.lists.id_list import read_ids
    from nextlabel.selection.choice import Request, choose
    from nextlabel.selection.rows import held_out

    inputs = read_inputs(files, probabilities, names)
    hint = f"; {inputs.file and title(inputs.file)} has no names, give them by --names FILE"
    labelled_ids, excluded_ids = (
        as_ids(()) if path is None else read_ids(path, inputs.names, hint=hint)
        for path in (labelled, exclude)
    )
    held = held_out(list(inputs.rows.values()), labelled_ids, excluded_ids)
    if len(held):
        note(f"{plural(len(held), 'image')} of validation and test cannot be chosen")
    blocks = {name: inputs.rows[name].array for name in files}
    unnamed = list(blocks) == [TASK] and weights is None
    with choosing_bar(budget) as (progress, before):
        choice = choose(
            Request(
                features=blocks[TASK] if unnamed else blocks,
                budget=budget,
                strategy=strategy,
                options=parse_options(option),
                weights=parse_weights(weights),
                scale=scale,
                probabilities=inputs.probabilities,
                labelled=labelled_ids,
                excluded=np.concatenate([excluded_ids, held]),
                seed=seed,
                task="multilabel" if multi_label else "multiclass",
                progress=progress,
                before=before,
            ),
            scores="if there" if json or is_csv(out) else "none",
        )
    ids = choice.ids.tolist()
    words = [str(i) if inputs.names is None else inputs.names[i] for i in ids]
    if json:
        facts: dict[str, Any] = {"strategy": strategy, "budget": budget, "seed": seed, "ids": ids}
        if inputs.names is not None:
            facts["names"] = words
        facts |= {"score": choice.score, "scores": as_numbers(choice.scores)}
        text = json_text(facts) + "\n"
    elif is_csv(out):
        head = "id" if inputs.names is None else "path"
        text = csv_text(head, words, as_numbers(choice.scores))
    else:
        text = "".join(f"{word}\n" for word in words)
    if out is None:
        if text:
            put(text.removesuffix("\n"))
    else:
        write_file(out, text)
        put(str(out))
