"""JSON lines: one object per file, with its digest, so that files that were renamed are found."""

import json
from pathlib import Path
from typing import Any, ClassVar

from nextlabel.core.errors import DataError
from nextlabel.project.exchange.content import Content
from nextlabel.project.exchange.formats import register
from nextlabel.project.exchange.given_answers import Given, Reading, in_order
from nextlabel.project.exchange.image_finder import ImageFinder
from nextlabel.project.exchange.json_text import read_json_lines
from nextlabel.project.exchange.timestamps import time_of, time_text
from nextlabel.project.labelling.project import Project


@register("jsonl")
class JsonLines:
    """Paths, labels and predictions, one JSON object per line."""

    title: ClassVar[str] = "JSON lines"
    suffix: ClassVar[str] = ".jsonl"

    def write(self, content: Content, target: Path, link: bool) -> None:
        """Write an object per file; `labels` is null for an image without a label."""
        with target.open("w", encoding="utf-8", newline="\n") as stream:
            for row in content.rows:
                facts = row.as_dict() | {"answered_at": time_text(row.answered_at) or None}
                stream.write(json.dumps(facts, ensure_ascii=False, allow_nan=False) + "\n")

    def fits(self, path: Path) -> bool:
        """Return whether a file has the suffix of JSON lines."""
        return path.suffix.lower() in (".jsonl", ".ndjson")

    def read(self, path: Path, project: Project) -> Reading:
        """Return the labels, skips, flags and notes; `sha256` names an image before `path` does."""
        finder = ImageFinder(project)
        given: list[Given] = []
        answered: set[int] = set()
        for where, value in read_json_lines(path):
            image = finder.image(value.get("path"), value.get("sha256"))
            if image is not None and image not in answered:  # copies of an image say the same
                answered.add(image)
                given += _given(where, value, image)
        return Reading(
            given, in_order(n for one in given for n in one.labels), tuple(finder.unknown)
        )


def _given(where: str, value: dict[str, Any], image: int) -> list[Given]:
    """Return what an object says of an image."""
    person = value.get("person") or None
    at = time_of(value.get("answered_at"))
    labels = value.get("labels", value.get("label"))
    answers = []
    if isinstance(labels, str):
        labels = [labels]
    if labels is not None:
        if not isinstance(labels, list) or not all(isinstance(name, str) for name in labels):
            raise DataError(
                f'{where}: {labels!r:.60} is not a list of names; write "labels": ["cell"]',
                code="labels-not-a-list",
            )
        answers.append(Given(image, "label", tuple(labels), person=person, answered_at=at))
    elif value.get("state") in ("skip", "unsure"):
        answers.append(Given(image, value["state"], person=person, answered_at=at))
    if value.get("flagged") is True:
        answers.append(Given(image, "flag", person=person))
    if isinstance(value.get("note"), str) and value["note"]:
        answers.append(Given(image, "note", note=value["note"], person=person))
    return answers
