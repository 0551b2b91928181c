"""`nextlabel datasets`: the list of data sets."""

from nextlabel.cli import options
from nextlabel.cli.output import put_json, put_table


def command(data_dir: options.DataDir = None, json: options.AsJson = False) -> None:
    """List the data sets, and show which of them are on this machine."""
    from nextlabel.core.types import PARTS
    from nextlabel.data import describe

    infos = describe(data_dir)
    if json:
        put_json(
            [
                {
                    "name": info.name,
                    "task": info.task,
                    "classes": list(info.classes),
                    "images": dict(info.images),
                    "shape": info.shape,
                    "where": info.where,
                }
                for info in infos
            ]
        )
        return
    put_table(
        ("name", "task", "classes", "shape", *PARTS, "where"),
        [
            (
                info.name,
                info.task or "any",
                len(info.classes) or "–",
                "×".join(map(str, info.shape)) if info.shape else "–",
                *(info.images.get(part, "–") for part in PARTS),
                info.where,
            )
            for info in infos
        ],
    )
