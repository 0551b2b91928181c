"""Decide which unlabelled images to label next, and measure whether a strategy is better.

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nextlabel.algorithm1 import algorithm1 as active_learning_loop
    from nextlabel.core.carried import Carried
    from nextlabel.core.dataset import Dataset
    from nextlabel.core.errors import DataError, NextlabelError, UsageError
    from nextlabel.core.learner import Fitted, Learner, Training
    from nextlabel.core.oracle import Oracle, Reveal
    from nextlabel.core.pool import Pool
    from nextlabel.core.round import Round
    from nextlabel.core.seeds import Seeds
    from nextlabel.core.snapshot import Snapshot
    from nextlabel.core.space.embedding import Embedding
    from nextlabel.core.space.feature_space import FeatureSpace
    from nextlabel.core.strategy import Strategy
    from nextlabel.execution import read_results, run
    from nextlabel.experiment.parse import load_experiment
    from nextlabel.experiment.spec import Experiment
    from nextlabel.features.embed import embed
    from nextlabel.kernels.farthest_from_mean import farthest_from_mean
    from nextlabel.kernels.k_centre.farthest_first import farthest_first
    from nextlabel.project.classifier import Classifier
    from nextlabel.project.suggestion import suggest
    from nextlabel.report.results import Results
    from nextlabel.selection import select
    from nextlabel.strategies.badge import Badge
    from nextlabel.strategies.bait import Bait
    from nextlabel.strategies.balanced_random import BalancedRandom
    from nextlabel.strategies.bald import Bald
    from nextlabel.strategies.cluster_margin import ClusterMargin
    from nextlabel.strategies.core_set import CoreSet
    from nextlabel.strategies.drop_query import DropQuery
    from nextlabel.strategies.epig import Epig
    from nextlabel.strategies.max_herding import MaxHerding
    from nextlabel.strategies.medal import MedAL
    from nextlabel.strategies.oracle_balanced import OracleBalanced
    from nextlabel.strategies.predicted_loss import PredictedLoss
    from nextlabel.strategies.prob_cover import ProbCover
    from nextlabel.strategies.random import Random
    from nextlabel.strategies.ta_vaal import TAVAAL
    from nextlabel.strategies.tcm import TCM
    from nextlabel.strategies.typiclust import TypiClust
    from nextlabel.strategies.uherding import UHerding
    from nextlabel.strategies.uncertainty import Entropy, LeastConfidence, Margin
    from nextlabel.strategies.vaal import VAAL

    __version__: str

__all__ = [
    "TAVAAL",
    "TCM",
    "VAAL",
    "Badge",
    "Bait",
    "BalancedRandom",
    "Bald",
    "Carried",
    "Classifier",
    "ClusterMargin",
    "CoreSet",
    "DataError",
    "Dataset",
    "DropQuery",
    "Embedding",
    "Entropy",
    "Epig",
    "Experiment",
    "FeatureSpace",
    "Fitted",
    "Learner",
    "LeastConfidence",
    "Margin",
    "MaxHerding",
    "MedAL",
    "NextlabelError",
    "Oracle",
    "OracleBalanced",
    "Pool",
    "PredictedLoss",
    "ProbCover",
    "Random",
    "Results",
    "Reveal",
    "Round",
    "Seeds",
    "Snapshot",
    "Strategy",
    "Training",
    "TypiClust",
    "UHerding",
    "UsageError",
    "__version__",
    "active_learning_loop",
    "embed",
    "farthest_first",
    "farthest_from_mean",
    "load_experiment",
    "read_results",
    "run",
    "select",
    "suggest",
]

_MODULES = {
    "TCM": "strategies.tcm",
    "VAAL": "strategies.vaal",
    "TAVAAL": "strategies.ta_vaal",
    "Badge": "strategies.badge",
    "Bait": "strategies.bait",
    "BalancedRandom": "strategies.balanced_random",
    "Bald": "strategies.bald",
    "Carried": "core.carried",
    "Classifier": "project.classifier",
    "ClusterMargin": "strategies.cluster_margin",
    "CoreSet": "strategies.core_set",
    "DataError": "core.errors",
    "Dataset": "core.dataset",
    "DropQuery": "strategies.drop_query",
    "Embedding": "core.space.embedding",
    "Entropy": "strategies.uncertainty",
    "Epig": "strategies.epig",
    "Experiment": "experiment.spec",
    "FeatureSpace": "core.space.feature_space",
    "Fitted": "core.learner",
    "Learner": "core.learner",
    "LeastConfidence": "strategies.uncertainty",
    "Margin": "strategies.uncertainty",
    "MaxHerding": "strategies.max_herding",
    "MedAL": "strategies.medal",
    "NextlabelError": "core.errors",
    "Oracle": "core.oracle",
    "OracleBalanced": "strategies.oracle_balanced",
    "Pool": "core.pool",
    "PredictedLoss": "strategies.predicted_loss",
    "ProbCover": "strategies.prob_cover",
    "Random": "strategies.random",
    "Results": "report.results",
    "Reveal": "core.oracle",
    "Round": "core.round",
    "Seeds": "core.seeds",
    "Snapshot": "core.snapshot",
    "Strategy": "core.strategy",
    "Training": "core.learner",
    "TypiClust": "strategies.typiclust",
    "UHerding": "strategies.uherding",
    "UsageError": "core.errors",
    "active_learning_loop": "algorithm1:algorithm1",
    "embed": "features.embed",
    "farthest_first": "kernels.k_centre.farthest_first",
    "farthest_from_mean": "kernels.farthest_from_mean",
    "load_experiment": "experiment.parse",
    "read_results": "execution",
    "run": "execution",
    "select": "selection",
    "suggest": "project.suggestion",
}
"""The module of each name; after a colon, the name that it has there."""


def __getattr__(name: str) -> Any:
    value: Any
    if name == "__version__":
        from importlib.metadata import version

        value = version("nextlabel")
    elif name in _MODULES:
        module, _, original = _MODULES[name].partition(":")
        value = getattr(import_module(f"nextlabel.{module}"), original or name)
    else:
        raise AttributeError(f"module 'nextlabel' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
