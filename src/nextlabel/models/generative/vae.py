"""The variational autoencoder V [Kingma & Welling 2013], equation 5: features from no label."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextlabel.core.errors import DataError
from nextlabel.core.progress import trained
from nextlabel.core.seeds import Seeds
from nextlabel.core.types import Array
from nextlabel.models.device import precise, resolve_device
from nextlabel.models.freed_memory import kept_memory
from nextlabel.models.generative.priors import Prior
from nextlabel.models.generative.priors import kl_divergence as kl_divergence
from nextlabel.models.generative.vae_settings import VAESettings as VAESettings
from nextlabel.models.networks.base import build, generator, on_device
from nextlabel.models.networks.encoder import CHANNELS

UP = 4
INFERENCE_BATCH = 512


class VAE(nn.Module):
    """Encoder: four down-sampling convolutions and two linear layers (mean, log-variance).

    Decoder: one sub-pixel up-sampling convolution and four size-preserving ones.
    """

    def __init__(self, shape: tuple[int, int, int], settings: VAESettings) -> None:
        super().__init__()
        channels, height, width = shape
        self.shape = shape
        sizes = (channels, *CHANNELS)
        self.down = nn.Sequential(
            *(
                layer
                for i in range(4)
                for layer in (nn.Conv2d(sizes[i], sizes[i + 1], 3, 2, 1), nn.ReLU())
            )
        )
        top = CHANNELS[-1] * -(-height // 16) * -(-width // 16)
        self.mean = nn.Linear(top, settings.latent)
        self.log_variance = nn.Linear(top, settings.latent)
        self.small = (-(-height // UP), -(-width // UP))
        self.up = nn.Linear(settings.latent, CHANNELS[-1] * self.small[0] * self.small[1])
        self.decoder = nn.Sequential(*_decoder(channels, settings.upsample))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance (B, latent) of q(z|x) for x (B, C, H, W) in [0, 1]."""
        top = self.down(x).flatten(1)
        return self.mean(top), self.log_variance(top)

    def decode(self, z: Tensor) -> Tensor:
        """Return pixel logits (B, C, H, W) for z (B, latent)."""
        x = torch.relu(self.up(z)).view(len(z), CHANNELS[-1], *self.small)
        pixels: Tensor = self.decoder(x)
        return pixels[:, :, : self.shape[1], : self.shape[2]]


class VAEOutputs(NamedTuple):
    """Outputs of a VAE for B images: mean, log-variance and a draw of q(z|x), and pixel logits.

    The shapes are (B, latent) three times, and (B, C, H, W).
    """

    mean: Tensor
    log_variance: Tensor
    z: Tensor
    logits: Tensor


def _decoder(channels: int, upsample: str) -> list[nn.Module]:
    wide = CHANNELS[-1]

    def keep(outputs: int) -> list[nn.Module]:
        return [nn.Conv2d(wide, outputs, 3, padding=1)]

    def rise(outputs: int) -> list[nn.Module]:
        return [nn.Conv2d(wide, outputs * UP * UP, 3, padding=1), nn.PixelShuffle(UP)]

    if upsample == "last":
        stages = [keep(wide) for _ in range(4)] + [rise(channels)]
    else:
        stages = [rise(wide)] + [keep(wide) for _ in range(3)] + [keep(channels)]
    layers = [layer for stage in stages for layer in (*stage, nn.ReLU())]
    return layers[:-1]


def reconstruction(logits: Tensor, x: Tensor, settings: VAESettings) -> Tensor:
    """Return -log p(x|z) summed over pixels, for each image (B), in nats.

    The Gaussian's constant, which no parameter changes, is left out.
    """
    if settings.likelihood == "bernoulli":
        loss = F.binary_cross_entropy_with_logits(logits, x, reduction="none")
    else:
        loss = (logits.sigmoid() - x).square() / (2 * settings.deviation**2)
    return loss.flatten(1).sum(1)


