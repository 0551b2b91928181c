"""Common parts of the commands for a person's folder: the pipeline, and notes on stderr."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from nextlabel.cli.output import note, plural
from nextlabel.cli.values import parse_weights

if TYPE_CHECKING:
    from nextlabel.features.kept_features import Changes
    from nextlabel.project.pipeline import Pipeline

SHOWN = 3
"""Names of changed images that are listed."""
CLASSES = 20
"""Classes that are listed."""


def pipeline_of(
    features: Sequence[str], strategy: str | None = None, audit: float | None = None
) -> "Pipeline":
    """Return the default pipeline, with what is given in place of its own."""
    from nextlabel.project.pipeline import DEFAULT

    changes: dict[str, object] = {}
    weights = parse_weights(",".join(features) or None)
    if weights is not None:
        changes["features"] = weights
    if strategy is not None:
        changes |= {"strategy": strategy, "options": {}}
    if audit is not None:
        changes["audit"] = audit
    return DEFAULT.model_copy(update=changes)


def say_changes(changes: "Changes", images: int) -> None:
    """Write to stderr which of the `images` differ from the time before, and what stays."""
    for word, names in (
        ("new", changes.added),
        ("changed", changes.changed),
        ("gone", changes.gone),
    ):
        if names:
            listed = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
            note(f"{plural(len(names), 'image')} {word} since the time before: {listed}")
    new = len(changes.added) + len(changes.changed)
    if new and not changes.refitted:
        note(f"features of the other {images - new:,} are kept; --refit learns all of them again")


def say_labels(images: int, labelled: int, classes: Mapping[str, int]) -> None:
    """Write to stderr how many images are labelled, and how many of each of the first classes."""
    listed = [f"{name}: {number:,}" for name, number in islice(classes.items(), CLASSES)]
    if len(classes) > CLASSES:
        listed.append(f"{len(classes) - CLASSES:,} classes more")
    counts = ", ".join(listed)
    note(f"{plural(images, 'image')}, {labelled:,} labelled" + (f" ({counts})" if counts else ""))
