"""The card of a classifier: what it is, what it was fitted to, and how good it is, as Markdown."""

from collections.abc import Mapping
from typing import Any

from nextlabel.project.block_model import BlockModel
from nextlabel.project.classifier_folder.stored_features import StoredBlock, StoredFeatures


def card(model: BlockModel, features: StoredFeatures) -> str:
    """Return the text of a classifier's README.md."""
    facts = dict(features.facts)
    classes = facts.pop("classes", [])
    facts.pop("estimate", None)  # a sentence of its own
    lines = [
        "# Classifier",
        "",
        f"It tells {len(model.classes)} classes apart: {', '.join(model.classes)}."
        if model.task == "multiclass"
        else f"It looks for {len(model.classes)} findings, of which an image may show several "
        f"or none: {', '.join(model.classes)}.",
        "",
        "Use it by `nextlabel predict`, with this folder and a folder of images.",
        "",
        "## How good it is",
        "",
        estimate_words(features.facts),
        "",
        "## The classes",
        "",
        "| class | labelled | predicted | mean confidence of those predicted |",
        "|---|---|---|---|",
        *(
            f"| {_cell(of['name'])} | {of['labelled']} | {of['predicted']} | "
            f"{'–' if of['confidence'] is None else format(of['confidence'], '.3f')} |"
            for of in classes
        ),
        "",
        "## What it rests on",
        "",
        "| fact | value |",
        "|---|---|",
        f"| model | logistic regression, temperature {model.fitted.temperature:.3g} |",
        *(
            f"| features `{name}` | divided by {model.units[name]:.4g}; {_settings(block)} |"
            for name, block in features.blocks.items()
        ),
        f"| images | {features.image_size} × {features.image_size} pixels, "
        f"{'grey' if features.channels == 1 else 'RGB'} |",
        *(f"| {_cell(str(name))} | {_cell(str(value))} |" for name, value in facts.items()),
        "",
        "An image farther from all labelled ones than 99% of the images without a label that it "
        "was fitted to is called `unlike` in the predictions: check it before you trust its label. "
        "Where fewer than 100 had no label, the labelled ones count as well.",
        "",
    ]
    return "\n".join(lines)


def estimate_words(facts: Mapping[str, Any]) -> str:
    """Return the estimate of the accuracy among the facts of a fit in a sentence or two.

    It is about the images without a label, where some are left.
    """
    estimate = facts.get("estimate")
    if not estimate:
        return "Its accuracy was not estimated."
    all_labelled = "images" in facts and facts.get("labelled") == facts["images"]
    of = "other images of this kind" if all_labelled else "the images without a label"
    value = f"Accuracy on {of}: about {100 * estimate['value']:.0f}%"
    if not estimate["audited"]:
        return (
            f"{value}, by the model's own confidence. How sure this is cannot be said, since no "
            "label is of an image that was drawn at random."
        )
    drawn = estimate["audited"]
    return (
        f"{value}; {100 * estimate['confidence']:.0f}% interval "
        f"{100 * estimate['low']:.0f} to {100 * estimate['high']:.0f}%, by "
        f"{drawn} image{' that was' if drawn == 1 else 's that were'} drawn at random."
    )


def _settings(block: StoredBlock) -> str:
    return _cell(", ".join(f"{key} {value}" for key, value in block.settings.items())) or "defaults"


def _cell(text: str) -> str:
    """Return text that does not end a table's cell."""
    return " ".join(text.replace("|", "\\|").split())