@dataclass(frozen=True, eq=False)
class FittedVAE:
    """A trained VAE, its prior, and its per-epoch record, per image in nats.

    The record holds elbo, reconstruction and kl; and, where the prior has several components, the
    effective numbers of those in use (`components`) and of `distinct` ones.
    """

    network: VAE
    device: torch.device
    log: tuple[dict[str, float], ...]
    prior: Prior

    def means(self, images: Tensor) -> Array:
        """Return V(u), the posterior means (N, latent) float32 of uint8 images (N, C, H, W)."""
        return self.encode(images)[0].numpy()

    def kl_by_dimension(self, images: Tensor) -> Array:
        """Return the mean KL to N(0, 1) of each latent dimension, shape (latent), in nats."""
        mean, log_variance = self.encode(images)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
        return kl.mean(0).numpy()

    def decode(self, z: Array | Tensor) -> Array:
        """Return images (n, C, H, W) uint8 for latent points (n, latent)."""
        with torch.inference_mode():
            logits = self.network.decode(torch.as_tensor(z, device=self.device))
            return (logits.sigmoid() * 255).round().to(torch.uint8).cpu().numpy()

    @kept_memory()
    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance (N, latent), on the CPU, of uint8 images (N, C, H, W)."""
        with torch.inference_mode():
            batches = [
                self.network.encode(scaled(batch.to(self.device)))
                for batch in torch.split(images, INFERENCE_BATCH)
            ]
        return torch.cat([b[0] for b in batches]).cpu(), torch.cat([b[1] for b in batches]).cpu()

    def state(self, *modules: str) -> dict[str, Array]:
        """Return the weights by name, float32: of all modules, or of those named ("down")."""
        return {
            name: tensor.numpy(force=True).copy(order="C")
            for name, tensor in self.network.state_dict().items()
            if not modules or name.split(".")[0] in modules
        }


@kept_memory()
def fit_vae(images: Tensor, settings: VAESettings, seeds: Seeds) -> FittedVAE:
    """Train V on images by maximising the ELBO (equation 5), without labels.

    Both terms are summed over their own dimensions and averaged over the batch.

    Parameters
    ----------
    images
        Uint8 (N, C, H, W).
    settings
        The settings of the block.
    seeds
        The trial's seeds: streams "vae weights", "vae order" and "vae noise".

    Raises
    ------
    DataError
        The training diverges.
    """
    device = resolve_device(settings.device)
    shape = (images.shape[1], images.shape[2], images.shape[3])
    network = build(lambda: VAE(shape, settings), generator(seeds.integer("vae weights")))
    on_device(network, device)
    prior = settings.prior(network.encode, images, seeds).to(device)
    images = images.to(device)
    optimiser = adam(network.parameters(), prior.parameters(), prior.pace, settings, device)
    order = seeds.rng("vae order")
    noise = generator(seeds.integer("vae noise"))
    batches = -(-len(images) // settings.batch_size)
    log: list[dict[str, float]] = []
    network.train()
    for epoch in range(settings.epochs):
        sums, points = torch.zeros(2, device=device), []
        beta = settings.beta_in(epoch)
        for rows in np.array_split(order.permutation(len(images)), batches):
            x = scaled(images[torch.from_numpy(rows).to(device)])
            done, z = _step(network, prior, optimiser, x, settings, beta, noise)
            sums += done
            points.append(z)
        rebuilt, kl = (sums / len(images)).tolist()
        check_loss(rebuilt + kl, len(log) + 1, settings)
        log.append({"elbo": -(rebuilt + kl), "reconstruction": rebuilt, "kl": kl})
        if prior.components > 1:
            used, distinct = prior.in_use(torch.cat(points))
            log[-1] |= {"components": used, "distinct": distinct}
        trained(len(log), settings.epochs)
    network.eval()
    return FittedVAE(network, device, tuple(log), prior)


def _step(
    network: VAE,
    prior: Prior,
    optimiser: torch.optim.Optimizer,
    x: Tensor,
    settings: VAESettings,
    beta: float,
    noise: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Take one step; return the batch's summed reconstruction error and KL (2), and its z."""
    optimiser.zero_grad()
    outputs = draw_outputs(network, x, settings, noise)
    rebuilt = reconstruction(outputs.logits, x, settings)
    kl = prior.kl(outputs.mean, outputs.log_variance, outputs.z)
    if settings.free_bits:
        cost = prior.kl_beyond(settings.free_bits, outputs.mean, outputs.log_variance, kl)
        torch.autograd.backward(rebuilt.mean() + beta * cost)
    else:
        torch.autograd.backward((rebuilt + beta * kl).mean())
    optimiser.step()
    prior.constrain()
    return torch.stack([rebuilt.detach().sum(), kl.detach().sum()]), outputs.z.detach()


def draw_outputs(
    network: VAE,
    x: Tensor,
    settings: VAESettings,
    noise: torch.Generator,
    condition: Tensor | None = None,
) -> VAEOutputs:
    """Return what a VAE makes of images x (B, C, H, W) in [0, 1], with z drawn from q(z|x).

    `condition` (B, columns) is what the decoder reads in addition to z, if anything.
    The pass is in the settings' precision; outputs in bfloat16 are returned as float32.
    """
    epsilon = torch.randn(len(x), settings.latent, generator=noise).to(x.device, x.dtype)
    with precise(x.device, settings.precision):
        mean, log_variance = network.encode(x)
        z = mean + (0.5 * log_variance).exp() * epsilon
        logits = network.decode(z if condition is None else torch.cat([z, condition], dim=1))
    whole = (t.float() if t.dtype == torch.bfloat16 else t for t in (mean, log_variance, z, logits))
    return VAEOutputs(*whole)


def adam(
    weights: Iterable[nn.Parameter],
    undecayed: Iterable[nn.Parameter],
    pace: float,
    settings: VAESettings,
    device: torch.device,
) -> torch.optim.Optimizer:
    """Return Adam as the settings say; a prior's parameters go at their own pace, undecayed.

    Weight decay would pull them to 0, which is not a neutral value for them.
    """
    optimiser = torch.optim.Adam(
        weights,
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )
    if rest := list(undecayed):
        optimiser.add_param_group(
            {"params": rest, "weight_decay": 0.0, "lr": pace * settings.learning_rate}
        )
    return optimiser


def check_loss(loss: float, epoch: int, settings: VAESettings) -> None:
    """Raise DataError when an epoch's loss is not a number any more."""
    if not np.isfinite(loss):
        raise DataError(
            f"the VAE diverged in epoch {epoch}; lower blocks.{settings.block}.learning_rate, now "
            f"{settings.learning_rate}",
            code="training-diverged",
        )


def scaled(batch: Tensor) -> Tensor:
    """Return uint8 images (B, C, H, W) as float32 in [0, 1], channels last."""
    values = batch.to(torch.float32) / 255
    return values.contiguous(memory_format=torch.channels_last)
