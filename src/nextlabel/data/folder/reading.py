"""The reading of the images of a folder: what is new is decoded, and all get one grey scale."""

import hashlib
import os
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError
from nextlabel.data.decoding.base import Wanted
from nextlabel.data.folder.index import FolderIndex
from nextlabel.data.folder.settings import FolderSettings
from nextlabel.data.pixels.grey_levels import GreyLevels, Spread
from nextlabel.data.pixels.small_image_store import Facts, SmallImageStore
from nextlabel.data.pixels.small_images import SmallImage, read_small_images
from nextlabel.data.resize import Pixels
from nextlabel.files.progress_bar import progress_bar
from nextlabel.files.scratch import scratch

KEEP_EVERY = 2.0
"""Seconds after which the images decoded so far are kept; Ctrl-C loses nothing of them."""
KEEP_MOST = 64
"""Images that wait in memory to be kept together."""
UNPRINTABLE = "its name holds a line break or is not valid UTF-8; rename it"
PASSING = "it needs more memory"
"""The start of a failure that another time may not have."""


def wanted(settings: FolderSettings) -> Wanted:
    """Return how the settings of a folder read one file."""
    channels = settings.channels
    return Wanted(
        max_pixels=settings.max_pixels,
        channels=channels if isinstance(channels, tuple) else None,
        page=settings.page,
        project=settings.project,
        windowed=settings.range is None,
    )


class FolderReading:
    """The small images of a folder, and what failed.

    Parameters
    ----------
    root : Path
        The folder.
    size : int
        The height and width in pixels.
    settings : FolderSettings
        The options of the folder.
    index : FolderIndex
        The contents of files that were read before.
    store : SmallImageStore
        The images of contents that were decoded before.
    """

    def __init__(
        self,
        root: Path,
        size: int,
        settings: FolderSettings,
        index: FolderIndex,
        store: SmallImageStore,
    ) -> None:
        self.root, self.size, self.settings = root, size, settings
        self.index, self.store = index, store
        self.contents: dict[str, str] = {}
        self.failures: dict[str, str] = {}
        self.facts: dict[str, Facts] = {}
        self.decoded = self.hashed = self.unchanged = 0

    def take_in(self, names: Sequence[str], progress: bool) -> None:
        """Read the files that are new or have changed, and decode what is not in the store.

        Afterwards each name is in `contents`, with the sha256 of the file, or in `failures`, with
        the reason why it cannot be opened. `decoded` counts the files that were decoded now,
        `hashed` those that were read and known by their content, `unchanged` those not read.
        """
        unchanged = self.index.unchanged(names)
        there = self.store.known(list(unchanged.values()))
        self.contents = {name: sha for name, sha in unchanged.items() if sha in there}
        waiting = [name for name in names if name not in self.contents]
        self.unchanged = len(self.contents)
        images = read_small_images(
            [self.root / name for name in waiting],
            self.size,
            wanted(self.settings),
            is_stored=self.store.__contains__,
        )
        bar = progress_bar(
            zip(waiting, images, strict=True),
            desc="images",
            total=len(waiting),
            disable=not progress or not waiting,
        )
        new: list[tuple[str, SmallImage]] = []
        kept_at = time.monotonic()
        try:
            for name, image in bar:
                new.append((name, image))
                if len(new) >= KEEP_MOST or time.monotonic() - kept_at > KEEP_EVERY:
                    self._keep(new)
                    new, kept_at = [], time.monotonic()
        finally:
            images.close()
            self._keep(new)

    def _keep(self, new: Sequence[tuple[str, SmallImage]]) -> None:
        fresh = [i for _, i in new if i.pixels is not None or i.failure is not None]
        self.store.keep([i for i in fresh if not (i.failure or "").startswith(PASSING)])
        digests = [(name, image.sha256) for name, image in new if image.sha256 is not None]
        self.index.keep(digests)
        self.contents.update(digests)
        for name, image in new:
            if image.failure is not None:
                self.failures[name] = image.failure
        self.decoded += sum(image.sha256 is not None for image in fresh)
        self.hashed += len(new) - len(fresh)

    def digest(self, names: Sequence[str]) -> str:
        """Return the sha256 over names and contents, as hexadecimal digits.

        It is taken over each file's name, a zero byte and the sha256 of its bytes (32 bytes; none
        for a file that cannot be opened), in the order of names.
        """
        digest = hashlib.sha256()
        for name in names:
            digest.update(os.fsencode(name) + b"\0" + bytes.fromhex(self.contents.get(name, "")))
        return digest.hexdigest()

    def usable(self, names: Sequence[str]) -> list[int]:
        """Return the rows of the names that have an image; `failures` says why the others do not.

        Afterwards `facts` holds all but the pixels of each content.
        """
        contents = list(self.contents.values())
        self.facts = {facts.sha256: facts for facts in self.store.facts(contents)}
        rows = []
        for row, name in enumerate(names):
            stored = self.facts.get(self.contents.get(name, ""))
            if printable(name) != name:
                self.failures[name] = UNPRINTABLE
            elif stored is not None and stored.failure is not None:
                self.failures[name] = stored.failure
            if name not in self.failures:
                rows.append(row)
        return rows

    def stack(self, names: Sequence[str]) -> tuple[NDArray[np.uint8], dict[str, str]]:
        """Return the usable images of these names as uint8 (N, C, size, size), and notes on them.

        Warnings say once what is special about files, with their number.
        """
        facts = {name: self.facts[self.contents[name]] for name in names}
        deep: dict[str, Spread] = {n: f.spread for n, f in facts.items() if f.spread is not None}
        by_channel = isinstance(self.settings.channels, tuple)
        levels = GreyLevels.over(deep, self.settings.range, by_channel=by_channel)
        said: dict[str, list[str]] = {}
        for name, fact in facts.items():
            for note in fact.notes:
                said.setdefault(note, []).append(name)
        for note, of in said.items():
            warnings.warn(f"{len(of)} image(s) ({of[0]} first): {note}", stacklevel=4)
        for warning in levels.warnings:
            warnings.warn(warning, stacklevel=4)
        channels = 3 if any(fact.channels > 1 for fact in facts.values()) else 1
        out = scratch((len(names), channels, self.size, self.size))
        for row, name in enumerate(names):
            spread = facts[name].spread
            dtype = None if spread is None else spread.kind
            out[row] = levels.eight_bit(self._pixels(name), dtype).transpose(2, 0, 1)
        return out, dict(levels.notes)

    def _pixels(self, name: str) -> Pixels:
        """Return an image of the store, or of its file when the store has lost it."""
        image = self.store.image(self.contents[name])
        if image is None or image.pixels is None:
            (image,) = read_small_images([self.root / name], self.size, wanted(self.settings))
        if image.pixels is None or image.sha256 != self.contents[name]:
            raise DataError(
                f"{printable(name)} has changed while the folder was read; run the command again",
                code="image-changed",
            )
        return image.pixels


def printable(name: str) -> str:
    """Return a name that is one line of valid text: itself where it is so already."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text.replace("\n", "\\n").replace("\r", "\\r")
