"""Images by their content: the digest that identifies each, and its pixels at full size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.dataset import Dataset, Images, Originals
from nextlabel.core.errors import DataError
from nextlabel.files.digest import content_digest

RGB = 3
"""Channels of a colour image."""


class ImageContents(Protocol):
    """Images one by one: their content as bytes, and the pixels that it means."""

    def __len__(self) -> int: ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides the pixels in addition to the content."""
        ...

    def content(self, row: int) -> bytes:
        """Return the content of an image; DataError when it cannot be read."""
        ...

    def digest(self, row: int) -> bytes:
        """Return the digest that identifies an image, 32 bytes; DataError as for `content`."""
        ...

    def pixels(self, row: int, content: bytes, size: int | None) -> NDArray[np.uint8]:
        """Return (H, W) or (H, W, 3).

        Parameters
        ----------
        row, content
            The image, and its content.
        size
            Decoding may give fewer pixels, as long as neither side gets shorter than that.

        Raises
        ------
        DataError
            For bytes that are not an image; the message names it.
        """
        ...


def contents_of(data: Dataset, part: Images) -> ImageContents:
    """Return a part's images from their files, or its arrays where it has no files."""
    if data.originals is not None and part.names is not None:
        return FileContents(data.originals, part.names, part.contents)
    return ArrayContents(part.images)


def digest_of(content: bytes) -> bytes:
    """Return the digest that identifies a content, 32 bytes."""
    return bytes.fromhex(content_digest(content))


@dataclass(frozen=True)
class FileContents:
    """Images in files, by their names; `digests` are the sha256 of the files, where known."""

    originals: Originals
    names: tuple[str, ...]
    digests: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides how the files are decoded."""
        return {"files": dict(self.originals.identity)}

    def content(self, row: int) -> bytes:
        """Return the bytes of a file."""
        try:
            return self.originals.content(self.names[row])
        except DataError as error:
            raise self._gone(row, error) from error

    def digest(self, row: int) -> bytes:
        """Return the digest of a file, which is not read when it is known."""
        if self.digests is None:
            return digest_of(self.content(row))
        return bytes.fromhex(self.digests[row])

    def pixels(self, row: int, content: bytes, size: int | None) -> NDArray[np.uint8]:
        """Return the pixels of a file's bytes."""
        try:
            pixels = self.originals.pixels(content, size)
        except DataError as error:
            raise self._gone(row, error) from error
        if pixels.ndim == 3 and pixels.shape[2] != RGB:
            raise DataError(
                f"{self.names[row]} has {pixels.shape[2]} channels; pretrained networks take 1 "
                "(grey) or 3 (RGB), so choose some of them (data.channels, --channels)",
                code="wrong-channels",
            )
        return pixels

    def _gone(self, row: int, error: DataError) -> DataError:
        return DataError(
            f"{self.names[row]} was read before and cannot be read now ({error}); put it back and "
            "repeat the command, which continues",
            code="images-changed",
        )


@dataclass(frozen=True)
class ArrayContents:
    """Images of an array uint8 (N, C, H, W)."""

    images: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.images.shape[1] not in (1, 3):
            raise DataError(
                f"images have {self.images.shape[1]} channels; pretrained networks take 1 (grey) "
                "or 3 (RGB)",
                code="wrong-channels",
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def identity(self) -> Mapping[str, Any]:
        """The shape of an image."""
        return {"arrays": list(self.images.shape[1:])}

    def content(self, row: int) -> bytes:
        """Return the pixels as bytes."""
        content: bytes = self.images[row].tobytes()
        return content

    def digest(self, row: int) -> bytes:
        """Return the digest of the pixels."""
        return digest_of(self.content(row))

    def pixels(self, row: int, content: bytes, size: int | None) -> NDArray[np.uint8]:
        """Return the pixels (H, W) or (H, W, 3)."""
        planes = np.frombuffer(content, np.uint8).reshape(self.images.shape[1:])
        return planes[0] if len(planes) == 1 else np.ascontiguousarray(planes.transpose(1, 2, 0))
