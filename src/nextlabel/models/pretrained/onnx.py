"""Networks in ONNX files, run by onnxruntime on the processor."""

import os
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import Array
from nextlabel.models.pretrained import register
from nextlabel.models.pretrained.base import NATIVE, SCALES, Network, square
from nextlabel.models.pretrained.network_file import NetworkFile

TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}
"""Types of an input that are given; uint8 takes the values 0 to 255 as they are."""
LOCATION = rb"\n\x08location\x12"
"""The bytes before the size and the name of a file of weights, in ONNX's protobuf."""
LONGEST = 4096
"""The most bytes of a size and a name."""


@register("onnx")
class OnnxSource(NetworkFile):
    """A network with one input (B, 3, H, W) or (B, H, W, 3); its first output are the features."""

    format = "onnx"
    library = "onnxruntime"

    @property
    def files(self) -> list[Path]:
        """The file, and those that hold its larger weights, which it names."""
        names = set()
        content = self.path.read_bytes()
        for match in re.finditer(LOCATION, content):
            low, high, *rest = content[match.end() : match.end() + LONGEST].ljust(2)
            # Of a name of 128 bytes or more, the size has a second byte.
            size, name = (low + (high - 1) * 128, rest) if low >= 128 else (low, [high, *rest])
            names.add(os.fsdecode(bytes(name[:size])))
        return [self.path, *(self.path.parent / name for name in sorted(names))]

    @property
    def size(self) -> int:
        """The size that the file fixes, else that of most networks."""
        return self._height if isinstance(self._height, int) else NATIVE

    @property
    def any_size(self) -> bool:
        """True when the file does not fix the size."""
        return not isinstance(self._height, int)

    def load(self, size: int, device: str, precision: str) -> Network:
        """Return the network; it has a precision of its own."""
        channels_last = self._input.shape[3] == 3
        batch = self._input.shape[0]
        return OnnxNetwork(
            self, size, channels_last, batch if isinstance(batch, int) else None, self._type
        )

    @cached_property
    def session(self) -> Any:
        """The loaded file."""
        if find_spec("onnxruntime") is None:
            raise UsageError(
                "a network in an ONNX file needs onnxruntime, which is not installed: "
                "pip install 'nextlabel[onnx]'",
                code="extra-missing",
            )
        import onnxruntime
        import torch

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 4
        self.identity()  # refuses a file that is not there
        try:
            return onnxruntime.InferenceSession(
                self.path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own kinds have no common base
            raise self.broken(error) from error

    @property
    def _input(self) -> Any:
        inputs = self.session.get_inputs()
        shapes = [list(given.shape) for given in inputs]
        if len(inputs) != 1 or len(shapes[0]) != 4 or 3 not in (shapes[0][1], shapes[0][3]):
            raise DataError(
                f"{self.path.name} takes inputs of shape {', '.join(map(str, shapes))}; export a "
                "network with one input (images, 3, height, width)",
                code="network-input",
            )
        return inputs[0]

    @property
    def _height(self) -> int | str | None:
        shape = self._input.shape
        height: int | str | None = shape[1] if shape[3] == 3 else shape[2]
        return height

    @property
    def _type(self) -> Any:
        values = self._input.type
        if values not in TYPES:
            raise DataError(
                f"{self.path.name} takes {values}; export it with an input of {', '.join(TYPES)}",
                code="network-input",
            )
        return TYPES[values]


@dataclass(frozen=True, eq=False)
class OnnxNetwork:
    """A loaded ONNX file as a network."""

    source: OnnxSource
    size: int
    channels_last: bool
    batch: int | None
    """The number of images that the file fixes."""
    dtype: Any

    @property
    def least_size(self) -> int:
        """The size of its images."""
        return self.size

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return one image as RGB (size, size, 3)."""
        return square(pixels, self.size)

    def features(self, batch: NDArray[Any]) -> Array:
        """Return rows (B, columns) float32 of images uint8 (B, size, size, 3)."""
        values: NDArray[Any] = batch
        if self.dtype != np.uint8:
            mean, deviation = (np.array(v, np.float32) for v in SCALES[self.source.values])
            values = ((batch - mean) / deviation).astype(self.dtype)
        if not self.channels_last:
            values = np.ascontiguousarray(values.transpose(0, 3, 1, 2))
        session, step = self.source.session, self.batch or len(values)
        name = session.get_inputs()[0].name
        outputs = []
        for start in range(0, len(values), step):
            some = values[start : start + step]
            full = np.concatenate([some, np.repeat(some[:1], step - len(some), axis=0)])
            try:
                (output, *_) = session.run(None, {name: full})
            except Exception as error:  # onnxruntime's own kinds have no common base
                reason = " ".join(str(error).split())[:200]
                raise self.source.unfit(reason, self.size) from error
            outputs.append(self.source.pooled(output)[: len(some)])
        return np.concatenate(outputs).astype(np.float32)
