"""The class-conditional VAE: a part of the latent space depends on the labels [Joy et al. 2021].

"Capturing Label Characteristics in VAEs", https://arxiv.org/abs/2006.10102. The latent splits into
z = (z_c, z_s). The style z_s has the prior N(0, 1); the class part z_c has one Gaussian for each
class, p(z_c|y), and a classifier q(y|z_c) uses it alone. Letters: B images, L labels, V values
of a label, D dimensions of z_c for each label. Multi-class data has one label of many values,
multi-label data one of two values for each finding, whose dimensions are its own, so that
everything factorises over findings.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nextlabel.core.errors import DataError
from nextlabel.core.seeds import Seeds
from nextlabel.core.types import Array, Ids, Labels
from nextlabel.models.device import resolve_device
from nextlabel.models.freed_memory import kept_memory
from nextlabel.models.generative.priors import NormalPrior, kl_divergence, log_normal
from nextlabel.models.generative.vae import (
    VAE,
    FittedVAE,
    adam,
    check_loss,
    draw_outputs,
    fit_vae,
    reconstruction,
    scaled,
)
from nextlabel.models.generative.vae_settings import CCVAESettings as CCVAESettings
from nextlabel.models.generative.vae_settings import VAESettings
from nextlabel.models.networks.base import build, generator, on_device

PACE = 10.0
"""The class part's learning rate in multiples of the networks': it starts again each round."""


class ClassDistributions(nn.Module):
    """p(y), p(z_c|y) and q(y|z_c) for each value of each label: shapes (L, V) and (L, V, D)."""

    frequencies: Tensor

    def __init__(self, frequencies: Tensor, dims: int) -> None:
        super().__init__()
        shape = (*frequencies.shape, dims)
        self.register_buffer("frequencies", frequencies)
        self.means = nn.Parameter(torch.zeros(shape))
        self.log_variances = nn.Parameter(torch.zeros(shape))
        self.weight = nn.Parameter(torch.zeros(shape))
        self.bias = nn.Parameter(frequencies.log())

    def split(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return z (B, latent) as z_c (B, L, D) and the rest (B, latent - L·D)."""
        labels, _, dims = self.means.shape
        class_z, style = z[:, : labels * dims], z[:, labels * dims :]
        return class_z.reshape(len(z), labels, dims), style

    def log_classifier(self, class_z: Tensor) -> Tensor:
        """Return log q(y|z_c) of every value, (…, L, V), for z_c (…, L, D)."""
        logits = torch.einsum("...ld,lvd->...lv", class_z, self.weight) + self.bias
        return logits.log_softmax(-1)

    def log_prior(self, class_z: Tensor) -> Tensor:
        """Return log p(z_c|y) for every value of y, (B, L, V), for z_c (B, L, D)."""
        return log_normal(class_z.unsqueeze(2), self.means, self.log_variances).sum(3)

    @torch.no_grad()
    def placed(self, y: Tensor, noise: Tensor) -> Tensor:
        """Return points (n, latent) of p(z|y) for labels y (n, L) and noise (n, latent)."""
        class_noise, style = self.split(noise)
        at = (torch.arange(y.shape[1]), y)
        class_z = self.means[at] + (0.5 * self.log_variances[at]).exp() * class_noise
        return torch.cat([class_z.flatten(1), style], dim=1)


@dataclass(frozen=True)
class Terms:
    """The terms of a batch's loss, in nats but for the importance, each (B): see `objective`."""

    reconstruction: Tensor
    kl: Tensor
    log_label: Tensor
    importance: Tensor

    def bound(self) -> tuple[Tensor, Tensor]:
        """Return the two terms of -ELBO, each (B): of p(x|y) where y is known, of p(x) else.

        The second is KL(q(z|x,y) ‖ p(z|y)) or KL(q(z,y|x) ‖ p(z,y)), estimated.
        """
        return self.importance * self.reconstruction, self.importance * self.kl - self.log_label

    def loss(self, settings: CCVAESettings) -> Tensor:
        """Return w·(reconstruction + β·kl) - label_weight·log q(y|x), averaged over the batch.

        With free bits the averaged kl is at least free_bits times the dimensions.
        """
        if settings.free_bits:
            free = settings.free_bits * settings.latent
            bound = (self.importance * self.reconstruction).mean()
            bound = bound + settings.beta * (self.importance * self.kl).mean().clamp(min=free)
            return bound - settings.label_weight * self.log_label.mean()
        bound = self.reconstruction + settings.beta * self.kl
        return (self.importance * bound - settings.label_weight * self.log_label).mean()


