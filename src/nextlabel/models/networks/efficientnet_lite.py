"""EfficientNet-Lite0 [Tan 2019], with the state-dict names of its published weights."""

import torch
from torch import Tensor, nn
from torch.nn import functional

STEM, HEAD = 32, 1280
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Repeats, kernel, stride of the first repeat, expansion and channels of each stage."""
EPSILON = 1e-3


class SameConv(nn.Conv2d):
    """A convolution without bias whose output has ⌈H / stride⌉ rows, as TensorFlow's "SAME".

    An odd number of padded rows or columns has the larger half at the bottom or on the right.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, ⌈H / stride⌉, ⌈W / stride⌉) for (B, inputs, H, W)."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        height, width = (max(kernel - (n - 1) % stride - 1, 0) for n in x.shape[2:])
        # An odd one is padded as evenly, and a row or column of zeros in front of the kernel meets
        # what is too much; that is faster than a copy of the feature map with its padding.
        weight = self.weight
        if height % 2 or width % 2:
            weight = functional.pad(weight, (width % 2, 0, height % 2, 0))
            weight = weight.contiguous(memory_format=torch.channels_last)
        padding = (height // 2 + height % 2, width // 2 + width % 2)
        return functional.conv2d(
            x, weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class InvertedResidual(nn.Module):
    """A 1×1 expansion, a depthwise convolution, a 1×1 projection, and a shortcut where it fits."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self._expand_conv: nn.Module = nn.Identity()
        self._bn0: nn.Module = nn.Identity()
        if expansion > 1:
            self._expand_conv = SameConv(inputs, wide, 1, 1, 1)
            self._bn0 = nn.BatchNorm2d(wide, EPSILON)
        self._depthwise_conv = SameConv(wide, wide, kernel, stride, wide)
        self._bn1 = nn.BatchNorm2d(wide, EPSILON)
        self._project_conv = SameConv(wide, outputs, 1, 1, 1)
        self._bn2 = nn.BatchNorm2d(outputs, EPSILON)
        self.shortcut = stride == 1 and inputs == outputs
        self.expands = expansion > 1

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, ⌈H / stride⌉, ⌈W / stride⌉) for (B, inputs, H, W)."""
        out: Tensor = x
        if self.expands:
            out = functional.relu6(self._bn0(self._expand_conv(out)), inplace=True)
        out = functional.relu6(self._bn1(self._depthwise_conv(out)), inplace=True)
        out = self._bn2(self._project_conv(out))
        return out + x if self.shortcut else out


class EfficientNetLite0(nn.Module):
    """Images (B, 3, H, W), scaled as (x − 127) / 128, to 1,280 pooled features; no last layer."""

    width = HEAD

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, STEM, 3, 2, 1)
        self._bn0 = nn.BatchNorm2d(STEM, EPSILON)
        layers: list[nn.Module] = []
        inputs = STEM
        for repeats, kernel, stride, expansion, outputs in STAGES:
            for number in range(repeats):
                first = stride if number == 0 else 1
                layers.append(InvertedResidual(inputs, outputs, kernel, first, expansion))
                inputs = outputs
        self._blocks = nn.Sequential(*layers)
        self._conv_head = SameConv(inputs, HEAD, 1, 1, 1)
        self._bn1 = nn.BatchNorm2d(HEAD, EPSILON)

    def forward(self, images: Tensor) -> Tensor:
        """Return features (B, 1280), the average of the last feature map."""
        x = functional.relu6(self._bn0(self._conv_stem(images)), inplace=True)
        x = self._blocks(x)
        x = functional.relu6(self._bn1(self._conv_head(x)), inplace=True)
        return x.mean(dim=(2, 3))
