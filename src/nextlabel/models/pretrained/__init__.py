'''Registry of pretrained networks: one file per source, or one entry point of another package.

A network is named by its source, such as "efficientnet_lite0", or by its source and a name there,
such as "onnx:my_network.onnx". A source is a class made from that name and from the weights that
the user gives; it says what the rows depend on, and loads the network:

    """Networks of my own."""

    from nextlabel.models.pretrained import register
    from nextlabel.models.pretrained.base import NetworkSource

    @register("mine")
    class Mine(NetworkSource):
        def identity(self):
            return {"weights": "the sha256 of the weights"}

        def load(self, size, device, precision):
            return a_network  # see `nextlabel.models.pretrained.base.Network`

Another package leaves out the decorator and names the class in its `pyproject.toml`:

    [project.entry-points."nextlabel.networks"]
    mine = "my_package:Mine"

Modules here import torch inside functions, so that a TOML file is parsed without it.
'''

from nextlabel.core.registry import Registry
from nextlabel.models.pretrained.base import NetworkSource

NETWORKS: Registry[type[NetworkSource]] = Registry(
    "pretrained network", __name__, "nextlabel.networks"
)
register = NETWORKS.register


def source_of(network: str, weights: str | None = None, inputs: str = "auto") -> NetworkSource:
    """Return the source of a network and its name there, as "source" or "source:name" gives them.

    Raises UsageError for an unknown source, or when a name or weights are missing or of no use.
    """
    called, _, name = network.partition(":")
    source = NETWORKS[called](name, weights, inputs)
    source.check(called)
    return source
