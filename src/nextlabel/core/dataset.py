"""Data sets: images, labels and parts, and the files that the images come from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError
from nextlabel.core.types import PARTS, Ids, Labels, Part, Task

TILE = 4096


class Originals(Protocol):
    """The files of a data set's images, read one by one at their full size."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides the pixels in addition to the bytes of a file, as plain values."""
        ...

    def content(self, name: str) -> bytes:
        """Return the bytes of the file called `name`; DataError when it cannot be read."""
        ...

    def pixels(self, content: bytes, size: int | None = None) -> NDArray[np.uint8]:
        """Return the pixels (H, W) or (H, W, 3) of a file's bytes.

        Parameters
        ----------
        content
            The bytes of a file.
        size
            Decoding may give fewer pixels, as long as neither side gets shorter than that.

        Raises
        ------
        DataError
            For bytes that are not a usable image.
        """
        ...


@dataclass(frozen=True, eq=False)
class Images:
    """One part of a data set: uint8 images (N, C, H, W), their labels and source rows.

    Parameters
    ----------
    images : uint8 array (N, C, H, W)
        The pixels; a memory-mapped array is allowed.
    labels : int64 array (N) or (N, K), optional
        Class numbers, or 0 and 1 per class; -1 where a label is unknown.
    origin : int64 array (N), optional
        The row of each image in the source; by default 0 to N - 1.
    names : tuple of str, optional
        The file name of each image, where the source has files.
    drawn_from : str, optional
        The part of the source whose rows `origin` counts, if it is another part than this one.
    contents : tuple of str, optional
        The sha256 of each image's file, where the source has files.

    Raises
    ------
    DataError
        When lengths, dimensions or dtypes do not fit.
    """

    images: NDArray[np.uint8]
    labels: Labels | None = None
    origin: Ids | None = None
    names: tuple[str, ...] | None = None
    drawn_from: Part | None = None
    contents: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise DataError(
                f"images have shape {self.images.shape} and type {self.images.dtype}; "
                "give uint8 of shape (N, C, H, W)",
                code="images-shape",
            )
        if self.origin is None:
            object.__setattr__(self, "origin", np.arange(len(self.images), dtype=np.int64))
        for name in ("labels", "origin", "names", "contents"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.images):
                raise DataError(
                    f"{len(self.images)} images but {len(values)} {name}; give one for each image",
                    code="part-lengths-differ",
                )

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: Ids, pixels: NDArray[np.uint8] | None = None) -> "Images":
        """Return the part made of some rows.

        Parameters
        ----------
        rows : int64 array (n)
            The rows to keep, in the order to keep them in.
        pixels : uint8 array (n, C, H, W), optional
            The images of these rows, if they are at hand already.

        Returns
        -------
        Images
            The images with their labels, names and rows in the source.
        """
        assert self.origin is not None
        return Images(
            self.images[rows] if pixels is None else pixels,
            None if self.labels is None else self.labels[rows],
            self.origin[rows],
            None if self.names is None else tuple(self.names[r] for r in rows),
            self.drawn_from,
            None if self.contents is None else tuple(self.contents[r] for r in rows),
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Three parts of one source: `train` is the pool, its rows are the ids.

    Parameters
    ----------
    name : str
        The name of the data set.
    task : str
        "multiclass" or "multilabel".
    classes : tuple of str
        The name of each class.
    train, validation, test : Images
        The parts; `train` is the pool.
    sources : mapping
        The sha256 of each file that was read, by its name.
    notes : mapping
        Facts about the reading: the 16-bit range, the files that were skipped.
    originals : Originals, optional
        The files of the images by their names, where the source has files.

    Raises
    ------
    DataError
        When labels do not fit the task or the classes.
    """

    name: str
    task: Task
    classes: tuple[str, ...]
    train: Images
    validation: Images
    test: Images
    sources: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    originals: Originals | None = None

    def __post_init__(self) -> None:
        for part in PARTS:
            self._check(part)

    def _check(self, part: Part) -> None:
        labels = self.part(part).labels
        if labels is None or not len(labels):
            return
        if labels.ndim != (1 if self.task == "multiclass" else 2):
            raise DataError(
                f"{self.name}: {part} labels have shape {labels.shape}; {self.task} data needs "
                + ("(N,)" if self.task == "multiclass" else "(N, classes)"),
                code="labels-shape",
            )
        limit = len(self.classes) - 1 if self.task == "multiclass" else 1
        if self.task == "multilabel" and labels.shape[1] != len(self.classes):
            raise DataError(
                f"{self.name}: {labels.shape[1]} label columns but {len(self.classes)} class "
                "names; give one name per column",
                code="classes-shape",
            )
        if labels.min() < -1 or labels.max() > limit:
            one = self.task == "multiclass"
            allowed = f"0 to {limit}" if one else "0 and 1 in a column for each class"
            rows = ((labels < -1) | (labels > limit)).reshape(len(labels), -1).any(axis=1)
            raise DataError(
                f"{self.name}: {part} labels run from {labels.min()} to {labels.max()}; "
                f"allowed are {allowed}, and -1 for unknown; repair {int(rows.sum())} of them, the "
                f"first in {self.whereabouts(part, int(rows.argmax()))}",
                code="labels-out-of-range",
            )

    def part(self, part: Part) -> Images:
        """Return one part of the data set.

        Parameters
        ----------
        part : str
            "train", "validation" or "test".

        Returns
        -------
        Images
            The images of that part.
        """
        images: Images = getattr(self, part)
        return images

    def source_rows(self, part: Part) -> tuple[Part, Ids]:
        """Return where the images of a part come from in the source.

        Parameters
        ----------
        part : str
            "train", "validation" or "test".

        Returns
        -------
        part : str
            The part of the source that the images come from.
        rows : int64 array (N)
            The row of each image there.
        """
        images = self.part(part)
        assert images.origin is not None
        return images.drawn_from or part, images.origin

    def whereabouts(self, part: Part, row: int) -> str:
        """Return how a message names an image.

        Parameters
        ----------
        part : str
            "train", "validation" or "test".
        row : int
            The row of the image in that part.

        Returns
        -------
        str
            The name of its file, or its row in the source, in words.
        """
        names = self.part(part).names
        if names is not None:
            return names[row]
        source, rows = self.source_rows(part)
        return f"row {rows[row]} of {source}"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        _, c, h, w = self.train.images.shape
        return c, h, w

    @cached_property
    def checksum(self) -> str:
        """The sha256 of all parts' images and labels, in their order, as hexadecimal digits."""
        digest = hashlib.sha256(f"{self.task}|{'|'.join(self.classes)}".encode())
        for part in PARTS:
            images, labels = self.part(part).images, self.part(part).labels
            digest.update(f"|{part}{images.shape}".encode())
            for start in range(0, len(images), TILE):
                digest.update(np.ascontiguousarray(images[start : start + TILE]).data)
            if labels is not None:
                digest.update(np.ascontiguousarray(labels, "<i8").data)
        return digest.hexdigest()

    def subset(self, **rows: Ids) -> "Dataset":
        """Return a new data set of some rows.

        Parameters
        ----------
        **rows : int64 array
            The rows to keep of a part, for example ``train=ids``; other parts stay as they are.

        Returns
        -------
        Dataset
            The images in the order of `rows`; row i there has the id i.
        """
        return replace(self, **{part: getattr(self, part).take(ids) for part, ids in rows.items()})
