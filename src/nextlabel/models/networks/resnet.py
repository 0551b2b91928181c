"""ResNet-18 [He 2016] with torchvision's state-dict names, so that its published weights load."""

from typing import Literal

import torch
from torch import Tensor, nn

from nextlabel.models.convolution import CompactConv, FirstConv
from nextlabel.models.networks.base import TaskNetwork

Stem = Literal["imagenet", "small"]
WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut; the first may halve the feature map."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = CompactConv(inputs, outputs, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = CompactConv(outputs, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                CompactConv(inputs, outputs, stride, kernel=1), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, ⌈H/stride⌉, ⌈W/stride⌉) for (B, inputs, H, W)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        out = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(out)) + shortcut)


class ResNet18(TaskNetwork):
    """The task model T: the feature maps of four stages, T_f (512 features) and T_c (`fc`).

    `stem = "imagenet"` is the 7×7 convolution and max-pool of the original; "small" is a 3×3
    convolution without max-pool, for small images.
    """

    width = WIDTHS[-1]
    tap_widths = WIDTHS

    def __init__(self, outputs: int, stem: Stem = "imagenet") -> None:
        super().__init__()
        small = stem == "small"
        self.conv1 = FirstConv(
            3, 64, 3 if small else 7, 1 if small else 2, 1 if small else 3, bias=False
        )
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(64, 64, 1)
        self.layer2 = _stage(64, 128, 2)
        self.layer3 = _stage(128, 256, 2)
        self.layer4 = _stage(256, 512, 2)
        self.fc = nn.Linear(self.width, outputs)

    def taps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps after each of four stages, for normalised images (B, 3, H, W)."""
        # ReLU after the maximum of nine is the same as before it, on a quarter of the values.
        x = torch.relu(self.maxpool(self.bn1(self.conv1(images))))
        first = self.layer1(x)
        second = self.layer2(first)
        third = self.layer3(second)
        return first, second, third, self.layer4(third)


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1))
