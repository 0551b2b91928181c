"""Priors p(z) of a VAE behind one interface: normal, a learned mixture, and the VampPrior."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from nextlabel.core.types import Array

LOG_2PI = math.log(2 * math.pi)
SPREAD = 0.1
"""The deviation of a mixture's first means."""

Encode = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Images (B, C, H, W) in [0, 1] to mean and log-variance (B, latent)."""


class Prior(nn.Module, ABC):
    """p(z): the distribution to which the KL term of equation 5 pulls the posteriors."""

    components = 1
    """The number of Gaussians in it."""
    pace = 1.0
    """Its learning rate in multiples of the networks'."""

    @abstractmethod
    def kl(self, mean: Tensor, log_variance: Tensor, z: Tensor) -> Tensor:
        """Return KL(q(z|x) ‖ p(z)), or an unbiased estimate from z ~ q(z|x), (B) in nats.

        `mean`, `log_variance` and `z` have shape (B, latent); dimensions are summed.
        """

    @abstractmethod
    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Return `count` draws (count, latent) of p(z)."""

    def kl_beyond(self, free: float, mean: Tensor, log_variance: Tensor, kl: Tensor) -> Tensor:
        """Return the mean of `kl` (B) over a batch, without what is free [Kingma 2016].

        `free` nats per dimension cost nothing. Such KL is `free` times the dimensions at least,
        without a gradient up to there; here only the sum is known, so the sum is free.
        """
        return kl.mean().clamp(min=free * mean.shape[1])

    def in_use(self, z: Tensor) -> tuple[float, float]:
        """Return how many components points z (N, latent) belong to, and how many are distinct.

        Both are effective numbers, 1 … K: exp of the entropy of the mean responsibilities, and
        exp of the information that a point gives of its component, which is 1 for components
        that are all alike.
        """
        return 1.0, 1.0

    def arrays(self) -> dict[str, Array]:
        """Return the arrays of the prior that a task model reads, by name; none of a normal one."""
        return {}

    def constrain(self) -> None:
        """Bring parameters back into their valid range, after a step of the optimiser."""


class NormalPrior(Prior):
    """N(0, 1) in each dimension: the KL has a closed form, and nothing is learned."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.latent = latent

    def kl(self, mean: Tensor, log_variance: Tensor, z: Tensor) -> Tensor:
        """Return the closed form (B) of the KL; z is not used."""
        return kl_divergence(mean, log_variance)

    def kl_beyond(self, free: float, mean: Tensor, log_variance: Tensor, kl: Tensor) -> Tensor:
        """Return the sum over dimensions of their mean KL, each at least `free`."""
        return kl_by_dimension(mean, log_variance).mean(0).clamp(min=free).sum()

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Return normal draws (count, latent)."""
        return torch.randn(count, self.latent, generator=generator)


class ComponentPrior(Prior):
    """p(z) = Σ_k w_k N(z; m_k, s_k²); the KL by Monte Carlo, log q(z|x) - log p(z) at one z."""

    @abstractmethod
    def gaussians(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return log w (K), means and log-variances (K, latent)."""

    def joint(self, z: Tensor) -> Tensor:
        """Return log w_k + log N(z; m_k, s_k²) for points z (B, latent), shape (B, K)."""
        log_weights, means, log_variances = self.gaussians()
        return log_weights + log_normal(z.unsqueeze(1), means, log_variances).sum(2)

    @torch.no_grad()
    def arrays(self) -> dict[str, Array]:
        """Return log w (K), means and log-variances (K, latent), float32."""
        names = ("prior/log_weights", "prior/means", "prior/log_variances")
        return {
            name: tensor.numpy(force=True).copy()
            for name, tensor in zip(names, self.gaussians(), strict=True)
        }

    def kl(self, mean: Tensor, log_variance: Tensor, z: Tensor) -> Tensor:
        """Return log q(z|x) - log p(z), (B): its expectation over z ~ q(z|x) is the KL."""
        return log_normal(z, mean, log_variance).sum(1) - self.joint(z).logsumexp(1)

    @torch.no_grad()
    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Return draws (count, latent): a component by its weight, then a point of it."""
        log_weights, means, log_variances = (tensor.cpu() for tensor in self.gaussians())
        chosen = torch.multinomial(log_weights.exp(), count, replacement=True, generator=generator)
        noise = torch.randn(count, means.shape[1], generator=generator)
        return means[chosen] + (0.5 * log_variances[chosen]).exp() * noise

    @torch.no_grad()
    def in_use(self, z: Tensor) -> tuple[float, float]:
        """Return the effective numbers of components in use and of distinct ones, 1 … K."""
        total = torch.zeros(self.components, device=z.device)
        doubt = torch.zeros((), device=z.device)
        for batch in torch.split(z, 4096):
            responsibilities = self.joint(batch).softmax(1)
            total += responsibilities.sum(0)
            doubt += torch.special.entr(responsibilities).sum()
        entropy = torch.special.entr(total / len(z)).sum()
        return float(entropy.exp()), float((entropy - doubt / len(z)).exp())


class MixturePrior(ComponentPrior):
    """K Gaussians whose weights, means and variances are learned along with the VAE.

    They start with equal weights, unit variance and means drawn close together, where the
    untrained encoder puts all images: a component that starts far from them never gets any. They
    learn ten times as fast as the networks, whose steps are too small to part them in time.
    """

    pace = 10.0

    def __init__(self, components: int, latent: int, generator: torch.Generator) -> None:
        super().__init__()
        self.components = components
        self.means = nn.Parameter(SPREAD * torch.randn(components, latent, generator=generator))
        self.log_variances = nn.Parameter(torch.zeros(components, latent))
        self.logits = nn.Parameter(torch.zeros(components))

    def gaussians(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return log w (K), means and log-variances (K, latent)."""
        return self.logits.log_softmax(0), self.means, self.log_variances


class VampPrior(ComponentPrior):
    """The mean of the posteriors of K learned pseudo-inputs [Tomczak & Welling 2018].

    https://arxiv.org/abs/1705.07120. `pseudo_inputs` (K, C, H, W) in [0, 1] are where the search
    starts, real images for example; `encode` is the VAE's own encoder, run on them each step.
    """

    def __init__(self, pseudo_inputs: Tensor, encode: Encode) -> None:
        super().__init__()
        self.components = len(pseudo_inputs)
        self.pseudo_inputs = nn.Parameter(pseudo_inputs.clone(memory_format=torch.channels_last))
        self.encode = encode

    def gaussians(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return log w (K), all 1/K, and the pseudo-inputs' means and log-variances (K, latent)."""
        means, log_variances = self.encode(self.pseudo_inputs)
        log_weights = torch.full((self.components,), -math.log(self.components))
        return log_weights.to(means.device), means, log_variances

    @torch.no_grad()
    def constrain(self) -> None:
        """Keep pixels in [0, 1]; a clamp in the forward pass would leave them stuck outside."""
        self.pseudo_inputs.clamp_(0, 1)


def kl_by_dimension(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(q(z|x) ‖ N(0, 1)) of each dimension (B, latent), in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(q(z|x) ‖ N(0, 1)) summed over dimensions, for each image (B), in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def log_normal(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return log N(z; mean, exp(log_variance)) of each number, by broadcasting, in nats."""
    return -0.5 * ((z - mean).square() * (-log_variance).exp() + log_variance + LOG_2PI)
