"""The task network that a VAE's encoder grows into: the same convolutions, then a linear layer."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array
from nextlabel.models.networks.base import TaskNetwork
from nextlabel.models.normalise import IMAGENET_DEVIATION, IMAGENET_MEAN

CHANNELS = (32, 64, 64, 64)
"""Channels of the convolutions of a VAE's encoder."""

PREFIX = "down."


class Encoder(TaskNetwork):
    """Four 3×3 convolutions that halve the feature map, as in the VAE; T_f has 64 features.

    It takes pixels in [0, 1] with three channels, grey ones repeated.
    """

    width = CHANNELS[-1]
    tap_widths = CHANNELS

    def __init__(self, outputs: int) -> None:
        super().__init__()
        inputs = (3, *CHANNELS)
        self.convs = nn.ModuleList(nn.Conv2d(inputs[i], w, 3, 2, 1) for i, w in enumerate(CHANNELS))
        self.fc = nn.Linear(self.width, outputs)

    def taps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps after each convolution, for normalised images (B, 3, H, W)."""
        feature_maps: list[Tensor] = []
        mean = torch.tensor(IMAGENET_MEAN, device=images.device).view(1, 3, 1, 1)
        deviation = torch.tensor(IMAGENET_DEVIATION, device=images.device).view(1, 3, 1, 1)
        x = images * deviation + mean
        for conv in self.convs:
            x = torch.relu(conv(x))
            feature_maps.append(x)
        return tuple(feature_maps)


@torch.no_grad()
def take_over(network: TaskNetwork, state: Mapping[str, Array]) -> None:
    """Copy a VAE's encoder into an `Encoder`; a grey one's first filters are spread over channels.

    Raises DataError when the block has no such weights.
    """
    assert isinstance(network, Encoder)
    for i, conv in enumerate(network.convs):
        assert isinstance(conv, nn.Conv2d) and conv.bias is not None
        names = f"{PREFIX}{2 * i}.weight", f"{PREFIX}{2 * i}.bias"
        if any(name not in state for name in names):
            raise DataError(
                "the block that the model is to start from has no encoder; give a VAE's, for "
                'example block = "vae"',
                code="no-encoder",
            )
        weight, bias = (torch.from_numpy(state[name].copy()) for name in names)
        if i == 0 and weight.shape[1] == 1:
            weight = weight.expand(-1, 3, -1, -1) / 3
        conv.weight.copy_(weight)
        conv.bias.copy_(bias)
