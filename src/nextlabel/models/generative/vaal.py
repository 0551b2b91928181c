"""The VAE and the discriminator of VAAL, trained against each other [Sinha et al. 2019].

"Variational adversarial active learning", https://arxiv.org/abs/1904.00370. The discriminator
learns which images are labelled, from their posterior means; the VAE learns means by which it
cannot. An image that still seems unlabelled is unlike all that are labelled.

TA-VAAL [Kim et al. 2021, https://arxiv.org/abs/2002.04709] is the same with one number more for
each image: the loss r that the module P predicts. As in the authors' code, the discriminator reads
r, and the decoder σ(r).
"""

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nextlabel.core.seeds import Seeds
from nextlabel.core.types import Array, Ids
from nextlabel.models.device import resolve_device
from nextlabel.models.freed_memory import kept_memory
from nextlabel.models.generative.ccvae import batches, restored
from nextlabel.models.generative.priors import NormalPrior, kl_divergence
from nextlabel.models.generative.vae import (
    VAE,
    FittedVAE,
    adam,
    check_loss,
    draw_outputs,
    reconstruction,
    scaled,
)
from nextlabel.models.generative.vae_settings import VAALSettings
from nextlabel.models.networks.base import build, generator, on_device

WIDTH = 512
"""The width of the discriminator's hidden layers."""


class Discriminator(nn.Module):
    """Three linear layers from a posterior mean, and perhaps more, to the logit of "labelled"."""

    def __init__(self, latent: int, more: int = 0) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent + more, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, 1),
        )

    def forward(self, mean: Tensor, more: Tensor | None = None) -> Tensor:
        """Return logits (B) of posterior means (B, latent) and `more` columns (B, more)."""
        seen = mean if more is None else torch.cat([mean, more], dim=1)
        logits: Tensor = self.layers(seen).squeeze(1)
        return logits


@kept_memory()
def refit_vaal(
    images: Tensor,
    labelled: Ids,
    state: Mapping[str, Array],
    settings: VAALSettings,
    number: int,
    seeds: Seeds,
    predicted_losses: Array | None = None,
) -> tuple[FittedVAE, Array]:
    """Train both from `state`, the VAE without labels; return it, and the discriminator's scores.

    A batch is half labelled, each labelled image being in it at most once. The VAE's loss is its
    negative ELBO per pixel, plus `adversary` times the cross-entropy of all images being called
    labelled; then the discriminator takes a step of its own.

    Parameters
    ----------
    images
        Uint8 (N, C, H, W).
    labelled
        The rows of the labelled images; their labels are not used.
    state
        The weights that the fit without labels left.
    settings
        The settings of both.
    number
        The number of the round, which names the draws.
    seeds
        The trial's seeds.
    predicted_losses
        The losses (N) that P predicts, for TA-VAAL.

    Returns
    -------
    FittedVAE
        The VAE, with the losses of each epoch in its log.
    array (N)
        The probability that an image is labelled, as the discriminator has it, float32.

    Raises
    ------
    DataError
        The training diverges, or `state` does not fit.
    """
    device = resolve_device(settings.device)
    network = restored(images, state, settings)
    losses = None
    if predicted_losses is not None:
        network = with_condition(network)
        losses = torch.from_numpy(np.asarray(predicted_losses, np.float32))[:, None].to(device)
    network = on_device(network, device)
    discriminator = build(
        lambda: Discriminator(settings.latent, 0 if losses is None else 1),
        generator(seeds.integer("vaal discriminator", number)),
    ).to(device)
    optimiser = adam(network.parameters(), (), 1.0, settings, device)
    discriminator_optimiser = torch.optim.Adam(
        discriminator.parameters(), lr=settings.discriminator_rate
    )
    order = seeds.rng("vaal order", number)
    noise = generator(seeds.integer("vaal noise", number))
    rows = np.sort(labelled)
    others = np.setdiff1d(np.arange(len(images)), rows)
    pixels = images.to(device)
    is_labelled = torch.zeros(len(images), device=device)
    is_labelled[torch.from_numpy(rows).to(device)] = 1
    log: list[dict[str, float]] = []
    network.train()
    for _ in range(settings.round_epochs):
        sums, seen = torch.zeros(4, device=device), 0
        for batch in batches(rows, others, settings.batch_size, 0.5, order):
            chosen = torch.from_numpy(batch).to(device)
            x, truth = scaled(pixels[chosen]), is_labelled[chosen]
            of_batch = None if losses is None else losses[chosen]
            rebuilt, kl, adversarial = _vae_step(
                network, discriminator, optimiser, x, truth, settings, noise, of_batch
            )
            discriminating = _discriminator_step(
                network, discriminator, discriminator_optimiser, x, truth, of_batch
            )
            sums += torch.stack(
                [rebuilt.sum(), kl.sum(), adversarial * len(x), discriminating * len(x)]
            )
            seen += len(batch)
        rebuilt_mean, kl_mean, adversary, loss = (sums / seen).tolist()
        check_loss(rebuilt_mean + kl_mean + adversary + loss, len(log) + 1, settings)
        log.append(
            {
                "elbo": -(rebuilt_mean + kl_mean),
                "reconstruction": rebuilt_mean,
                "kl": kl_mean,
                "adversary": adversary,
                "discriminator": loss,
            }
        )
    network.eval()
    fitted = FittedVAE(network, device, tuple(log), NormalPrior(settings.latent))
    with torch.inference_mode():
        means = torch.from_numpy(fitted.means(images)).to(device)
        scores = discriminator(means, losses).sigmoid().cpu().numpy()
    return fitted, scores


