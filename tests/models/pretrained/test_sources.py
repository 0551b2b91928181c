"""Sources of pretrained networks: their names, and another package's."""

import pytest

from nextlabel.core.errors import UsageError
from nextlabel.models.pretrained import NETWORKS, source_of
from nextlabel.models.pretrained.base import NetworkSource
from refusals import refused

NAMES = {"efficientnet_lite0", "resnet18", "timm", "hf", "onnx", "torchscript"}


class Mine(NetworkSource):
    takes_name = "the name of a network"

    def identity(self):
        return {"weights": f"digest of {self.name}"}


@pytest.fixture
def plugged(monkeypatch):
    """A source that an entry point of another package names."""

    class Point:
        name, value = "mine", "my_package:Mine"

        @staticmethod
        def load():
            return Mine

    list(NETWORKS)
    monkeypatch.setattr("nextlabel.core.registry.entry_points", lambda group: [Point])
    monkeypatch.setattr(NETWORKS, "_things", dict(NETWORKS._things))
    monkeypatch.setattr(NETWORKS, "_complete", False)


def test_an_entry_point_adds_a_source(plugged):
    assert "mine" in NETWORKS
    assert source_of("mine:a:b").identity() == {"weights": "digest of a:b"}


def test_every_source_is_registered():
    assert set(NETWORKS) >= NAMES


@pytest.mark.parametrize(
    ("network", "weights", "code"),
    [
        ("mine", None, "network-name"),
        ("mine:a", "x.pth", "weights-not-taken"),
        ("efficientnet_lite", None, "unknown-name"),
        ("efficientnet_lite0:a", None, "network-name"),
    ],
)
def test_names_and_weights_that_do_not_fit_are_refused(network, weights, code, monkeypatch):
    list(NETWORKS)
    monkeypatch.setitem(NETWORKS._things, "mine", Mine)
    with refused(UsageError, code, match=network.split(":")[0]):
        source_of(network, weights)


def test_a_source_without_methods_says_so():
    with pytest.raises(NotImplementedError, match="Mine has no method load"):
        Mine("a", None, "auto").load(8, "cpu", "fp32")
