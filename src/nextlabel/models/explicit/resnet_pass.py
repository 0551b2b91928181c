"""The forward and backward pass of ResNet-18 in training, written out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from nextlabel.models.explicit.bilinear_form import LARGEST, bilinear_form
from nextlabel.models.explicit.flat_weights import FlatWeights
from nextlabel.models.explicit.layers import (
    FirstConvolution,
    LibraryConvolution,
    MaxPool,
    Norm,
)
from nextlabel.models.explicit.memory import Memory, Workspace
from nextlabel.models.explicit.small_convolution import SmallConvolution
from nextlabel.models.networks.resnet import BasicBlock, ResNet18

Size = tuple[int, int]


@contextmanager
def explicit_pass(
    network: ResNet18, images: Tensor, dtype: torch.dtype
) -> Iterator[tuple[list[nn.Parameter], Callable[[Tensor], tuple[Tensor, ...]]]]:
    """Yield the parameters to train, and what computes feature maps as `network.taps` does.

    `images` (1, C, H, W) are prepared, and have the size of those to come; products are in `dtype`.
    The feature maps of a batch stay until the next one; RuntimeError is raised for a backward pass
    that comes later. The network has its weights and statistics at the end.
    """
    trunk = _Trunk(network, images, dtype)
    anchor = torch.zeros((), requires_grad=True)

    def taps(batch: Tensor) -> tuple[Tensor, ...]:
        feature_maps: tuple[Tensor, ...] = _Pass.apply(anchor, batch, trunk)  # type: ignore[no-untyped-call]
        return feature_maps

    try:
        yield [trunk.weights.parameter, *network.fc.parameters()], taps
    finally:
        trunk.finish()


class _Pass(torch.autograd.Function):
    """The trunk as one function for autograd, which takes the gradients of the losses."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, batch: Tensor, trunk: "_Trunk") -> tuple[Tensor, ...]:
        ctx.trunk, ctx.step = trunk, trunk.steps
        ctx.set_materialize_grads(False)
        with torch.autocast("cpu", enabled=False):
            return tuple(tap.permute(0, 3, 1, 2) for tap in trunk.forward(batch))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[None, None, None]:
        if ctx.trunk.steps != ctx.step + 1:
            raise RuntimeError("another batch has overwritten the feature maps; take one at a time")
        ctx.trunk.backward([None if g is None else g.permute(0, 2, 3, 1) for g in grads])
        return None, None, None


class _Trunk:
    """All layers before `fc`. Feature maps (B, H, W, C) lie in memory in this order."""

    def __init__(self, network: ResNet18, images: Tensor, dtype: torch.dtype) -> None:
        self.network, self.dtype, self.steps = network, dtype, 0
        self.size, self.images = images.shape[2:], 0
        self.weights, self.space = FlatWeights(dtype), Workspace(dtype)
        space = self.space
        self.conv = FirstConvolution(network.conv1, self.weights)
        self.norm = Norm(network.bn1, self.weights, space)
        self.pool = _pool(network.maxpool, space)
        with torch.no_grad():
            size: Size = network.maxpool(network.conv1(images)).shape[2:]
        self.stages: list[list[_Block]] = []
        for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
            self.stages.append([])
            for block in stage:
                assert isinstance(block, BasicBlock)
                self.stages[-1].append(_Block(block, size, self.weights, space))
                size = self.stages[-1][-1].size
        self.weights.join()

    def forward(self, batch: Tensor) -> list[Tensor]:
        """Return the feature maps after each stage, for images (B, C, H, W)."""
        if batch.shape[2:] != self.size:
            raise RuntimeError(
                f"images of {tuple(batch.shape[2:])} pixels reached a pass for images of "
                f"{tuple(self.size)}; open another one"
            )
        if len(batch) != self.images:
            self.images = len(batch)
            self.space.clear()
        self.weights.round()
        self.steps += 1
        images = Memory(batch.to(self.dtype).permute(0, 2, 3, 1).contiguous())
        x = self.pool.forward(self.norm.forward(self.conv.forward(images)))
        taps = []
        for stage in self.stages:
            for block in stage:
                x = block.forward(x)
            taps.append(x.tensor)
        return taps

    def backward(self, gradients: Sequence[Tensor | None]) -> None:
        """Leave the gradient of all weights, from those of the feature maps after each stage."""
        if gradients[-1] is None:
            self.weights.clear_gradient()  # the last layers get none
        gradient: Memory | None = None
        for stage, added in zip(reversed(self.stages), reversed(gradients), strict=True):
            if added is not None and gradient is None:
                gradient = Memory(added.clone(memory_format=torch.contiguous_format))
            elif added is not None and gradient is not None:
                gradient.tensor += added
            for block in reversed(stage):
                gradient = None if gradient is None else block.backward(gradient)
        if gradient is not None:
            self.conv.finish(self.norm.backward(self.pool.backward(gradient)))
        self.weights.give_gradient()

    @torch.no_grad()
    def finish(self) -> None:
        """Give the network its weights, and BatchNorm the number of steps."""
        self.weights.restore()
        for module in self.network.modules():
            if isinstance(module, nn.BatchNorm2d) and module.num_batches_tracked is not None:
                module.num_batches_tracked += self.steps


