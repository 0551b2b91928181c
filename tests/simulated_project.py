"""Projects without a folder, for tests of pure functions."""

import numpy as np

from nextlabel.project.labelling.answer import Answer
from nextlabel.project.labelling.classes import ClassChange
from nextlabel.project.labelling.state import State, fold
from nextlabel.project.scanning.images import ProjectImages


def images_of(count, gone=(), problems=()):
    """Return images named after their ids."""
    numbers = np.zeros(count, np.int32)
    there = np.zeros(count, bool)
    there[list(gone)] = True
    return ProjectImages(
        1,
        tuple(f"{i:06}.png" for i in range(count)),
        tuple(f"{i:064x}" for i in range(count)),
        there,
        tuple("broken" if i in problems else None for i in range(count)),
        numbers,
        numbers,
        numbers,
        numbers,
        copies=(~there).astype(np.int32),
    )


def answer(seq, image, kind="label", classes=(0,), person="me", **more):
    return Answer(
        f"key {seq}",
        image,
        kind,
        tuple(classes) if kind == "label" else (),
        seq=seq,
        person=person,
        received_at=float(seq),
        **more,
    )


def state_of(answers, classes=3) -> State:
    """Return the state after answers, with some classes."""
    changes = [
        ClassChange(f"class {k}", "add", value=f"class {k}", seq=k + 1, at=0.0, person="me")
        for k in range(classes)
    ]
    return fold(answers, changes)
