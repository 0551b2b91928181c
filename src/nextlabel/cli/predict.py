"""`nextlabel predict`: what a classifier makes of a folder of images."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put, put_json
from nextlabel.cli.target import check_target


def command(
    classifier: Annotated[
        Path, typer.Argument(metavar="CLASSIFIER", help="The folder that `nextlabel fit` wrote.")
    ],
    folder: options.ImageFolder,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE.csv", help="The file to write; by default stdout."
        ),
    ] = None,
    gallery: Annotated[
        Path | None,
        typer.Option(
            metavar="PAGE.html",
            help="Also write a page of small images by predicted class, the least sure first.",
        ),
    ] = None,
    cache_dir: options.CacheDir = None,
    json: options.AsJson = False,
) -> None:
    """Predict the class of each image: path, label, confidence, and a probability per class."""
    if out is not None:
        check_target(out, suffix=".csv", head="path,label,confidence,")
    if gallery is not None:
        check_target(gallery, suffix=".html")
    from nextlabel.files.atomic import write_files
    from nextlabel.project.classifier import Classifier
    from nextlabel.project.gallery import gallery_page

    loaded = Classifier.load(classifier)
    made = loaded.predict(folder, cache_dir=cache_dir, progress=sys.stderr.isatty())
    if gallery is not None:
        page = gallery_page(
            f"Predictions for {folder.resolve().name}",
            made.classes,
            made.names,
            made.images,
            made.probabilities,
            unlike=made.unlike,
        )
        write_files(gallery.parent, {gallery.name: page.encode()})
        note(f"gallery: {gallery}")
    table = made.to_csv()
    if out is not None:
        write_files(out.parent, {out.name: table.encode()})
    counts = ", ".join(f"{name}: {number:,}" for name, number in made.counts.items())
    note(f"{plural(len(made), 'image')} ({counts})")
    unlike = int(made.unlike.sum())
    if unlike:
        first = made.names[int(made.unlike.argmax())]
        verb = "resembles" if unlike == 1 else "resemble"
        note(
            f"{plural(unlike, 'image')} ({first} first) {verb} nothing that was labelled; check "
            "before you trust a label there"
        )
    if json:
        put_json(
            {
                "images": len(made),
                "classes": dict(made.counts),
                "unlike": unlike,
                "file": None if out is None else str(out),
                "gallery": None if gallery is None else str(gallery),
            }
        )
    elif out is None:
        put(table.rstrip("\n"))
    else:
        put(str(out))
