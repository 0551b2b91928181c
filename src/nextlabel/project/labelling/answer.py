"""Answers: what a person says of an image, one event each, never changed."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["label", "skip", "unsure", "flag", "note", "undo", "clear"]
"""The sort of an event: "clear" takes back a person's label, skip or unsure of an image, "undo" any
one event, also another undo. A note replaces the one before; an empty one removes it."""

RESPONSES = frozenset({"label", "skip", "unsure", "clear"})
"""Kinds of which a person's newest of an image counts."""
SETTLED = "resolve"
"""The view of an answer that ends a conflict between people."""
IMPORTED = "import"
"""The view of answers that come from a file or from folders."""


@dataclass(frozen=True)
class NewAnswer:
    """An answer that is to be recorded.

    Parameters
    ----------
    key : str
        Names the event; an answer that is sent again with the same key is recorded once.
    image : int
        The id of the image that was on the screen.
    kind : str
        One of `Kind`.
    classes : tuple of int
        The ids of the classes of a label: one, or any number of findings.
    note : str
        The text of a note, or of a flag.
    undoes : str, optional
        The key of the event that an undo takes back.
    shown_at, answered_at : float, optional
        When the image appeared and when the key was pressed, in seconds since 1970.
    model : int, optional
        The version of the model whose queue the image came from.
    position : int, optional
        The place of the image in that queue.
    view : str
        The page that it was answered on: "one", "grid", "gallery", "map", "review", "resolve",
        "import".
    """

    key: str
    image: int
    kind: Kind
    classes: tuple[int, ...] = ()
    note: str = ""
    undoes: str | None = None
    shown_at: float | None = None
    answered_at: float | None = None
    model: int | None = None
    position: int | None = None
    view: str = "one"


@dataclass(frozen=True, kw_only=True)
class Answer(NewAnswer):
    """A recorded answer.

    Parameters
    ----------
    seq : int
        Its number in the log, ascending.
    person : str
        Who answered.
    received_at : float
        When it was recorded, in seconds since 1970.
    audit : bool
        Whether the queue had drawn the image at random.
    """

    seq: int
    person: str
    received_at: float
    audit: bool = False


@dataclass(frozen=True)
class Saved:
    """The number in the log under which the answer of a key is recorded."""

    key: str
    seq: int
