import torch

from nextlabel.models.networks.base import build, generator
from nextlabel.models.networks.resnet import ResNet18
from nextlabel.models.networks.small_cnn import SmallCNN


def expected_names():
    """The state dict of torchvision's ResNet-18, written out from its published structure."""
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    names = ["conv1.weight", *(f"bn1.{n}" for n in norm)]
    for stage in range(1, 5):
        for block in range(2):
            at = f"layer{stage}.{block}"
            for i in (1, 2):
                names += [f"{at}.conv{i}.weight", *(f"{at}.bn{i}.{n}" for n in norm)]
            if stage > 1 and block == 0:
                names += [f"{at}.downsample.0.weight", *(f"{at}.downsample.1.{n}" for n in norm)]
    return [*names, "fc.weight", "fc.bias"]


def test_state_dict_has_torchvisions_names_and_shapes():
    state = ResNet18(1000).state_dict()
    assert sorted(state) == sorted(expected_names())
    assert len(state) == 122
    assert state["conv1.weight"].shape == (64, 3, 7, 7)
    assert state["layer2.0.downsample.0.weight"].shape == (128, 64, 1, 1)
    assert state["layer4.1.conv2.weight"].shape == (512, 512, 3, 3)
    assert state["fc.weight"].shape == (1000, 512)
    assert sum(p.numel() for p in ResNet18(1000).parameters()) == 11_689_512


def test_taps_are_the_four_blocks():
    network = build(lambda: ResNet18(3), generator(0)).eval()
    images = torch.randn(2, 3, 28, 28, generator=generator(1))
    shapes = [tuple(tap.shape[1:]) for tap in network.taps(images)]
    assert shapes == [(64, 7, 7), (128, 4, 4), (256, 2, 2), (512, 1, 1)]
    features = network.pool(network.taps(images))
    assert features.shape == (2, 512)
    assert torch.equal(network.fc(features), network(images))


def test_small_stem_keeps_the_size():
    network = build(lambda: ResNet18(3, "small"), generator(0)).eval()
    assert network.taps(torch.zeros(1, 3, 28, 28))[0].shape[2:] == (28, 28)


def test_building_draws_from_its_own_generator_alone():
    before = torch.random.get_rng_state()
    first = build(lambda: SmallCNN(4), generator(7))
    second = build(lambda: SmallCNN(4), generator(7))
    other = build(lambda: SmallCNN(4), generator(8))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True)
    )
    assert not torch.equal(first.fc.weight, other.fc.weight)
    assert torch.equal(first.norms[0].running_var, torch.ones(32))