def objective(
    network: VAE,
    classes: ClassDistributions,
    x: Tensor,
    y: Tensor,
    settings: CCVAESettings,
    noise: torch.Generator,
) -> Terms:
    """Return the terms of the loss: Joy et al.'s equations for labelled and unlabelled in one.

    `x` are images (B, C, H, W) in [0, 1], `y` their labels (B, L), -1 where unknown; z ~ q(z|x).

    kl = KL(q(z_s|x) ‖ N(0, 1)) + log q(z_c|x) + Σ_l c_l, where c is log q(y|z_c) - log p(z_c|y)
    for a known label, and Σ_y q(y|z_c) (log q(y|z_c) - log p(z_c|y) - log p(y)) for an unknown
    one: all values are summed, none is drawn. log q(y|x) = log E q(y|z_c), summed over the known
    labels, takes `samples` draws of z_c, that of the ELBO among them. w = Π q(y|z_c) / q(y|x)
    over the known labels, 1 if there are none; it only says how well z fits y, so no gradient
    flows through it. The constant log p(y) of known labels is left out.
    """
    outputs = draw_outputs(network, x, settings, noise)
    class_z, _ = classes.split(outputs.z)
    class_mean, style_mean = classes.split(outputs.mean)
    class_log_variance, style_log_variance = classes.split(outputs.log_variance)

    is_known, value = y >= 0, y.clamp(min=0).unsqueeze(2)
    log_q, log_p = classes.log_classifier(class_z), classes.log_prior(class_z)
    log_right = log_q.gather(2, value).squeeze(2)
    given = log_right - log_p.gather(2, value).squeeze(2)
    summed = (log_q.exp() * (log_q - log_p - classes.frequencies.log())).sum(2)
    kl = kl_divergence(style_mean, style_log_variance)
    kl = kl + log_normal(class_z, class_mean, class_log_variance).sum((1, 2))
    kl = kl + torch.where(is_known, given, summed).sum(1)

    shape = (settings.samples - 1, *class_z.shape)
    epsilon = torch.randn(shape, generator=noise).to(x.device, x.dtype)
    drawn = class_mean + (0.5 * class_log_variance).exp() * epsilon
    log_each = classes.log_classifier(torch.cat([class_z[None], drawn]))
    log_mean = log_each.logsumexp(0).gather(2, value).squeeze(2) - math.log(settings.samples)
    log_label = torch.where(is_known, log_mean, 0).sum(1)
    importance = torch.where(is_known, log_right - log_mean, 0).sum(1).detach().exp()
    return Terms(reconstruction(outputs.logits, x, settings), kl, log_label, importance)


def begin_ccvae(images: Tensor, settings: CCVAESettings, seeds: Seeds) -> FittedVAE:
    """Train on uint8 images (N, C, H, W) without labels: a plain VAE, all of z being style.

    Its dimensions are sorted by what they tell (KL, falling), which changes nothing else, so that
    the class part, the first ones, starts with those that are in use.
    """
    fitted = fit_vae(images, settings, seeds)
    order = torch.from_numpy(np.argsort(-fitted.kl_by_dimension(images), kind="stable").copy())
    network = fitted.network
    with torch.no_grad():
        for layer in (network.mean, network.log_variance):
            layer.weight.copy_(layer.weight[order])
            layer.bias.copy_(layer.bias[order])
        network.up.weight.copy_(network.up.weight[:, order])
    return fitted


