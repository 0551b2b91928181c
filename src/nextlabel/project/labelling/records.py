"""Recording: answers and changes of classes are checked and added to their logs."""

import math
import re
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_args

from sqlalchemy import Connection, func, insert, select

from nextlabel.core.errors import UsageError
from nextlabel.core.types import Task
from nextlabel.project.labelling.answer import Answer, Kind, NewAnswer, Saved
from nextlabel.project.labelling.classes import (
    Action,
    ClassChange,
    Classes,
    NewClassChange,
    changed,
    check_name,
)
from nextlabel.project.store.schema import ANSWERS, CLASS_CHANGES, IMAGES, QUEUE

COLOUR = re.compile("#[0-9a-fA-F]{6}")
KINDS = frozenset(get_args(Kind))
ACTIONS = frozenset(get_args(Action))
LONGEST_KEY = 200
LONGEST_NOTE = 10_000
LONGEST_VIEW = 16
AT_A_TIME = 500
"""Values in one query: databases have a limit."""


def answers_after(connection: Connection, seq: int) -> list[Answer]:
    """Return the answers with a larger number than `seq`, in the order of the log."""
    rows = connection.execute(select(ANSWERS).where(ANSWERS.c.seq > seq).order_by(ANSWERS.c.seq))
    return [Answer(**(dict(row) | {"classes": tuple(row["classes"])})) for row in rows.mappings()]


def changes_after(connection: Connection, seq: int) -> list[ClassChange]:
    """Return the changes of classes with a larger number than `seq`, in the order of the log."""
    table = CLASS_CHANGES
    rows = connection.execute(select(table).where(table.c.seq > seq).order_by(table.c.seq))
    return [
        ClassChange(**{"class_id" if name == "class" else name: v for name, v in row.items()})
        for row in rows.mappings()
    ]


def seqs_of(connection: Connection, keys: Collection[str]) -> dict[str, int]:
    """Return the number in the log of each key that is recorded."""
    seqs: dict[str, int] = {}
    waiting = list(keys)
    for start in range(0, len(waiting), AT_A_TIME):
        part = waiting[start : start + AT_A_TIME]
        rows = connection.execute(
            select(ANSWERS.c.key, ANSWERS.c.seq).where(ANSWERS.c.key.in_(part))
        )
        seqs |= {key: seq for key, seq in rows}
    return seqs


def add_answers(
    connection: Connection,
    answers: Sequence[NewAnswer],
    person: str,
    classes: Classes,
    task: Task,
) -> list[Saved]:
    """Add answers to the log, all or none of them; keys that are there already keep their number.

    Raises
    ------
    UsageError
        An answer is wrong; `answer_faults` returns all that are.
    """
    seqs = seqs_of(connection, {answer.key for answer in answers})
    fresh = {answer.key: answer for answer in reversed(answers) if answer.key not in seqs}
    wrong = answer_faults(connection, list(fresh.values()), classes, task)
    if wrong:
        raise next(iter(wrong.values()))
    drawn = _drawn(connection, fresh.values())
    received = time.time()
    rows = [
        _row(answer) | {
            "person": person,
            "received_at": received,
            "audit": (answer.model, answer.image) in drawn,
        }
        for answer in answers
        if fresh.pop(answer.key, None) is not None
    ]  # fmt: skip
    if rows:
        connection.execute(insert(ANSWERS), rows)
        seqs |= seqs_of(connection, {row["key"] for row in rows})
    return [Saved(answer.key, seqs[answer.key]) for answer in answers]


def _row(answer: NewAnswer) -> dict[str, Any]:
    return vars(answer) | {"classes": sorted(set(answer.classes)), "note": _text(answer.note)}


