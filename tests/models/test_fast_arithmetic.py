import copy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nextlabel.core.seeds import Seeds
from nextlabel.models import convolution, tap_products
from nextlabel.models.convolution import CompactConv, FirstConv, FlatNorm, compact, preparation
from nextlabel.models.network_model import NetworkModel
from nextlabel.models.networks.base import build, generator
from nextlabel.models.networks.inference import QuickCopies, for_inference
from nextlabel.models.networks.resnet import ResNet18
from nextlabel.models.networks.small_cnn import SmallCNN
from nextlabel.models.normalise import grey_and_ones, normalise
from nextlabel.models.settings import TrainingSettings
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


def results(conv, x, output):
    """Return values and both gradients of sum(output · values)."""
    x = x.clone().requires_grad_()
    conv.weight.grad = None
    values = conv(x)
    values.backward(output)
    return values, x.grad, conv.weight.grad


@pytest.mark.parametrize(("dtype", "limit"), LIMITS)
@pytest.mark.parametrize("side", [3, 1])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (3, 3), (4, 4), (7, 7), (8, 5)])
def test_a_fast_convolution_is_the_plain_one(products, height, width, stride, side, dtype, limit):
    conv = build(lambda: CompactConv(6, 10, stride, side), generator(1)).to(dtype)
    x = torch.randn(37, 6, height, width, generator=generator(2)).to(dtype)
    shape = (37, 10, -(-height // stride), -(-width // stride))
    output = torch.randn(shape, generator=generator(3)).to(dtype)
    plain = results(conv, x, output)
    conv.fast = True
    for fast, wanted in zip(results(conv, x, output), plain, strict=True):
        assert fast.shape == wanted.shape and fast.dtype == wanted.dtype
        assert relative(fast, wanted) <= limit


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
    with compact(conv, larger[:1], fast=True):
        assert torch.equal(conv(larger), plain) and not calls
        conv(larger[:, :, 1:])
    conv(larger[:, :, 1:])
    assert calls == [(convolution.WIDEST, 4)], "fast inside `compact` alone"


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


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("shape", [(6, 4, 1, 1), (6, 4, 2, 2)])
def test_batch_norm_is_the_plain_one(shape, momentum):
    x, output = (torch.randn(shape, generator=generator(n)).double() for n in (1, 2))
    norms = [
        build(partial(norm, 4, momentum=momentum), generator(0))
        for norm in (nn.BatchNorm2d, FlatNorm)
    ]
    norms[1].fast = True
    gained = []
    for norm in (norm.double() for norm in norms):
        inputs = x.clone().requires_grad_()
        values = [norm(inputs), norm(2 * inputs + 1)]
        torch.autograd.backward(values, [output, output])
        evaluated = norm.eval()(x)
        gained.append(
            [*values, evaluated, inputs.grad, norm.weight.grad, norm.bias.grad, *norm.buffers()]
        )
    assert float(norms[1].num_batches_tracked) == 2
    for plain, fast in zip(*gained, strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 1e-4), (torch.float64, 1e-9)])
@pytest.mark.parametrize("size", [13, 28, 33])
def test_logits_gradients_and_statistics_are_those_of_the_plain_network(
    products, size, dtype, limit
):
    network = build(lambda: ResNet18(10), generator(2)).to(dtype)
    images = torch.randn(8, 3, size, size, generator=generator(3)).to(dtype)
    gained = []
    for fast in (False, True):
        trained = copy.deepcopy(network)
        with compact(trained, images[:1], fast):
            logits = trained(images)
            F.cross_entropy(logits, torch.arange(8)).backward()
            gradients = {
                name: p.grad for name, p in trained.named_parameters() if p.grad is not None
            }
        evaluated = trained.eval()(images)
        gained.append({"logits": logits, "evaluated": evaluated, **dict(trained.named_buffers())})
        gained[-1] |= gradients
    plain, fast = gained
    assert plain.keys() == fast.keys() and len(plain) == 2 + 60 + 62
    for name, wanted in plain.items():
        assert fast[name].dtype == wanted.dtype, name
        assert relative(fast[name].double(), wanted.double()) <= limit, name


def test_products_are_taken_in_bfloat16_alone(monkeypatch):
    monkeypatch.setattr(tap_products._Columns, "apply", lambda *arguments: arguments[0])
    conv = build(lambda: CompactConv(6, 10), generator(1))
    x = torch.randn(2, 6, 4, 4, generator=generator(2))
    conv.fast = True
    assert conv(x).shape == (2, 10, 4, 4), "the library's in float32"
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert conv(x) is x


def test_training_in_bfloat16_stays_as_near_to_float64_as_the_plain_way():
    network = build(lambda: ResNet18(10), generator(2))
    images = torch.randn(32, 3, 28, 28, generator=generator(3))

    def gradient(fast, dtype):
        trained = copy.deepcopy(network).to(dtype)
        cast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.float32)
        with compact(trained, images[:1].to(dtype), fast):
            with cast:
                logits = trained(images.to(dtype))
            F.cross_entropy(logits.to(dtype), torch.arange(32) % 10).backward()
            grads = [p.grad for p in trained.parameters() if p.grad is not None]
        assert all(grad.dtype == dtype for grad in grads)
        return torch.cat([grad.double().flatten() for grad in grads])

    exact, plain, fast = (
        gradient(*way)
        for way in ((False, torch.float64), (False, torch.float32), (True, torch.float32))
    )
    assert not torch.equal(fast, plain), "bfloat16 takes products"
    assert relative(fast, exact) <= 1.3 * relative(plain, exact) < 1


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


def test_a_fast_model_learns_what_the_plain_one_learns(digits):
    """In float32, where few sums differ: one step, then the predictions for other images."""
    images, labels = digits
    outputs, weights = [], []
    for arithmetic in ("plain", "fast"):
        settings = TrainingSettings(
            learning_rate=0.01,
            batch_size=64,
            epochs={"initial": 1, "step": 0},
            device="cpu",
            precision="fp32",
            arithmetic=arithmetic,
        )
        model = NetworkModel(create_model(weights="random"), settings, "multiclass", 10)
        fitted = model.train(images[:64], labels[:64], 0, Seeds(0))
        assert fitted.fast == (arithmetic == "fast")
        assert model.restore(fitted.state(), fitted.training).fast == fitted.fast
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