@kept_memory()
def refit_ccvae(
    images: Tensor,
    rows: Ids,
    labels: Labels,
    values: int,
    state: Mapping[str, Array],
    settings: CCVAESettings,
    number: int,
    seeds: Seeds,
) -> tuple[FittedVAE, ClassDistributions]:
    """Continue the training of `begin_ccvae` with labels.

    An epoch has as many steps as a pass over all images. A batch takes up to `labelled_share` of
    its rows from the labelled images, each at most once as long as there are fewer of them, and
    the rest from all others: of 64 rows, each of 10 labelled images is seen in every step, each of
    160 in every tenth. More of them would have the few labelled images learned by heart.

    Parameters
    ----------
    images
        Uint8 (N, C, H, W).
    rows, labels
        The n labelled images, in any order, and their labels (n, L).
    values
        V, the number of values of a label.
    state
        The weights that `begin_ccvae` left.
    settings
        The settings of the block.
    number
        The number of the round, which names the draws.
    seeds
        The trial's seeds.

    Raises
    ------
    DataError
        The training diverges, labels lie outside V, or `state` does not fit.
    """
    if labels.min() < -1 or labels.max() >= values:
        raise DataError(
            f"labels run from {labels.min()} to {labels.max()}; ccvae takes 0 to {values - 1}, and "
            "-1 for unknown",
            code="labels-out-of-range",
        )
    device = resolve_device(settings.device)
    network = on_device(restored(images, state, settings), device)
    count = labels.shape[1]
    width = settings.class_dims(values if count == 1 else count)
    classes = ClassDistributions(_frequencies(labels, values), width // count).to(device)
    optimiser = adam(network.parameters(), classes.parameters(), PACE, settings, device)
    order = seeds.rng("ccvae order", number)
    noise = generator(seeds.integer("ccvae noise", number))
    targets = np.full((len(images), count), -1)
    targets[rows] = labels
    rows, others = np.sort(rows), np.setdiff1d(np.arange(len(images)), rows)
    pixels, all_labels = images.to(device), torch.from_numpy(targets).to(device)
    log: list[dict[str, float]] = []
    network.train()
    for _ in range(settings.round_epochs):
        sums, seen = torch.zeros(4, device=device), 0
        for batch in batches(rows, others, settings.batch_size, settings.labelled_share, order):
            chosen = torch.from_numpy(batch).to(device)
            x, y = scaled(pixels[chosen]), all_labels[chosen]
            optimiser.zero_grad()
            terms = objective(network, classes, x, y, settings, noise)
            torch.autograd.backward(terms.loss(settings))
            optimiser.step()
            numbers = (*terms.bound(), -terms.log_label, (y >= 0).any(1))
            sums += torch.stack([n.detach().sum() for n in numbers])
            seen += len(batch)
        rebuilt, kl = (sums[:2] / seen).tolist()
        label = float(sums[2] / sums[3].clamp(min=1))
        check_loss(rebuilt + kl + label, len(log) + 1, settings)
        log.append({"elbo": -(rebuilt + kl), "reconstruction": rebuilt, "kl": kl, "label": label})
    network.eval()
    return FittedVAE(network, device, tuple(log), NormalPrior(settings.latent)), classes


def restored(images: Tensor, state: Mapping[str, Array], settings: VAESettings) -> VAE:
    """Return the network of a beginning; DataError when its weights are of another shape."""
    shape = (images.shape[1], images.shape[2], images.shape[3])
    network = build(lambda: VAE(shape, settings), generator(0))
    try:
        network.load_state_dict({name: torch.from_numpy(np.array(a)) for name, a in state.items()})
    except RuntimeError as error:
        raise DataError(
            f"{settings.block} cannot start from a state of {len(state)} arrays made with other "
            "settings or images; start from what it fits without labels",
            code="state-of-other-settings",
        ) from error
    return network


def _frequencies(labels: Labels, values: int) -> Tensor:
    """Return p(y), (L, V): the shares among known labels (n, L), one more counted of each."""
    counts = np.stack([(labels == value).sum(0) for value in range(values)], axis=1) + 1.0
    return torch.from_numpy((counts / counts.sum(1, keepdims=True)).astype(np.float32))


def batches(
    labelled: Ids, others: Ids, size: int, labelled_share: float, order: np.random.Generator
) -> Iterator[Ids]:
    """Yield an epoch's batches of rows: some of the labelled ones, then of the others.

    A batch has at most `labelled_share` of its `size` rows from the labelled ones, and each of
    these at most once as long as there are others.
    """
    steps = -(-(len(labelled) + len(others)) // size)
    share = max(1, int(labelled_share * size), size - len(others))
    labelled_count = min(len(labelled), share)
    rest = min(len(others), size - labelled_count)
    yield from np.hstack(
        [
            _shuffled_batches(labelled, steps, labelled_count, order),
            _shuffled_batches(others, steps, rest, order),
        ]
    )


def _shuffled_batches(rows: Ids, count: int, size: int, order: np.random.Generator) -> Array:
    """Return (count, size) rows, taken from one permutation of all rows after the other."""
    repeats = -(-count * size // max(1, len(rows)))
    permutations = [order.permutation(rows) for _ in range(repeats)]
    return np.concatenate([rows[:0], *permutations])[: count * size].reshape(count, size)
