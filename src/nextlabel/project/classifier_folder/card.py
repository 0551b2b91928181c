"""The card of a classifier: what it is, what it was fitted to, and how good it is, as Markdown."""

from collections.abc import Mapping

from nextlabel.project.block_model import BlockModel
from nextlabel.project.classifier_folder.stored_features import StoredBlock, StoredFeatures


def card(model: BlockModel, features: StoredFeatures) -> str:
    """Return the text of a classifier's README.md."""
    facts = dict(features.facts)
    classes = facts.pop("classes", [])
    estimate = facts.pop("estimate", None)
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
        estimate_words(estimate, left=facts.get("labelled") != facts.get("images"))
        if estimate
        else "Its accuracy was not estimated.",
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
        "An image farther from all labelled ones than 99% of the images that it was fitted to is "
        "called `unlike` in the predictions: check it before you trust its label.",
        "",
    ]
    return "\n".join(lines)


def estimate_words(estimate: Mapping[str, float], left: bool = True) -> str:
    """Return an `AccuracyEstimate`, as a mapping, in a sentence or two.

    `left` says whether images without a label are left, which the estimate is about.
    """
    of = "the images without a label" if left else "other images of this kind"
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