def with_condition(network: VAE) -> VAE:
    """Return the VAE with a decoder that reads a column more; its weights begin at 0."""
    narrow = network.up
    wide = build(lambda: nn.Linear(narrow.in_features + 1, narrow.out_features), generator(0))
    with torch.no_grad():
        wide.weight.copy_(F.pad(narrow.weight, (0, 1)))
        wide.bias.copy_(narrow.bias)
    network.up = wide
    return network


def _vae_step(
    network: VAE,
    discriminator: Discriminator,
    optimiser: torch.optim.Optimizer,
    x: Tensor,
    truth: Tensor,
    settings: VAALSettings,
    noise: torch.Generator,
    losses: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Take a step of the VAE; return reconstruction error and KL (B), and the adversarial loss."""
    optimiser.zero_grad()
    condition = None if losses is None else losses.sigmoid()
    outputs = draw_outputs(network, x, settings, noise, condition)
    rebuilt = reconstruction(outputs.logits, x, settings)
    kl = kl_divergence(outputs.mean, outputs.log_variance)
    called = discriminator(outputs.mean, losses)
    adversarial = cross_entropy(called, truth, torch.ones_like(truth))
    if settings.free_bits:
        prior = NormalPrior(settings.latent)
        cost = prior.kl_beyond(settings.free_bits, outputs.mean, outputs.log_variance, kl)
        per_pixel = (rebuilt.mean() + settings.beta * cost) / x[0].numel()
    else:
        per_pixel = (rebuilt + settings.beta * kl).mean() / x[0].numel()
    torch.autograd.backward(per_pixel + settings.adversary * adversarial)
    optimiser.step()
    return rebuilt.detach(), kl.detach(), adversarial.detach()


def _discriminator_step(
    network: VAE,
    discriminator: Discriminator,
    optimiser: torch.optim.Optimizer,
    x: Tensor,
    truth: Tensor,
    losses: Tensor | None,
) -> Tensor:
    """Take a step of the discriminator; return its loss."""
    with torch.no_grad():
        mean, _ = network.encode(x)
    optimiser.zero_grad()
    loss = cross_entropy(discriminator(mean.float(), losses), truth, truth)
    torch.autograd.backward(loss)
    optimiser.step()
    return loss.detach()


def cross_entropy(logits: Tensor, truth: Tensor, targets: Tensor) -> Tensor:
    """Return the sum of two means: over the labelled images and over the others.

    Parameters
    ----------
    logits
        Logits of "labelled", (B).
    truth
        1 for labelled images, else 0, (B).
    targets
        What the images should be called, (B).
    """
    each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    means = [each[truth == group].mean() for group in (1, 0) if bool((truth == group).any())]
    return torch.stack(means).sum()
