"""`nextlabel suggest`: the images of a folder to label next."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from nextlabel.cli import options
from nextlabel.cli.output import note, plural, put, put_json
from nextlabel.cli.project import pipeline_of, say_changes, say_labels
from nextlabel.cli.values import parse_classes


def command(
    folder: options.ImageFolder,
    labels: options.LabelFiles = [],  # noqa: B006 - typer copies it
    budget: Annotated[int, typer.Option(min=1, metavar="N", help="The number of images.")] = 20,
    classes: options.ClassList = None,
    features: options.FeatureWeights = [],  # noqa: B006 - typer copies it
    strategy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A strategy in place of the default ones, such as random for a test of chance.",
        ),
    ] = None,
    audit: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="The share of images drawn at random, by which `fit` estimates the accuracy; 0.2 "
            "by default, and 0 for none.",
        ),
    ] = None,
    refit: options.Refit = False,
    cache_dir: options.CacheDir = None,
    json: options.AsJson = False,
) -> None:
    """Choose the images of a folder to label next; print one file per line.

    Without labels, typical images of different groups come first. Features are learned at the
    first call and kept; later calls take seconds. The defaults chose better than chance on MNIST,
    chest X-rays and digits, the three data sets they were tested on: see docs/results.
    """
    from nextlabel.project.suggestion import suggest

    made = suggest(
        folder,
        budget,
        labels=labels,
        classes=parse_classes(classes),
        pipeline=pipeline_of(features, strategy, audit),
        cache_dir=cache_dir,
        refit=refit,
        progress=sys.stderr.isatty(),
    )
    say_changes(made.changes, made.images)
    say_labels(made.images, made.labelled, made.classes)
    if made.passed_over:
        note(f"{plural(made.passed_over, 'image')} skipped, unsure or flagged, and left out")
    if len(made.items) < min(budget, made.images - made.labelled - made.passed_over):
        note("all other images without a label are copies of these or of labelled ones")
    elif len(made.items) < budget:
        note(f"only {plural(len(made.items), 'image')} without a label")
    if not json:
        for item in made.items:
            put(item.path)
        return
    put_json(
        {
            "folder": str(Path(folder)),
            "images": made.images,
            "labelled": made.labelled,
            "passed_over": made.passed_over,
            "classes": dict(made.classes),
            "changes": {
                "added": made.changes.added,
                "changed": made.changes.changed,
                "gone": made.changes.gone,
            },
            "suggestions": [
                {
                    "path": item.path,
                    "score": item.score,
                    "reason": item.reason,
                    "prediction": item.prediction,
                    "confidence": item.confidence,
                }
                for item in made.items
            ],
        }
    )
