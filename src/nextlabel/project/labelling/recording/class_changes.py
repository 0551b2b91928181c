"""The log of changes of classes: read, checked and extended."""

import re
import time
from collections.abc import Sequence
from typing import Any, get_args

from sqlalchemy import Connection, insert, select

from nextlabel.core.errors import UsageError
from nextlabel.project.labelling.classes import (
    Action,
    ClassChange,
    Classes,
    NewClassChange,
    changed,
    check_name,
)
from nextlabel.project.labelling.recording.storable import key_fault
from nextlabel.project.store.schema import CLASS_CHANGES

COLOUR = re.compile("#[0-9a-fA-F]{6}")
ACTIONS = frozenset(get_args(Action))


def changes_after(connection: Connection, seq: int) -> list[ClassChange]:
    """Return the changes of classes with a larger number than `seq`, in the order of the log."""
    table = CLASS_CHANGES
    rows = connection.execute(select(table).where(table.c.seq > seq).order_by(table.c.seq))
    return [
        ClassChange(**{"class_id" if name == "class" else name: v for name, v in row.items()})
        for row in rows.mappings()
    ]


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
    fault = key_fault(change.key)
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
