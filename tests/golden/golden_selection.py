"""The ids that every strategy picks from one fixed snapshot.

`python tests/golden/golden_selection.py` writes them again; nothing else does.
"""

import json
from pathlib import Path

import numpy as np

from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.space.feature_space import FeatureSpace
from nextlabel.strategies import STRATEGIES, create
from nextlabel.testing import tasks_of

FILE = Path(__file__).with_name("selection.json")
SIZE, BUDGET = 200, 24


def numbers(rows: int, columns: int, seed: int) -> np.ndarray:
    """Return numbers in (0, 1) from a generator of our own: the same on every platform."""
    state, found = seed, []
    for _ in range(rows * columns):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        found.append(((state >> 33) + 0.5) / 2**31)
    return np.array(found).reshape(rows, columns)


def snapshot(task: str) -> Snapshot:
    """Return 200 images with two blocks and probabilities, 20 labelled and 5 excluded."""
    features = numbers(SIZE, 12, 1) ** 2
    raw = numbers(SIZE, 4, 2)
    probabilities = raw / raw.sum(axis=1, keepdims=True) if task == "multiclass" else raw
    space = FeatureSpace({"task": 1.0, "vae": 0.5}, "none")
    return Snapshot(
        Pool(SIZE, np.arange(3, 183, 9), np.arange(5)[[0, 1, 2]]),
        task,  # type: ignore[arg-type]
        space.embed({"task": features.astype(np.float32), "vae": numbers(SIZE, 5, 3)}),
        probabilities,
        numbers(SIZE, 1, 4)[:, 0],
        signals={
            "samples": passes(6, task, 5),
            "dropped": passes(3, task, 6),
            "true_labels": np.arange(SIZE) % 4,
            "discriminator": numbers(SIZE, 1, 7)[:, 0],
            "ranked_discriminator": numbers(SIZE, 1, 8)[:, 0],
        },
    )


def passes(count: int, task: str, seed: int) -> np.ndarray:
    """Return probabilities of 200 images by several models (N, S, K)."""
    raw = numbers(SIZE, count * 4, seed).reshape(SIZE, count, 4)
    return raw / raw.sum(axis=2, keepdims=True) if task == "multiclass" else raw


def picks() -> dict[str, list[int]]:
    """Return the ids of every strategy and task."""
    cases = [(name, create(name)) for name in STRATEGIES]
    cases.append(("medal, entropy_top = 60", create("medal", {"entropy_top": 60})))
    return {
        f"{name}, {task}": strategy.select(
            snapshot(task), BUDGET, Seeds(0).rng("select", 1)
        ).tolist()
        for name, strategy in cases
        for task in tasks_of(strategy)
    }


def write() -> None:
    """Write the golden file."""
    lines = [f"  {json.dumps(name)}: {json.dumps(ids)}" for name, ids in sorted(picks().items())]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write()
