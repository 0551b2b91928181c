"""Networks in files: TorchScript and ONNX, made here, and weights of ResNet-18."""

import sys
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from nextlabel.core.errors import DataError, UsageError
from nextlabel.models.networks.base import build, generator
from nextlabel.models.networks.resnet import ResNet18
from nextlabel.models.normalise import normalise
from nextlabel.models.pretrained import onnx as onnx_source
from nextlabel.models.pretrained import source_of
from refusals import refused

SIZE = 32
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def expected(pixels):
    """Maps of the convolution that the files hold, averaged, on ImageNet's values."""
    with torch.no_grad():
        return convolution()(scaled(pixels)).mean((2, 3)).numpy()


def convolution():
    return build(lambda: nn.Conv2d(3, 5, 3, 2), generator(0))


def scaled(pixels):
    return normalise(torch.from_numpy(pixels).permute(0, 3, 1, 2))


def rows(source, pixels, size=SIZE):
    loaded = source.load(size, "cpu", "bf16")
    return loaded.features(np.stack([loaded.prepare(image) for image in pixels]))


@pytest.fixture
def scripted(tmp_path):
    path = tmp_path / "network.pt"
    torch.jit.save(torch.jit.trace(convolution(), torch.zeros(1, 3, SIZE, SIZE)), path)
    return path


def test_a_torchscript_file_gives_its_pooled_maps(scripted, pixels, expected):
    found = rows(source_of(f"torchscript:{scripted}"), pixels)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_file_counts_by_its_content(scripted, tmp_path):
    same = tmp_path / "copy.pt"
    same.write_bytes(scripted.read_bytes())
    identities = [source_of(f"torchscript:{path}").identity() for path in (scripted, same)]
    assert identities[0] == identities[1] and len(identities[0]["weights"]) == 64
    other = source_of(f"torchscript:{same}", None, "unit").identity()
    assert other != identities[0]


def test_torchscript_weights_that_are_not_numbers_are_refused(tmp_path):
    broken = convolution()
    with torch.no_grad():
        broken.bias[0] = torch.inf
    torch.jit.save(torch.jit.script(broken), tmp_path / "bad.pt")
    with refused(DataError, "weights-not-finite", match="'bias'"):
        source_of(f"torchscript:{tmp_path / 'bad.pt'}").load(SIZE, "cpu", "fp32")


@pytest.mark.parametrize("kind", ["torchscript", "onnx"])
def test_files_that_are_no_networks_are_refused(kind, tmp_path):
    if kind == "onnx":
        pytest.importorskip("onnxruntime", reason="needs nextlabel[onnx]")
    path = tmp_path / "file"
    path.write_bytes(b"nothing that is a network")
    with refused(DataError, "network-file-broken"):
        source_of(f"{kind}:{path}").load(SIZE, "cpu", "fp32")
    path.unlink()
    with refused(UsageError, "network-file-unreadable", match="No such file"):
        _ = source_of(f"{kind}:{path}").identity()


def test_an_output_of_three_dimensions_is_refused(tmp_path):
    torch.jit.save(torch.jit.script(nn.Flatten(2)), tmp_path / "tokens.pt")
    with refused(DataError, "network-output", match="3 dimensions"):
        source_of(f"torchscript:{tmp_path / 'tokens.pt'}").load(SIZE, "cpu", "fp32")


class Pair(nn.Module):
    """A network with two outputs."""

    def forward(self, images):
        return images, images


def test_an_output_that_is_no_array_is_refused(tmp_path):
    traced = torch.jit.trace(Pair(), torch.zeros(1, 3, SIZE, SIZE))
    torch.jit.save(traced, tmp_path / "pair.pt")
    with refused(DataError, "network-output", match=r"gives a tuple; .* one array"):
        source_of(f"torchscript:{tmp_path / 'pair.pt'}").load(SIZE, "cpu", "fp32")


