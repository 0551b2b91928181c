"""Which products screen faster here: numpy's in float32, or torch's in bfloat16. Measured once."""

import sys
import time
from collections.abc import Callable
from functools import cache

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.core.feature_space import Embedding
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import Screen
from nextlabel.kernels.k_centre.bfloat16 import BfloatCentres
from nextlabel.kernels.k_centre.centres import Centres, NumpyCentres, Places

ROWS, COLUMNS, DEPTH = 128, 512, 256
"""Size of the products that are timed: some milliseconds even where bfloat16 is slow."""

WORTH = 2**22
"""Values of features below which numpy is done before anything is measured."""

GAIN = 1.5
"""How much faster bfloat16 must be, for it leaves more pairs to be measured."""


def screening_device(name: str, values: int) -> str | None:
    """Return the torch device for products in bfloat16; None where numpy's float32 is better.

    "cpu" and "cuda" (or "cuda:1") say where; "auto" takes CUDA where it is the fastest and this
    process uses it already. Torch is not imported just for this: before somebody has,
    the answer is None. Raises UsageError for a device that is unknown or cannot be used.
    """
    if name not in ("auto", "cpu"):
        return _cuda(name)
    if values < WORTH or "torch" not in sys.modules:
        return None
    import torch

    there = name == "auto" and bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
    gains = {device: gain(device) for device in (["cuda"] if there else []) + ["cpu"]}
    best = max(gains, key=gains.__getitem__)
    return best if gains[best] >= GAIN else None


def _cuda(name: str) -> str:
    if name.partition(":")[0] != "cuda":
        raise UsageError(f'device {name!r} is unknown; give "auto", "cpu" or "cuda"')
    import torch

    if not torch.cuda.is_available():
        raise UsageError(f'device {name!r} is not available here; set device = "auto" or "cpu"')
    if not gain(name):
        raise UsageError(
            f"device {name!r} gives no products of bfloat16 summed in float32; install torch 2.8 "
            'or newer, or set device = "cpu"'
        )
    return name


@cache
def gain(device: str) -> float:
    """Return how many times faster bfloat16 on `device` screens than numpy's float32.

    What comes and goes between host and device counts. 0 where it cannot, or where it overlooks
    a pair that float32 finds: then the device's sums are not what the bounds are made for.
    """
    rng = np.random.default_rng(0)
    features = rng.standard_normal((ROWS + COLUMNS, DEPTH), np.float32)
    screen = Screen(Metric(Embedding.of(features)))
    try:
        plain = _screening(NumpyCentres(screen, np.float32, COLUMNS))
        short = _screening(BfloatCentres(screen, device, COLUMNS))
        if not set(zip(*plain(), strict=True)) <= set(zip(*short(), strict=True)):
            return 0.0
        return _seconds(plain) / _seconds(short)
    except (RuntimeError, TypeError):  # no bfloat16 there, or a torch before 2.8
        return 0.0


def _screening(centres: Centres) -> Callable[[], tuple[Places, Places]]:
    centres.add(np.arange(ROWS, ROWS + COLUMNS))
    rows = centres.screen.rows(slice(0, ROWS), centres.precision)
    norms = centres.screen.squares(rows)
    bounds = np.full(ROWS, np.inf)
    return lambda: centres.near(centres.lot(rows, norms), bounds, 0, COLUMNS)


def _seconds(call: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        clock = time.perf_counter()
        call()
        times.append(time.perf_counter() - clock)
    return min(times)
