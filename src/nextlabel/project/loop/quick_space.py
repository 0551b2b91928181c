"""The quick space: principal components of thumbnails, there within seconds.

Images are read in the random order of the audit, so that those read first are a fair sample of all.
The components are fitted to the first of them; all others are encoded as they come.
"""

import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nextlabel.core.types import Array
from nextlabel.data.decoding.base import Wanted
from nextlabel.data.pixels.small_images import read_small_images
from nextlabel.data.resize import Pixels, to_channels
from nextlabel.features.blocks.pca import solver_for
from nextlabel.project.loop.space import Space

NAME = "PCA of thumbnails"
BLOCK = "pca"
SIDE = 24
"""Height and width of a thumbnail, in pixels."""
COMPONENTS = 32
FITTED = 2000
"""Images that the components are fitted to."""
FIRST = 1.5
"""Seconds after which the images read so far make a space, if they are at least ENOUGH."""
ENOUGH = 100
LATEST = 6.0
"""Seconds after which fewer are enough."""
PASSING = ("it cannot be read", "it needs more memory")
"""Starts of the failures that another time may not have."""


@dataclass
class Thumbnails:
    """Thumbnails of images and the space that they make; `space` is renewed while they are read.

    Parameters
    ----------
    folder : Path
        The folder of the images.
    ready : callable
        Called with the space whenever it is renewed.
    failed : callable
        Called with an image and the reason why it can never be read.
    """

    folder: Path
    ready: Callable[[Space], None]
    failed: Callable[[int, str], None] = lambda image, reason: None
    state: Mapping[str, Array] = field(default_factory=dict)
    rows: dict[int, Array] = field(default_factory=dict)
    first: dict[int, Pixels] = field(default_factory=dict)

    def continue_from(self, space: Space) -> None:
        """Take over the rows of an earlier space, unless its fit had too few images."""
        if int(space.state["images"]) >= FITTED:
            ids = np.flatnonzero(space.there)
            self.state = space.state
            self.rows = dict(zip(ids.tolist(), space.rows[BLOCK][ids], strict=True))

    def read(self, names: Mapping[int, str], count: int, stop: threading.Event) -> None:
        """Read images and renew the space, until all are read or `stop` is set.

        Parameters
        ----------
        names : mapping of int to str
            The files of the images to read, by image, in the order to read them.
        count : int
            The number of all images.
        stop : Event
            Ends the reading.
        """
        waiting: dict[int, Pixels] = {}
        begun, aim = time.monotonic(), ENOUGH
        paths = [self.folder / name for name in names.values()]
        images = read_small_images(paths, SIDE, Wanted())
        try:
            for image, small in zip(names, images, strict=True):
                if stop.is_set():
                    return
                if small.pixels is not None:
                    waiting[image] = small.pixels
                elif not (small.failure or "").startswith(PASSING):
                    self.failed(image, small.failure or "it cannot be read")
                there = len(self.rows) + len(waiting)
                seconds = time.monotonic() - begun
                if (there >= aim and seconds >= FIRST) or (aim == ENOUGH and seconds >= LATEST):
                    self._renew(waiting, count)
                    waiting, aim = {}, 2 * there
        finally:
            images.close()
        if waiting:
            self._renew(waiting, count)

    def _renew(self, waiting: dict[int, Pixels], count: int) -> None:
        """Encode what was read, by a new fit while that has few images, and give the space away."""
        if not self.state or self.first:
            self.first |= waiting
            if len(self.first) < 2:
                return
            self.state = fitted(list(self.first.values())[:FITTED])
            waiting = self.first
            if len(self.first) >= FITTED:
                self.first = {}
        encoded = encode(self.state, list(waiting.values()))
        self.rows |= dict(zip(waiting, encoded, strict=True))
        ids = np.array(sorted(self.rows), np.int64)
        rows = np.stack([self.rows[image] for image in ids.tolist()])
        self.ready(Space.placed(NAME, {BLOCK: rows}, ids, count, "quick", self.state))


def fitted(thumbnails: list[Pixels]) -> dict[str, Array]:
    """Return what encodes thumbnails (side, side, C), fitted to some of them.

    `channels` is 3 where one in twenty is coloured; `low` and `high` are the values of pixels of
    more than 8 bits that become 0 and 1.
    """
    from sklearn.decomposition import PCA

    coloured = np.mean([pixels.shape[2] >= 3 for pixels in thumbnails])
    deep = [pixels.ravel() for pixels in thumbnails if pixels.dtype != np.uint8]
    low, high = np.percentile(np.concatenate(deep), [0.1, 99.9]) if deep else (0.0, 255.0)
    state: dict[str, Array] = {
        "images": np.array(len(thumbnails)),
        "channels": np.array(3 if coloured > 0.05 else 1),
        "range": np.array([low, max(high, low + 1e-6)]),
    }
    flat = _flat(state, thumbnails)
    components = min(COMPONENTS, *flat.shape)
    solver = solver_for(*flat.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # images that are all the same
        pca = PCA(components, svd_solver=solver, random_state=0).fit(flat)
    state["mean"] = pca.mean_.astype(np.float32)
    state["components"] = pca.components_.astype(np.float32)
    return state


def encode(state: Mapping[str, Array], thumbnails: list[Pixels]) -> Array:
    """Return the rows of thumbnails by an earlier fit, float32 (n, d)."""
    scores = (_flat(state, thumbnails) - state["mean"]) @ state["components"].T
    return scores.astype(np.float32)


def _flat(state: Mapping[str, Array], thumbnails: list[Pixels]) -> Array:
    """Return the pixels of each thumbnail from 0 to 255, grey or RGB, float32 (n, pixels)."""
    channels = int(state["channels"])
    low, high = state["range"]
    out = np.empty((len(thumbnails), channels, SIDE, SIDE), np.uint8)
    for row, pixels in enumerate(thumbnails):
        if pixels.dtype != np.uint8:
            scaled = (pixels.astype(np.float64) - low) / (high - low)
            pixels = (255 * np.clip(scaled, 0, 1)).astype(np.uint8)
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]
        planes = planes[:, :3] if planes.shape[1] >= 3 else planes[:, :1]
        out[row] = to_channels(planes, channels)[0]
    return out.reshape(len(thumbnails), -1).astype(np.float32)
