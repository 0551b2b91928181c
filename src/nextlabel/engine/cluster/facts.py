"""Facts about a worker of a cluster, which say whether its rows equal those of the others."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from nextlabel.engine.cluster.probe import Probe
from nextlabel.engine.environment import environment

DECISIVE = ("nextlabel", "torch", "numpy", "scipy", "scikit-learn")
"""Packages whose versions decide the last digits of a row."""

GPU = "GPU"
"""The Dask resource of a worker that has a GPU."""

Kind = tuple[str, str]
"""Processor and instructions, as `environment` has them."""


def describe(probe: Probe) -> dict[str, Any]:
    """Return the facts about this process, as plain values.

    Parameters
    ----------
    probe : Probe
        A file that the driver has written into its cache.
    """
    here = environment()
    return {
        "packages": {name: here["packages"][name] for name in DECISIVE},
        "commit": here["commit"],
        "kind": [str(here["processor"]), str(here["instructions"])],
        "shared": probe.is_seen(),
    }


def describe_worker(probe: Probe) -> dict[str, Any]:
    """Return `describe` of a worker of Dask, and whether it has the Dask resource of a GPU."""
    from distributed import get_worker

    return {**describe(probe), "gpu": get_worker().state.total_resources.get(GPU, 0) >= 1}


def kind_of(facts: Mapping[str, Any]) -> Kind:
    """Return the kind of a worker's processor."""
    processor, instructions = facts["kind"]
    return processor, instructions


def usual_kind(workers: Iterable[Mapping[str, Any]], own: Mapping[str, Any]) -> Kind:
    """Return the kind of processor that most workers have; among equals that of the driver."""
    counts = Counter(kind_of(facts) for facts in workers)
    return max(counts, key=lambda kind: (counts[kind], kind == kind_of(own), kind))


def differences(facts: Mapping[str, Any], own: Mapping[str, Any], kind: Kind) -> list[str]:
    """Return in words what makes a worker's rows differ; empty when they are the same."""
    theirs, ours = facts["packages"], own["packages"]
    different = [
        f"{name} {theirs.get(name) or 'missing'} instead of {ours[name]}"
        for name in DECISIVE
        if theirs.get(name) != ours[name]
    ]
    commits = facts["commit"], own["commit"]
    if None not in commits and commits[0] != commits[1]:
        different.append(f"nextlabel of commit {commits[0][:12]} instead of {commits[1][:12]}")
    if kind_of(facts) != kind:
        different.append(f"the processor {' '.join(kind_of(facts))} instead of {' '.join(kind)}")
    return different
