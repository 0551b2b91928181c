import copy

import pytest
import torch
from torch import nn

from nextlabel.core.errors import UsageError
from nextlabel.core.seeds import Seeds
from nextlabel.models import convolution, device, tap_products
from nextlabel.models.convolution import CompactConv, FirstConv, preparation
from nextlabel.models.network_model import NetworkModel
from nextlabel.models.networks.base import build, generator
from nextlabel.models.networks.inference import QuickCopies, for_inference
from nextlabel.models.networks.resnet import ResNet18
from nextlabel.models.networks.small_cnn import SmallCNN
from nextlabel.models.normalise import grey_and_ones, normalise
from nextlabel.models.settings import LossPredictionSettings, TrainingSettings
from nextlabel.models.task_models import create_model

PRECISE = frozenset({torch.float32, torch.float64})
LIMITS = [(torch.float32, 1e-5), (torch.float64, 1e-9)]


def relative(value, wanted):
    return float((value - wanted).detach().norm() / wanted.detach().norm())


@pytest.fixture
def products(monkeypatch):
    """Take products in types in which rounding hides no fault, of few pixels at a time."""
    monkeypatch.setattr(tap_products, "QUICKER", PRECISE)
    monkeypatch.setattr(tap_products, "COPIED", 40_000)


@pytest.mark.parametrize(("dtype", "limit"), LIMITS)
@pytest.mark.parametrize(("side", "stride"), [(3, 2), (1, 2), (1, 1)])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (3, 3), (4, 4), (7, 7), (8, 5)])
def test_a_fast_convolution_is_the_plain_one(products, height, width, side, stride, dtype, limit):
    conv = build(lambda: CompactConv(6, 10, stride, side), generator(1)).to(dtype)
    x = torch.randn(37, 6, height, width, generator=generator(2)).to(dtype)
    wanted = conv(x)
    conv.fast = True
    values = conv(x)
    assert values.shape == wanted.shape and values.dtype == wanted.dtype
    assert relative(values, wanted) <= limit


def test_a_larger_feature_map_takes_the_plain_convolution(monkeypatch):
    calls = []

    def counted(x, *others):
        calls.append(tuple(x.shape[2:]))
        return convolution_before(x, *others)

    convolution_before = convolution.fast_convolution
    monkeypatch.setattr(convolution, "fast_convolution", counted)
    conv = build(lambda: CompactConv(3, 4), generator(1))
    larger = torch.randn(2, 3, convolution.WIDEST + 1, 4, generator=generator(2))
    plain = conv(larger)
    conv.fast = True
    assert torch.equal(conv(larger), plain) and not calls
    conv(larger[:, :, 1:])
    assert calls == [(convolution.WIDEST, 4)]


def test_products_are_taken_in_bfloat16_alone(monkeypatch):
    conv = build(lambda: CompactConv(6, 10, 2), generator(1))
    x = torch.randn(2, 6, 4, 4, generator=generator(2))
    plain = conv(x)
    monkeypatch.setattr(tap_products, "_nine_pixels", lambda *arguments: 1 / 0)
    conv.fast = True
    assert torch.equal(conv(x), plain), "the library's in float32"
    with torch.autocast("cpu", dtype=torch.bfloat16), pytest.raises(ZeroDivisionError):
        conv(x)


@pytest.mark.parametrize("bias", [True, False])
def test_two_channels_say_as_much_as_three_of_a_grey_image(bias):
    conv = build(lambda: FirstConv(3, 4, 7, 2, 3, bias=bias), generator(1)).double()
    rng = generator(2)
    grey = torch.randint(0, 256, (5, 1, 9, 6), generator=rng, dtype=torch.uint8)
    output = torch.randn(5, 4, 5, 3, generator=rng).double()
    gained = []
    for prepare in (normalise, grey_and_ones):
        conv.zero_grad()
        values = conv(prepare(grey).double())
        values.backward(output)
        gained.append([values, *(p.grad.clone() for p in conv.parameters())])
    for three, two in zip(*gained, strict=True):
        torch.testing.assert_close(two, three, rtol=1e-6, atol=1e-6)


def test_only_fast_arithmetic_on_grey_images_takes_two_channels():
    network = build(lambda: ResNet18(10), generator(2))
    grey, colour = (torch.zeros(1, channels, 8, 8, dtype=torch.uint8) for channels in (1, 3))
    assert preparation(network, grey, True) is grey_and_ones
    assert preparation(network, grey, False) is normalise
    assert preparation(network, colour, True) is normalise
    assert preparation(SmallCNN(10), grey, True) is normalise


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 1e-4), (torch.float64, 1e-9)])
@pytest.mark.parametrize("size", [13, 28, 33])
def test_the_network_for_inference_is_the_plain_one(products, size, dtype, limit):
    network = build(lambda: ResNet18(10), generator(2)).to(dtype)
    images = torch.randn(8, 3, size, size, generator=generator(3)).to(dtype)
    network(images)  # statistics that fold to something
    before = copy.deepcopy(network.eval().state_dict())
    with torch.inference_mode():
        quicker = for_inference(network, images[:1], dtype)
        assert not [m for m in quicker.modules() if isinstance(m, nn.BatchNorm2d)]
        for tap, wanted in zip(quicker.taps(images), network.taps(images), strict=True):
            assert relative(tap, wanted) <= limit
        assert relative(quicker(images), network(images)) <= limit
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_another_network_is_used_as_it_is():
    network = build(lambda: SmallCNN(10), generator(2))
    assert for_inference(network, torch.zeros(1, 3, 8, 8), torch.float32) is network


