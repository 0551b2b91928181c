"""Task networks: what each offers, and building one without global randomness."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from nextlabel.core.types import Array


class TaskNetwork(nn.Module, ABC):
    """T = T_c ∘ T_f: feature maps after each stage, features before the last layer, then logits."""

    width: int
    """The number of features."""
    tap_widths: tuple[int, ...]
    """The number of channels after each stage."""
    fc: nn.Linear
    """T_c, from features to logits."""

    @abstractmethod
    def taps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps after each stage, for normalised images (B, 3, H, W)."""

    def pool(self, taps: tuple[Tensor, ...]) -> Tensor:
        """Return T_f (B, width): the last feature map, averaged over its pixels."""
        return taps[-1].mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, outputs)."""
        logits: Tensor = self.fc(self.pool(self.taps(images)))
        return logits


class NetworkMaker(Protocol):
    """The settings of a network, from which it is built."""

    @property
    def weights(self) -> str:
        """The source of the initial weights."""
        ...

    @property
    def block(self) -> str | None:
        """The block that the network starts from, if any."""
        ...

    @property
    def batch_norm(self) -> str:
        """The statistics of batch normalisation: "recalibrate" or "running"."""
        ...

    def network(self, outputs: int) -> TaskNetwork:
        """Return the untrained network with this number of outputs."""
        ...

    def take_over(self, network: TaskNetwork, state: Mapping[str, Array]) -> None:
        """Copy the state of a block into the network."""
        ...


N = TypeVar("N", bound=nn.Module)


def build(make: Callable[[], N], generator: torch.Generator) -> N:
    """Return a network whose weights come from `generator`; torch's global one is not touched.

    Kaiming initialisation (fan out) for convolutions, uniform ±1/√fan_in for linear layers and
    one and zero for BatchNorm, as torchvision's ResNet.
    """
    with torch.device("meta"):
        network = make()
    network.to_empty(device="cpu")
    for module in network.modules():
        _initialise(module, generator)
    return network


@torch.no_grad()
def _initialise(module: nn.Module, generator: torch.Generator) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(
            module.weight, mode="fan_out", nonlinearity="relu", generator=generator
        )
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        bound = module.in_features**-0.5
        module.weight.uniform_(-bound, bound, generator=generator)
        if module.bias is not None:
            module.bias.uniform_(-bound, bound, generator=generator)
    elif isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
        module.reset_running_stats()
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)
    elif any(True for _ in module.parameters(False)) or any(True for _ in module.buffers(False)):
        raise TypeError(f"no rule to initialise {type(module).__name__}")


def generator(seed: int) -> torch.Generator:
    """Return a torch generator on the CPU for `seed`, so that draws are alike on every device."""
    return torch.Generator().manual_seed(seed)


def on_device(network: N, device: torch.device) -> N:
    """Return the network on `device`, its filters laid out channels last, which is fastest."""
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def state_on_cpu(module: nn.Module) -> dict[str, Any]:
    """Return a copy of the module's state that later training cannot change."""
    return {name: tensor.detach().cpu().clone() for name, tensor in module.state_dict().items()}
