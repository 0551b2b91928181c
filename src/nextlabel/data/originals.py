"""Images of a folder at their full size, decoded as the data set's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.data.formats.base import Undecodable, Wanted
from nextlabel.data.formats.images import decode
from nextlabel.data.resize import stretch, to_channels
from nextlabel.files.arrays import check_regular

RANGE = "16-bit range"
"""The note of the values that became 0 and 255: "LOW to HIGH in N images"."""


@dataclass(frozen=True)
class FolderOriginals:
    """The files of a folder; see `nextlabel.core.originals.Originals`.

    Parameters
    ----------
    root
        The folder that the names of the files are relative to.
    max_pixels
        An image of more pixels is not decoded.
    deep_range
        The 16-bit values that become 0 and 255.
    channels
        1 makes all images grey.
    """

    root: Path
    max_pixels: int
    deep_range: tuple[int, int] = (0, 65535)
    channels: int | None = None

    @staticmethod
    def range_in(notes: Mapping[str, str]) -> tuple[int, int]:
        """Return the 16-bit values that became 0 and 255; all of them when no image has 16 bits."""
        low, _, high = notes.get(RANGE, "0 to 65535").partition(" in ")[0].partition(" to ")
        return int(low), int(high)

    @property
    def identity(self) -> Mapping[str, Any]:
        """The range, the channels, and the decoders' versions."""
        return {
            "range": list(self.deep_range),
            "channels": self.channels,
            "decoders": {name: version(name) for name in ("pillow", "tifffile", "imagecodecs")},
        }

    def content(self, name: str) -> bytes:
        """Return the bytes of a file; Undecodable when it cannot be read."""
        path = self.root / name
        try:
            check_regular(path)
            return path.read_bytes()
        except OSError as error:
            raise Undecodable(str(error.strerror or error), code="file-unreadable") from error

    def pixels(self, content: bytes, size: int | None = None) -> NDArray[np.uint8]:
        """Return (H, W) or (H, W, 3); Undecodable for other bytes than an image's."""
        pixels = decode(content, Wanted(self.max_pixels, size)).pixels
        if pixels.dtype == np.uint16:
            pixels = stretch(pixels, *self.deep_range)
        if self.channels == 1:
            pixels = to_channels(pixels.transpose(2, 0, 1)[None], 1)[0].transpose(1, 2, 0)
        if pixels.dtype != np.uint8 or pixels.shape[2] not in (1, 3):
            raise Undecodable(
                f"it has {pixels.shape[2]} channels of {pixels.dtype}; give grey or RGB",
                code="channels-unknown",
            )
        return pixels[..., 0] if pixels.shape[2] == 1 else pixels
