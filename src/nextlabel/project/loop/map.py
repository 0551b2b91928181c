"""The map: the images of a project in two dimensions, by t-SNE of the space.

n images, d columns.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Ids
from nextlabel.project.loop.cache_files import load_arrays, save_arrays

ACTIVITY = "map"
MAPPED = 10_000
"""The most images that t-SNE arranges; each further one lies amid its nearest of these."""
STEPS = ((250, 12.0, 0.5), (500, 1.0, 0.8))
"""The iterations, exaggeration and momentum of the two phases, which are openTSNE's own."""
AT_ONCE = 50
"""Iterations after which the map so far is kept."""
PERPLEXITY = 30.0
AMID = 10
"""Nearest images of the map between which another image lies."""
WIDTH = 65535


@dataclass(frozen=True, eq=False)
class ProjectMap:
    """The places of images: `ids` int32 (n), `xy` uint16 (n, 2), and the key of the space."""

    ids: NDArray[np.int32]
    xy: NDArray[np.uint16]
    key: str

    def save(self, path: Path) -> None:
        """Write the map to a file, complete or not at all; OSError when it cannot be written."""
        save_arrays(path, {"ids": self.ids, "xy": self.xy, "key": np.array(self.key)})

    @classmethod
    def load(cls, path: Path) -> "ProjectMap | None":
        """Read what `save` wrote; None when it is not there, or cannot be read."""
        arrays = load_arrays(path, ("ids", "xy", "key"))
        return None if arrays is None else cls(arrays[0], arrays[1], str(arrays[2]))


def make_map(
    rows: Array,
    ids: Ids,
    key: str,
    unfinished: Path,
    report: Callable[[int, int], None],
    stop: Event,
    most: int = MAPPED,
) -> ProjectMap | None:
    """Return the map of images; None when `stop` was set.

    Above `most` images, t-SNE arranges a random sample of that many, and every other image is put
    between the nearest ones of the sample, weighted by their likeness: a hundred thousand take
    little longer than ten. What was arranged is kept in `unfinished`, from where the same call
    continues.

    Poličar, Stražar & Zupan 2024, https://doi.org/10.18637/jss.v109.i03

    Parameters
    ----------
    rows : array (n, d)
        The rows of the images.
    ids : int64 array (n)
        The images.
    key : str
        The space.
    unfinished : Path
        A file for the map so far.
    report : callable
        Called with the iterations so far, and all of them.
    stop : Event
        Ends the work.
    most : int
        The most images that t-SNE arranges.
    """
    n = len(rows)
    rows = np.asarray(rows, np.float32)
    if n < 4 or (rows == rows[0]).all():
        xy = np.stack([np.linspace(0, 1, n), np.full(n, 0.5)], axis=1)
        return ProjectMap(ids.astype(np.int32), _whole(xy), key)
    sample = np.sort(np.random.default_rng(0).permutation(n)[:most])
    arranged = _arranged(rows[sample], json.dumps([key, n, most]), unfinished, report, stop)
    if arranged is None:
        return None
    xy = np.empty((n, 2))
    xy[sample] = arranged
    others = np.setdiff1d(np.arange(n), sample)
    if len(others):
        xy[others] = _amid(rows[others], rows[sample], arranged)
    unfinished.unlink(missing_ok=True)
    return ProjectMap(ids.astype(np.int32), _whole(xy), key)


def _arranged(
    rows: Array, key: str, unfinished: Path, report: Callable[[int, int], None], stop: Event
) -> Array | None:
    """Return the t-SNE of rows, float64 (n, 2), from as far as it was kept; None when stopped."""
    from openTSNE import TSNEEmbedding, affinity, initialization

    begun = _begun(unfinished, key)
    if begun is None or len(begun[1]) != len(rows):
        begun = 0, initialization.pca(rows, random_state=0)
    done, start = begun
    perplexity = min(PERPLEXITY, (len(rows) - 1) / 3)
    likeness = affinity.PerplexityBasedNN(rows, perplexity, random_state=0, n_jobs=1)
    placed = TSNEEmbedding(start, likeness, random_state=0, n_jobs=1)
    total, before = sum(count for count, _, _ in STEPS), 0
    for count, exaggeration, momentum in STEPS:
        while done < before + count:
            if stop.is_set():
                return None
            report(done, total)
            steps = min(AT_ONCE, before + count - done)
            placed.optimize(steps, exaggeration=exaggeration, momentum=momentum, inplace=True)
            done += steps
            save_arrays(
                unfinished, {"key": np.array(key), "done": np.array(done), "xy": np.array(placed)}
            )
        before += count
    return np.array(placed, np.float64)


def _begun(unfinished: Path, key: str) -> tuple[int, Array] | None:
    arrays = load_arrays(unfinished, ("key", "done", "xy"))
    if arrays is None or str(arrays[0]) != key:
        return None
    return int(arrays[1]), arrays[2]


def _amid(rows: Array, mapped: Array, xy: Array) -> Array:
    """Return a place (m, 2) between the nearest mapped rows of each row (m, d).

    Rows are compared by their main axes, which is quick and near enough for a map.
    """
    from scipy.spatial import cKDTree

    centre = mapped.mean(axis=0)
    _, _, axes = np.linalg.svd(mapped[:: max(1, len(mapped) // 2000)] - centre, full_matrices=False)
    axes = axes[:12].T
    tree = cKDTree((mapped - centre) @ axes)
    looked_up = tree.query((rows - centre) @ axes, min(AMID, len(mapped)))
    distances, nearest = map(np.asarray, looked_up)
    distances, nearest = distances.reshape(len(rows), -1), nearest.reshape(len(rows), -1)
    nearness = np.exp(-((distances / (distances[:, :1] + 1e-12)) ** 2))
    nearness /= nearness.sum(axis=1, keepdims=True)
    # The heaviest neighbour wins over a mean between two far groups.
    first = xy[nearest[:, 0]]
    far = np.linalg.norm(xy[nearest] - first[:, None], axis=2) > 0.1 * np.ptp(xy)
    nearness = np.where(far, 0, nearness)
    nearness /= nearness.sum(axis=1, keepdims=True)
    return np.asarray((xy[nearest] * nearness[:, :, None]).sum(axis=1))


def _whole(xy: Array) -> NDArray[np.uint16]:
    """Return places as numbers from 0 to 65,535, by one scale for both axes."""
    low = xy.min(axis=0) if len(xy) else 0
    size = float(np.ptp(xy, axis=0).max()) if len(xy) else 1.0
    return np.asarray(np.rint((xy - low) / (size or 1.0) * WIDTH), np.uint16)
