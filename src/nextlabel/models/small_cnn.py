"""A small convolutional network for tiny images, few labels and fast tests."""

import torch
from torch import Tensor, nn

from nextlabel.models.network import TaskNetwork

WIDTHS = (16, 32, 64)


class SmallCNN(TaskNetwork):
    """Three 3×3 convolutions with BatchNorm, halving twice; T_f has 64 features."""

    width = WIDTHS[-1]
    tap_widths = WIDTHS

    def __init__(self, outputs: int) -> None:
        super().__init__()
        inputs = (3, *WIDTHS)
        self.convs = nn.ModuleList(
            nn.Conv2d(inputs[i], w, 3, 1 if i == 0 else 2, 1, bias=False)
            for i, w in enumerate(WIDTHS)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(w) for w in WIDTHS)
        self.fc = nn.Linear(self.width, outputs)

    def taps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the maps after each convolution, images (B, 3, H, W) being normalised."""
        maps, x = [], images
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = torch.relu(norm(conv(x)))
            maps.append(x)
        return tuple(maps)
