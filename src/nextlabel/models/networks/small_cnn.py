"""A small convolutional network for tiny images, few labels and fast tests."""

import torch
from torch import Tensor, nn

from nextlabel.models.networks.base import TaskNetwork

WIDTHS = (32, 64, 128, 128)
KERNELS = (5, 3, 3, 3)


class SmallCNN(TaskNetwork):
    """Four convolutions with BatchNorm, each halving the feature map; T_f has 128 features.

    A pixel of the last feature map depends on 33 × 33 pixels of the image, so that T_f is of whole
    shapes and not of strokes: averaged over the image, strokes would say little of a digit.
    """

    width = WIDTHS[-1]
    tap_widths = WIDTHS

    def __init__(self, outputs: int) -> None:
        super().__init__()
        inputs = (3, *WIDTHS)
        self.convs = nn.ModuleList(
            nn.Conv2d(inputs[i], WIDTHS[i], k, 2, k // 2, bias=False) for i, k in enumerate(KERNELS)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(w) for w in WIDTHS)
        self.fc = nn.Linear(self.width, outputs)

    def taps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps after each convolution, for normalised images (B, 3, H, W)."""
        feature_maps, x = [], images
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = torch.relu(norm(conv(x)))
            feature_maps.append(x)
        return tuple(feature_maps)
