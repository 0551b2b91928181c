"""Files of embeddings: one reader and one writer for `embed`, `select` and feature blocks."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from nextlabel.core.errors import DataError, StoreError
from nextlabel.core.types import PARTS, Array, Ids, as_ids
from nextlabel.data.lists.number_table import is_table, read_number_table
from nextlabel.files.arrays import read_arrays, row_names, texts
from nextlabel.files.atomic import replacing
from nextlabel.files.standard_input import STDIN, read_stdin, title


@dataclass(frozen=True, eq=False)
class EmbeddingFile:
    """Features of all images, and the image of each row.

    Parameters
    ----------
    features : array (N, d)
        One row per image, float32 where `embed` made them; a memory-mapped array for an .npy file.
    names : tuple of str, optional
        The file name of each row, for a folder.
    part : array of str (N), optional
        The part of each row, where there are several.
    source, row : arrays (N), optional
        The part of the data set's files and the row there, which do not depend on the draws:
        `source` is "train" for each image of the training file.
    data : str, optional
        The name of the data set.
    sources : mapping, optional
        The sha256 of each of its files, by name.
    path : Path, optional
        The file that was read, for messages.
    """

    features: Array
    names: tuple[str, ...] | None = None
    part: Array | None = None
    source: Array | None = None
    row: Ids | None = None
    data: str | None = None
    sources: Mapping[str, str] | None = None
    path: Path | None = None

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "EmbeddingFile":
        """Return the features in a file, and what it says of them.

        Parameters
        ----------
        path : path
            An .npy file of rows. An .npz file with the rows under `features`, as its only array, or
            under `train`, `validation` and `test`, and if there the arrays that `save` writes. Or
            a CSV or Parquet file, as `read_number_table` reads it. "-" is standard input with the
            bytes of any of these.

        Raises
        ------
        DataError
            The file cannot be read, or holds something else.
        """
        path = Path(path)
        content = read_stdin() if path == STDIN else None
        if is_table(path, content):
            table = read_number_table(path, content)
            names = None if table.names is None else np.array(table.names, str)
            arrays: Mapping[str, Any] = {"names": names, "part": table.part}
            return cls._of(path, table.numbers, {k: v for k, v in arrays.items() if v is not None})
        called = title(path)
        loaded = read_arrays(called, content)
        if isinstance(loaded, np.ndarray):
            return cls._of(path, loaded, {})
        if "features" not in loaded and "train" in loaded:
            features, part = _joined(called, {p: loaded[p] for p in PARTS if p in loaded})
            return cls._of(path, features, {**loaded, "part": part})
        return cls._of(path, _only(called, loaded), loaded)

    @classmethod
    def _of(cls, path: Path, features: Array, arrays: Mapping[str, Any]) -> "EmbeddingFile":
        """Return the file of arrays as they were read; DataError when they do not fit."""
        called, given = title(path), arrays.get("names")
        names = None if given is None else row_names(called, given, features.shape)
        if features.ndim == 0:
            raise DataError(
                f"{called} holds a single number; give one row per image",
                code="embedding-shape",
            )
        values: dict[str, Array] = {}
        for name in ("part", "source", "row"):
            if name in arrays:
                values[name] = np.asarray(arrays[name])
                if values[name].shape != features.shape[:1]:
                    raise DataError(
                        f"{called} holds {name!r} of shape {values[name].shape} for features of "
                        f"shape {features.shape}; give one value for each row",
                        code="embedding-shape",
                    )
        for name in ("part", "source"):
            if name in values:
                values[name] = np.array(texts(called, values[name]), str)
        data = None if "data" not in arrays else str(arrays["data"])
        sources = None
        if {"files", "sha256"} <= set(arrays):
            columns = (texts(called, np.ravel(arrays[name])) for name in ("files", "sha256"))
            sources = dict(zip(*columns, strict=False))
        return cls(features, names, **values, data=data, sources=sources, path=path)

    @property
    def held(self) -> Ids:
        """The rows of validation and test images, int64 (M)."""
        if self.part is None:
            return as_ids(())
        return as_ids(np.flatnonzero(np.isin(self.part, ("validation", "test"))))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the arrays that are there as `.npz`, all or nothing; StoreError if it fails."""
        path = Path(path)
        kept = ("features", "names", "part", "source", "row", "data")
        arrays: dict[str, Any] = {name: getattr(self, name) for name in kept}
        if self.sources is not None:
            arrays |= {"files": list(self.sources), "sha256": list(self.sources.values())}
        arrays = {name: array for name, array in arrays.items() if array is not None}
        try:
            with replacing(path) as partial, partial.open("wb") as stream:
                np.savez(stream, **arrays)
        except (OSError, zipfile.BadZipFile) as error:
            reason = getattr(error, "strerror", None) or error
            raise StoreError(
                f"cannot write {path} ({reason}); choose another place", code="file-not-writable"
            ) from error


def _only(path: str, arrays: Mapping[str, Array]) -> Array:
    """Return the rows in an .npz file, under `features` or alone; DataError for several arrays."""
    if "features" in arrays:
        return arrays["features"]
    others = [name for name in arrays if name != "names"]
    if len(others) == 1:
        return arrays[others[0]]
    inside = ", ".join(sorted(arrays)) or "nothing"
    if "train_images" in arrays:
        raise DataError(
            f"{path} holds images ({inside}), not features; make features of them by "
            f"nextlabel embed {path} -o features.npz",
            code="images-not-features",
        )
    raise DataError(
        f"{path} holds {inside}; store the rows under the name 'features', or each part's under "
        "'train', 'validation' and 'test'",
        code="array-missing",
    )


def _joined(path: str, parts: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return the rows of all parts in one array, and the part of each row."""
    for part, rows in parts.items():
        if rows.ndim == 0:
            raise DataError(
                f"{path} holds a single number for {part}; give one row per image",
                code="embedding-shape",
            )
        if rows.shape[1:] != parts["train"].shape[1:]:
            raise DataError(
                f"{path} has rows of shape {rows.shape[1:]} for {part} and of "
                f"{parts['train'].shape[1:]} for train; give all parts the same columns",
                code="embedding-shape",
            )
    features = np.concatenate(list(parts.values()))
    return features, np.repeat(list(parts), [len(rows) for rows in parts.values()])
