"""Image formats: their protocol, how to read a file, and the picture in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar, Literal, Protocol

from nextlabel.core.errors import DataError
from nextlabel.data.resize import Pixels

MAX_PIXELS = 100_000_000
HEAD = 4096
"""Bytes from the start of a file that a format gets to recognise its kind by."""


class Undecodable(DataError):
    """The file is not a usable image; the message is a reason that follows a file name."""


@dataclass(frozen=True)
class Wanted:
    """Limits and choices of reading: the largest size, and the channels and pages to take.

    Parameters
    ----------
    max_pixels : int
        An image of more pixels is refused before it is decoded.
    size : int, optional
        The height and width in pixels to which the image is resized afterwards. A format may
        decode to fewer pixels, as long as neither side gets shorter than that.
    exact : bool
        The image is resized to squares of that size by `resize`, stretched where it is not square;
        a format may do the same itself, to save memory and time.
    channels : tuple of int, optional
        The channels to take, from 0, in this order.
    page : int or "middle", optional
        The page of a file of several, from 0.
    project : str, optional
        How all pages become one: the "max", "min" or "mean" of each pixel.
    windowed : bool
        Use the window of grey levels that a medical image names.
    claim : callable, optional
        Called with the number of pixels before they are decoded; it may wait for memory.
    """

    max_pixels: int = MAX_PIXELS
    size: int | None = None
    exact: bool = False
    channels: tuple[int, ...] | None = None
    page: int | Literal["middle"] | None = None
    project: Literal["max", "min", "mean"] | None = None
    windowed: bool = True
    claim: Callable[[int], None] | None = field(default=None, repr=False, compare=False)

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the pixels of a file, except for the size, as plain values."""
        return {
            "max_pixels": self.max_pixels,
            "channels": None if self.channels is None else list(self.channels),
            "page": self.page,
            "project": self.project,
            "windowed": self.windowed,
        }

    def check_size(self, width: int, height: int) -> None:
        """Raise Undecodable unless an image of this size may be decoded."""
        if width * height > self.max_pixels:
            raise Undecodable(
                f"its {width} x {height} pixels exceed the limit of {self.max_pixels} "
                "(data.max_pixels); save it smaller",
                code="image-too-large",
            )
        if width < 1 or height < 1:
            raise Undecodable(
                f"it has {width} x {height} pixels; export it again", code="image-without-pixels"
            )
        if self.claim is not None:
            self.claim(width * height)

    def channels_of(self, count: int) -> tuple[int, ...]:
        """Return the channels to take of `count`; all when none are wanted in particular.

        Raises Undecodable when a wanted one is not there.
        """
        if self.channels is None:
            return tuple(range(count))
        if max(self.channels) >= count:
            raise Undecodable(
                f"it has {count} channel(s), and no channel {max(self.channels)} (data.channels "
                "counts from 0); choose others",
                code="no-such-channel",
            )
        return self.channels


@dataclass(frozen=True, eq=False)
class Picture:
    """One decoded image.

    Parameters
    ----------
    pixels : array (H, W, C)
        Upright, without alpha, of the file's own type; C is 1 (grey), 3 (RGB) or the number of
        channels of the file.
    notes : tuple of str
        What a person reads about such a file, in words that are the same for all files
        of the kind: "animated; its first frame is read".
    chosen : bool
        The channels are those of `Wanted.channels` already; else `decode` takes them.
    """

    pixels: Pixels
    notes: tuple[str, ...] = ()
    chosen: bool = False


class Format(Protocol):
    """One kind of image file; a class that is made without arguments."""

    suffixes: ClassVar[frozenset[str]]
    """The ends of file names, in lower case, such as ".png"."""
    needs: ClassVar[tuple[str, ...]]
    """Modules that the decoder imports and that may be missing."""
    install: ClassVar[str | None]
    """The package, for `pip install`, that brings them."""

    def recognises(self, head: bytes) -> bool:
        """Return whether a file that starts with `head`, up to `HEAD` bytes, is of this kind."""
        ...

    def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
        """Return the image in a file that is open at its start.

        `wanted.check_size` is called with the size in the head of the file, before anything is
        decoded. Raises Undecodable for an image that cannot be used; any other error is reported
        as damage.
        """
        ...
