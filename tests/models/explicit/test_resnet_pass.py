import copy
import gc
import inspect
import weakref

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nextlabel.core.seeds import Seeds
from nextlabel.models import freed_memory
from nextlabel.models.convolution import compact
from nextlabel.models.explicit import explicit_pass, resnet_pass, small_convolution
from nextlabel.models.network_model import NetworkModel
from nextlabel.models.networks.base import build, generator
from nextlabel.models.networks.resnet import ResNet18
from nextlabel.models.normalise import grey_and_ones, normalise
from nextlabel.models.settings import TrainingSettings
from nextlabel.models.task_models import create_model

CLASSES = 10


def network_of(stem="imagenet", dtype=torch.float64):
    network = build(lambda: ResNet18(CLASSES, stem), generator(2)).to(dtype)
    for number, norm in enumerate(m for m in network.modules() if isinstance(m, nn.BatchNorm2d)):
        norm.weight.data += 0.5 * torch.randn(norm.weight.shape, generator=generator(number))
    return network.train()


def labels_of(images):
    return torch.arange(len(images)) % CLASSES


def relative(value, wanted):
    return float((value - wanted).detach().norm() / (wanted.detach().norm() + 1e-9))


def losses(taps, logits, images):
    """Return a loss that reads the last and, as the module P does, two other feature maps."""
    return F.cross_entropy(logits, labels_of(images)) + taps[0].square().mean() + taps[2].mean()


def trained(network, batches, pass_=None):
    """Take a step of gradient descent per batch; return the network, logits and feature maps."""
    network = copy.deepcopy(network)
    prepared = batches if pass_ is None else [pass_(batch) for batch in batches]
    seen = []

    def step(parameters, taps_of, batch, images):
        taps = taps_of(batch)
        logits = network.fc(network.pool(taps))
        losses(taps, logits, images).backward()
        seen.append([logits.detach(), *(tap.detach().clone() for tap in taps)])
        with torch.no_grad():
            for parameter in parameters:
                parameter -= 0.05 * parameter.grad
                parameter.grad = None

    if pass_ is None:
        for images in batches:
            step(list(network.parameters()), network.taps, images, images)
    else:
        dtype = network.fc.weight.dtype
        with explicit_pass(network, prepared[0][:1], dtype) as (parameters, taps):
            for batch, images in zip(prepared, batches, strict=True):
                step(parameters, taps, batch, images)
    return network, seen


def itself(images):
    return images


@pytest.mark.parametrize("stem", ["imagenet", "small"])
@pytest.mark.parametrize("size", [(8, 8), (13, 20), (28, 28), (33, 33), (40, 25)])
def test_two_steps_are_those_of_the_plain_network(size, stem):
    """Values, all gradients through the weights, and statistics; batches of two sizes."""
    batches = [
        torch.randn(count, 3, *size, generator=generator(count)).double() for count in (8, 7)
    ]
    network = network_of(stem)
    (plain, wanted), (ours, seen) = (trained(network, batches, way) for way in (None, itself))
    for step, of_step in zip(seen, wanted, strict=True):
        for value, expected in zip(step, of_step, strict=True):
            assert value.shape == expected.shape
            assert relative(value, expected) < 1e-10
    before, after = plain.state_dict(), ours.state_dict()
    assert before.keys() == after.keys()
    for name, expected in before.items():
        assert after[name].dtype == expected.dtype, name
        assert relative(after[name].double(), expected.double()) < 1e-10, name


def test_grey_images_train_as_their_colours():
    images = torch.randint(0, 256, (9, 1, 28, 28), generator=generator(0), dtype=torch.uint8)
    network = network_of()
    ways = [lambda batch: normalise(batch).double(), lambda batch: grey_and_ones(batch).double()]
    (colour, _), (grey, _) = (trained(network, [images, images], way) for way in ways)
    for one, other in zip(colour.parameters(), grey.parameters(), strict=True):
        assert relative(other, one) < 1e-5, "the mean of the colours is rounded to float32"
    assert relative(grey.conv1.weight, network.conv1.weight) > 1e-3


def test_images_are_taken_some_at_a_time_where_the_cache_is_small(monkeypatch):
    batches = [torch.randn(9, 3, 28, 28, generator=generator(1)).double()]
    network = network_of()
    whole, _ = trained(network, batches, itself)
    monkeypatch.setattr(small_convolution, "CACHED", 300_000)
    parts, _ = trained(network, batches, itself)
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        assert relative(other, one) < 1e-12


