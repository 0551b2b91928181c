"""Files in a project's cache that can be made again: spaces, near-copies, the map, the review."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.files.atomic import replacing
from nextlabel.project.loop.space import Space

FULL = "space.npz"
QUICK = "space-quick.npz"
COPIES = "near-copies.npz"
MAP = "map.npz"
UNFINISHED_MAP = "map-unfinished.npz"
REVIEW = "review.json"


def newest_space(cache: Path) -> Space | None:
    """Return the full space where it is there, else the quick one; None before either is."""
    return Space.load(cache / FULL) or Space.load(cache / QUICK)


def stamp(path: Path) -> tuple[int, int]:
    """Return what changes when a file is replaced; zeros when it is not there."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return status.st_mtime_ns, status.st_size


@dataclass(frozen=True, eq=False)
class NearCopies:
    """The group of near-copies of each image.

    Parameters
    ----------
    ids : int64 array (n)
        The images, ascending.
    first : int64 array (n)
        The first image of the group of each.
    key : str
        The space that they are of.
    """

    ids: Ids
    first: Ids
    key: str

    def groups(self, count: int) -> Ids:
        """Return the first image of the group of each of `count` images, int64 (count)."""
        out = np.arange(count)
        fits = self.ids < count
        out[self.ids[fits]] = self.first[fits]
        return out


def save_copies(path: Path, copies: NearCopies) -> None:
    """Write near-copies to a file, complete or not at all; OSError when it cannot be written."""
    save_arrays(path, {"ids": copies.ids, "first": copies.first, "key": np.array(copies.key)})


def load_copies(path: Path) -> NearCopies | None:
    """Read what `save_copies` wrote; None when it is not there, or cannot be read."""
    arrays = load_arrays(path, ("ids", "first", "key"))
    return None if arrays is None else NearCopies(arrays[0], arrays[1], str(arrays[2]))


def save_arrays(path: Path, arrays: dict[str, Array]) -> None:
    """Write arrays to a file, complete or not at all; OSError when it cannot be written."""
    with replacing(path) as unfinished, unfinished.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def load_arrays(path: Path, names: tuple[str, ...]) -> list[Array] | None:
    """Return arrays of a file by name; None when it is not there, cannot be read, or lacks one."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return [file[name] for name in names]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
