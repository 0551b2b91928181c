"""The classes of a project, which follow from a log of changes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from nextlabel.core.errors import UsageError

Action: TypeAlias = Literal["add", "rename", "merge", "key", "colour", "remove"]

KEYS = "123456789abcdeghijklmopqrtvwxyz"
"""Keys that classes get in their order; f, n, s and u are left to flag, note, skip and unsure.

A class that is named by one of them, or by 0, gets that one where it is free.
"""
COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#a6761d",
    "#666666", "#e7298a", "#8fbf00", "#b3b300",
)  # fmt: skip
"""Colours that classes get in their order; no two look alike on light or dark paper."""

SEPARATORS = frozenset(";|")
FORMULA = ("=", "+", "-", "@")
LONGEST_NAME = 200


@dataclass(frozen=True)
class NewClassChange:
    """A change of the classes that is to be recorded.

    Parameters
    ----------
    key : str
        Names the change; one that is sent again with the same key is recorded once.
    action : str
        "add" a class, also one that was removed; "rename" it; "merge" it into another; give it a
        "key" or a "colour"; "remove" it, with its labels.
    class_id : int, optional
        The class to change; None for "add".
    value : str, optional
        The name, key or colour; for "merge", the id of the other class.
    """

    key: str
    action: Action
    class_id: int | None = None
    value: str | None = None


@dataclass(frozen=True, kw_only=True)
class ClassChange(NewClassChange):
    """A recorded change of the classes: its number in the log, its time, and who made it."""

    seq: int
    at: float
    person: str


@dataclass(frozen=True)
class ClassOf:
    """A class.

    Parameters
    ----------
    id : int
        Its number, from 0 in the order in which classes were added; it never changes.
    name, key, colour : str
        What people see, and the key that labels with it; "" when no key is left.
    merged_into : int, optional
        The class that its labels count for.
    removed : bool
        Whether it was removed; its labels do not count.
    """

    id: int
    name: str
    key: str = ""
    colour: str = ""
    merged_into: int | None = None
    removed: bool = False

    @property
    def live(self) -> bool:
        """True when images can get this class."""
        return self.merged_into is None and not self.removed


Classes: TypeAlias = tuple[ClassOf, ...]


def live(classes: Classes) -> Classes:
    """Return the classes that images can get, in the order of their ids."""
    return tuple(one for one in classes if one.live)


def followed(classes: Classes) -> Mapping[int, int | None]:
    """Return the class that a label of each class counts for; None where it does not count."""
    ends: dict[int, int | None] = {}
    for one in classes:
        end = one
        while end.merged_into is not None:  # `changed` makes no circle
            end = classes[end.merged_into]
        ends[one.id] = None if end.removed else end.id
    return ends


def changed(classes: Classes, changes: Iterable[ClassChange]) -> Classes:
    """Return the classes after some changes, in the order of the log.

    A change that cannot be made, such as of a class that was merged in the meantime, does nothing.
    """
    now = list(classes)
    for change in changes:
        if change.action == "add":
            _add(now, change.value or "")
        elif change.class_id is not None and change.class_id < len(now):
            _change(now, change.class_id, change)
    return tuple(now)


def check_name(name: str) -> None:
    """Raise UsageError unless a class may be called so."""
    printable = name.strip() == name and name.isprintable()
    if (name.startswith(FORMULA) and any(sign in name for sign in "(!")) or set(name) & SEPARATORS:
        raise UsageError(
            f"{name!r:.60} cannot be the name of a class: ; and | separate labels in files, and "
            "= + - or @ before ( or ! is a formula in spreadsheets; give another name",
            code="bad-class-name",
        )
    if not (printable and 0 < len(name) <= LONGEST_NAME):
        raise UsageError(
            f"{name!r:.60} cannot be the name of a class; give 1 to {LONGEST_NAME} characters in "
            "one line, without spaces at its ends",
            code="bad-class-name",
        )


def _add(now: list[ClassOf], name: str) -> None:
    same = next((one for one in now if one.name == name and one.merged_into is None), None)
    used = {one.key for one in now if one.live and one is not same}
    wishes = [key for key in (*KEYS, "0") if key == name.lower()]
    free = next((key for key in (*wishes, *KEYS) if key not in used), "")
    if same is not None:  # another class may have got its key meanwhile
        now[same.id] = replace(same, removed=False, key=free if same.key in used else same.key)
        return
    now.append(ClassOf(len(now), name, free, COLOURS[len(now) % len(COLOURS)]))


def _change(now: list[ClassOf], at: int, change: ClassChange) -> None:
    value = change.value or ""
    match change.action:
        case "rename":
            now[at] = replace(now[at], name=value)
        case "key":
            now[at] = replace(now[at], key=value)
        case "colour":
            now[at] = replace(now[at], colour=value)
        case "remove":
            now[at] = replace(now[at], removed=True)
        case "merge":
            other = int(value) if value.isdigit() else len(now)
            if other < len(now) and at not in _path(now, other) and now[at].merged_into is None:
                now[at] = replace(now[at], merged_into=other)


def _path(now: Sequence[ClassOf], start: int) -> set[int]:
    """Return a class and those that it was merged into, one after another."""
    path, at = {start}, now[start].merged_into
    while at is not None:
        path.add(at)
        at = now[at].merged_into
    return path
