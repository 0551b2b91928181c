"""The content of a project that is exported: one row per file, and the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nextlabel.core.types import Array, Task
from nextlabel.project.labelling.answer import Answer
from nextlabel.project.labelling.classes import Classes, live
from nextlabel.project.labelling.layout import printable
from nextlabel.project.labelling.project import Project
from nextlabel.project.labelling.state import State
from nextlabel.project.loop.pages.predictions import Predictions, predictions
from nextlabel.project.scanning.images import ProjectImages


@dataclass(frozen=True)
class Row:
    """A file of the folder and all that is said of its image.

    Parameters
    ----------
    path : str
        The name of the file, relative to the folder; it need not be valid text.
    image : int
        The image.
    sha256 : str
        The digest of its bytes.
    labels : tuple of str, optional
        The names of its classes; None for an image without a label.
    person : str
        The person whose label counts, or who skipped it or is unsure; "" for none.
    answered_at : float, optional
        The time of that answer, in seconds since 1970.
    state : str
        "label", "skip", "unsure", or "" for an image without an answer.
    flagged : bool
        True for an image with a flag.
    note : str
        The newest note.
    prediction : tuple of str, optional
        The classes that the newest model predicts.
    confidence : float, optional
        The probability of that class; of the least sure finding where there are several.
    """

    path: str
    image: int
    sha256: str
    labels: tuple[str, ...] | None
    person: str
    answered_at: float | None
    state: str
    flagged: bool
    note: str
    prediction: tuple[str, ...] | None
    confidence: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as JSON values; bytes of the path that are not text are escaped."""
        lists = {n: None if v is None else list(v) for n, v in vars(self).items() if n in LISTS}
        return vars(self) | lists | {"path": printable(self.path)}


LISTS = ("labels", "prediction")


@dataclass(frozen=True, eq=False)
class Content:
    """The content of a project at one time.

    Parameters
    ----------
    name : str
        The name of the project.
    folder : Path
        The folder of the images.
    task : str
        "multiclass" or "multilabel".
    classes : tuple of str
        The names of the K classes that images can get.
    rows : sequence of Row
        The files that are there, sorted by path.
    probabilities : array (rows, K), optional
        The probability of each class by the newest model; NaN for images that it did not have.
    state : State
        The state.
    images : ProjectImages
        All images.
    answers : sequence of Answer
        The log.
    model : int, optional
        The version of the model.
    """

    name: str
    folder: Path
    task: Task
    classes: tuple[str, ...]
    rows: Sequence[Row]
    probabilities: Array | None
    state: State
    images: ProjectImages
    answers: Sequence[Answer]
    model: int | None

    @classmethod
    def of(cls, project: Project) -> "Content":
        """Return the content of a project as of now."""
        state, images, settings = project.state(), project.images(), project.settings
        classes = live(state.classes)
        names = {one.id: one.name for one in state.classes}
        model = project.model()
        predicted = predictions(model, state.classes, len(images), settings.task)
        files = sorted(project.files().items())
        rows = []
        for path, image in files:
            said = state.image(image)
            response = said.response
            sure = predicted.of(image)
            rows.append(
                Row(
                    path,
                    image,
                    images.digests[image],
                    None if said.label is None else tuple(names[one] for one in said.label),
                    "" if response is None else response.person,
                    None if response is None else response.answered_at or response.received_at,
                    "" if response is None else response.kind,
                    bool(said.flags),
                    said.note,
                    None if sure is None else tuple(names[one] for one in sure.classes),
                    None if sure is None else sure.confidence,
                )
            )
        return cls(
            settings.name,
            project.folder,
            settings.task,
            tuple(one.name for one in classes),
            rows,
            _of_rows(predicted, classes, [image for _, image in files]),
            state,
            images,
            project.answers(),
            None if model is None else model.version,
        )


def _of_rows(predicted: Predictions, classes: Classes, images: Sequence[int]) -> Array | None:
    """Return the probability (rows, K) of each class for some images; NaN where there is none."""
    if not len(predicted.columns):
        return None
    chances = np.full((len(images), len(classes)), np.nan, np.float32)
    columns = predicted.columns.tolist()
    for k, one in enumerate(classes):
        if one.id in columns:
            chances[:, k] = predicted.probabilities[images, columns.index(one.id)]
    return chances
