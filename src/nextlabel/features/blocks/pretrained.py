"""The block `pretrained`: features of a network that was trained on other images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.types import PARTS, Array, Labels, Part
from nextlabel.features.block_file import load_block, save_block
from nextlabel.features.blocks import register
from nextlabel.features.blocks.base import BlockSettings
from nextlabel.features.cache import Cache
from nextlabel.features.image_contents import ImageContents, contents_of, digest_of
from nextlabel.features.network_rows import keys_of, network_rows
from nextlabel.features.reduction import Reduction
from nextlabel.files.digest import values_digest
from nextlabel.models.pretrained import source_of
from nextlabel.models.pretrained.base import Network, NetworkSource, PixelValues
from nextlabel.models.settings import Device, Precision

VERSION = 1
"""To be raised when code changes what comes out of the same settings and images."""
STAMP = "network"
"""The array of a fit's state that says which network it is of."""


@register("pretrained")
class PretrainedBlock(BlockSettings):
    """Features of a pretrained network, each image at the network's own size.

    The size of the task model's images does not matter. Images of a folder are read from their
    files. Rows are kept on the disk by the content of the image and of the weights, so that only
    new images are computed.
    """

    cached: ClassVar[bool] = False

    network: str = "efficientnet_lite0"
    """Network: "efficientnet_lite0", "resnet18", or a source and a name there, such as
    "onnx:network.onnx".
    """
    size: int | None = Field(None, ge=32, le=1024)
    """Height and width in pixels that images are brought to; if not set, those of the training of
    the network, 224 for most, or 128 for arrays of images of up to 64 pixels.
    """
    reduce: int = Field(64, ge=0, le=65536)
    """Principal components of the standardised features; 0 keeps all features as they are."""
    weights: str | None = None
    """Path or URL of other weights of the same network; its published ones if not set."""
    inputs: PixelValues = "auto"
    """Values of pixels that the network is trained with: "imagenet" (mean and deviation of
    ImageNet), "symmetric" (-1 to 1), "unit" (0 to 1); "auto" is known for all networks but files,
    for which it means "imagenet".
    """
    device: Device = "auto"
    """Device of the network; as in `[training]` if not set."""
    precision: Precision = "auto"
    """Precision of products; as in `[training]` if not set."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All settings and the sha256 of the weights, which counts in place of their path."""
        return self._identity(self._source)

    def _identity(self, source: NetworkSource) -> dict[str, Any]:
        replaced = ("weights", "inputs")
        decisive = {k: v for k, v in super().identity.items() if k not in replaced}
        return decisive | {"version": VERSION, **source.identity()}

    @property
    def _source(self) -> NetworkSource:
        return source_of(self.network, self.weights, self.inputs)

    def warnings(self, fitted: FittedBlock) -> Sequence[str]:
        """Return a sentence when no image differs from another."""
        rows = fitted.rows("train")
        if len(rows) < 2 or (rows != rows[0]).any():
            return ()
        return (
            f"all {len(rows)} images have the same features, so nothing tells them apart; check "
            "the images",
        )

    def fit(
        self,
        data: Dataset,
        pool: Pool,
        labels: Labels | None,
        number: int,
        seeds: Seeds,
        start: FittedBlock | None = None,
    ) -> FittedBlock:
        """Return features as `fit_kept` does, and keep nothing."""
        return self.fit_kept(data, None)

    def fit_kept(self, data: Dataset, cache: Cache | None, progress: bool = False) -> FittedBlock:
        """Return features (n, reduce) float32 of each part; `reduce` is fitted to the pool.

        Parameters
        ----------
        data
            The data set; its originals are read where it has them.
        cache
            The cache of rows and of reduced features; None keeps nothing.
        progress
            Show a bar on stderr.

        Returns
        -------
        FittedBlock
            Rows, and as state the arrays of `nextlabel.features.reduction.Reduction`.

        Raises
        ------
        UsageError
            When the weights or a package are not installed, or a setting does not fit the network.
        DataError
            When the weights or an image cannot be used.
        """
        parts = {part: contents_of(data, data.part(part)) for part in PARTS if len(data.part(part))}
        keys = {part: keys_of(images) for part, images in parts.items()}
        computing = self._computing(data, cache, progress)

        def fitted() -> FittedBlock:
            rows = {part: computing.rows(images, keys[part]) for part, images in parts.items()}
            state = {STAMP: computing.stamp}
            if not self.reduce:
                return FittedBlock(rows, state=state)
            reduction = Reduction.fit(rows["train"], self.reduce)
            reduced = {part: reduction.apply(of_part) for part, of_part in rows.items()}
            return FittedBlock(reduced, state=state | reduction.state())

        if cache is None or not self.reduce:
            return fitted()
        identity = {
            "rows": computing.identity,
            "contents": {part: dict(images.identity) for part, images in parts.items()},
            "keys": {part: digest_of(b"".join(of_part)).hex() for part, of_part in keys.items()},
            "reduce": self.reduce,
            "versions": [version("numpy"), version("scikit-learn")],
        }
        return cache.get("block-pretrained", identity, fitted, save_block, load_block)[0]

    def encode(self, fitted: FittedBlock, data: Dataset, part: Part = "train") -> Array:
        """Return features as `encode_kept` does, and keep nothing."""
        return self.encode_kept(fitted, data, part, None)

    def encode_kept(
        self,
        fitted: FittedBlock,
        data: Dataset,
        part: Part,
        cache: Cache | None,
        progress: bool = False,
    ) -> Array:
        """Return features (n, reduce) float32 of images that were not in the fit.

        Parameters
        ----------
        fitted
            The fit, of which the `state` alone is used.
        data, part
            The images.
        cache
            The cache of rows, of which only those that it lacks are computed; None keeps nothing.
        progress
            Show a bar on stderr.

        Raises
        ------
        DataError
            When the fit is of another network, other weights, or another size of images.
        """
        computing = self._computing(data, cache, progress)
        stamp = fitted.state.get(STAMP)
        if stamp is None or not np.array_equal(stamp, computing.stamp):
            raise DataError(
                f"the features were fitted with another network, other weights or another size of "
                f"images than {self.network} at {computing.identity['size']} pixels has; use the "
                "same ones, or fit again",
                code="features-of-another-network",
            )
        images = contents_of(data, data.part(part))
        rows = computing.rows(images, keys_of(images))
        return Reduction.of(fitted.state).apply(rows) if self.reduce else rows

    def _computing(self, data: Dataset, cache: Cache | None, progress: bool) -> "Computing":
        source = self._source
        largest = None if data.originals is not None else max(data.image_shape[1:])
        size = source.size_for(self.size, largest)
        identity = self._identity(source) | {"size": size, "library": version(source.library)}
        return Computing(
            source, {k: v for k, v in identity.items() if k != "reduce"}, cache, progress
        )


@dataclass(frozen=True, eq=False)
class Computing:
    """A source of a network, loaded at most once, and all that decides its rows."""

    source: NetworkSource
    identity: Mapping[str, Any]
    cache: Cache | None
    progress: bool

    def rows(self, images: ImageContents, keys: Sequence[bytes]) -> Array:
        """Return the features (n, d) float32 of images, each known by its key."""
        whole = {**self.identity, **images.identity}
        return network_rows(images, keys, whole, lambda: self.network, self.cache, self.progress)

    @cached_property
    def network(self) -> Network:
        """The network."""
        decisive = self.identity
        return self.source.load(decisive["size"], decisive["device"], decisive["precision"])

    @property
    def stamp(self) -> Array:
        """The sha256 of network, weights, values of pixels and size, uint8 (32)."""
        named = {key: self.identity[key] for key in ("network", "weights", "inputs", "size")}
        return np.frombuffer(bytes.fromhex(values_digest(named)), np.uint8)
