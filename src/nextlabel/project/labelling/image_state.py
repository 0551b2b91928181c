"""The state of one image, which follows from its events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from nextlabel.project.labelling.answer import RESPONSES, SETTLED, Answer
from nextlabel.project.labelling.event_log import EventLog

ClassIds: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class ImageState:
    """The label, note and flags of one image.

    Parameters
    ----------
    label : tuple of int, optional
        The ids of its classes, ascending: those that all people gave, or else the newest; () shows
        none of the classes, None: it has no label.
    by_person : mapping of str to tuple of int
        The label of each person who gave one, in the order of their newest answers.
    response : Answer, optional
        The event that the label comes from; without a label, the newest skip or unsure.
    note : str
        The newest note.
    flags : tuple of str
        The keys of the flags that are not undone.
    conflict : bool
        Whether people gave different labels, and no later answer settles it.
    """

    label: ClassIds | None = None
    by_person: Mapping[str, ClassIds] = field(default_factory=dict)
    response: Answer | None = None
    note: str = ""
    flags: tuple[str, ...] = ()
    conflict: bool = False


NOTHING = ImageState()


def image_state(log: EventLog, image: int, ends: Mapping[int, int | None]) -> ImageState:
    """Return the state of an image."""
    newest: dict[str, Answer] = {}
    note, flags = "", []
    for answer in log.by_image.get(image, ()):
        if not log.counts(answer):
            continue
        if answer.kind in RESPONSES:
            newest.pop(answer.person, None)
            newest[answer.person] = answer
        elif answer.kind == "note":
            note = answer.note
        elif answer.kind == "flag":
            flags.append(answer.key)
    by_person: dict[str, ClassIds] = {}
    response: Answer | None = None
    for answer in newest.values():
        label = _followed(answer, ends)
        if label is not None:
            by_person[answer.person], response = label, answer
        elif answer.kind in ("skip", "unsure") and not by_person:
            response = answer
    label = by_person[response.person] if by_person and response is not None else None
    settled = response is not None and response.view == SETTLED
    return ImageState(
        label,
        by_person,
        response,
        note,
        tuple(flags),
        len(set(by_person.values())) > 1 and not settled,
    )


def _followed(answer: Answer, ends: Mapping[int, int | None]) -> ClassIds | None:
    """Return the classes that a label counts for; None where all of them were removed."""
    if answer.kind != "label":
        return None
    if len(answer.classes) == 1:  # as nearly all are
        end = ends.get(answer.classes[0])
        return None if end is None else (end,)
    counted = {end for one in answer.classes if (end := ends.get(one)) is not None}
    return None if answer.classes and not counted else tuple(sorted(counted))
