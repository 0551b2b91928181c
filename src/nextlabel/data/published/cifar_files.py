"""The two kinds of files in which CIFAR is published: fixed-length records, and Python pickles."""

import pickle
import tarfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.dataset import Images
from nextlabel.core.errors import DataError

SIDE, CHANNELS = 32, 3
PIXELS = CHANNELS * SIDE * SIDE
MOST = 1 << 28
"""Bytes that are read of a batch; the largest one has 156 million."""

# A batch is a dictionary with one array of unsigned bytes. An array is pickled as a call of
# _reconstruct, with the classes ndarray and dtype as arguments, and its state. The stand-ins below
# take these calls and keep what they are given; nothing of numpy is called, and nothing else is.


class _Kind:
    """The type of an array: keeps its name."""

    def __init__(self, name: object, *_: object) -> None:
        self.name = name.decode("latin1") if isinstance(name, bytes) else name

    def __setstate__(self, state: object) -> None: ...


class _Stored:
    """An array: keeps its shape, type, order of axes and bytes."""

    state: tuple[Any, ...] = ()

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state


ALLOWED: Mapping[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _Stored,
    ("numpy._core.multiarray", "_reconstruct"): _Stored,
    ("numpy", "ndarray"): _Stored,
    ("numpy", "dtype"): _Kind,
}
"""The only names that a batch may call, and what is called in their place."""


FAULTS = (
    pickle.UnpicklingError,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
)
"""Raised by the pickle of another program, which may fail in many ways."""


class _Unpickler(pickle.Unpickler):
    """Reads a batch; any name that no batch has is refused before anything is called."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it calls {module}.{name}")
        return ALLOWED[module, name]


def read_batch(path: Path, member: str | None, labels: str) -> Images:
    """Return the images of a Python batch, with the labels that it keeps under the name `labels`.

    `member` is the name of the batch where `path` is a tar archive of batches. Nothing in the file
    is executed. Raises DataError for another kind of file.
    """
    try:
        batch = _Unpickler(BytesIO(_content(path, member)), encoding="bytes").load()
        pixels, answers = _array(batch[b"data"]), np.array(batch[labels.encode()])
        if answers.dtype.kind != "i" or answers.shape != pixels.shape[:1]:
            raise ValueError(f"{len(pixels)} images and labels of shape {answers.shape}")
    except FAULTS as error:
        raise DataError(
            f"{member or path.name} in {path} is not a batch of CIFAR ({type(error).__name__}: "
            f"{error}); replace the file",
            code="file-damaged",
        ) from error
    return Images(pixels.reshape(-1, CHANNELS, SIDE, SIDE), answers.astype(np.int64))


def _array(stored: Any) -> NDArray[np.uint8]:
    """Return the bytes (N, pixels) of a stored array."""
    _, shape, number_type, columns_first, content = stored.state
    if number_type.name != "u1" or len(shape) != 2 or shape[1] != PIXELS:
        raise ValueError(f"an array of {number_type.name} and shape {shape}")
    return np.frombuffer(content, np.uint8).reshape(shape, order="F" if columns_first else "C")


def read_records(path: Path, member: str | None, label_bytes: int, count: int) -> Images:
    """Return the images of a binary batch, with the last of the labels before each image.

    Parameters
    ----------
    path : Path
        The batch, or a tar archive of batches.
    member : str or None
        The name of the batch in the archive; None for a batch of its own.
    label_bytes : int
        The number of labels of one byte before each image.
    count : int
        The number of images that the batch must have.

    Raises
    ------
    DataError
        When the file is not as published.
    """
    size = count * (label_bytes + PIXELS)
    data = _content(path, member, size + 1)
    if len(data) != size:
        more = "more than " if len(data) > size else ""
        raise DataError(
            f"{member or path.name} in {path} holds {more}{min(len(data), size)} bytes, not the "
            f"{size} of {count} images; replace the file",
            code="file-damaged",
        )
    rows = np.frombuffer(data, np.uint8).reshape(count, -1)
    pixels = rows[:, label_bytes:].reshape(count, CHANNELS, SIDE, SIDE)
    return Images(pixels, rows[:, label_bytes - 1].astype(np.int64))


def _content(path: Path, member: str | None, most: int = MOST) -> bytes:
    """Return at most `most` bytes of a file, or of a file inside a tar archive."""
    try:
        if member is None:
            with path.open("rb") as file:
                return file.read(most)
        with tarfile.open(path) as archive:
            inside = archive.extractfile(member)
            if inside is None:
                raise KeyError(f"{member} is not a file")
            return inside.read(most)
    except (OSError, EOFError, KeyError, tarfile.TarError, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read ({error}); replace the file", code="file-damaged"
        ) from error
