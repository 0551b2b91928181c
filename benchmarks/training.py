"""Training beside the plain way and the common way: one process, one thread, warm, medians.

"plain" is a torch loop over tensors in memory, float32, the same network without our short cuts;
"common" decodes, scales and normalises image by image in a DataLoader, as most repositories do.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from nextlabel.core.seeds import Seeds
from nextlabel.models.network import build, generator
from nextlabel.models.pixels import IMAGENET_DEVIATION, IMAGENET_MEAN, normalise
from nextlabel.models.resnet import ResNet18
from nextlabel.models.settings import Epochs, ModelSettings, TrainingSettings
from nextlabel.models.task import TaskModel
from nextlabel.models.training import Lesson, Trainer
from nextlabel.models.vae import VAE, VAESettings, fit_vae

MEAN = torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
DEVIATION = torch.tensor(IMAGENET_DEVIATION).view(3, 1, 1)


def images_and_labels(count: int, size: int) -> tuple[Tensor, np.ndarray]:
    """Return random grey uint8 images (count, 1, size, size) and ten classes."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 1, size, size), dtype=np.uint8)
    return torch.from_numpy(images), rng.integers(0, 10, count)


def rate(samples: int, call: Callable[[], object], repeats: int) -> float:
    """Return samples a second, by the median of `repeats` calls after one to warm up."""
    call()
    times = []
    for _ in range(repeats):
        clock = time.perf_counter()
        call()
        times.append(time.perf_counter() - clock)
    return samples / statistics.median(times)


def ours(images: Tensor, labels: np.ndarray, batch: int) -> Callable[[], object]:
    """Return one epoch as a round trains it: gather, normalise, step; BatchNorm left running."""
    settings = TrainingSettings(
        learning_rate=0.01, batch_size=batch, epochs=Epochs(initial=1, step=0), device="cpu"
    )
    model = TaskModel(ModelSettings(weights="random"), settings, "multiclass", 10)
    network, _ = model.initial(Seeds(0))
    network = network.to(memory_format=torch.channels_last)
    lesson = Lesson(images, torch.from_numpy(labels))
    trainer = Trainer(settings, "multiclass")
    return lambda: trainer.train(network, None, lesson, 0, Seeds(0))


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


def main(full: bool = False) -> None:
    """Print samples a second, ours beside the plain and the common way."""
    torch.set_num_threads(1)
    repeats, count = (7, 1024) if full else (3, 256)
    print(f"{'training, 28 px, samples/s':<30}{'ours':>8}{'plain':>8}{'common':>8}   ratios")
    images, labels = images_and_labels(count, 28)
    for batch in (64, 256):
        rates = [
            rate(count, make(images, labels, batch), repeats) for make in (ours, plain, common)
        ]
        against = " ".join(f"{rates[0] / other:.2f}×" for other in rates[1:])
        print(f"ResNet-18, batch {batch:<13}{''.join(f'{r:>8.0f}' for r in rates)}   {against}")
    settings = VAESettings(epochs=1, device="cpu")
    rates = [
        rate(count, call, repeats)
        for call in (lambda: fit_vae(images, settings, Seeds(0)), plain_vae(images)[0])
    ]
    print(
        f"{'VAE, batch 64':<30}{rates[0]:>8.0f}{rates[1]:>8.0f}{'':>8}   {rates[0] / rates[1]:.2f}×"
    )


if __name__ == "__main__":
    main()
