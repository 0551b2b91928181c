"""Networks of the Hugging Face hub or of a folder, where transformers is installed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import Array
from nextlabel.files.digest import values_digest
from nextlabel.models.pretrained import register
from nextlabel.models.pretrained.base import NATIVE, Network, NetworkSource, reason_of

CLIP = ("clip", "clip_vision_model")


@register("hf")
class HuggingFaceSource(NetworkSource):
    """A model by its name or folder; preprocessed and pooled as its own files say."""

    takes_name = "the name of a model, or its folder"
    library = "transformers"

    def __init__(self, name: str, weights: str | None, inputs: str) -> None:
        super().__init__(name, weights, inputs)
        if inputs != "auto":
            raise UsageError(
                f"inputs {inputs!r} cannot be set, since hf:{name} says itself which values of "
                "pixels it takes; leave it out",
                code="inputs-not-taken",
            )

    def identity(self) -> Mapping[str, Any]:
        """Return the sha256 of the weights, and of the preprocessing."""
        from nextlabel.models.weights import state_digest

        return {
            "network": "hf",
            "weights": state_digest(self._model.state_dict()),
            "inputs": values_digest(self._processor.to_dict()),
        }

    @property
    def size(self) -> int:
        """The size that the preprocessing gives."""
        given = getattr(self._processor, "crop_size", None) or self._processor.size
        height = given.get("height") or given.get("shortest_edge")
        return NATIVE if height is None else int(height)

    @property
    def any_size(self) -> bool:
        """False: the preprocessing decides."""
        return False

    def load(self, size: int, device: str, precision: str) -> Network:
        """Return the model, its weights checked."""
        import torch

        from nextlabel.models.device import resolve_device
        from nextlabel.models.weights import check_finite

        check_finite(self._model.state_dict(), self.name)
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        placed = resolve_device(device)
        model = self._model.eval().requires_grad_(False).to(placed, dtype)
        return HuggingFaceNetwork(model, self._processor, self._without_pooler, placed, dtype)

    @cached_property
    def _processor(self) -> Any:
        transformers = _transformers(self.name)
        with self._refusing(), _quiet():
            return transformers.AutoImageProcessor.from_pretrained(self.name, backend="pil")

    @property
    def _model(self) -> Any:
        return self._loaded[0]

    @property
    def _without_pooler(self) -> bool:
        """True when the layer that pools was never trained, so that the first token counts."""
        return any("pooler" in key for key in self._loaded[1])

    @cached_property
    def _loaded(self) -> tuple[Any, tuple[str, ...]]:
        """The model, and the names of weights that its files lack."""
        transformers = _transformers(self.name)
        with self._refusing(), _quiet():
            config = transformers.AutoConfig.from_pretrained(self.name)
            clip = config.model_type in CLIP
            model_class = transformers.CLIPVisionModel if clip else transformers.AutoModel
            model, report = model_class.from_pretrained(self.name, output_loading_info=True)
        missing = tuple(sorted(report["missing_keys"]))
        untrained = [key for key in missing if "pooler" not in key]
        if untrained:
            raise DataError(
                f"hf:{self.name} lacks {untrained[0]!r}; its files are of another network",
                code="weights-of-another-network",
            )
        return model, missing

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                f"hf:{self.name} cannot be loaded ({reason_of(error)}); check the name and the "
                "connection, or give a folder that save_pretrained made",
                code="network-not-loaded",
            ) from error


@dataclass(frozen=True, eq=False)
class HuggingFaceNetwork:
    """A model with the preprocessing that belongs to it."""

    model: Any
    processor: Any
    without_pooler: bool
    device: Any
    dtype: Any
    least_size: None = None

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return one image as float32 (3, H, W)."""
        colours = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
        made = self.processor(
            images=colours, input_data_format="channels_last", return_tensors="np"
        )
        image: NDArray[np.float32] = np.asarray(made["pixel_values"][0], np.float32)
        return image

    def features(self, batch: NDArray[Any]) -> Array:
        """Return rows (B, columns) float32: the pooled output, else the first token."""
        import torch

        with torch.inference_mode():
            images = torch.from_numpy(batch).to(self.device, self.dtype)
            output = self._output(images)
            rows: Array = output.flatten(1).float().cpu().numpy()
        return rows

    def _output(self, images: Any) -> Any:
        if hasattr(self.model, "get_image_features"):
            features = self.model.get_image_features(pixel_values=images)
            return getattr(features, "pooler_output", features)
        output = self.model(pixel_values=images)
        pooled = getattr(output, "pooler_output", None)
        if pooled is not None and not self.without_pooler:
            return pooled
        last = output.last_hidden_state
        return last[:, 0] if last.ndim == 3 else last.mean((2, 3))


def _transformers(name: str) -> Any:
    if find_spec("transformers") is None:
        raise UsageError(
            f"hf:{name} needs transformers, which is not installed: "
            "pip install 'nextlabel[transformers]'; or use network = \"efficientnet_lite0\"",
            code="extra-missing",
        )
    import transformers

    return transformers


@contextmanager
def _quiet() -> Iterator[None]:
    """Let transformers print nothing while it loads."""
    from transformers.utils import logging as library_logging

    logging: Any = library_logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
