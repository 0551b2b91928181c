"""Side by side, in one process, one thread, warm: `make bench` prints ratios, not promises."""

import argparse
import os
import statistics
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import selection
import torch
import torch.nn.functional as F
from torch import nn

from nextlabel.models.convolution import Conv3x3, compact
from nextlabel.models.network import build, generator, place
from nextlabel.models.resnet import ResNet18


def median_seconds(call, repeats):
    """Return the median time of `repeats` calls after one to warm up."""
    call()
    times = []
    for _ in range(repeats):
        clock = time.perf_counter()
        call()
        times.append(time.perf_counter() - clock)
    return statistics.median(times)


def steps(network, images, labels, parameters):
    """Return a call that takes one training step."""
    optimiser = torch.optim.SGD(parameters, lr=0.01, momentum=0.9, fused=True)

    def step():
        optimiser.zero_grad()
        F.cross_entropy(network(images), labels).backward()
        optimiser.step()

    return step


def training(repeats):
    """Time ResNet-18 steps at 28 pixels: with and without the taps that only meet padding."""
    torch.set_num_threads(1)
    print(f"\n{'ResNet-18 training, 28 px':<28}{'ours':>14}{'plain torch':>14}{'ratio':>8}")
    for batch in (64, 256):
        images = torch.randn(batch, 3, 28, 28, generator=generator(0))
        labels = torch.arange(batch) % 10
        network = build(lambda: ResNet18(10), generator(0))
        ours_images = images.contiguous(memory_format=torch.channels_last)
        place(network, torch.device("cpu"))
        with compact(network, ours_images[:1]) as parameters:
            ours = batch / median_seconds(steps(network, ours_images, labels, parameters), repeats)
        plain = build(lambda: ResNet18(10), generator(0))
        forward, Conv3x3.forward = Conv3x3.forward, nn.Conv2d.forward
        common = batch / median_seconds(steps(plain, images, labels, plain.parameters()), repeats)
        Conv3x3.forward = forward
        print(f"batch {batch:<22}{ours:>10.0f} /s {common:>10.0f} /s {ours / common:>7.2f}")


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="more repeats and the large cases")
    full = parser.parse_args().full
    selection.main(full)
    training(9 if full else 3)


if __name__ == "__main__":
    main()
