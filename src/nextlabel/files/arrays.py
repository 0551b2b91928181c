"""Files of arrays, .npy or .npz: reading them, and the names of their rows."""

import errno
import os
import stat
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array

T = TypeVar("T")

DAMAGED: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    OverflowError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
)
"""Errors of numpy for a file that is damaged, cut short, encrypted or of another kind."""


def read_arrays(path: Path | str, content: bytes | None = None) -> Array | dict[str, Array]:
    """Return the array in an .npy file, memory-mapped for reading, or those in an .npz by name.

    Parameters
    ----------
    path : Path or str
        The file; only its name in messages where `content` is given.
    content : bytes, optional
        The bytes of the file, if they have been read already.

    Raises
    ------
    DataError
        The file cannot be read, is damaged, or holds Python objects.
    """
    try:
        if content is None:
            check_regular(Path(path))
            loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        else:
            loaded = np.load(BytesIO(content), allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}); check the path",
            code="file-unreadable",
        ) from error
    except DAMAGED as error:
        text = str(error)
        if "Object arrays" in text or "Python objects" in text:
            raise DataError(
                f"{path} holds an array of Python objects, which is not loaded; save numbers, and "
                "names as text by names.astype(str)",
                code="array-of-objects",
            ) from error
        # For any file of another kind numpy advises to unpickle it, which would run its code.
        detail = "" if not text or "pickle" in text else f" ({text.splitlines()[0]})"
        raise DataError(
            f"{path} is not a .npy or .npz file, or it is damaged{detail}; save it by numpy.save "
            "or numpy.savez",
            code="not-an-array-file",
        ) from error


def in_folder(folder: str, values: Mapping[str, T]) -> dict[str, T]:
    """Return values under the names `folder/name`, as an .npz file has arrays in folders."""
    return {f"{folder}/{name}": value for name, value in values.items()}


def of_folder(folder: str, values: Mapping[str, T]) -> dict[str, T]:
    """Return the values that `in_folder` has put into a folder; no others are read."""
    head = f"{folder}/"
    return {name.removeprefix(head): values[name] for name in values if name.startswith(head)}


def texts(file: Path | str, values: Array) -> tuple[str, ...]:
    """Return values (N) as text, bytes read as UTF-8; DataError for other bytes."""
    try:
        return tuple(v.decode() if isinstance(v, bytes) else str(v) for v in values)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file} holds names that are not UTF-8; store them as text", code="names-not-utf8"
        ) from error


def row_names(file: Path | str, names: Array, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return names of features of `shape` as text; DataError unless each row has its own."""
    if names.ndim != 1 or names.shape != shape[:1]:
        raise DataError(
            f"{file} holds names of shape {names.shape} for features of shape {shape}; give one "
            "name per row",
            code="names-shape",
        )
    words = texts(file, names)
    first: dict[str, int] = {}
    for row, text in enumerate(words):
        if first.setdefault(text, row) != row:
            raise DataError(
                f"{file} has {len(set(words))} different names for {len(words)} rows: both row "
                f"{first[text]} and row {row} are called {text!r}; give each image a name of its "
                "own",
                code="names-repeated",
            )
    return words


def check_regular(path: Path) -> None:
    """Raise OSError, without opening it, unless `path` is a file, or a link to one."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "a pipe, socket or device, not a file", str(path))
