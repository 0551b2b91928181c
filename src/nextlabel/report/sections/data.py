"""The data set: its name, its parts, and its classes."""

from nextlabel.core.types import Part
from nextlabel.report.formatting import show
from nextlabel.report.results import Results
from nextlabel.report.sections.facts import flatten
from nextlabel.report.sections.section import Heading, Section, TableView
from nextlabel.store.records import DataRecord

PARTS: dict[Part, str] = {"train": "pool", "validation": "validation", "test": "test"}


def build(results: Results) -> Section:
    """Return the section."""
    title, name = "What the data were", "data"
    data = results.data
    if data is None:
        return Section(
            title,
            text=(
                "An earlier version of nextlabel wrote this store. It does not hold the number of "
                "images, the classes or the file names; run the experiment again to record them.",
            ),
            facts=(
                ("data set", results.data_name),
                *flatten({name: results.spec["data"].get(name) for name in ("path", *PARTS)}),
            ),
            name=name,
        )
    several = "each image may have several" if data.task == "multilabel" else "each image has one"
    total = sum(part.images for part in data.parts.values())
    return Section(
        title,
        text=(
            f"{data.name}: {show(total, 'count')} images of {len(data.classes)} classes; "
            f"{several}. Arms pick from the pool; curves and tests use the validation images.",
        ),
        tables=(_classes(data),),
        name=name,
    )


def _classes(data: DataRecord) -> TableView:
    """Return the number and share of images per class and part, the total first."""
    parts = [part for part in PARTS if part in data.parts]
    headings = (Heading("class", False), *(Heading(PARTS[part], True) for part in parts))
    total = ("all", *(show(data.parts[part].images, "count") for part in parts))
    rows = [
        (name, *(_count(data, part, position) for part in parts))
        for position, name in enumerate(data.classes)
    ]
    return TableView(headings, (total, *rows), "Images per class and part")


def _count(data: DataRecord, part: Part, position: int) -> str:
    record = data.parts[part]
    count = record.per_class[position]
    share = f" ({100 * count / record.images:.0f}%)" if record.images else ""
    return f"{show(count, 'count')}{share}"
