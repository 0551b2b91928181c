"""Where tensors live and how precisely they are multiplied."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from nextlabel.core.errors import UsageError


def resolve(name: str) -> torch.device:
    """Return the device called `name`; "auto" takes CUDA, else MPS, else the CPU.

    Raises UsageError for a device that is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((device for device, found in there.items() if found), "cpu")
    if not there.get(name, True):
        raise UsageError(f'device {name!r} is not available here; set device = "auto" or "cpu"')
    return torch.device(name)


def precise(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Return a context that multiplies in `precision`: "fp32" leaves all as it is."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)
