"""Pretrained networks: the base of their sources, and the size and values of pixels."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import UsageError
from nextlabel.core.types import Array

NATIVE = 224
"""Pixels that most networks are trained at."""
SMALL, ENLARGED = 64, 128
"""Images of up to SMALL pixels are enlarged to ENLARGED only, where a network takes any size."""

PixelValues = Literal["auto", "imagenet", "symmetric", "unit"]
"""The values of pixels that a network is trained with."""

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PixelScale = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and deviation of each channel, of values 0 to 255."""

SCALES: Mapping[str, PixelScale] = {
    "imagenet": (
        tuple(255 * mean for mean in IMAGENET_MEAN),
        tuple(255 * deviation for deviation in IMAGENET_DEVIATION),
    ),
    "symmetric": ((127.0,) * 3, (128.0,) * 3),
    "unit": ((0.0,) * 3, (255.0,) * 3),
}


class Network(Protocol):
    """A network without its last layer, ready to compute rows."""

    @property
    def least_size(self) -> int | None:
        """Pixels of the shorter side that are enough for `prepare`; None when all are needed."""
        ...

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """Return one image (H, W) or (H, W, 3) as the network takes it; safe in threads."""
        ...

    def features(self, batch: NDArray[Any]) -> Array:
        """Return rows (B, columns) float32 of B prepared images; columns is the same for all."""
        ...


class NetworkSource:
    """A kind of network; a subclass is registered, and adds `identity` and `load`.

    Parameters
    ----------
    name
        The text after the colon, empty for a source that is a single network.
    weights
        The weights to use instead of the network's own, where a source takes them.
    inputs
        The values of pixels; "auto" is the choice of the source.
    """

    takes_name: ClassVar[str | None] = None
    """The kind of name, for messages; None when the source takes none."""
    takes_weights: ClassVar[bool] = False
    library: ClassVar[str] = "torch"
    """The package that computes the rows; those of another version of it are not mixed."""

    def __init__(self, name: str, weights: str | None, inputs: str) -> None:
        self.name, self.weights, self.inputs = name, weights, inputs

    def check(self, called: str) -> None:
        """Raise UsageError when a name or weights are missing, or of no use to `called`."""
        if self.takes_name is None and self.name:
            raise UsageError(
                f"{called} is one network and takes no name {self.name!r}; leave out the colon and "
                "it",
                code="network-name",
            )
        if self.takes_name is not None and not self.name:
            raise UsageError(
                f"{called} needs {self.takes_name} after a colon; give it",
                code="network-name",
            )
        if self.weights is not None and not self.takes_weights:
            raise UsageError(
                f"{called} brings its own weights and takes no others ({self.weights}); leave "
                "weights out",
                code="weights-not-taken",
            )

    def identity(self) -> Mapping[str, Any]:
        """Return the sha256 of the weights, and all else that decides the rows but the size."""
        raise NotImplementedError(f"{type(self).__name__} has no method identity; write one")

    def load(self, size: int, device: str, precision: str) -> Network:
        """Return the network for images of `size` pixels; `precision` is "fp32" or "bf16"."""
        raise NotImplementedError(f"{type(self).__name__} has no method load; write one")

    @property
    def size(self) -> int:
        """The size in pixels that the network is trained at."""
        return NATIVE

    @property
    def any_size(self) -> bool:
        """True when the network takes images of other sizes, too."""
        return True

    def size_for(self, wanted: int | None, largest: int | None) -> int:
        """Return the size in pixels that images are brought to.

        Parameters
        ----------
        wanted
            The size that the user sets, if any.
        largest
            The larger side of the images, None when they are read from files.

        Raises
        ------
        UsageError
            When the network takes one size only, and `wanted` is another.
        """
        if wanted is not None and wanted != self.size and not self.any_size:
            raise UsageError(
                f"size {wanted} does not fit the network, which takes {self.size} pixels only; "
                f"set size = {self.size} or leave it out",
                code="network-size-fixed",
            )
        if wanted is not None:
            return wanted
        small = largest is not None and largest <= SMALL
        return ENLARGED if small and self.any_size else self.size


def square(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return an image (H, W) or (H, W, 3) as RGB (size, size, 3), antialiased bilinear.

    An image that is not square is stretched, so that nothing of it is lost.
    """
    from PIL import Image

    image = Image.fromarray(pixels)
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def reason_of(error: Exception, line: int = 0) -> str:
    """Return one line of what a library says, cut to a length that a message can have."""
    return (str(error).strip().splitlines() or [type(error).__name__])[line][:200]
