"""The card of a classifier: what it is, what it was fitted to, and how good it is, as Markdown."""

from nextlabel.project.block_model import BlockModel
from nextlabel.project.source import Source, StoredBlock


def card(model: BlockModel, source: Source) -> str:
    """Return the text of a classifier's README.md."""
    facts = dict(source.facts)
    counts = facts.pop("counts", {})
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
        _estimate(estimate),
        "",
        "## Labelled images",
        "",
        "| class | labelled |",
        "|---|---|",
        *(f"| {_cell(name)} | {counts.get(name, 0)} |" for name in model.classes),
        "",
        "## What it rests on",
        "",
        "| fact | value |",
        "|---|---|",
        f"| model | logistic regression, temperature {model.fitted.temperature:.3g} |",
        *(
            f"| features `{name}` | divided by {model.units[name]:.4g}; {_settings(block)} |"
            for name, block in source.blocks.items()
        ),
        f"| images | {source.image_size} × {source.image_size} pixels, "
        f"{'grey' if source.channels == 1 else 'RGB'} |",
        *(f"| {_cell(str(name))} | {_cell(str(value))} |" for name, value in facts.items()),
        "",
        "An image farther from all labelled ones than 99% of the images that it was fitted to is "
        "called `unlike` in the predictions: look at it before you trust its label.",
        "",
    ]
    return "\n".join(lines)


def _estimate(estimate: dict[str, float] | None) -> str:
    if not estimate:
        return "Its accuracy was not estimated."
    return (
        f"Estimated accuracy on the images without a label: {100 * estimate['accuracy']:.1f}% "
        f"(95% interval {100 * estimate['low']:.1f} to {100 * estimate['high']:.1f}%)."
    )


def _settings(block: StoredBlock) -> str:
    return _cell(", ".join(f"{key} {value}" for key, value in block.settings.items())) or "defaults"


def _cell(text: str) -> str:
    """Return text that does not end a table's cell."""
    return " ".join(text.replace("|", "\\|").split())