def test_the_network_has_its_weights_back_when_training_fails():
    images = torch.randn(4, 3, 28, 28, generator=generator(1)).double()
    wanted, _ = trained(network_of(), [images])
    network = network_of()
    with pytest.raises(ZeroDivisionError):
        with explicit_pass(network, images[:1], torch.float64) as (parameters, taps):
            maps = taps(images)
            losses(maps, network.fc(network.pool(maps)), images).backward()
            with torch.no_grad():
                for parameter in parameters:
                    parameter -= 0.05 * parameter.grad
            raise ZeroDivisionError
    for name, value in network.state_dict().items():
        assert relative(value.double(), wanted.state_dict()[name].double()) < 1e-10, name
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_stages_after_the_last_that_a_loss_reads_get_no_gradient():
    images = torch.randn(4, 3, 28, 28, generator=generator(1)).double()
    network, moved = network_of(), network_of()
    with explicit_pass(moved, images[:1], torch.float64) as (parameters, taps):
        taps(images)[-1].sum().backward()
        parameters[0].grad = None
        taps(images)[1].square().sum().backward()
        with torch.no_grad():
            parameters[0] -= parameters[0].grad
    assert torch.equal(moved.layer3[1].conv2.weight, network.layer3[1].conv2.weight)
    assert not torch.equal(moved.layer2[1].conv2.weight, network.layer2[1].conv2.weight)


@pytest.mark.parametrize("size", [(27, 28), (40, 40)])
def test_images_of_another_size_are_refused(size):
    network = network_of()
    with explicit_pass(network, torch.zeros(1, 3, 28, 28).double(), torch.float64) as (_, taps):
        with pytest.raises(RuntimeError, match=f"images of \\({size[0]}, {size[1]}\\) pixels"):
            taps(torch.zeros(4, 3, *size).double())


def test_one_value_has_no_statistics():
    network = network_of()
    with explicit_pass(network, torch.zeros(1, 3, 28, 28).double(), torch.float64) as (_, taps):
        with pytest.raises(ValueError, match="take two images or more"):
            taps(torch.zeros(1, 3, 28, 28).double())


def test_memory_is_free_when_the_pass_is_closed():
    network = network_of()
    images = torch.randn(4, 3, 28, 28, generator=generator(1)).double()

    def step():
        with explicit_pass(network, images[:1], torch.float64) as (_, taps):
            network.fc(network.pool(taps(images))).sum().backward()
            return weakref.ref(inspect.getclosurevars(taps).nonlocals["trunk"])

    gc.disable()
    try:
        assert step()() is None, "nothing waits for the collector"
    finally:
        gc.enable()


def test_memory_is_given_back_after_the_feature_maps_are_free(digits, monkeypatch):
    """The C library can give back only what nothing holds."""
    images, labels = digits
    held, seen = weakref.WeakSet(), []
    opened = resnet_pass._Trunk.__init__
    monkeypatch.setattr(
        resnet_pass._Trunk,
        "__init__",
        lambda self, *given: (held.add(self), opened(self, *given))[1],
    )

    class Library:
        """The C library, which notes what is held when memory is given back."""

        def mallopt(self, *given):
            return 1

        def malloc_trim(self, _):
            seen.append(len(held))

    monkeypatch.setattr(freed_memory, "_glibc", Library)
    settings = TrainingSettings(
        epochs={"initial": 1, "step": 0}, device="cpu", precision="fp32", arithmetic="fast"
    )
    model = NetworkModel(create_model(weights="random"), settings, "multiclass", 10)
    model.train(images[:16], labels[:16], 0, Seeds(0))
    assert seen and not any(seen)


def test_a_late_backward_pass_is_refused():
    network = network_of()
    images = torch.randn(4, 3, 28, 28, generator=generator(1)).double()
    with explicit_pass(network, images[:1], torch.float64) as (_, taps):
        first = taps(images)[-1].sum()
        taps(images)
        with pytest.raises(RuntimeError, match="take one at a time"):
            first.backward()


def test_bfloat16_stays_as_near_to_float64_as_the_plain_way():
    images = torch.randn(64, 3, 28, 28, generator=generator(3))
    network = build(lambda: ResNet18(CLASSES), generator(2))

    def moved(fast, dtype):
        ours = copy.deepcopy(network).to(dtype).train()
        batch = images.to(dtype)
        bfloat16 = dtype == torch.float32
        products = torch.bfloat16 if bfloat16 else dtype
        opened = explicit_pass(ours, batch[:1], products) if fast else compact(ours, batch[:1])
        with opened as given:
            parameters, taps = given if fast else (given, ours.taps)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
                logits = ours.fc(ours.pool(taps(batch)))
            F.cross_entropy(logits.to(dtype), labels_of(images)).backward()
            with torch.no_grad():
                for parameter in parameters:
                    parameter -= parameter.grad
        return torch.cat([p.detach().double().flatten() for p in ours.parameters()]) - start

    start = torch.cat([p.detach().double().flatten() for p in network.parameters()])
    exact, plain, fast = (
        moved(*way)
        for way in ((False, torch.float64), (False, torch.float32), (True, torch.float32))
    )
    assert not torch.equal(fast, plain), "other products"
    assert relative(fast, exact) <= 1.3 * relative(plain, exact) < 1