class _Block:
    """A `BasicBlock`.

    Gradients lie in memory that the blocks share. That of a block's input is "outer", or stays
    where the gradient of its values was. Within the block, `conv2` writes "inner" and each
    BatchNorm writes "norm", which the convolution before it reads at once.
    """

    def __init__(
        self, block: BasicBlock, size: Size, weights: FlatWeights, space: Workspace
    ) -> None:
        self.conv1, between = _convolution(block.conv1, size, weights, space, "outer")
        self.norm1 = Norm(block.bn1, weights, space)
        self.conv2, self.size = _convolution(block.conv2, between, weights, space, "inner")
        self.norm2 = Norm(block.bn2, weights, space)
        self.shortcut: tuple[_Convolution, Norm] | None = None
        if block.downsample is not None:
            conv, norm = block.downsample.children()
            assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
            first = _convolution(conv, size, weights, space, "outer")[0]
            self.shortcut = first, Norm(norm, weights, space, relu=False)

    def forward(self, x: Memory) -> Memory:
        """Return the feature maps after the block."""
        values = self.conv2.forward(self.norm1.forward(self.conv1.forward(x)))
        if self.shortcut is not None:
            conv, norm = self.shortcut
            x = norm.forward(conv.forward(x))
        return self.norm2.forward(values, x)

    def backward(self, gradient: Memory) -> Memory:
        """Return the gradient of x from that of the values, which is overwritten."""
        inner = self.conv2.backward(self.norm2.backward(gradient))
        inner = self.norm1.backward(inner)
        if self.shortcut is None:
            return self.conv1.backward(inner, gradient)
        of_x = self.conv1.backward(inner)
        conv, norm = self.shortcut
        return conv.backward(norm.backward(gradient), of_x)


class _NoPool:
    """The stem for small images has no pooling."""

    def forward(self, x: Memory) -> Memory:
        """Return x."""
        return x

    def backward(self, gradient: Memory) -> Memory:
        """Return the gradient."""
        return gradient


_Convolution = SmallConvolution | LibraryConvolution


def _pool(pool: nn.Module, space: Workspace) -> MaxPool | _NoPool:
    """Return the pooling of the stem."""
    return MaxPool(pool, space) if isinstance(pool, nn.MaxPool2d) else _NoPool()


def _convolution(
    conv: nn.Conv2d, size: Size, weights: FlatWeights, space: Workspace, use: str
) -> tuple[_Convolution, Size]:
    """Return a convolution for feature maps of this size, and the size that it makes of it."""
    height, width = (-(-side // conv.stride[0]) for side in size)
    if max(size) > LARGEST:
        return LibraryConvolution(conv, weights), (height, width)
    form = bilinear_form(*size, conv.kernel_size[0], conv.stride[0])
    return SmallConvolution(conv, weights, form, space, use), (height, width)
