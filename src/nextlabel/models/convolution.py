"""3×3 convolutions on feature maps so small that many taps only meet padding, without those taps.

On a 1×1 feature map a padded 3×3 convolution is a linear layer on its centre tap. On a 2×2 one it
is, with stride 2, a linear layer on the lower right four taps, and with stride 1 a dense layer
from (4 × inputs) to (4 × outputs). All are exact, gradients included. At 28 pixels that is the
whole fourth stage of a ResNet-18 and most of the third.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

Reach = Literal["centre", "corner", "square"]


class Conv3x3(nn.Conv2d):
    """A 3×3 convolution, padding 1, no bias, that can leave out taps which meet only padding.

    While `compact` trains it, `taps` holds what matters of the weight, tap-major:
    "centre" (inputs, outputs), "corner" (4 × inputs, outputs), "square" (3, 3, inputs, outputs).
    """

    reach: Reach | None
    taps: nn.Parameter | None

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, 3, stride, padding=1, bias=False)
        self.reach, self.taps = None, None

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, ⌈H/stride⌉, ⌈W/stride⌉) for (B, inputs, H, W)."""
        if self.taps is None:
            return super().forward(x)
        if self.reach != reach_of(x.shape[2:], self.stride[0]):
            raise RuntimeError(
                f"a {x.shape[2]}×{x.shape[3]} feature map reached a convolution compacted for "
                "another size; leave `compact` before changing the image size"
            )
        pixels = x.permute(0, 2, 3, 1).reshape(len(x), -1)
        matrix: Tensor = self.taps
        if self.reach == "square":
            matrix = _Square.apply(self.taps, _product_type(x))  # type: ignore[no-untyped-call]
        side = 2 if self.reach == "square" else 1
        return (pixels @ matrix).view(len(x), side, side, -1).permute(0, 3, 1, 2)

    @torch.no_grad()
    def start(self, reach: Reach) -> None:
        """Take the taps that matter out of the weight, which rests until `finish`."""
        self.reach = reach
        self.taps = nn.Parameter(_window(self.weight, reach).permute(2, 3, 1, 0).contiguous())
        if reach != "square":
            self.taps = nn.Parameter(self.taps.reshape(-1, self.out_channels))
        self.weight.requires_grad_(False)

    @torch.no_grad()
    def finish(self) -> None:
        """Put the trained taps back into the weight."""
        assert self.taps is not None and self.reach is not None
        window = _window(self.weight, self.reach)
        outputs, inputs, height, width = window.shape
        window.copy_(self.taps.view(height, width, inputs, outputs).permute(3, 2, 0, 1))
        self.reach, self.taps = None, None
        self.weight.requires_grad_(True)


def reach_of(size: torch.Size, stride: int) -> Reach | None:
    """Return how a feature map of `size` meets a padded 3×3 convolution; None for the usual way."""
    if tuple(size) == (1, 1):
        return "centre"
    if tuple(size) == (2, 2):
        return "corner" if stride == 2 else "square"
    return None


def _window(weight: Tensor, reach: Reach) -> Tensor:
    """Return a view of the taps that meet a feature map of this reach."""
    return {"centre": weight[:, :, 1:2, 1:2], "corner": weight[:, :, 1:, 1:], "square": weight}[
        reach
    ]


class _Square(torch.autograd.Function):
    """The matrix (4 × inputs, 4 × outputs) of a convolution on 2×2 feature maps, from nine taps.

    Row (k, l, c), column (i, j, o) holds tap (k - i + 1, l - j + 1) of (c, o). The matrix has the
    type of the product, so that only the taps are rounded and not their copies.
    """

    @staticmethod
    def forward(ctx: Any, taps: Tensor, product_type: torch.dtype) -> Tensor:
        inputs, outputs = taps.shape[2:]
        taps = taps.to(product_type)
        matrix = taps.new_empty(2, 2, inputs, 2, 2, outputs)
        for i in (0, 1):
            for j in (0, 1):
                matrix[:, :, :, i, j] = taps[1 - i : 3 - i, 1 - j : 3 - j]
        return matrix.view(4 * inputs, 4 * outputs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        rows, columns = grads[0].shape
        matrix = grads[0].reshape(2, 2, rows // 4, 2, 2, columns // 4)
        wide = torch.promote_types(matrix.dtype, torch.float32)
        out = matrix.new_zeros(3, 3, rows // 4, columns // 4, dtype=wide)
        for i in (0, 1):
            for j in (0, 1):
                out[1 - i : 3 - i, 1 - j : 3 - j].add_(matrix[:, :, :, i, j])
        return out, None


def _product_type(x: Tensor) -> torch.dtype:
    """Return the type in which x is multiplied here."""
    if torch.is_autocast_enabled(x.device.type):
        return torch.get_autocast_dtype(x.device.type)
    return x.dtype


@contextmanager
def compact(network: nn.Module, images: Tensor) -> Iterator[list[nn.Parameter]]:
    """Train only the taps that the feature maps of `images` (1, C, H, W) meet; yield parameters.

    The other taps never get a gradient, so leaving them out changes nothing but the time that
    optimiser and gradients take. Weight decay does not touch them either.
    """
    convs = _with_small_feature_maps(network, images)
    for conv, reach in convs:
        conv.start(reach)
    try:
        yield [p for p in network.parameters() if p.requires_grad]
    finally:
        for conv, _ in convs:
            conv.finish()


def _with_small_feature_maps(network: nn.Module, images: Tensor) -> list[tuple[Conv3x3, Reach]]:
    """Return the convolutions that have small feature maps, found with one image."""
    small: list[tuple[Conv3x3, Reach]] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(module, Conv3x3)
        reach = reach_of(inputs[0].shape[2:], module.stride[0])
        if reach is not None:
            small.append((module, reach))

    hooks = [m.register_forward_pre_hook(note) for m in network.modules() if isinstance(m, Conv3x3)]
    training = network.training
    network.eval()
    with torch.no_grad():
        network(images)
    network.train(training)
    for hook in hooks:
        hook.remove()
    return small