@pytest.mark.parametrize("kind", ["torchscript", "onnx"])
def test_images_of_a_size_that_a_network_does_not_take_are_refused(kind, tmp_path):
    if kind == "onnx":
        pytest.importorskip("onnxruntime", reason="needs nextlabel[onnx]")
        source = onnx_file(tmp_path / "network.onnx", size=SIZE)
    else:
        flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 2))
        torch.jit.save(torch.jit.script(flat), tmp_path / "flat.pt")
        source = source_of(f"torchscript:{tmp_path / 'flat.pt'}")
    with refused(
        DataError, "network-input", match=r"40 × 40 pixels \((RuntimeError: mat1|.* Got: 40)"
    ):
        network = source.load(40, "cpu", "fp32")
        network.features(np.zeros((1, 40, 40, 3), np.uint8))


def onnx_file(path, batch="images", size=SIZE, channels_last=False, kind="FLOAT", outputs=5):
    """Write an ONNX file of the convolution: what torch's own exporter needs is not here."""
    onnx = pytest.importorskip("onnx", reason="needs nextlabel[dev]")
    from onnx import helper, numpy_helper

    state = convolution().state_dict()
    nodes, first = [], "images"
    if channels_last:
        nodes.append(helper.make_node("Transpose", [first], ["turned"], perm=[0, 3, 1, 2]))
        first = "turned"
    if kind == "UINT8":
        nodes.append(helper.make_node("Cast", [first], ["cast"], to=onnx.TensorProto.FLOAT))
        first = "cast"
    nodes.append(helper.make_node("Conv", [first, "weight", "bias"], ["maps"], strides=[2, 2]))
    shape = [batch, size, size, 3] if channels_last else [batch, 3, size, size]
    graph = helper.make_graph(
        nodes,
        "convolution",
        [helper.make_tensor_value_info("images", getattr(onnx.TensorProto, kind), shape)],
        [helper.make_tensor_value_info("maps", onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(state[name].numpy(), name) for name in ("weight", "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return source_of(f"onnx:{path}")


@pytest.mark.parametrize(
    "options", [{}, {"batch": 2}, {"batch": 1}, {"channels_last": True}, {"size": "pixels"}]
)
def test_an_onnx_file_gives_its_pooled_maps(options, tmp_path, pixels, expected):
    pytest.importorskip("onnxruntime", reason="needs nextlabel[onnx]")
    source = onnx_file(tmp_path / "network.onnx", **options)
    np.testing.assert_allclose(rows(source, pixels), expected, atol=1e-4)


def test_an_onnx_file_says_its_size(tmp_path):
    pytest.importorskip("onnxruntime", reason="needs nextlabel[onnx]")
    fixed = onnx_file(tmp_path / "fixed.onnx")
    assert fixed.size_for(None, 28) == SIZE
    with refused(UsageError, "network-size-fixed"):
        fixed.size_for(64, None)
    free = onnx_file(tmp_path / "free.onnx", size="pixels")
    assert (free.size_for(None, None), free.size_for(64, None)) == (224, 64)


def test_an_onnx_file_of_bytes_gets_bytes(tmp_path, pixels):
    pytest.importorskip("onnxruntime", reason="needs nextlabel[onnx]")
    source = onnx_file(tmp_path / "bytes.onnx", kind="UINT8")
    with torch.no_grad():
        values = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
        expected = convolution()(values).mean((2, 3)).numpy()
    np.testing.assert_allclose(rows(source, pixels), expected, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("name", ["network.onnx.data", "weights.bin", "w" * 200])
def test_weights_next_to_an_onnx_file_belong_to_it(name, tmp_path):
    source = onnx_file(tmp_path / "network.onnx")
    alone = source.identity()
    import onnx

    model = onnx.load(tmp_path / "network.onnx")
    external = {"save_as_external_data": True, "location": name, "size_threshold": 0}
    onnx.save(model, tmp_path / "network.onnx", **external)
    before = source.identity()
    assert before != alone
    (tmp_path / "another.bin").write_bytes(b"of another network")
    assert source.identity() == before
    (tmp_path / name).write_bytes(b"larger weights")
    assert source.identity() != before
    (tmp_path / name).unlink()
    with refused(UsageError, "network-file-unreadable", match=name):
        source.identity()


def test_onnx_inputs_that_are_no_images_are_refused(tmp_path):
    pytest.importorskip("onnxruntime", reason="needs nextlabel[onnx]")
    onnx = pytest.importorskip("onnx", reason="needs nextlabel[dev]")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["text"], ["same"])],
        "text",
        [onnx.helper.make_tensor_value_info("text", onnx.TensorProto.INT64, ["n", 7])],
        [onnx.helper.make_tensor_value_info("same", onnx.TensorProto.INT64, ["n", 7])],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9
    )
    onnx.save(model, tmp_path / "text.onnx")
    with refused(DataError, "network-input"):
        source_of(f"onnx:{tmp_path / 'text.onnx'}").load(SIZE, "cpu", "fp32")


def test_without_onnxruntime_the_message_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(onnx_source, "find_spec", lambda name: None)
    with refused(UsageError, "extra-missing", match=r"pip install 'nextlabel\[onnx\]'"):
        source_of(f"onnx:{tmp_path}").load(SIZE, "cpu", "fp32")


@pytest.fixture(scope="module")
def resnet():
    return build(lambda: ResNet18(1000), generator(5)).eval()


@torch.no_grad()
def test_resnet18_gives_its_penultimate_features(resnet, pixels, tmp_path):
    state = {f"module.{k}": v for k, v in resnet.state_dict().items() if not k.startswith("fc.")}
    torch.save({"state_dict": state}, tmp_path / "mine.pth")
    source = source_of("resnet18", str(tmp_path / "mine.pth"))
    with pytest.warns(UserWarning, match="'state_dict'"):
        loaded = source.load(SIZE, "cpu", "fp32")
    found = loaded.features(pixels)
    expected = resnet.pool(resnet.taps(scaled(pixels)))
    assert found.shape == (3, 512)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_random_weights_are_refused():
    with refused(DataError, "no-weights-file", match="or leave weights out"):
        source_of("resnet18", "random").identity()


def test_resnet18_takes_the_imagenet_weights_if_none_are_given():
    assert source_of("resnet18")._file == "imagenet"


class FakeTimm:
    """The parts of timm that are used, with a convolution as its only model."""

    class Model(nn.Module):
        pretrained_cfg: ClassVar = {
            "input_size": (3, 48, 48),
            "mean": (0.5,) * 3,
            "std": (0.25,) * 3,
        }

        def __init__(self):
            super().__init__()
            self.maps = convolution()

        def forward(self, images):
            return self.maps(images).mean((2, 3))

    asked: ClassVar[list[tuple[str, dict]]] = []

    @classmethod
    def create_model(cls, name, **options):
        cls.asked.append((name, options))
        if name != "small":
            raise RuntimeError(f"Unknown model ({name})")
        return cls.Model()


@pytest.fixture
def timm(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", FakeTimm)
    monkeypatch.setattr("nextlabel.models.pretrained.timm.find_spec", lambda name: True)
    monkeypatch.setattr(FakeTimm, "asked", [])


def test_timm_models_have_values_and_size_of_their_own(timm, pixels):
    source = source_of("timm:small", "weights.safetensors")
    assert source.size_for(None, None) == 48
    found = source.load(SIZE, "cpu", "fp32").features(pixels)
    with torch.no_grad():
        values = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - 0.5) / 0.25
        expected = FakeTimm.Model()(values).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    overlay = {"pretrained_cfg_overlay": {"file": "weights.safetensors"}}
    assert FakeTimm.asked == [("small", {"pretrained": True, "num_classes": 0, **overlay})]
    assert len(source.identity()["weights"]) == 64


def test_timm_models_that_there_are_not_are_refused(timm):
    with refused(DataError, "network-not-loaded", match=r"Unknown model \(large\)"):
        source_of("timm:large").identity()


def test_without_timm_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr("nextlabel.models.pretrained.timm.find_spec", lambda name: None)
    with refused(UsageError, "extra-missing", match="pip install timm"):
        source_of("timm:small").identity()
