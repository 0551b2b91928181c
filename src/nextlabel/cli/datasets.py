"""`nextlabel datasets`: where images may come from."""

from nextlabel.cli import options
from nextlabel.cli.output import put_json, put_table


def command(data_dir: options.DataDir = None, json: options.AsJson = False) -> None:
    """List the data sets, and which of them are here already."""
    from nextlabel.core.types import PARTS
    from nextlabel.data import describe

    cards = describe(data_dir)
    if json:
        put_json(
            [
                {
                    "name": card.name,
                    "task": card.task,
                    "classes": list(card.classes),
                    "images": dict(card.images),
                    "shape": card.shape,
                    "where": card.where,
                }
                for card in cards
            ]
        )
        return
    put_table(
        ("name", "task", "classes", "shape", *PARTS, "where"),
        [
            (
                card.name,
                card.task or "any",
                len(card.classes) or "–",
                "×".join(map(str, card.shape)) if card.shape else "–",
                *(card.images.get(part, "–") for part in PARTS),
                card.where,
            )
            for card in cards
        ],
    )
