import copy

import pytest
import torch
import torch.nn.functional as F

from nextlabel.models.convolution import CompactConv, compact
from nextlabel.models.networks.base import build, generator
from nextlabel.models.networks.resnet import ResNet18


def trained(network, images, labels, short):
    def steps(parameters):
        optimiser = torch.optim.SGD(parameters, lr=0.01, momentum=0.9)
        for _ in range(3):
            optimiser.zero_grad()
            loss = F.cross_entropy(network(images), labels)
            loss.backward()
            optimiser.step()

    if short:
        with compact(network, images[:1]) as parameters:
            steps(parameters)
    else:
        steps(network.parameters())
    return network.state_dict()


@pytest.mark.parametrize("size", [16, 20, 28, 40])
def test_compact_training_is_the_plain_one(size):
    rng = generator(1)
    plain = build(lambda: ResNet18(10), rng).double()
    images = torch.randn(6, 3, size, size, generator=rng).double()
    labels = torch.arange(6)
    expected = trained(copy.deepcopy(plain), images, labels, short=False)
    found = trained(copy.deepcopy(plain), images, labels, short=True)
    start = plain.state_dict()
    assert list(expected) == list(found)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-11, msg=name)
    assert not torch.equal(found["layer4.1.conv2.weight"], start["layer4.1.conv2.weight"])


def matching(conv, gradient):
    """Return of a plain convolution's gradient what a compact one trains, in its order."""
    if conv.reach == "centre":
        return gradient[:, :, 1, 1].T
    if conv.reach == "corner":
        return gradient[:, :, 1:, 1:].permute(2, 3, 1, 0).flatten(0, 2)
    return gradient.permute(2, 3, 1, 0)


def relative(found, wanted):
    return float((found - wanted).detach().norm() / wanted.detach().norm())


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
@pytest.mark.parametrize("size", [20, 28, 40])
def test_logits_and_gradients_are_those_of_the_plain_model(size, dtype, limit):
    """Each parameter's gradient is compared by its own norm.

    Where rounding carries a ReLU's input across zero, gradients jump: a few images in a batch.
    """
    network = build(lambda: ResNet18(10), generator(2)).to(dtype)
    images = torch.randn(8, 3, size, size, generator=generator(3)).to(dtype)
    logits = network(images)
    F.cross_entropy(logits, torch.arange(8)).backward()
    plain = {n: p.grad.clone() for n, p in network.named_parameters()}
    network.zero_grad()
    reaches, compared = set(), 0
    with compact(network, images[:1]):
        short = network(images)
        F.cross_entropy(short, torch.arange(8)).backward()
        assert relative(short, logits) <= limit
        modules = dict(network.named_modules())
        for name, wanted in plain.items():
            owner = modules[name.rpartition(".")[0]]
            if isinstance(owner, CompactConv) and owner.reach:
                reaches.add(owner.reach)
                found, wanted = owner.taps.grad, matching(owner, wanted)
            else:
                found = network.get_parameter(name).grad
            assert relative(found, wanted) <= limit, name
            compared += 1
    assert compared == 62
    assert size != 28 or reaches == {"centre", "corner", "square"}


def test_another_image_size_inside_compact_is_refused():
    conv = CompactConv(2, 2)
    with compact(conv, torch.zeros(1, 2, 1, 1)):
        conv(torch.zeros(3, 2, 1, 1))
        with pytest.raises(RuntimeError, match="2×2 feature map"):
            conv(torch.zeros(3, 2, 2, 2))
    conv(torch.zeros(3, 2, 2, 2))


def test_the_weight_is_whole_again_after_an_error():
    conv = CompactConv(2, 2)
    before = conv.weight.detach().clone()
    with pytest.raises(ZeroDivisionError), compact(conv, torch.zeros(1, 2, 1, 1)):
        raise ZeroDivisionError
    assert conv.taps is None and conv.weight.requires_grad
    assert torch.equal(conv.weight, before)
