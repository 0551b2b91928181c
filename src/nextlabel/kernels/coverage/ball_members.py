"""The images in the ball about each candidate, as bits, of those images that are kept.

A word has the bits of 64 images for one candidate. Words that are 0 are left out, so images that
lie close together, which the same balls hold, should come one after another.

n candidates, w words for each of them, r candidates and c images of a tile.
"""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Ids

WORD = 64
"""Images of a word."""

Words = NDArray[np.uint64]
Entries = tuple[NDArray[np.int32], Words]
"""The candidates whose word is not 0, ascending, and these words."""


class BallMembers:
    """The images that are kept, and the balls that hold them.

    Images are added tile by tile between `begin` and `end`, each tile of candidates with all tiles
    of images.

    Parameters
    ----------
    size
        The number of candidates, which are the images too.
    most
        The largest number of words, at 12 bytes each; beyond it no more images are kept.

    """

    def __init__(self, size: int, most: int) -> None:
        self.size, self.room = size, most
        self.slot = np.full(size, -1, np.int64)  # [n]: the number of each image, or -1
        self.images = np.empty(0, np.int64)  # [64 w]: the image of each number, or -1
        self.words: list[Entries] = []  # [w]
        self.begin()

    def begin(self) -> None:
        """Begin to add images."""
        self._added: dict[int, tuple[Ids, list[tuple[NDArray[np.uint8], Entries]]]] = {}
        self._count = 0

    def add(self, candidates: Ids, images: Ids, inside: Array) -> None:
        """Add a tile: which candidates have which images in their ball, bool (r, c)."""
        if self._count > self.room:
            return
        packed = np.packbits(inside, axis=1, bitorder="little")  # [r, c / 8]
        width = -(-len(images) // WORD)
        if packed.shape[1] < 8 * width:
            packed = np.pad(packed, ((0, 0), (0, 8 * width - packed.shape[1])))
        by_word = np.ascontiguousarray(packed.view(np.uint64).T)  # [width, r]
        word, candidate = np.nonzero(by_word)
        entries = candidates[candidate].astype(np.int32), by_word[word, candidate]
        _, pieces = self._added.setdefault(int(images[0]), (images, []))
        pieces.append((word.astype(np.uint8), entries))
        self._count += len(word)
        if self._count > self.room:
            self._added.clear()

    def end(self) -> None:
        """Keep what was added since `begin`, if there is room for it."""
        if self._count <= self.room:
            self.room -= self._count
            for images, pieces in self._added.values():
                self._keep(images, pieces)
        self.begin()

    def _keep(self, images: Ids, pieces: list[tuple[NDArray[np.uint8], Entries]]) -> None:
        width = -(-len(images) // WORD)
        self.slot[images] = np.arange(len(images)) + len(self.images)
        padded = np.full(WORD * width, -1, np.int64)
        padded[: len(images)] = images
        self.images = np.concatenate([self.images, padded])
        word = np.concatenate([word for word, _ in pieces])
        candidates = np.concatenate([entries[0] for _, entries in pieces])
        bits = np.concatenate([entries[1] for _, entries in pieces])
        order = np.argsort(word, kind="stable")
        ends = np.searchsorted(word[order], np.arange(width), side="right")
        for start, end in zip(np.append(0, ends[:-1]), ends, strict=True):
            self.words.append((candidates[order[start:end]], bits[order[start:end]]))

    def keeps(self, images: Ids) -> NDArray[np.bool_]:
        """Return which of some images are kept."""
        return np.asarray(self.slot[images] >= 0)

    def count(self, images: Ids) -> NDArray[np.int64]:
        """Return the number of some images, all of them kept, in the ball of each candidate (n)."""
        wanted = np.zeros(len(self.images), bool)
        wanted[self.slot[images]] = True
        masks: Words = np.packbits(wanted, bitorder="little").view(np.uint64)  # [w]
        total = np.zeros(self.size, np.int64)
        for k in np.flatnonzero(masks):
            candidates, bits = self.words[k]
            total[candidates] += np.bitwise_count(bits & masks[k])
        return total

    def images_near(self, candidate: int) -> Ids:
        """Return the kept images in the ball of a candidate."""
        row = np.zeros(len(self.words), np.uint64)  # [w]
        wanted = np.int32(candidate)  # of the same type, else all would be converted
        for k, (candidates, bits) in enumerate(self.words):
            at = candidates.searchsorted(wanted)
            if at < len(candidates) and candidates[at] == wanted:
                row[k] = bits[at]
        bits_of_row = np.unpackbits(row.view(np.uint8), bitorder="little")
        return np.asarray(self.images[np.flatnonzero(bits_of_row)])
