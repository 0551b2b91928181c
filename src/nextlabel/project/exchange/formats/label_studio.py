"""Label Studio's JSON: an entry per image, with the annotations of each person.

Label Studio calls an entry a task. The file is written for the configuration that `configuration`
returns: an `Image` called "image" and `Choices` called "label". Label Studio finds the images when
it serves the folder as local files; the path relative to the folder is in `data.path` as well.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import quoteattr

from nextlabel.core.errors import DataError
from nextlabel.core.types import Task
from nextlabel.project.exchange.content import Content, Row
from nextlabel.project.exchange.formats import register
from nextlabel.project.exchange.given_answers import Given, Reading, in_order
from nextlabel.project.exchange.image_finder import ImageFinder
from nextlabel.project.exchange.json_text import read_json
from nextlabel.project.exchange.timestamps import time_of, time_text
from nextlabel.project.labelling.layout import printable
from nextlabel.project.labelling.project import Project

LOCAL = "/data/local-files/?d="
"""The beginning of the address of a file that Label Studio serves from a folder."""

UPLOADS = "/data/upload/"
UPLOADED = re.compile(r"^.*/[0-9a-f]{8}-")
"""The part before the name of a file that was uploaded: folders, and eight random digits."""


@register("label_studio")
class LabelStudio:
    """Entries with annotations and predictions."""

    title: ClassVar[str] = "Label Studio JSON"
    suffix: ClassVar[str] = ".json"

    def write(self, content: Content, target: Path, link: bool) -> None:
        """Write an entry per image; see `configuration`."""
        entries = [_entry(number, row, content) for number, row in enumerate(content.rows, 1)]
        with target.open("w", encoding="utf-8") as stream:
            json.dump(entries, stream, ensure_ascii=False, allow_nan=False, indent=1)

    def fits(self, path: Path) -> bool:
        """Return whether a file has the suffix of JSON."""
        return path.suffix.lower() == ".json"

    def read(self, path: Path, project: Project) -> Reading:
        """Return the choices of all annotations; also of the smaller form JSON-MIN."""
        entries = read_json(path)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise DataError(
                f"{path} is not a list of images; export JSON or JSON-MIN from Label Studio",
                code="not-label-studio",
            )
        finder = ImageFinder(project)
        addresses = [_path(entry) for entry in entries]
        digests = [_data(entry).get("sha256") for entry in entries]
        by_path = finder.images(addresses, str(path)) if addresses else []
        finder.unknown.clear()
        given: list[Given] = []
        for entry, address, digest, image in zip(entries, addresses, digests, by_path, strict=True):
            image = finder.digests.get(str(digest), image)
            if image is None:
                finder.unknown.append(address)
                continue
            given += _given(entry, image)
        return Reading(
            given, in_order(n for one in given for n in one.labels), tuple(finder.unknown)
        )


def configuration(classes: Sequence[str], task: Task) -> str:
    """Return the labelling configuration (XML) that the entries are written for."""
    choice = "single" if task == "multiclass" else "multiple"
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in classes)
    return (
        f'<View>\n  <Image name="image" value="$image"/>\n'
        f'  <Choices name="label" toName="image" choice="{choice}">\n{choices}  </Choices>\n'
        "</View>\n"
    )


def _entry(number: int, row: Row, content: Content) -> dict[str, Any]:
    annotations = list(_annotations(number, row, content))
    predictions = []
    if row.prediction is not None:
        result = _result(f"p{number}", row.prediction)
        predictions.append(
            {
                "model_version": f"nextlabel {content.model}",
                "score": row.confidence,
                "result": result,
            }
        )
    address = LOCAL + quote(row.path.encode("utf-8", "surrogateescape"))
    return {
        "id": number,
        "data": {"image": address, "path": printable(row.path), "sha256": row.sha256},
        "meta": {"flagged": row.flagged, "note": row.note},
        "annotations": annotations,
        "predictions": predictions,
    }


def _annotations(number: int, row: Row, content: Content) -> Iterator[dict[str, Any]]:
    """Yield an annotation per person who labelled or skipped the image."""
    newest = {
        answer.person: answer
        for answer in content.state.events(row.image)
        if content.state.counts(answer) and answer.kind in ("label", "skip", "unsure", "clear")
    }
    names = {one.id: one.name for one in content.state.classes}
    labels = content.state.image(row.image).by_person
    for at, (person, answer) in enumerate(newest.items(), 1):
        label = labels.get(person)
        if answer.kind == "clear" or (answer.kind == "label" and label is None):
            continue
        time = time_text(answer.answered_at or answer.received_at)
        seconds = (answer.answered_at or 0.0) - (answer.shown_at or answer.answered_at or 0.0)
        chosen = None if label is None else tuple(names[one] for one in label)
        yield {
            "id": number * 1000 + at,
            "completed_by": {"email": person},
            "result": [] if chosen is None else _result(f"a{number}-{at}", chosen),
            "was_cancelled": label is None,
            "ground_truth": False,
            "created_at": time,
            "updated_at": time,
            "lead_time": round(max(seconds, 0.0), 3),
        }


def _result(identity: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the result of a choice; an empty list is a choice of none of the classes."""
    choices = {"choices": list(names)}
    return [
        {"id": identity, "from_name": "label", "to_name": "image", "type": "choices",
         "value": choices}
    ]  # fmt: skip


