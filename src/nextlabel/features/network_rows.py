"""Rows of a pretrained network: of images that are new, computed; of all others, from the disk."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError
from nextlabel.core.progress import picked
from nextlabel.core.types import Array
from nextlabel.features.cache import Cache
from nextlabel.features.image_contents import ImageContents, digest_of
from nextlabel.features.row_cache import RowCache
from nextlabel.files.progress_bar import progress_bar
from nextlabel.files.worker_threads import made_ahead, usable_cores
from nextlabel.models.pretrained.base import Network

BATCH = 32
"""Images in each batch of the network, also the last, so that a row depends on its image alone."""
AHEAD = 2 * BATCH
"""Images that are decoded ahead of the network."""
KIND = "rows"


def keys_of(images: ImageContents, workers: int = 2) -> list[bytes]:
    """Return the key of each image: the digest of its content."""
    return list(made_ahead(range(len(images)), images.digest, workers, AHEAD))


def network_rows(
    images: ImageContents,
    keys: Sequence[bytes],
    identity: Mapping[str, Any],
    load: Callable[[], Network],
    cache: Cache | None,
    progress: bool = False,
) -> Array:
    """Return the network's features of all images, float32 (N, columns).

    Each content is computed once. With a cache, what it holds is not computed, and each batch is
    on the disk before the next begins, so that a process that was killed continues.

    Parameters
    ----------
    images
        The images.
    keys
        The key of each.
    identity
        All that decides a row in addition to the image's content, as plain values.
    load
        Loads the network; called only when there is something to compute.
    cache
        The cache of rows.
    progress
        Show a bar on stderr; without one, progress is reported as `core.progress` says.

    Raises
    ------
    DataError
        When an image changed since its key was taken, or a feature is not finite.
    """
    kept = RowCache(cache.path(KIND, identity)) if cache is not None else None
    held: dict[bytes, Array] = {}
    if kept is None or cache is None:
        _compute(images, _missing(keys, None), load, held, None, progress)
        return np.stack([held[key] for key in keys]).astype(np.float32)
    if _missing(keys, kept):
        with cache.locked(kept.path):
            todo = _missing(keys, kept)  # another process may have computed them
            _compute(images, todo, load, held, kept, progress)
    kept.touch()
    positions = kept.find(keys)
    rows = kept.rows()
    width = rows.shape[1] or len(next(iter(held.values())))
    out = np.empty((len(keys), width), np.float32)
    is_kept = positions >= 0
    if is_kept.any():  # a disk without room for a single batch keeps none, and no width
        out[is_kept] = rows[positions[is_kept]]
    for row in np.flatnonzero(~is_kept).tolist():
        out[row] = held[keys[row]]
    return out


def _missing(keys: Sequence[bytes], kept: RowCache | None) -> dict[bytes, int]:
    """Return one image for each key that has no row."""
    positions = np.full(len(keys), -1) if kept is None else kept.find(keys)
    first: dict[bytes, int] = {}
    for row in np.flatnonzero(positions < 0).tolist():
        first.setdefault(keys[row], row)
    return first


def _compute(
    images: ImageContents,
    todo: Mapping[bytes, int],
    load: Callable[[], Network],
    held: dict[bytes, Array],
    kept: RowCache | None,
    progress: bool,
) -> None:
    """Compute the rows of `todo`; keep them on the disk, or where it is full in `held`."""
    if not todo:
        return
    network = load()

    def prepared(item: tuple[bytes, int]) -> tuple[bytes, int, NDArray[Any]]:
        key, row = item
        content = images.content(row)
        if digest_of(content) != key:
            raise DataError(
                "an image changed while it was read; let no other program write to the images, "
                "and repeat the command, which continues",
                code="images-changed",
            )
        return key, row, network.prepare(images.pixels(row, content, network.least_size))

    with progress_bar(total=len(todo), desc="features", disable=not progress) as bar:
        images_ahead = made_ahead(todo.items(), prepared, decoders(), AHEAD)
        done = 0
        while batch := list(islice(images_ahead, BATCH)):
            keys = [key for key, _, _ in batch]
            rows = _features(network, np.stack([image for _, _, image in batch]))
            if kept is not None:
                try:
                    kept.append(keys, rows)
                except OSError as error:
                    warnings.warn(
                        f"features cannot be kept in {kept.path.parent} ({error.strerror}); they "
                        "are computed again next time, so make room there",
                        stacklevel=4,
                    )
                    kept = None
            if kept is None:
                held.update(zip(keys, rows, strict=True))
            bar.update(len(keys))
            done += len(keys)
            if not progress:  # the bar says it already
                picked(done, len(todo))


def _features(network: Network, batch: NDArray[Any]) -> NDArray[np.float16]:
    """Return rows (B, columns) float16; a batch that is not full is filled with its first image."""
    full = np.repeat(batch[:1], BATCH, axis=0)
    full[: len(batch)] = batch
    given = network.features(full)
    if given.ndim != 2 or len(given) != BATCH or not given.shape[1]:
        raise DataError(
            f"the network gives an array of shape {given.shape} for {BATCH} images; take one that "
            "gives a row of features for each",
            code="network-output",
        )
    with np.errstate(over="ignore"):
        rows: NDArray[np.float16] = given[: len(batch)].astype(np.float16)
    if not np.isfinite(rows).all():
        raise DataError(
            "the network gives features that are not finite, or above 65,504, which float16 cannot "
            "hold; check its weights and the values of pixels it expects (inputs)",
            code="not-finite",
        )
    return rows


def decoders() -> int:
    """Return the number of threads that read and decode images while the network computes."""
    return min(8, usable_cores())
