"""`nextlabel fit`: a classifier from a folder of images and some labels."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, put, put_json, put_table
from nextlabel.cli.project import pipeline_of, say_labels
from nextlabel.cli.target import make_folder
from nextlabel.cli.values import parse_classes


def command(
    folder: options.ImageFolder,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="DIR", help="The folder to write the classifier to."),
    ],
    labels: options.LabelFiles = [],  # noqa: B006 - typer copies it
    classes: options.ClassList = None,
    features: options.FeatureWeights = [],  # noqa: B006 - typer copies it
    refit: options.Refit = False,
    cache_dir: options.CacheDir = None,
    json: options.AsJson = False,
) -> None:
    """Train a classifier; print its estimated accuracy with an interval, and per class."""
    from nextlabel.project.classifier import Classifier
    from nextlabel.project.classifier_folder.card import estimate_words
    from nextlabel.project.classifier_folder.file import check_classifier_folder

    check_classifier_folder(out)
    make_folder(out if out.is_dir() else out.parent)
    made = Classifier.fit(
        folder,
        labels,
        classes=parse_classes(classes),
        pipeline=pipeline_of(features),
        cache_dir=cache_dir,
        refit=refit,
        progress=sys.stderr.isatty(),
    )
    made.save(out)
    facts = made.features.facts
    if json:
        put_json({"classifier": str(out), **facts})
        return
    say_labels(facts["images"], facts["labelled"], {})
    put(estimate_words(facts))
    put_table(
        ("class", "labelled", "predicted", "mean confidence"),
        [
            (
                of["name"],
                of["labelled"],
                of["predicted"],
                "–" if of["confidence"] is None else f"{of['confidence']:.3f}",
            )
            for of in facts["classes"]
        ],
    )
    note(f"the classifier is in {out}")
