"""Files of embeddings: written by `nextlabel embed`, read and matched to images by name or row."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError, StoreError
from nextlabel.core.types import PARTS, Array, Ids, Part, as_ids
from nextlabel.files.arrays import read_arrays, row_names, texts

Key = str | tuple[str, int]
"""A file name, or a part of the source and a row there."""


def matched_rows(file: str, arrays: Mapping[str, Array], data: Dataset) -> dict[Part, Array] | None:
    """Return the rows of `features` for each part of `data` that the file covers, in its order.

    None when the file does not say what its rows show, as `nextlabel embed` does. Raises DataError
    when it was made of other files than `data`, when two of its rows show one image, or when it
    has no row for an image of the pool, or for some of another part only.
    """
    _check_sources(file, arrays, data)
    features = arrays["features"]
    parts = [part for part in PARTS if len(data.part(part))]
    names = {part: data.part(part).names or () for part in parts}
    if "names" in arrays and all(names.values()):
        return _find(file, features, row_names(file, arrays["names"], features.shape), names)
    if "source" in arrays or "row" in arrays:
        return _find(file, features, _given(file, arrays), {p: _wanted(data, p) for p in parts})
    return None


def _check_sources(file: str, arrays: Mapping[str, Array], data: Dataset) -> None:
    """Raise DataError when the file names a source file, by its sha256, that `data` has not.

    `data` may have more, such as labels in a file of their own.
    """
    if not {"files", "sha256"} <= set(arrays):
        return
    given = zip(*(texts(file, arrays[name].ravel()) for name in ("files", "sha256")), strict=False)
    other = {name: sha for name, sha in given if sha not in data.sources.values()}
    if other:
        made = next((name for name in other if name in data.sources), next(iter(other)))
        mine = made if made in data.sources else next(iter(data.sources), None)
        here = "no file" if mine is None else f"{mine} (sha256 {data.sources[mine][:12]}…)"
        raise DataError(
            f"{file} holds features of {arrays.get('data', 'images')} read from {made} (sha256 "
            f"{other[made][:12]}…), but {data.name} is read from {here}; embed {data.name} into a "
            "file of its own",
            code="embedding-of-other-data",
        )


def _given(file: str, arrays: Mapping[str, Array]) -> Sequence[Key]:
    """Return part and row in the source for each row of the file; DataError unless all differ."""
    shape = arrays["features"].shape
    for name in ("source", "row"):
        if name not in arrays:
            raise DataError(
                f"{file} lacks the array {name!r}; embed the images again", code="array-missing"
            )
        if arrays[name].ndim != 1 or arrays[name].shape != shape[:1]:
            raise DataError(
                f"{file} holds {name!r} of shape {arrays[name].shape} for features of shape "
                f"{shape}; give one value for each row",
                code="embedding-shape",
            )
    parts = texts(file, arrays["source"])
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise DataError(
            f"{file} has the source {unknown[0]!r}, which is unknown; give {', '.join(PARTS)}",
            code="embedding-source-unknown",
        )
    keys = list(zip(parts, arrays["row"].tolist(), strict=True))
    if len(set(keys)) != len(keys):
        raise DataError(
            f"{file} has {len(set(keys))} different images for {len(keys)} rows, by their source "
            "and row; give each image one row",
            code="embedding-rows-repeated",
        )
    return keys


def _wanted(data: Dataset, part: Part) -> Sequence[Key]:
    source, rows = data.source_rows(part)
    return [(source, row) for row in rows.tolist()]


def _find(
    file: str, features: Array, given: Sequence[Key], wanted: Mapping[Part, Sequence[Key]]
) -> dict[Part, Array]:
    row_of = {key: row for row, key in enumerate(given)}
    matched: dict[Part, Array] = {}
    for part, keys in wanted.items():
        missing = [key for key in keys if key not in row_of]
        if not missing:
            matched[part] = features[[row_of[key] for key in keys]]
        elif part == "train" or len(missing) < len(keys):
            raise DataError(
                f"{file} has no features for {len(missing)} of the {len(keys)} images of {part}, "
                f"{_shown(missing[0])} first; embed all images of this data set",
                code="embedding-rows-missing",
            )
    return matched


def _shown(key: Key) -> str:
    return repr(key) if isinstance(key, str) else f"row {key[1]} of the source's {key[0]}"


class Features(NamedTuple):
    """Rows (N, d), a memory map where the file allows it, and what it says of them.

    `names` are file names; `held` (M) int64 the rows of validation and test images.
    """

    rows: Array
    names: tuple[str, ...] | None
    held: Ids = as_ids(())


def read_features(path: Path) -> Features:
    """Return the rows in an .npy file, or in an .npz file under `features` or alone.

    Raises DataError when the file holds something else.
    """
    loaded = read_arrays(path)
    if isinstance(loaded, np.ndarray):
        return Features(loaded, None)
    names = loaded.pop("names", None)
    if "features" not in loaded and len(loaded) != 1:
        inside = ", ".join(sorted(loaded)) or "nothing"
        raise DataError(
            f"{path} holds {inside}; store the rows under the name 'features'", code="array-missing"
        )
    rows = loaded["features"] if "features" in loaded else next(iter(loaded.values()))
    part = np.asarray(loaded.get("part", ()))
    held = np.flatnonzero((part == "validation") | (part == "test"))
    named = None if names is None else row_names(path, names, rows.shape)
    return Features(rows, named, as_ids(held))


@dataclass(frozen=True, eq=False)
class EmbeddingFile:
    """Features of all images, and the image of each row.

    Parameters
    ----------
    features : float32 array (N, d)
        One row per image.
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
    """

    features: Array
    names: tuple[str, ...] | None = None
    part: Array | None = None
    source: Array | None = None
    row: Ids | None = None
    data: str | None = None
    sources: Mapping[str, str] | None = None

    def save(self, path: str | PathLike[str]) -> None:
        """Write the arrays that are there as `.npz`, all or nothing; StoreError if it fails."""
        path = Path(path)
        partial = path.with_name(path.name + ".partial")
        kept = ("features", "names", "part", "source", "row", "data")
        arrays: dict[str, Any] = {name: getattr(self, name) for name in kept}
        if self.sources is not None:
            arrays |= {"files": list(self.sources), "sha256": list(self.sources.values())}
        arrays = {name: array for name, array in arrays.items() if array is not None}
        try:
            with partial.open("wb") as stream:
                np.savez(stream, **arrays)
            partial.replace(path)
        except (OSError, zipfile.BadZipFile) as error:
            partial.unlink(missing_ok=True)
            reason = getattr(error, "strerror", None) or error
            raise StoreError(
                f"cannot write {path} ({reason}); choose another place", code="file-not-writable"
            ) from error
