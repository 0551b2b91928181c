"""Images of a folder at their full size, decoded as the data set's own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.data.decoding.base import Undecodable, Wanted
from nextlabel.data.decoding.versions import decoder_versions
from nextlabel.data.formats.images import decode
from nextlabel.data.pixels.grey_levels import GreyLevels
from nextlabel.data.resize import to_channels
from nextlabel.files.arrays import check_regular


@dataclass(frozen=True)
class FolderOriginals:
    """The files of a folder; see `nextlabel.core.dataset.Originals`.

    Parameters
    ----------
    root
        The folder that the names of the files are relative to.
    wanted
        The limits, channels and pages of reading.
    levels
        The values that become black and white, of images of more than 8 bits.
    channels
        1 makes all images grey.
    """

    root: Path
    wanted: Wanted
    levels: GreyLevels
    channels: int | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """The range, the channels and pages, and the decoders' versions."""
        return {
            "range": {
                pixel_type: list(map(list, pairs))
                for pixel_type, pairs in self.levels.ranges.items()
            },
            "wanted": self.wanted.identity,
            "channels": self.channels,
            "decoders": decoder_versions(),
        }

    def content(self, name: str) -> bytes:
        """Return the bytes of a file; Undecodable when it cannot be read."""
        path = self.root / name
        try:
            check_regular(path)
            return path.read_bytes()
        except OSError as error:
            raise Undecodable(str(error.strerror or error), code="original-unreadable") from error

    def pixels(self, content: bytes, size: int | None = None) -> NDArray[np.uint8]:
        """Return (H, W) or (H, W, 3); Undecodable for other bytes than an image's."""
        decoded = decode(content, replace(self.wanted, size=size)).pixels
        if str(decoded.dtype) not in (*self.levels.ranges, "uint8"):
            raise Undecodable(
                f"its values are {decoded.dtype}, which no image was read with; read the folder "
                "again",
                code="pixel-type-unknown",
            )
        pixels = self.levels.eight_bit(decoded)
        if self.channels == 1:
            pixels = to_channels(pixels.transpose(2, 0, 1)[None], 1)[0].transpose(1, 2, 0)
        return pixels[..., 0] if pixels.shape[2] == 1 else pixels
