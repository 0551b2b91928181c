"""Rows of an embedding file for the images of a data set, matched by name, by row or by order."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.core.types import PARTS, Array, Part
from nextlabel.data.lists.image_names import NameIndex
from nextlabel.features.embedding_file import EmbeddingFile

Key = str | tuple[str, int]
"""A file name, or a part of the source and a row there."""


def rows_by_part(file: EmbeddingFile, data: Dataset) -> dict[Part, Array]:
    """Return the rows for each part of a data set that the file covers, in the order of the part.

    Rows are found by file name, for a folder; by source and row, as `nextlabel embed` writes them;
    by the part alone, in the order of the part; or else all in the order pool, validation, test.

    Raises
    ------
    DataError
        The file was made of other files than `data`, two of its rows show one image, or it has no
        row for an image of the pool, or for some of another part only.
    """
    called = "the embedding" if file.path is None else file.path.name
    _check_sources(called, file, data)
    parts = [part for part in PARTS if len(data.part(part))]
    names = {part: data.part(part).names or () for part in parts}
    if file.names is not None and all(names.values()):
        return _find(called, file.features, NameIndex(file.names).row, names)
    if file.source is not None or file.row is not None:
        row_of = {key: row for row, key in enumerate(_keys(called, file))}
        return _find(called, file.features, row_of.get, {p: _wanted(data, p) for p in parts})
    return _in_order(called, file, data)


def _check_sources(called: str, file: EmbeddingFile, data: Dataset) -> None:
    """Raise DataError when the file names a source file, by its sha256, that `data` has not.

    `data` may have more, such as labels in a file of their own.
    """
    given = file.sources or {}
    other = {name: sha for name, sha in given.items() if sha not in data.sources.values()}
    if other:
        made = next((name for name in other if name in data.sources), next(iter(other)))
        mine = made if made in data.sources else next(iter(data.sources), None)
        here = "no file" if mine is None else f"{mine} (sha256 {data.sources[mine][:12]}…)"
        raise DataError(
            f"{called} holds features of {file.data or 'images'} read from {made} (sha256 "
            f"{other[made][:12]}…), but {data.name} is read from {here}; embed {data.name} into a "
            "file of its own",
            code="embedding-of-other-data",
        )


def _keys(called: str, file: EmbeddingFile) -> list[tuple[str, int]]:
    """Return part and row in the source for each row of the file; DataError unless all differ."""
    if file.source is None or file.row is None:
        missing = "source" if file.source is None else "row"
        raise DataError(
            f"{called} lacks the array {missing!r}; embed the images again", code="array-missing"
        )
    unknown = sorted(set(file.source.tolist()) - set(PARTS))
    if unknown:
        raise DataError(
            f"{called} has the source {unknown[0]!r}, which is unknown; give {', '.join(PARTS)}",
            code="embedding-source-unknown",
        )
    keys = list(zip(file.source.tolist(), file.row.tolist(), strict=True))
    if len(set(keys)) != len(keys):
        raise DataError(
            f"{called} has {len(set(keys))} different images for {len(keys)} rows, by their source "
            "and row; give each image one row",
            code="embedding-rows-repeated",
        )
    return keys


def _wanted(data: Dataset, part: Part) -> Sequence[Key]:
    source, rows = data.source_rows(part)
    return [(source, row) for row in rows.tolist()]


def _find(
    called: str,
    features: Array,
    row_of: Callable[[Any], int | None],
    wanted: Mapping[Part, Sequence[Key]],
) -> dict[Part, Array]:
    matched: dict[Part, Array] = {}
    for part, keys in wanted.items():
        rows = [row_of(key) for key in keys]
        missing = [key for key, row in zip(keys, rows, strict=True) if row is None]
        if not missing:
            matched[part] = features[np.array(rows, np.int64)]
        elif part == "train" or len(missing) < len(keys):
            raise DataError(
                f"{called} has no features for {len(missing)} of the {len(keys)} images of {part}, "
                f"{_shown(missing[0])} first; embed all images of this data set",
                code="embedding-rows-missing",
            )
    return matched


def _shown(key: Key) -> str:
    return repr(key) if isinstance(key, str) else f"row {key[1]} of the source's {key[0]}"


def _in_order(called: str, file: EmbeddingFile, data: Dataset) -> dict[Part, Array]:
    """Return the rows of each part: those that the file marks so, or the next in the order."""
    sizes = {part: len(data.part(part)) for part in PARTS}
    if file.part is not None:
        matched: dict[Part, Array] = {}
        for part in PARTS:
            rows = np.flatnonzero(file.part == part)
            if len(rows) or part == "train":
                _check(called, len(rows), (sizes[part],), f" for {part}")
                matched[part] = file.features[rows]
        return matched
    rows = file.features
    _check(called, len(rows), (sizes["train"], sum(sizes.values())))
    if len(rows) == sizes["train"]:
        return {"train": rows}
    starts = np.cumsum([0, *sizes.values()])
    return {
        part: rows[starts[i] : starts[i + 1]] for i, part in enumerate(PARTS) if sizes[part] > 0
    }


def _check(called: str, rows: int, allowed: tuple[int, ...], where: str = "") -> None:
    if rows not in allowed:
        wanted = " or ".join(map(str, sorted(set(allowed))))
        raise DataError(
            f"{called} has {rows} rows{where}; give {wanted}: one for each image of the pool, "
            "and after them those of validation and test if you have them",
            code="embedding-row-count",
        )
