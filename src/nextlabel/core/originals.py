"""Images as their files have them, before they are resized for a data set."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Originals(Protocol):
    """The files of a data set's images, read one by one at their full size."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides the pixels in addition to the bytes of a file, as plain values."""
        ...

    def content(self, name: str) -> bytes:
        """Return the bytes of the file called `name`; DataError when it cannot be read."""
        ...

    def pixels(self, content: bytes, size: int | None = None) -> NDArray[np.uint8]:
        """Return the pixels (H, W) or (H, W, 3) of a file's bytes.

        Parameters
        ----------
        content
            The bytes of a file.
        size
            Decoding may give fewer pixels, as long as neither side gets shorter than that.

        Raises
        ------
        DataError
            For bytes that are not a usable image.
        """
        ...