def _text(text: str) -> str:
    """Return text that every database can hold: no NUL, and no half of a character."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _drawn(connection: Connection, answers: Collection[NewAnswer]) -> set[tuple[int, int]]:
    """Return model and image of those answers whose queue had drawn the image at random."""
    models = {answer.model for answer in answers if answer.model is not None}
    if not models:
        return set()
    query = select(QUEUE.c.model, QUEUE.c.image).where(QUEUE.c.model.in_(models), QUEUE.c.audit)
    return {(model, image) for model, image in connection.execute(query)}


def answer_faults(
    connection: Connection,
    answers: Sequence[NewAnswer],
    classes: Classes,
    task: Task,
) -> Mapping[str, UsageError]:
    """Return what is wrong with some answers, by their keys; nothing for those that are right."""
    newest = connection.execute(select(func.max(IMAGES.c.id))).scalar()
    images = 0 if newest is None else newest + 1
    undone = {answer.undoes for answer in answers if answer.undoes is not None}
    there = seqs_of(connection, undone).keys() | {answer.key for answer in answers}
    wrong: dict[str, UsageError] = {}
    for answer in answers:
        fault = (
            _key_fault(answer.key)
            or _fault(answer, images, classes, task)
            or _undo_fault(answer, there)
        )
        if fault is not None:
            wrong[answer.key] = fault
    return wrong


def _key_fault(key: str) -> UsageError | None:
    if 0 < len(key) <= LONGEST_KEY and _text(key) == key:
        return None
    return UsageError(
        f"the key {key!r:.60} must have 1 to {LONGEST_KEY} characters; give a random one",
        code="bad-key",
    )


def _fault(answer: NewAnswer, images: int, classes: Classes, task: Task) -> UsageError | None:
    if answer.kind not in KINDS:
        return UsageError(
            f"{answer.kind!r:.60} is not a sort of answer; give one of {', '.join(sorted(KINDS))}",
            code="unknown-answer-kind",
        )
    if not 0 <= answer.image < images:
        return UsageError(
            f"there is no image {answer.image}; the project has {images} images, from 0",
            code="unknown-image",
        )
    if len(answer.note) > LONGEST_NOTE:
        return UsageError(
            f"the note has {len(answer.note)} characters; {LONGEST_NOTE} are the most",
            code="note-too-long",
        )
    if not 0 < len(answer.view) <= LONGEST_VIEW or _text(answer.view) != answer.view:
        return UsageError(
            f"{answer.view!r:.60} is not the name of a page; give up to {LONGEST_VIEW} letters",
            code="bad-view",
        )
    whole = [v for v in (answer.model, answer.position) if v is not None]
    times = [v for v in (answer.shown_at, answer.answered_at) if v is not None]
    wrong: list[float] = [v for v in whole if not 0 <= v < 2**31]
    wrong += [v for v in times if not math.isfinite(v)]
    if wrong:
        return UsageError(
            f"{wrong[0]} is not a number of a model, a position or a time; leave it out",
            code="bad-number",
        )
    if answer.kind != "label":
        return None
    unknown = [one for one in answer.classes if not 0 <= one < len(classes)]
    if unknown:
        return UsageError(f"there is no class {unknown[0]}; add it first", code="unknown-class")
    if task == "multiclass" and len(set(answer.classes)) != 1:
        return UsageError(
            f"a label of {len(set(answer.classes))} classes was given where an image has one; "
            "give one class, or make a multi-label project",
            code="one-class-an-image",
        )
    return None


def _undo_fault(answer: NewAnswer, there: Collection[str]) -> UsageError | None:
    if answer.kind != "undo" or (answer.undoes in there and answer.undoes != answer.key):
        return None
    return UsageError(
        f"there is no answer {answer.undoes!r:.60} to undo; send it first, or give its key",
        code="nothing-to-undo",
    )


def add_changes(
    connection: Connection, changes: Sequence[NewClassChange], person: str, classes: Classes
) -> None:
    """Add changes of classes to their log, all or none; keys that are there already are left out.

    Raises
    ------
    UsageError
        A change cannot be made, such as a second class of the same name.
    """
    table = CLASS_CHANGES
    keys = [change.key for change in changes]
    there = set(connection.execute(select(table.c.key).where(table.c.key.in_(keys))).scalars())
    for change in changes:
        if change.key in there:
            continue
        there.add(change.key)
        check_change(change, classes)
        now = time.time()
        row = {"key": change.key, "at": now, "person": person, "action": change.action,
               "class": change.class_id, "value": change.value}  # fmt: skip
        connection.execute(insert(table), row)
        of_log = ClassChange(
            change.key, change.action, change.class_id, change.value, seq=0, at=now, person=person
        )
        classes = changed(classes, [of_log])


def check_change(change: NewClassChange, classes: Classes) -> None:
    """Raise UsageError unless a change of classes can be made."""
    fault = _key_fault(change.key)
    if fault is not None:
        raise fault
    if change.action not in ACTIONS:
        raise UsageError(
            f"{change.action!r:.60} is not a change of a class; give one of "
            f"{', '.join(sorted(ACTIONS))}",
            code="unknown-class-action",
        )
    value = change.value or ""
    others = [one for one in classes if one.live and one.id != change.class_id]
    if change.action != "add":
        _check_live(change.class_id, classes)
    if change.action in ("add", "rename"):
        check_name(value)
        if any(one.name == value for one in others):
            raise UsageError(
                f"there is a class {value!r} already; give another name, or merge the two",
                code="class-name-taken",
            )
    elif change.action == "merge":
        other = int(value) if value.isdecimal() else None
        _check_live(other, classes)
        if other == change.class_id:
            raise UsageError(
                f"class {other} cannot be merged into itself; give another one",
                code="merge-into-itself",
            )
    elif change.action == "key":
        _check_key(value, others)
    elif change.action == "colour" and not COLOUR.fullmatch(value):
        raise UsageError(
            f"{value!r:.60} is not a colour; give one such as #0072b2", code="bad-colour"
        )


def _check_live(class_id: int | None, classes: Classes) -> None:
    if class_id is None or not 0 <= class_id < len(classes) or not classes[class_id].live:
        raise UsageError(
            f"there is no class {class_id} that can be changed; it may have been merged or removed",
            code="unknown-class",
        )


def _check_key(value: str, others: Sequence[Any]) -> None:
    if value and (len(value) != 1 or not value.isprintable() or value.isspace()):
        raise UsageError(
            f"{value!r:.60} is not a key; give one character, or none", code="bad-class-key"
        )
    taken = [one.name for one in others if value and one.key == value]
    if taken:
        raise UsageError(
            f"the key {value!r} is that of {taken[0]!r}; give another one", code="class-key-taken"
        )
