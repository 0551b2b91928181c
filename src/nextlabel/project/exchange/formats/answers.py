"""The log of answers itself, one event per line, with the digest of each image."""

import json
from pathlib import Path
from typing import Any, ClassVar

from nextlabel.core.errors import DataError
from nextlabel.project.exchange.content import Content
from nextlabel.project.exchange.formats import register
from nextlabel.project.exchange.given_answers import Reading
from nextlabel.project.exchange.image_finder import ImageFinder
from nextlabel.project.exchange.json_text import read_json_lines
from nextlabel.project.exchange.logs import LoggedAnswer, counting, given_of
from nextlabel.project.labelling.answer import Answer
from nextlabel.project.labelling.layout import printable
from nextlabel.project.labelling.project import Project

FIELDS = ("key", "kind", "undoes", "note", "person", "answered_at", "received_at", "shown_at",
          "model", "position", "view", "audit")  # fmt: skip


@register("answers")
class AnswersLog:
    """All events of the log, also those that were undone, with the names of classes."""

    title: ClassVar[str] = "log of answers"
    suffix: ClassVar[str] = ".answers.jsonl"

    def write(self, content: Content, target: Path, link: bool) -> None:
        """Write an event per line, in the order of the log."""
        names = {one.id: one.name for one in content.state.classes}
        with target.open("w", encoding="utf-8", newline="\n") as stream:
            for answer in content.answers:
                facts = {
                    "seq": answer.seq,
                    "sha256": content.images.digests[answer.image],
                    "path": printable(content.images.names[answer.image]),
                    "classes": [names[one] for one in answer.classes],
                } | {name: getattr(answer, name) for name in FIELDS}
                stream.write(json.dumps(facts, ensure_ascii=False, allow_nan=False) + "\n")

    def fits(self, path: Path) -> bool:
        """Return whether a file has the suffix of a log."""
        return path.name.lower().endswith(self.suffix)

    def read(self, path: Path, project: Project) -> Reading:
        """Return the events that count, with their keys."""
        finder = ImageFinder(project)
        logged = []
        for where, value in read_json_lines(path):
            image = finder.image(value.get("path"), value.get("sha256"))
            if image is not None:
                logged.append(_logged(where, value, image))
        return given_of(counting(logged), tuple(finder.unknown))


def _logged(where: str, value: dict[str, Any], image: int) -> LoggedAnswer:
    classes = value.get("classes")
    if (
        not isinstance(value.get("key"), str)
        or not isinstance(value.get("person"), str)
        or not isinstance(classes, list)
        or not all(isinstance(name, str) for name in classes)
    ):
        raise DataError(
            f"{where} lacks the key, the person or the classes of an answer; export the log again",
            code="not-an-answer",
        )
    numbers = {n: v if isinstance(v := value.get(n), int | float) else None
               for n in ("answered_at", "received_at")}  # fmt: skip
    event = Answer(
        value["key"],
        image,
        value.get("kind", ""),
        (),
        str(value.get("note") or ""),
        value.get("undoes"),
        answered_at=numbers["answered_at"],
        seq=0,
        person=value["person"],
        received_at=numbers["received_at"] or 0.0,
    )
    return LoggedAnswer(event, tuple(classes))
