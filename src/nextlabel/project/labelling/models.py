"""Models of a project and the queue of images that the newest one asks."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select

from nextlabel.core.errors import StoreError
from nextlabel.core.types import Array
from nextlabel.files.arrays import read_arrays
from nextlabel.files.atomic import replacing
from nextlabel.project.store.schema import MODELS, QUEUE

KEPT = 3
"""The newest models whose arrays are kept."""
KEPT_QUEUES = 500
"""The newest models whose queues are kept, since answers to them may come late."""


@dataclass(frozen=True)
class QueueItem:
    """An image to ask.

    Parameters
    ----------
    position : int
        Its place in the queue, from 0.
    image : int
        The image.
    reason : str
        The strategy that chose it, or "audit".
    score : float, optional
        The number by which it was chosen.
    audit : bool
        Whether it was drawn at random.
    model : int
        The version of the model that the queue is of; `publish` sets it.
    """

    position: int
    image: int
    reason: str = ""
    score: float | None = None
    audit: bool = False
    model: int = 0


@dataclass(frozen=True, eq=False)
class NewModel:
    """A model that is to be published.

    Parameters
    ----------
    after_answer : int
        The last answer that it has seen.
    space, strategy : str
        Names for people: "PCA of thumbnails", "typiclust".
    facts : mapping
        More facts for the page, as JSON values.
    estimate : mapping, optional
        The estimate of the accuracy, as JSON values: value, low, high.
    arrays : mapping of str to array
        Arrays with a row per image, such as `probabilities` (N, K), and others, such as `classes`
        (K), the ids of the columns.
    """

    after_answer: int
    space: str
    strategy: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    estimate: Mapping[str, Any] | None = None
    arrays: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Model:
    """A published model; its arrays are read at their first use."""

    version: int
    created_at: float
    after_answer: int
    space: str
    strategy: str
    facts: Mapping[str, Any]
    estimate: Mapping[str, Any] | None
    file: Path

    @cached_property
    def arrays(self) -> Mapping[str, Array]:
        """The arrays by name; none when the file is gone, as that of an older model is."""
        if not self.file.is_file():
            return {}
        arrays = read_arrays(self.file)
        return arrays if isinstance(arrays, dict) else {}

    @property
    def probabilities(self) -> Array | None:
        """The probability of each class, float32 (M, K), M images at the time of the model."""
        return self.arrays.get("probabilities")


def next_version(connection: Connection) -> int:
    """Return the version of the next model."""
    return (connection.execute(select(func.max(MODELS.c.version))).scalar() or 0) + 1


def write_model(cache: Path, version: int, arrays: Mapping[str, Array]) -> Path:
    """Write the arrays of a model, complete or not at all; StoreError when that fails."""
    path = cache / f"model-{version}.npz"
    try:
        with replacing(path) as partial, partial.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}); free some space there",
            code="model-not-written",
        ) from error
    return path


def add_model(
    connection: Connection, version: int, model: NewModel, queue: Sequence[QueueItem], file: str
) -> None:
    """Store a model and its queue, and drop the queues of models that are too old."""
    connection.execute(
        insert(MODELS).values(
            version=version,
            created_at=time.time(),
            after_answer=model.after_answer,
            space=model.space,
            strategy=model.strategy,
            facts=dict(model.facts),
            estimate=None if model.estimate is None else dict(model.estimate),
            file=file,
        )
    )
    if queue:
        connection.execute(insert(QUEUE), [vars(item) | {"model": version} for item in queue])
    connection.execute(delete(QUEUE).where(QUEUE.c.model <= version - KEPT_QUEUES))


def forget_arrays(cache: Path, version: int) -> None:
    """Remove the arrays of models that are too old; a file in use elsewhere stays."""
    for path in cache.glob("model-*.npz"):
        number = path.stem.removeprefix("model-")
        if number.isdecimal() and int(number) <= version - KEPT:
            try:
                path.unlink()
            except OSError:
                continue


def read_models(
    connection: Connection, cache: Path, newest: bool = False, after: int = 0
) -> list[Model]:
    """Return all models after a version, or the newest one alone."""
    query = select(MODELS).where(MODELS.c.version > after).order_by(MODELS.c.version.desc())
    rows = connection.execute(query.limit(1) if newest else query).mappings()
    return [Model(**(dict(row) | {"file": cache / row["file"]})) for row in rows][::-1]


def read_queue(connection: Connection) -> list[QueueItem]:
    """Return the queue of the newest model, in its order."""
    newest = select(func.max(MODELS.c.version)).scalar_subquery()
    query = select(QUEUE).where(QUEUE.c.model == newest).order_by(QUEUE.c.position)
    return [QueueItem(**row) for row in connection.execute(query).mappings()]


def read_asked(connection: Connection, model: int, image: int | None = None) -> QueueItem | None:
    """Return an image as a model's queue has it; without an image, the first one; else None."""
    query = select(QUEUE).where(QUEUE.c.model == model).order_by(QUEUE.c.position).limit(1)
    if image is not None:
        query = query.where(QUEUE.c.image == image)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else QueueItem(**row)
