"""Convolutions without bias, as matrix products of those taps that matter on small feature maps.

On a 1×1 feature map a padded 3×3 convolution is a linear layer on its centre tap. On a 2×2 one it
is, with stride 2, a linear layer on the lower right four taps, and with stride 1 a dense layer
from (4 × inputs) to (4 × outputs). All are exact, gradients included. At 28 pixels that is the
whole fourth stage of a ResNet-18 and most of the third.

Fast arithmetic takes more products for predictions, whose sums have another order: see
`tap_products`. Its training is written out in `explicit`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from nextlabel.models.normalise import colours_of_grey, grey_and_ones, normalise
from nextlabel.models.tap_products import fast_convolution, product_type, square_matrix

Reach = Literal["centre", "corner", "square"]

WIDEST = 8
"""The largest side of a feature map on which fast arithmetic was measured to be faster."""


class CompactConv(nn.Conv2d):
    """A convolution, 3×3 with padding 1 or 1×1, that can be a product of few taps.

    It has a bias only where `for_inference` folds BatchNorm into it. Within `compact`, `taps` holds
    what matters of a 3×3 weight on a small feature map, tap-major: "centre" (inputs, outputs),
    "corner" (4 × inputs, outputs), "square" (3, 3, inputs, outputs).
    """

    fast: bool
    """True where sums may have another order, which is quicker."""
    reach: Reach | None
    taps: nn.Parameter | None

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, kernel: Literal[1, 3] = 3
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        self.reach, self.taps, self.fast = None, None, False

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, ⌈H/stride⌉, ⌈W/stride⌉) for (B, inputs, H, W)."""
        if self.taps is None:
            if self.fast and max(x.shape[2:]) <= WIDEST:
                values = fast_convolution(x, self.weight, self.stride[0], product_type(x))
                return values if self.bias is None else values + self.bias[:, None, None]
            return super().forward(x)
        if self.reach != self.reach_of(x.shape[2:]):
            raise RuntimeError(
                f"a {x.shape[2]}×{x.shape[3]} feature map reached a convolution compacted for "
                "another size; leave `compact` before changing the image size"
            )
        pixels = x.permute(0, 2, 3, 1).reshape(len(x), -1)
        edge = 2 if self.reach == "square" else 1
        rows = self._product(pixels, self.taps, product_type(x))
        return rows.view(len(x), edge, edge, -1).permute(0, 3, 1, 2)

    def _product(self, pixels: Tensor, taps: Tensor, dtype: torch.dtype) -> Tensor:
        """Return pixels (B, …) times the taps that matter, with the bias: (B, …)."""
        if taps.dim() == 4:
            taps = square_matrix(taps, dtype)
        return pixels @ taps if self.bias is None else torch.addmm(self.bias, pixels, taps)

    def reach_of(self, size: torch.Size) -> Reach | None:
        """Return how a feature map of `size` meets the taps; None where it meets all of them."""
        if self.kernel_size[0] == 1:
            return None
        if tuple(size) == (1, 1):
            return "centre"
        if tuple(size) == (2, 2):
            return "corner" if self.stride[0] == 2 else "square"
        return None

    @torch.no_grad()
    def start(self, reach: Reach) -> None:
        """Take the taps that matter out of the weight, which rests until `finish`."""
        self.reach = reach
        self.taps = nn.Parameter(_window(self.weight, reach).permute(2, 3, 1, 0).contiguous())
        if reach != "square":
            self.taps = nn.Parameter(self.taps.reshape(-1, self.out_channels))
        self.weight.requires_grad_(False)

    @torch.no_grad()
    def fix(self) -> None:
        """Make the matrix of the taps once, for a convolution that is not trained any more."""
        assert self.taps is not None
        if self.reach == "square":
            self.taps = nn.Parameter(square_matrix(self.taps, self.taps.dtype))
            if self.bias is not None:
                self.bias = nn.Parameter(self.bias.repeat(4))

    @torch.no_grad()
    def finish(self) -> None:
        """Put the trained taps back into the weight."""
        assert self.taps is not None and self.reach is not None
        window = _window(self.weight, self.reach)
        outputs, inputs, height, width = window.shape
        window.copy_(self.taps.view(height, width, inputs, outputs).permute(3, 2, 0, 1))
        self.reach, self.taps = None, None
        self.weight.requires_grad_(True)


class FirstConv(nn.Conv2d):
    """A convolution of colours, which also takes what `grey_and_ones` makes of grey images.

    The colours of a normalised grey image are linear in its value. So two channels say as much as
    three, and the weights of the three give those of the two. All is exact but for rounding.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, …) for colours (B, 3, H, W), or for values and ones (B, 2, H, W)."""
        if x.shape[1] == self.in_channels:
            return super().forward(x)
        slopes, constants = colours_of_grey(x.device)
        weights = [(self.weight * factor).sum(1, keepdim=True) for factor in (slopes, constants)]
        values: Tensor = self._conv_forward(x, torch.cat(weights, 1), self.bias)
        return values


def preparation(network: nn.Module, images: Tensor, fast: bool) -> Callable[[Tensor], Tensor]:
    """Return what turns uint8 images, such as these (N, C, H, W), into the network's input."""
    grey = images.shape[1] == 1 and any(isinstance(m, FirstConv) for m in network.modules())
    return grey_and_ones if fast and grey else normalise


def _window(weight: Tensor, reach: Reach) -> Tensor:
    """Return a view of the taps that meet a feature map of this reach."""
    if reach == "centre":
        return weight[:, :, 1:2, 1:2]
    return weight[:, :, 1:, 1:] if reach == "corner" else weight


@contextmanager
def compact(network: nn.Module, images: Tensor) -> Iterator[list[nn.Parameter]]:
    """Use only the taps that the feature maps of `images` (1, C, H, W) meet; yield parameters.

    The other taps never get a gradient, so leaving them out changes nothing but the time that
    optimiser and gradients take. Weight decay does not touch them either.
    """
    small = small_feature_maps(network, images)
    for conv, reach in small:
        conv.start(reach)
    try:
        yield [p for p in network.parameters() if p.requires_grad]
    finally:
        for conv, _ in small:
            conv.finish()


def small_feature_maps(network: nn.Module, images: Tensor) -> list[tuple[CompactConv, Reach]]:
    """Return the convolutions that have small feature maps, found with one image."""
    small: list[tuple[CompactConv, Reach]] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(module, CompactConv)
        reach = module.reach_of(inputs[0].shape[2:])
        if reach is not None:
            small.append((module, reach))

    convs = [module for module in network.modules() if isinstance(module, CompactConv)]
    hooks = [conv.register_forward_pre_hook(note) for conv in convs]
    training = network.training
    network.eval()
    with torch.no_grad():
        network(images)
    network.train(training)
    for hook in hooks:
        hook.remove()
    return small
