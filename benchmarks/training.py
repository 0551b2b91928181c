"""Training compared with a plain loop and the common way: one process, one thread, warm, medians.

"ours" multiplies in float32 and, where the processor has units for it, in bfloat16, which is then
the default, each in plain and in fast arithmetic; "loop" is a torch loop over tensors in memory,
float32, the same network without our short cuts; "common" decodes, scales and normalises image by
image in a DataLoader, as most repositories do.

A call of ours takes some epochs. The start of a round costs about a step, which is little in a
round of hundreds of steps, and would be half of a call of two. The others have no start.
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

AIM = 2000
"""Samples per second at batch 256, in bfloat16, of a core that multiplies at `AIM_SPEED`."""

AIM_SPEED = 350
"""GFLOP/s of products of bfloat16 matrices."""

OPERATIONS = 0.139
"""GFLOP of a sample's training step, without the kernel positions that only meet padding."""

EPOCHS = 3
"""Epochs of a call of ours: 12 steps at batch 256."""

MEAN = torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
DEVIATION = torch.tensor(IMAGENET_DEVIATION).view(3, 1, 1)


def images_and_labels(count: int, size: int) -> tuple[Tensor, np.ndarray]:
    """Return random grey uint8 images (count, 1, size, size) and ten classes."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 1, size, size), dtype=np.uint8)
    return torch.from_numpy(images), rng.integers(0, 10, count)


Calls = dict[str, tuple[int, Callable[[], object]]]
"""By name, the samples of a call, and the call."""


def rates(calls: Calls, repeats: int) -> dict[str, float]:
    """Return samples per second of processor time, by medians after one call each to warm up.

    The calls take turns, so that what else the machine does is alike for all.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _, call in calls.values():
        call()
    for _ in range(repeats):
        for name, (_, call) in calls.items():
            clock = time.process_time()
            call()
            seconds[name].append(time.process_time() - clock)
    return {name: calls[name][0] / statistics.median(each) for name, each in seconds.items()}


def settings_of(batch: int, precision: str, arithmetic: str) -> TrainingSettings:
    """Return the settings of a call on the processor."""
    return TrainingSettings(
        learning_rate=0.01,
        batch_size=batch,
        epochs=Epochs(initial=EPOCHS, step=0),
        device="cpu",
        precision=precision,
        arithmetic=arithmetic,
    )


def ours(
    images: Tensor, labels: np.ndarray, batch: int, precision: str, arithmetic: str
) -> Callable[[], object]:
    """Return epochs as a round trains them: gather, normalise, step; BatchNorm left running."""
    settings = settings_of(batch, precision, arithmetic)
    model = NetworkModel(create_model(weights="random"), settings, "multiclass", 10)
    network, _ = model.initial(Seeds(0))
    network = network.to(memory_format=torch.channels_last)
    data = TrainingData(images, torch.from_numpy(labels))
    trainer = Trainer(settings, "multiclass")
    return lambda: trainer.train(network, None, data, 0, Seeds(0))


def evaluation(
    images: Tensor, labels: np.ndarray, precision: str, arithmetic: str
) -> Callable[[], object]:
    """Return one pass for predictions and features of all images, after a first one."""
    settings = settings_of(64, precision, arithmetic)
    model = NetworkModel(create_model(weights="random"), settings, "multiclass", 10)
    fitted = model.train(images[:64], labels[:64], 0, Seeds(0))
    return lambda: fitted.infer(images)


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
    """Return samples per second by what runs and how."""
    repeats = 7 if full else 3
    images, labels = images_and_labels(1024, 28)
    precisions = ("fp32", "bf16") if has_bfloat16(torch.device("cpu")) else ("fp32",)
    ways = {
        f"{precision} {arithmetic}": (precision, arithmetic)
        for precision in precisions
        for arithmetic in ("plain", "fast")
    }
    once, often = len(images), len(images) * EPOCHS
    rows: dict[str, Calls] = {}
    for batch in (64, 256):
        rows[f"ResNet-18, batch {batch}"] = {
            f"ours {name}": (often, ours(images, labels, batch, *way)) for name, way in ways.items()
        } | {
            "loop": (once, plain(images, labels, batch)),
            "common": (once, common(images, labels, batch)),
        }
    rows["evaluation"] = {
        f"ours {name}": (once, evaluation(images, labels, *way)) for name, way in ways.items()
    }
    vaes = {
        f"ours {precision} plain": VAESettings(epochs=EPOCHS, device="cpu", precision=precision)
        for precision in precisions
    }
    rows["VAE, batch 64"] = {
        name: (often, partial(fit_vae, images, vae, Seeds(0))) for name, vae in vaes.items()
    } | {"loop": (once, plain_vae(images)[0])}
    return {name: rates(calls, repeats) for name, calls in rows.items()}


def multiplication_speed(dtype: torch.dtype, size: int = 1024, repeats: int = 30) -> float:
    """Return the GFLOP/s of a product of two large matrices, the best of `repeats`."""
    one, other = (torch.randn(size, size, dtype=dtype) for _ in range(2))
    seconds = []
    for _ in range(repeats):
        clock = time.perf_counter()
        one @ other
        seconds.append(time.perf_counter() - clock)
    return 2e-9 * size**3 / min(seconds)


def share_of_limit(samples: float, speed: float) -> float:
    """Return the share of the samples per second that plain products alone would allow."""
    return samples * OPERATIONS / speed


def main(full: bool = False) -> None:
    """Print samples per second of ours, the plain loop and the common way."""
    torch.set_num_threads(1)
    has_units = has_bfloat16(torch.device("cpu"))
    speed = multiplication_speed(torch.bfloat16) if has_units else 0.0
    rows = table(full)
    columns = list(next(iter(rows.values())))
    print("training at 28 px, samples per second of the processor")
    print(f"{'':<20}{''.join(f'{c:>17}' for c in columns)}")
    for name, values in rows.items():
        cells = "".join(f"{values[c]:>17.0f}" if c in values else f"{'':>17}" for c in columns)
        print(f"{name:<20}{cells}")
        for way in (c for c in values if c.startswith("ours")):
            others = [c for c in (way.replace("fast", "plain"), "loop", "common") if c in values]
            ratios = ", ".join(f"{values[way] / values[c]:.2f}× {c}" for c in others if c != way)
            print(f"  {way}: {ratios}" if ratios else "", end="\n" if ratios else "")
    samples = rows["ResNet-18, batch 256"].get("ours bf16 fast")
    if samples is not None:
        share, aim = share_of_limit(samples, speed), share_of_limit(AIM, AIM_SPEED)
        print(
            f"one core multiplies at {speed:.0f} GFLOP/s in bfloat16: {speed / OPERATIONS:,.0f} "
            f"samples per second at {1000 * OPERATIONS:.0f} MFLOP each\n"
            f"  ours bf16 fast, batch 256: {share:.0%} of that; aim: {aim:.0%}, "
            f"{AIM:,} where a core does {AIM_SPEED}{'' if share >= aim else ', missed'}"
        )


if __name__ == "__main__":
    main()
