"""Training compared with the plain way and the common way: one process, one thread, warm, medians.

"ours" multiplies in float32 and, where the processor has units for it, in bfloat16, which is then
the default; "plain" is a torch loop over tensors in memory, float32, the same network without our
short cuts; "common" decodes, scales and normalises image by image in a DataLoader, as most
repositories do.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from nextlabel.core.seeds import Seeds
from nextlabel.models.device import has_bfloat16
from nextlabel.models.generative.vae import VAE, VAESettings, fit_vae
from nextlabel.models.network_model import NetworkModel
from nextlabel.models.networks.base import build, generator
from nextlabel.models.networks.resnet import ResNet18
from nextlabel.models.normalise import IMAGENET_DEVIATION, IMAGENET_MEAN, normalise
from nextlabel.models.settings import Epochs, TrainingSettings
from nextlabel.models.task_models import create_model
from nextlabel.models.training import Trainer, TrainingData

MEAN = torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
DEVIATION = torch.tensor(IMAGENET_DEVIATION).view(3, 1, 1)


def images_and_labels(count: int, size: int) -> tuple[Tensor, np.ndarray]:
    """Return random grey uint8 images (count, 1, size, size) and ten classes."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 1, size, size), dtype=np.uint8)
    return torch.from_numpy(images), rng.integers(0, 10, count)


def rate(samples: int, call: Callable[[], object], repeats: int) -> float:
    """Return samples per second, by the median of `repeats` calls after one to warm up."""
    call()
    times = []
    for _ in range(repeats):
        clock = time.perf_counter()
        call()
        times.append(time.perf_counter() - clock)
    return samples / statistics.median(times)


def ours(
    images: Tensor, labels: np.ndarray, batch: int, precision: str = "fp32"
) -> Callable[[], object]:
    """Return one epoch as a round trains it: gather, normalise, step; BatchNorm left running."""
    settings = TrainingSettings(
        learning_rate=0.01,
        batch_size=batch,
        epochs=Epochs(initial=1, step=0),
        device="cpu",
        precision=precision,
    )
    model = NetworkModel(create_model(weights="random"), settings, "multiclass", 10)
    network, _ = model.initial(Seeds(0))
    network = network.to(memory_format=torch.channels_last)
    data = TrainingData(images, torch.from_numpy(labels))
    trainer = Trainer(settings, "multiclass")
    return lambda: trainer.train(network, None, data, 0, Seeds(0))


def plain(images: Tensor, labels: np.ndarray, batch: int) -> Callable[[], object]:
    """Return one epoch of a plain torch loop over tensors in memory."""
    network = build(lambda: ResNet18(10), generator(0))
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    inputs, targets = normalise(images).contiguous(), torch.from_numpy(labels)
    rng = np.random.default_rng(0)

    def epoch() -> None:
        network.train()
        for rows in torch.from_numpy(rng.permutation(len(inputs))).split(batch):
            optimiser.zero_grad()
            F.cross_entropy(network(inputs[rows]), targets[rows]).backward()
            optimiser.step()

    return epoch


class OneByOne(torch.utils.data.Dataset):
    """Images that are turned into normalised tensors one at a time, through PIL."""

    def __init__(self, images: Tensor, labels: np.ndarray) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self.images[index, 0].numpy()).convert("RGB")
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
        return (pixels - MEAN) / DEVIATION, int(self.labels[index])


def common(images: Tensor, labels: np.ndarray, batch: int) -> Callable[[], object]:
    """Return one epoch of the common way: a DataLoader of images transformed one by one."""
    network = build(lambda: ResNet18(10), generator(0))
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    loader = DataLoader(OneByOne(images, labels), batch, shuffle=True)

    def epoch() -> None:
        network.train()
        for inputs, targets in loader:
            optimiser.zero_grad()
            F.cross_entropy(network(inputs), targets).backward()
            optimiser.step()

    return epoch


def plain_vae(images: Tensor) -> tuple[Callable[[], object], VAE]:
    """Return one epoch of a plain loop over the same VAE, and that VAE."""
    settings = VAESettings(epochs=1, device="cpu")
    network = build(lambda: VAE((1, *images.shape[2:]), settings), generator(0))
    optimiser = torch.optim.Adam(network.parameters(), lr=0.001, weight_decay=0.005)
    inputs = images.float() / 255
    rng, noise = np.random.default_rng(0), generator(0)

    def epoch() -> None:
        for rows in torch.from_numpy(rng.permutation(len(inputs))).split(64):
            x = inputs[rows]
            optimiser.zero_grad()
            mean, log_variance = network.encode(x)
            epsilon = torch.randn(mean.shape, generator=noise)
            logits = network.decode(mean + (0.5 * log_variance).exp() * epsilon)
            rebuilt = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
            kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
            ((rebuilt + kl) / len(x)).backward()
            optimiser.step()

    return epoch, network


def table(full: bool) -> dict[str, dict[str, float]]:
    """Return samples per second by what trains and how, each after one call to warm up."""
    repeats, count = (7, 1024) if full else (3, 512)
    images, labels = images_and_labels(count, 28)
    kinds = ("fp32", "bf16") if has_bfloat16(torch.device("cpu")) else ("fp32",)
    found = {}
    for batch in (64, 256):
        calls = {f"ours {kind}": ours(images, labels, batch, kind) for kind in kinds}
        calls |= {"plain": plain(images, labels, batch), "common": common(images, labels, batch)}
        found[f"ResNet-18, batch {batch}"] = calls
    vaes = {kind: VAESettings(epochs=1, device="cpu", precision=kind) for kind in kinds}
    calls = {f"ours {k}": partial(fit_vae, images, v, Seeds(0)) for k, v in vaes.items()}
    found["VAE, batch 64"] = calls | {"plain": plain_vae(images)[0]}
    return {
        name: {how: rate(count, call, repeats) for how, call in calls.items()}
        for name, calls in found.items()
    }


def main(full: bool = False) -> None:
    """Print samples per second of ours, the plain and the common way."""
    torch.set_num_threads(1)
    rows = table(full)
    columns = list(next(iter(rows.values())))
    print(f"{'training, 28 px, samples/s':<28}{''.join(f'{c:>11}' for c in columns)}")
    for name, rates in rows.items():
        cells = "".join(f"{rates[c]:>11.0f}" if c in rates else f"{'':>11}" for c in columns)
        print(f"{name:<28}{cells}")
        for own in (c for c in rates if c.startswith("ours")):
            others = {c: rates[own] / rates[c] for c in ("plain", "common") if c in rates}
            print(f"  {own}: {', '.join(f'{ratio:.2f}× {c}' for c, ratio in others.items())}")


if __name__ == "__main__":
    main()
