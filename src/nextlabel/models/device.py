"""Devices of tensors, and the precision of their products."""

import importlib.util
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from nextlabel.core.errors import UsageError


def resolve_device(name: str) -> torch.device:
    """Return the device called `name`; "auto" takes CUDA, else MPS, else the CPU.

    Raises UsageError for a device that is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((device for device, available in there.items() if available), "cpu")
    if not there.get(name, True):
        raise UsageError(
            f'device {name!r} is not available here; set device = "auto" or "cpu"',
            code="device-not-available",
        )
    return torch.device(name)


AMPERE = (8, 0)
"""The first CUDA architecture with products of bfloat16."""


def has_bfloat16(device: torch.device) -> bool:
    """Say whether the device multiplies in bfloat16 by itself, rather than by imitation."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= AMPERE
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # no public name says so
    return device.type == "cpu" and supported is not None and bool(supported())


def resolve_precision(precision: str, device: torch.device) -> str:
    """Return "fp32" or "bf16", which "auto" means on the device."""
    if precision != "auto":
        return precision
    return "bf16" if has_bfloat16(device) else "fp32"


def dtype_of(precision: str, device: torch.device) -> torch.dtype:
    """Return the type in which a device multiplies with this precision."""
    return torch.bfloat16 if resolve_precision(precision, device) == "bf16" else torch.float32


def resolve_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings, their `device` and `precision` as what they mean on this machine.

    Raises UsageError for what the machine cannot do.
    """
    resolved = dict(values)
    if "device" in resolved:
        device = resolve_device(resolved["device"])
        resolved["device"] = device.type
        if "precision" in resolved:
            resolved["precision"] = resolve_precision(resolved["precision"], device)
        if takes_compiled_loops(resolved.get("arithmetic", "plain"), device):
            check_compiled_loops()
    return resolved


def takes_compiled_loops(arithmetic: str, device: torch.device) -> bool:
    """Say whether this arithmetic runs loops on this device that numba compiles."""
    return arithmetic == "fast" and device.type == "cpu"


def check_compiled_loops() -> None:
    """Raise UsageError where the package that compiles them is not installed."""
    if importlib.util.find_spec("numba") is None:
        raise UsageError(
            'arithmetic = "fast" needs the package numba on a processor; '
            "pip install 'nextlabel[fast]', or set arithmetic = \"plain\"",
            code="numba-not-installed",
        )


def precise(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Return a context that multiplies in `precision`; "fp32" leaves all as it is."""
    if resolve_precision(precision, device) == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)
