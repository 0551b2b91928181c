"""Small images from image files: read and decoded on all cores, in order, in bounded memory."""

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nextlabel.data.decoding.base import Undecodable, Wanted
from nextlabel.data.formats.images import decode
from nextlabel.data.pixels.grey_levels import Spread
from nextlabel.data.resize import Pixels, resize
from nextlabel.files.arrays import check_regular
from nextlabel.files.digest import content_digest, stream_digest
from nextlabel.files.worker_threads import made_ahead, usable_cores

AHEAD = 4
"""Images per thread that are read ahead of the one that is returned."""
WHOLE = 64 * 2**20
"""Bytes of a file that is read at once; of a larger one, only what the decoder needs."""
AT_ONCE = 150_000_000
"""Pixels that are decoded at the same time; a larger image is decoded alone."""

BLOCK = 64 * 2**20
"""Bytes that Pillow takes at a time for the pixels of an image."""


@dataclass(frozen=True, eq=False)
class SmallImage:
    """One image file, read: its content's digest, and its pixels or the reason why there are none.

    Parameters
    ----------
    sha256 : str, optional
        The digest of the file's bytes; None when they cannot be read.
    pixels : array (size, size, C), optional
        uint8 or uint16, or float32 for all other types; None when the image is unusable or known.
    spread : Spread, optional
        The spread of the values at full size; None for 8 bit.
    notes : tuple of str
        As `Picture.notes`.
    failure : str, optional
        The reason and the remedy of an unusable file, in words that follow its name.
    """

    sha256: str | None
    pixels: Pixels | None = None
    spread: Spread | None = None
    notes: tuple[str, ...] = ()
    failure: str | None = None


def read_small_images(
    paths: Sequence[Path],
    size: int,
    wanted: Wanted,
    *,
    is_stored: Callable[[str], bool] = lambda sha256: False,
    threads: int | None = None,
) -> Generator[SmallImage, None, None]:
    """Yield the image of each path, in order, resized to (size, size, C).

    Files are read and decoded by threads while the caller uses what came before. At most `AHEAD`
    small images per thread wait for the caller, and about `AT_ONCE` pixels are decoded at a time,
    so memory does not grow with the number of files.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    size : int
        The height and width in pixels.
    wanted : Wanted
        The limits, channels and pages.
    is_stored : callable
        Called with the sha256 of a file; when it returns True, the file is not decoded.
    threads : int, optional
        The number of threads; one per usable core when None.
    """
    count = threads or usable_cores()
    budget = _Budget(AT_ONCE)
    wanted = replace(wanted, size=size, exact=True)
    _give_memory_back()

    def read(path: Path) -> SmallImage:
        with budget.share() as claim:
            return _read(path, size, replace(wanted, claim=claim), is_stored)

    yield from made_ahead(paths, read, count, AHEAD * count)


def _give_memory_back() -> None:
    """Let the memory of a large image go back to the system once it is read.

    Pillow takes it in blocks of 16 MiB, which the C library keeps for each thread; it keeps none
    that are larger than 32 MiB.
    """
    from PIL import _imaging

    _imaging.set_block_size(BLOCK)


def _read(path: Path, size: int, wanted: Wanted, is_stored: Callable[[str], bool]) -> SmallImage:
    sha256 = None
    try:
        check_regular(path)
        with path.open("rb") as opened:
            file: BinaryIO = opened
            if path.stat().st_size <= WHOLE:
                content = opened.read()
                sha256, file = content_digest(content), BytesIO(content)
            else:
                sha256 = stream_digest(opened)
                opened.seek(0)
            if is_stored(sha256):
                return SmallImage(sha256)
            picture = decode(file, wanted)
            file.close()  # some decoders keep it until garbage is collected
        return SmallImage(
            sha256, _small(picture.pixels, size), Spread.of(picture.pixels), picture.notes
        )
    except FileNotFoundError as error:
        failure = f"it cannot be read ({error.strerror}); correct its name, or remove the link"
    except OSError as error:
        failure = f"it cannot be read ({error.strerror or error}); make it readable"
    except Undecodable as error:
        failure = str(error)
    except MemoryError:
        failure = "it needs more memory than there is; save it smaller"
    return SmallImage(sha256, failure=failure)


def _small(pixels: Pixels, size: int) -> Pixels:
    if pixels.dtype not in (np.uint8, np.uint16):
        pixels = pixels.astype(np.float32)
    return np.ascontiguousarray(resize(pixels, size))


class _Budget:
    """Pixels that threads decode at the same time; more than all of it only alone."""

    def __init__(self, limit: int) -> None:
        self.limit, self.used, self.free = limit, 0, threading.Condition()

    def share(self) -> "_Share":
        return _Share(self)


class _Share:
    """The pixels of one thread: taken by a call, given back at the end of the block."""

    def __init__(self, budget: _Budget) -> None:
        self.budget, self.pixels = budget, 0

    def __enter__(self) -> Callable[[int], None]:
        return self.take

    def take(self, pixels: int) -> None:
        """Wait until `pixels` may be decoded; one thread takes the largest of its images."""
        budget = self.budget
        with budget.free:
            budget.used -= self.pixels
            self.pixels = min(max(pixels, self.pixels), budget.limit)
            budget.free.notify_all()
            budget.free.wait_for(lambda: budget.used + self.pixels <= budget.limit)
            budget.used += self.pixels

    def __exit__(self, *_: object) -> None:
        with self.budget.free:
            self.budget.used -= self.pixels
            self.budget.free.notify_all()
