"""Which row of an embedding file shows which image: by name, or by the source's part and row."""

from collections.abc import Mapping, Sequence

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.core.names import row_names, texts
from nextlabel.core.types import PARTS, Array, Part

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
            "file of its own"
        )


def _given(file: str, arrays: Mapping[str, Array]) -> Sequence[Key]:
    """Return part and row in the source for each row of the file; DataError unless all differ."""
    shape = arrays["features"].shape
    for name in ("source", "row"):
        if name not in arrays:
            raise DataError(f"{file} lacks the array {name!r}; embed the images anew")
        if arrays[name].ndim != 1 or arrays[name].shape != shape[:1]:
            raise DataError(
                f"{file} holds {name!r} of shape {arrays[name].shape} for features of shape "
                f"{shape}; give one value for each row"
            )
    parts = texts(file, arrays["source"])
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise DataError(
            f"{file} has the source {unknown[0]!r}, which is unknown; give {', '.join(PARTS)}"
        )
    keys = list(zip(parts, arrays["row"].tolist(), strict=True))
    if len(set(keys)) != len(keys):
        raise DataError(
            f"{file} has {len(set(keys))} different images for {len(keys)} rows, by their source "
            "and row; give each image one row"
        )
    return keys


def _wanted(data: Dataset, part: Part) -> Sequence[Key]:
    source, rows = data.source_rows(part)
    return [(source, row) for row in rows.tolist()]


def _find(
    file: str, features: Array, given: Sequence[Key], wanted: Mapping[Part, Sequence[Key]]
) -> dict[Part, Array]:
    place = {key: row for row, key in enumerate(given)}
    found: dict[Part, Array] = {}
    for part, keys in wanted.items():
        missing = [key for key in keys if key not in place]
        if not missing:
            found[part] = features[[place[key] for key in keys]]
        elif part == "train" or len(missing) < len(keys):
            raise DataError(
                f"{file} has no features for {len(missing)} of the {len(keys)} images of {part}, "
                f"{_shown(missing[0])} first; embed all images of this data set"
            )
    return found


def _shown(key: Key) -> str:
    return repr(key) if isinstance(key, str) else f"row {key[1]} of the source's {key[0]}"
