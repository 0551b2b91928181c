"""The block `pretrained`: features of a network that was trained on other images."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Any, ClassVar

from pydantic import Field

from nextlabel.core.block import FittedBlock
from nextlabel.core.dataset import Dataset
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.types import PARTS, Array, Labels, Part
from nextlabel.features.block_file import load_block, save_block
from nextlabel.features.blocks import register
from nextlabel.features.blocks.base import BlockSettings
from nextlabel.features.cache import Cache
from nextlabel.features.image_contents import ImageContents, contents_of, digest_of
from nextlabel.features.network_rows import keys_of, network_rows
from nextlabel.features.reduction import Reduction
from nextlabel.models.pretrained import source_of
from nextlabel.models.pretrained.base import Inputs, Network, NetworkSource
from nextlabel.models.settings import Device, Precision

VERSION = 1
"""To be raised when code changes what comes out of the same settings and images."""


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
    inputs: Inputs = "auto"
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
        decisive = {k: v for k, v in super().identity.items() if k not in ("weights", "inputs")}
        return decisive | {"version": VERSION, **self._source.identity()}

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
        parts = self._contents(data)
        keys = {part: keys_of(images) for part, images in parts.items()}
        rows = self._rows_of(data, cache, progress)

        def reduced() -> FittedBlock:
            found = {part: rows(images, keys[part]) for part, images in parts.items()}
            if not self.reduce:
                return FittedBlock(found)
            reduction = Reduction.fit(found["train"], self.reduce)
            return FittedBlock(
                {part: reduction.apply(of_part) for part, of_part in found.items()},
                state=reduction.state(),
            )

        if cache is None or not self.reduce:
            return reduced()
        reducing = {
            "rows": self._rows_identity(self._source, data),
            "contents": {part: dict(images.identity) for part, images in parts.items()},
            "keys": {part: digest_of(b"".join(of_part)).hex() for part, of_part in keys.items()},
            "reduce": self.reduce,
            "versions": [version("numpy"), version("scikit-learn")],
        }
        fitted, _ = cache.get("block-pretrained", reducing, reduced, save_block, load_block)
        return fitted

    def encode(self, fitted: FittedBlock, data: Dataset, part: Part = "train") -> Array:
        """Return features as `encode_kept` does, and keep nothing."""
        return self.encode_kept(fitted, data, part, None)

    def encode_kept(
        self, fitted: FittedBlock, data: Dataset, part: Part, cache: Cache | None
    ) -> Array:
        """Return features (n, reduce) float32 of images that were not in the fit."""
        images = contents_of(data, data.part(part))
        rows = self._rows_of(data, cache)(images, keys_of(images))
        return Reduction.of(fitted.state).apply(rows) if self.reduce else rows

    def _rows_of(
        self, data: Dataset, cache: Cache | None, progress: bool = False
    ) -> Callable[[ImageContents, Sequence[bytes]], Array]:
        """Return a function from images and their keys to rows; it loads the network if needed."""
        source = self._source
        identity = self._rows_identity(source, data)

        @lru_cache
        def load() -> Network:
            return source.load(identity["size"], identity["device"], identity["precision"])

        def rows(images: ImageContents, keys: Sequence[bytes]) -> Array:
            whole = identity | dict(images.identity)
            return network_rows(images, keys, whole, load, cache, progress)

        return rows

    def _contents(self, data: Dataset) -> dict[Part, ImageContents]:
        parts = [part for part in PARTS if len(data.part(part))]
        return {part: contents_of(data, data.part(part)) for part in parts}

    def _rows_identity(self, source: NetworkSource, data: Dataset) -> dict[str, Any]:
        """Return all that decides a row in addition to the image and how it is decoded."""
        from_files = data.originals is not None
        largest = None if from_files else max(data.image_shape[1:])
        size = source.size_for(self.size, largest)
        decisive = {k: v for k, v in self.identity.items() if k != "reduce"}
        return decisive | {"size": size, "torch": version("torch")}
