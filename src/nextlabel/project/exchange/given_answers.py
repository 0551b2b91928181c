"""Answers that a file gives, and the way from them into the log of a project."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nextlabel.core.errors import DataError
from nextlabel.files.digest import content_digest
from nextlabel.project.labelling.answer import IMPORTED, Kind, NewAnswer
from nextlabel.project.labelling.answer_log import ME
from nextlabel.project.labelling.classes import NewClassChange, followed
from nextlabel.project.labelling.project import Project
from nextlabel.project.labelling.state import State


@dataclass(frozen=True)
class Given:
    """An answer that a file gives.

    Parameters
    ----------
    image : int
        The image.
    kind : str
        "label", "skip", "unsure", "flag" or "note".
    labels : tuple of str
        The names of the classes of a label.
    note : str
        The text of a note.
    person : str, optional
        The person who gave it, where the file says so.
    answered_at : float, optional
        The time, in seconds since 1970.
    key : str, optional
        The key of the answer in the log that it comes from.
    """

    image: int
    kind: Kind = "label"
    labels: tuple[str, ...] = ()
    note: str = ""
    person: str | None = None
    answered_at: float | None = None
    key: str | None = None


@dataclass(frozen=True)
class Reading:
    """The answers in a file, the classes in the order of the file, and what is not in the project.

    Parameters
    ----------
    given : sequence of Given
        The answers, those that came first first.
    classes : tuple of str
        The names of classes, also of those without an image.
    unknown : tuple of str
        The paths in the file that are not images of the project.
    """

    given: Sequence[Given]
    classes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class TakenIn:
    """The result of an import.

    Parameters
    ----------
    recorded : int
        Answers that are new in the log.
    unchanged : int
        Answers that the project has already.
    kept : int
        Images that keep another label, which the same person gave here.
    classes : tuple of str
        The names of new classes.
    unknown : tuple of str
        The paths in the file that are not images of the project.
    """

    recorded: int
    unchanged: int
    kept: int
    classes: tuple[str, ...]
    unknown: tuple[str, ...]


def take_in(
    project: Project, reading: Reading, *, person: str = ME, replace: bool = False
) -> TakenIn:
    """Record the answers of a file; the same file again records nothing.

    Parameters
    ----------
    project : Project
        The project.
    reading : Reading
        The content of the file.
    person : str
        The person for answers of which the file does not name one.
    replace : bool
        Record a label also for an image to which the same person gave another one here.

    Raises
    ------
    DataError
        A label of several classes for a project of one class per image.
    UsageError
        The name of a class cannot be used.
    """
    for one in reading.given:
        if project.task == "multiclass" and one.kind == "label" and len(set(one.labels)) != 1:
            raise DataError(
                f"{project.images().names[one.image]} has {len(set(one.labels))} labels and the "
                "project has one class per image; correct it, or make a multi-label project",
                code="several-classes-of-one-image",
            )
    added = _add_classes(project, reading)
    state = project.state()
    ids = _class_ids(state)
    answers: dict[str, list[NewAnswer]] = defaultdict(list)
    unchanged, kept = 0, set()
    for one in reading.given:
        who = one.person or person
        classes = tuple(sorted(ids[name] for name in one.labels))
        there = _there(state, one, who, classes)
        if there == "same":
            unchanged += 1
        elif there == "other" and not replace:
            kept.add(one.image)
        else:
            answers[who].append(
                NewAnswer(
                    _key(state, one, who),
                    one.image,
                    one.kind,
                    classes,
                    one.note,
                    answered_at=one.answered_at,
                    view=IMPORTED,
                )
            )
    recorded = 0
    for who, of_person in answers.items():
        project.record(of_person, who)
        recorded += len(of_person)
    return TakenIn(recorded, unchanged, len(kept), added, reading.unknown)


def _add_classes(project: Project, reading: Reading) -> tuple[str, ...]:
    """Add the classes that the project does not have, and return their names."""
    there = _class_ids(project.state())
    names = [*reading.classes, *(name for one in reading.given for name in one.labels)]
    missing = [name for name in dict.fromkeys(names) if name not in there]
    if missing:
        seq = project.state().change_seq
        changes = []
        for name in missing:
            digest = content_digest(name.encode("utf-8", "surrogatepass"))
            changes.append(NewClassChange(f"import-{seq}-{digest}", "add", value=name))
        project.change_classes(changes)
    return tuple(missing)


def _class_ids(state: State) -> dict[str, int]:
    """Return the class of each name; of a merged class, the one that it was merged into."""
    ends = followed(state.classes)
    ids: dict[str, int] = {}
    for one in state.classes:
        end = ends[one.id]
        if end is not None and (one.live or one.name not in ids):
            ids[one.name] = end
    return ids


def _there(state: State, one: Given, person: str, classes: tuple[int, ...]) -> str | None:
    """Return whether the project has this answer of a person ("same") or an "other" one."""
    said = state.image(one.image)
    if one.key is not None and state.answered(one.key) is not None:
        return "same"
    if one.kind == "note":
        return "same" if said.note == one.note else "other" if said.note else None
    if one.kind == "flag":
        return "same" if said.flags else None
    label = said.by_person.get(person)
    if one.kind == "label" and label is not None:
        return "same" if label == classes else "other"
    mine = [a for a in state.events(one.image) if a.person == person and state.counts(a)]
    newest = next((a.kind for a in reversed(mine) if a.kind in ("label", "skip", "unsure")), None)
    if newest is None or (newest == "label") != (label is not None):
        return None
    if one.kind == newest:
        return "same"
    return "other" if label is not None else None


def _key(state: State, one: Given, person: str) -> str:
    """Return the key of an answer: the same for the same file and the same state."""
    if one.key is not None:
        return one.key
    number = 0
    while True:
        text = repr((one.image, one.kind, one.labels, one.note, person, number))
        key = f"import-{content_digest(text.encode('utf-8', 'replace'))[:32]}"
        if state.answered(key) is None:
            return key
        number += 1


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return names, each once, in their order."""
    return tuple(dict.fromkeys(names))
