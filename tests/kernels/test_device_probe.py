"""Where products are computed is measured once, and never decides a pick."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from nextlabel.core.errors import UsageError
from nextlabel.kernels import reference
from nextlabel.kernels.k_centre import device_probe as probe
from nextlabel.kernels.k_centre.bfloat16 import BfloatCentres
from nextlabel.kernels.k_centre.device_probe import gain, screening_device
from nextlabel.kernels.k_centre.farthest_first import farthest_first

LARGE = 2**30


@pytest.fixture
def gains(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Let tests say how much faster bfloat16 is."""
    found = {"cpu": 0.1, "cuda": 0.1}
    monkeypatch.setattr(probe, "gain", lambda device: found[device])
    monkeypatch.setattr(probe, "WORTH", 400 * 40)
    return found


@pytest.mark.skipif(
    torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="this processor has bfloat16"
)
def test_a_processor_without_bfloat16_screens_in_float32() -> None:
    assert screening_device("auto", LARGE) is None and screening_device("cpu", LARGE) is None
    assert 0 < gain("cpu") < 1
    assert gain("cpu") is gain("cpu")  # measured once


def test_the_faster_is_chosen(gains: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    assert screening_device("auto", LARGE) is None
    gains["cpu"] = 2.0
    assert screening_device("auto", LARGE) == screening_device("cpu", LARGE) == "cpu"
    assert screening_device("auto", 400 * 40 - 1) is None  # too few values
    gains["cuda"] = 9.0
    assert screening_device("auto", LARGE) == "cpu"  # nobody uses CUDA here
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    assert screening_device("auto", LARGE) == "cuda"
    assert screening_device("cpu", LARGE) == "cpu"


def test_devices_that_are_not_there_are_refused(gains: dict[str, float]) -> None:
    for name in ("tpu", "", "CUDA"):
        with pytest.raises(UsageError, match=f"device '{name}' is unknown; give \"auto\""):
            screening_device(name, LARGE)
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="'cuda:1' is not available here; set device"):
            farthest_first(np.eye(40), [0], 5, device="cuda:1")


def test_cuda_without_the_right_products_is_refused(
    gains: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert screening_device("cuda", LARGE) == "cuda"
    gains["cuda"] = 0.0
    with pytest.raises(UsageError, match=r"install torch 2\.8 or newer, or set device"):
        screening_device("cuda", LARGE)


def test_what_overlooks_pairs_or_fails_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    near = BfloatCentres.near

    def half(self: Any, *arguments: Any) -> Any:
        return tuple(found[::2] for found in near(self, *arguments))

    def fail(self: Any, *arguments: Any) -> Any:
        raise RuntimeError("not implemented for 'BFloat16'")

    for broken in (half, fail):
        monkeypatch.setattr(BfloatCentres, "near", broken)
        assert gain.__wrapped__("cpu") == 0


def test_the_choice_reaches_the_centres(gains: dict[str, float]) -> None:
    x = np.random.default_rng(0).normal(size=(400, 40)).astype(np.float32)
    truth = reference.farthest_first(x, [0, 1], 30)
    made: list[str] = []
    begin: Any = BfloatCentres.__init__

    def init(self: BfloatCentres, screen: Any, device: str, capacity: int) -> None:
        made.append(device)
        begin(self, screen, device, capacity)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BfloatCentres, "__init__", init)
        patch.setattr(probe, "WORTH", 0)
        np.testing.assert_array_equal(farthest_first(x, [0, 1], 30), truth)
        assert made == []
        gains["cpu"] = 2.0
        for device in ("auto", "cpu"):
            np.testing.assert_array_equal(farthest_first(x, [0, 1], 30, device=device), truth)
        assert made == ["cpu", "cpu"]
        for plain in (x[:, :9], np.rint(x)):  # few columns; products of float32 that are exact
            farthest_first(plain, [0, 1], 30)
        assert len(made) == 2


def test_torch_is_not_imported_for_it() -> None:
    code = (
        "import sys, numpy as np, nextlabel\n"
        "nextlabel.farthest_first(np.random.default_rng(0).normal(size=(99, 40)), [0], 9)\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
