"""Decide which unlabelled images to label next, and prove whether a way of deciding is better.

Names are loaded when they are first used, so that importing the package costs nothing. The loop
itself is `nextlabel.algorithm1.algorithm1`: a name of the package cannot be a module and a
function at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nextlabel.core.dataset import Dataset
    from nextlabel.core.errors import NextlabelError
    from nextlabel.core.feature_space import Embedding, FeatureSpace
    from nextlabel.core.pool import Pool
    from nextlabel.core.seeds import Seeds
    from nextlabel.core.snapshot import Snapshot
    from nextlabel.core.strategy import Strategy
    from nextlabel.kernels.farthest_from_mean import farthest_from_mean
    from nextlabel.kernels.k_centre.farthest_first import farthest_first
    from nextlabel.selection import select
    from nextlabel.strategies.core_set import CoreSet
    from nextlabel.strategies.medal import MedAL
    from nextlabel.strategies.random import Random
    from nextlabel.strategies.uncertainty import Entropy, LeastConfidence, Margin

    __version__: str

__all__ = [
    "CoreSet",
    "Dataset",
    "Embedding",
    "Entropy",
    "FeatureSpace",
    "LeastConfidence",
    "Margin",
    "MedAL",
    "NextlabelError",
    "Pool",
    "Random",
    "Seeds",
    "Snapshot",
    "Strategy",
    "__version__",
    "farthest_first",
    "farthest_from_mean",
    "select",
]

_HOME = {
    "CoreSet": "strategies.core_set",
    "Dataset": "core.dataset",
    "Embedding": "core.feature_space",
    "Entropy": "strategies.uncertainty",
    "FeatureSpace": "core.feature_space",
    "LeastConfidence": "strategies.uncertainty",
    "Margin": "strategies.uncertainty",
    "MedAL": "strategies.medal",
    "NextlabelError": "core.errors",
    "Pool": "core.pool",
    "Random": "strategies.random",
    "Seeds": "core.seeds",
    "Snapshot": "core.snapshot",
    "Strategy": "core.strategy",
    "farthest_first": "kernels.k_centre.farthest_first",
    "farthest_from_mean": "kernels.farthest_from_mean",
    "select": "selection",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("nextlabel")
    elif name in _HOME:
        value = getattr(import_module(f"nextlabel.{_HOME[name]}"), name)
    else:
        raise AttributeError(f"module 'nextlabel' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