def model_of(arithmetic, head=None, **changes):
    """Return a ResNet-18 that trains in float32, for one epoch if nothing else is said."""
    settings = {
        "learning_rate": 0.01,
        "batch_size": 64,
        "epochs": {"initial": 1, "step": 0},
        "device": "cpu",
        "precision": "fp32",
        "arithmetic": arithmetic,
    }
    training = TrainingSettings(**(settings | changes))
    return NetworkModel(create_model(weights="random"), training, "multiclass", 10, head=head)


def test_a_fast_model_learns_what_the_plain_one_learns(digits):
    """In float32, where few sums differ: one step, then the predictions for other images."""
    images, labels = digits
    outputs, weights = [], []
    for arithmetic in ("plain", "fast"):
        fitted = model_of(arithmetic).train(images[:64], labels[:64], 0, Seeds(0))
        assert fitted.fast == (arithmetic == "fast")
        restored = model_of(arithmetic).restore(fitted.state(), fitted.training)
        assert restored.fast == fitted.fast
        outputs.append(fitted.infer(images[64:104]))
        weights.append(fitted.network.conv1.weight.detach())
    plain, fast = (torch.from_numpy(each.features) for each in outputs)
    assert relative(fast, plain) <= 1e-3
    assert not torch.equal(fast, plain)
    assert not torch.equal(*weights), "training has another order of sums too"


def test_a_copy_is_made_again_for_images_of_another_size():
    network = build(lambda: ResNet18(10), generator(2)).eval()
    images = torch.zeros(3, 1, 28, 28, dtype=torch.uint8)
    copies = QuickCopies()
    first = copies.of(network, images, torch.float32)
    assert copies.of(network, images[1:], torch.float32) is first
    assert copies.of(network, images[:, :, :20], torch.float32) is not first


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 20},  # 64 images in batches of 16, the weights of step 2 from step 1
        {"weight_decay": 0.1, "schedule": "cosine", "batch_size": 32},
    ],
)
def test_several_steps_are_those_of_the_plain_network(digits, changes):
    images, labels = digits
    changes = {"learning_rate": 1e-4} | changes  # larger steps make much of the last digits
    models = [model_of(arithmetic, **changes) for arithmetic in ("plain", "fast")]
    plain, fast = (model.train(images[:70], labels[:70], 0, Seeds(0)) for model in models)
    assert fast.training.steps == plain.training.steps > 1
    begin = models[0].initial(Seeds(0))[0].state_dict()
    weights = dict(plain.network.named_parameters())
    for name, value in fast.network.named_parameters():
        assert relative(value - begin[name], weights[name] - begin[name]) <= 0.01, name


@pytest.mark.parametrize("stop", [0.0, 1.0])
def test_the_module_p_is_trained_along(digits, stop):
    images, labels = digits
    head = LossPredictionSettings(stop=stop, width=8)
    models = [model_of(arithmetic, head) for arithmetic in ("plain", "fast")]
    plain, fast = (model.train(images[:64], labels[:64], 0, Seeds(0)) for model in models)
    begin = models[0].initial(Seeds(0))[0].state_dict()
    weights = dict(plain.network.named_parameters())
    for name, value in fast.network.named_parameters():
        assert relative(value - begin[name], weights[name] - begin[name]) <= 0.02, name
    for one, other in zip(plain.head.parameters(), fast.head.parameters(), strict=True):
        assert relative(other, one) <= 1e-4


def test_fast_training_repeats_bit_for_bit(digits):
    images, labels = digits
    first, second = (
        model_of("fast", precision="bf16", batch_size=20).train(
            images[:64], labels[:64], 0, Seeds(0)
        )
        for _ in range(2)
    )
    for one, other in zip(
        first.network.state_dict().values(), second.network.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)


def test_without_numba_fast_arithmetic_is_refused_with_the_remedy(digits, monkeypatch):
    images, labels = digits
    find = device.importlib.util.find_spec
    hidden = {"numba": None}
    monkeypatch.setattr(
        device.importlib.util,
        "find_spec",
        lambda name, *more: hidden.get(name, name) and find(name, *more),
    )
    with pytest.raises(UsageError, match=r"needs the package numba .* 'nextlabel\[fast\]'"):
        model_of("fast").train(images[:64], labels[:64], 0, Seeds(0))
    values = {"device": "cpu", "arithmetic": "fast"}
    with pytest.raises(UsageError, match="numba"):
        device.resolve_settings(values)
    assert device.resolve_settings(values | {"arithmetic": "plain"})["arithmetic"] == "plain"
    assert not device.takes_compiled_loops("fast", torch.device("cuda"))
