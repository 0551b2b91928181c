"""Which row of an embedding file shows which image: by name, or by part and row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.core.types import PARTS, Array, Part

Keys = Mapping[Part, Sequence[Any]]


def matched_rows(file: str, arrays: Mapping[str, Array], data: Dataset) -> dict[Part, Array] | None:
    """Return the rows of `features` for each part of `data` that the file covers, in its order.

    None when the file does not say what its rows show, as `nextlabel embed` does. Raises DataError
    when it has no row for an image of the pool, or for some of another part only.
    """
    parts = [part for part in PARTS if len(data.part(part))]
    names: Keys = {part: data.part(part).names or () for part in parts}
    if "names" in arrays and all(names.values()):
        return _find(file, arrays["features"], np.ravel(arrays["names"]).tolist(), names)
    if "part" in arrays and "row" in arrays:
        return _find(file, arrays["features"], *_numbers(arrays, data, parts))
    return None


def _numbers(
    arrays: Mapping[str, Array], data: Dataset, parts: Sequence[Part]
) -> tuple[list[Any], Keys]:
    """Return keys of the file and of the data: rows where they differ, else parts and rows.

    A source in one file has each row once, whatever is drawn from it; others number each part.
    """
    given = np.ravel(arrays["row"]).tolist()
    wanted: Keys = {part: np.asarray(data.part(part).origin).tolist() for part in parts}
    every = [row for rows in wanted.values() for row in rows]
    if len(set(given)) == len(given) and len(set(every)) == len(every):
        return given, wanted
    pairs: Keys = {part: [(part, row) for row in rows] for part, rows in wanted.items()}
    return list(zip(np.ravel(arrays["part"]).tolist(), given, strict=False)), pairs


def _find(file: str, rows: Array, given: Any, wanted: Keys) -> dict[Part, Array]:
    place = {key: row for row, key in enumerate(given)}
    if rows.ndim == 0 or not len(place) == len(given) == len(rows):
        raise DataError(
            f"{file} tells {len(place)} images apart in rows of shape {rows.shape}; embed them anew"
        )
    found: dict[Part, Array] = {}
    for part, keys in wanted.items():
        missing = [key for key in keys if key not in place]
        if not missing:
            found[part] = rows[[place[key] for key in keys]]
        elif part == "train" or len(missing) < len(keys):
            raise DataError(
                f"{file} has no features for {_shown(missing[0])} of {part}, and {len(missing)} of "
                f"its {len(keys)} images are missing; embed the images of this data set"
            )
    return found


def _shown(key: Any) -> str:
    return (
        repr(key) if isinstance(key, str) else f"row {key[-1] if isinstance(key, tuple) else key}"
    )