def _data(entry: dict[str, Any]) -> dict[str, Any]:
    data = entry.get("data", entry)
    return data if isinstance(data, dict) else {}


def _path(entry: dict[str, Any]) -> str:
    """Return the path of the image of an entry, as far as its address has one."""
    data = _data(entry)
    if isinstance(data.get("path"), str):
        return str(data["path"])
    texts = [value for value in data.values() if isinstance(value, str)]
    address = data["image"] if isinstance(data.get("image"), str) else next(iter(texts), "")
    url = urlsplit(address)
    local = parse_qs(url.query).get("d")
    path = local[0] if local else unquote(url.path)
    return UPLOADED.sub("", path) if path.startswith(UPLOADS) else path


def _given(entry: dict[str, Any], image: int) -> Iterator[Given]:
    """Yield what an entry says of its image."""
    if "annotations" not in entry and "completions" not in entry:
        yield from _given_short(entry, image)
        return
    for annotation in entry.get("annotations", entry.get("completions")) or ():
        if not isinstance(annotation, dict):
            continue
        person = _person(annotation.get("completed_by"))
        at = time_of(annotation.get("updated_at", annotation.get("created_at")))
        if annotation.get("was_cancelled"):
            yield Given(image, "skip", person=person, answered_at=at)
            continue
        chosen = [
            result["value"]["choices"]
            for result in annotation.get("result") or ()
            if isinstance(result, dict)
            and isinstance(result.get("value"), dict)
            and isinstance(result["value"].get("choices"), list)
        ]
        if chosen:
            names = in_order(str(name) for names in chosen for name in names)
            yield Given(image, labels=names, person=person, answered_at=at)


def _given_short(entry: dict[str, Any], image: int) -> Iterator[Given]:
    """Yield what an entry of JSON-MIN says: a choice, or several, in any of its values."""
    person = _person(entry.get("annotator"))
    for name in ("label", "choice", "labels", "choices"):
        value = entry.get(name)
        if isinstance(value, dict):
            value = value.get("choices")
        if isinstance(value, str):
            yield Given(image, labels=(value,), person=person)
            return
        if isinstance(value, list):
            yield Given(image, labels=in_order(map(str, value)), person=person)
            return


def _person(value: object) -> str | None:
    """Return the name of a person: the email, or the number that Label Studio gave."""
    if isinstance(value, dict):
        value = value.get("email", value.get("id"))
    return None if value is None or value == "" else str(value)
