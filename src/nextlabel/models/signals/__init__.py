'''Registry of signals: one file per signal, and one entry point per signal of other packages.

A strategy names the signals that it needs; each is computed from the round's models when an arm
of an experiment uses such a strategy. A new file in this package adds a signal, for example

    """Gradient embeddings of the last layer [Ash et al. 2020]."""

    from typing import ClassVar

    import numpy as np

    from nextlabel.core.signals import PoolView, SignalSource
    from nextlabel.core.types import Array
    from nextlabel.models.signals import register

    @register("gradients")
    class Gradients:
        """Gradient of the loss of the predicted class, (N, K * width)."""

        dimensions: ClassVar[int] = 2
        reads: ClassVar[frozenset[SignalSource]] = frozenset({"model"})

        def compute(self, view: PoolView, rng: np.random.Generator) -> Array:
            p, features = view.outputs.probabilities, view.outputs.features
            residual = p - (np.arange(p.shape[1]) == p.argmax(1)[:, None])
            return (residual[:, :, None] * features[:, None, :]).reshape(len(p), -1)

Another package leaves out the decorator and names the class in its `pyproject.toml`:

    [project.entry-points."nextlabel.signals"]
    gradients = "my_package:Gradients"

A strategy then has `needs = frozenset({"gradients"})` and reads `snapshot.require("gradients")`.
Modules here import torch inside functions, if at all, so that a TOML file is parsed without it.
'''

from collections.abc import Iterable
from typing import Any

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.registry import Registry
from nextlabel.core.signals import PoolView, Signal, SignalSource
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.types import Array

SIGNALS: Registry[type[Signal]] = Registry("signal", __name__, "nextlabel.signals")
register = SIGNALS.register


def sources(names: Iterable[str]) -> frozenset[SignalSource]:
    """Return the sources of the signals `names`; UsageError for an unknown signal."""
    return frozenset().union(*(_signal(name).reads for name in names))


def signal_blocks(names: Iterable[str]) -> tuple[str, ...]:
    """Return the blocks that are fitted for the signals `names`, sorted."""
    blocks: set[str] = set()
    for name in names:
        blocks |= getattr(_signal(name), "blocks", frozenset())
    return tuple(sorted(blocks))


def compute(name: str, view: PoolView, rng: np.random.Generator) -> Array | Embedding:
    """Return the signal `name` of a pool.

    Raises
    ------
    UsageError
        When the signal is unknown.
    DataError
        When the array does not have the dimensions that the signal declares.
    """
    signal = _signal(name)
    values = signal.compute(view, rng)
    dimensions = 2 if isinstance(values, Embedding) else np.ndim(values)
    if dimensions != signal.dimensions:
        raise DataError(
            f"signal {name!r} gives {dimensions} dimensions and declares {signal.dimensions}; "
            "correct one of them in its class",
            code="wrong-dimensions",
        )
    return values


def _signal(name: str) -> Signal:
    signal_class: Any = SIGNALS[name]
    signal: Signal = signal_class()
    return signal
