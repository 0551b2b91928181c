"""The device and the precision of training, as far as the machine decides."""

import numpy as np
import pytest
import torch

from nextlabel.core.seeds import Seeds
from nextlabel.features.blocks import BLOCKS
from nextlabel.models import device
from nextlabel.models.device import precise, resolve_precision, resolve_settings
from nextlabel.models.network_model import NetworkModel
from nextlabel.models.settings import TrainingSettings
from nextlabel.models.task_models import create_model

CPU = torch.device("cpu")
has_bfloat16 = device.has_bfloat16  # before `no_bfloat16` takes its place


@pytest.fixture
def units(monkeypatch):
    """Say whether the machine has units for bfloat16."""

    def have(yes):
        monkeypatch.setattr("nextlabel.models.device.has_bfloat16", lambda device: yes)

    return have


@pytest.mark.parametrize(("there", "auto"), [(True, "bf16"), (False, "fp32")])
def test_auto_stands_for_what_the_machine_has(units, there, auto):
    units(there)
    assert resolve_precision("auto", CPU) == auto
    assert [resolve_precision(p, CPU) for p in ("fp32", "bf16")] == ["fp32", "bf16"]
    a = torch.ones(2, 2)
    with precise(CPU, "auto"):
        assert (a @ a).dtype == (torch.bfloat16 if there else torch.float32)


def test_cuda_has_units_from_ampere_on(monkeypatch):
    for capability, there in (((7, 5), False), ((8, 0), True), ((9, 0), True)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda d, c=capability: c)
        assert has_bfloat16(torch.device("cuda")) is there
    assert not has_bfloat16(torch.device("mps"))


def test_a_processor_has_them_if_torch_says_so(monkeypatch):
    for said in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda s=said: s, raising=False)
        assert has_bfloat16(CPU) is said
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")
    assert not has_bfloat16(CPU)


def test_settings_are_known_by_what_they_stand_for(units):
    for there, auto in ((True, "bf16"), (False, "fp32")):
        units(there)
        given = TrainingSettings(device="cpu")
        assert resolve_settings(given.decisive())["precision"] == auto
        assert resolve_settings(
            TrainingSettings(device="cpu", precision=auto).decisive()
        ) == resolve_settings(given.decisive())
        assert BLOCKS["vae"](device="cpu").identity["precision"] == auto
    assert resolve_settings({"components": 32}) == {"components": 32}


@pytest.mark.parametrize("there", [True, False])
def test_auto_trains_to_the_very_bits_of_what_it_stands_for(digits, units, there):
    units(there)
    images, labels = digits
    seen = []
    for precision in ("auto", "bf16" if there else "fp32"):
        model = NetworkModel(
            create_model(name="small_cnn"),
            TrainingSettings(device="cpu", epochs={"initial": 2, "step": 0}, precision=precision),
            "multiclass",
            10,
        )
        seen.append(model.train(images[:60], labels[:60], 0, Seeds(0)).infer(images[:50]))
    assert np.array_equal(seen[0].features, seen[1].features)
    assert np.array_equal(seen[0].probabilities, seen[1].probabilities)
