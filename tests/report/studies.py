"""Made-up experiments in a store: what a run would have left, without training anything."""

import hashlib
import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from nextlabel.core.learner import Training
from nextlabel.core.round import Round
from nextlabel.core.types import as_ids
from nextlabel.store.store import Store, TrialRecord, initial_hash

ARMS = (
    {"name": "random", "strategy": "random"},
    {"name": "core-set", "strategy": "core_set", "baseline": "random"},
    {
        "name": "core-set + VAE",
        "strategy": "core_set",
        "features": {"task": 1.0, "vae": 1.0},
        "baseline": "core-set",
    },
    {"name": "MedAL", "strategy": "medal", "baseline": "random"},
    {
        "name": "MedAL + VAE",
        "strategy": "medal",
        "features": {"task": 1.0, "vae": 1.0},
        "baseline": "MedAL",
    },
)
GAINS = {"random": 0.0, "core-set": 0.01, "core-set + VAE": 0.02, "MedAL": -0.01}
ENVIRONMENT = {"processor": "a processor", "packages": {"numpy": "2.4"}, "commit": "abc123"}

Curves = Callable[[str, int, int], float]


def png(seed: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 80), np.uint8)
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def accuracy(arm: str, seed: int, number: int) -> float:
    """A made-up curve: arms share round 0, then part."""
    noise = np.random.default_rng([seed, number, len(arm)]).normal(0, 0.004)
    base = 0.7 + 0.06 * number - 0.006 * number**2 + 0.003 * seed
    return float(base if number == 0 else base + GAINS.get(arm, 0.0) + noise)


COUNTS = [50, 100, 150, 200, 250]


def curves(arm: str, seeds: int = 3) -> np.ndarray:
    return np.array([[accuracy(arm, s, n) for n in range(5)] for s in range(seeds)])


def areas(arm: str, seeds: int = 3) -> np.ndarray:
    return np.array([np.trapezoid(row, COUNTS) / 200 for row in curves(arm, seeds)])


def spec_of(
    arms: tuple[Mapping[str, Any], ...] = ARMS, seeds: int = 3, **more: Any
) -> dict[str, Any]:
    defaults = {"options": {}, "features": {"task": 1.0}, "scale": "rms", "baseline": None}
    return {
        "name": "digits",
        "seeds": list(range(seeds)),
        "initial": 50,
        "batch": 50,
        "target": 250,
        "headline": "validation/accuracy",
        "primary": None,
        "data": {"name": "digits", "train": 1197},
        "model": {"name": "resnet18", "weights": "random"},
        "training": {"learning_rate": 0.01, "epochs": {"initial": 8, "step": 0}},
        "blocks": {"vae": {"latent": 32}},
        "arms": [{**defaults, "start": "random", **arm} for arm in arms],
        **more,
    }


def fill(
    store: Store,
    spec: Mapping[str, Any],
    curve: Curves = accuracy,
    *,
    rounds: Callable[[str, int], int] = lambda arm, seed: 5,
    begins: Callable[[str, int], bool] = lambda arm, seed: True,
    fails: Callable[[str, int], bool] = lambda arm, seed: False,
    reached: Callable[[str, int, int], bool] = lambda arm, seed, number: True,
    more: Callable[[str, int, int], Mapping[str, float]] = lambda arm, seed, number: {},
    blocks: Callable[[str], float] = lambda arm: 0.0,
    log: Callable[[str, int], Mapping[str, float]] = lambda arm, seed: {},
) -> None:
    """Put an experiment into a store as a run would, without training anything."""
    records = [
        TrialRecord(
            hashlib.sha256(f"{spec['name']} {arm['name']} {seed}".encode()).hexdigest(),
            arm["name"],
            seed,
            {
                "start": "random",
                "data_checksum": "d",
                "training": {"device": "cpu", "precision": "bf16"},
            },
        )
        for arm in spec["arms"]
        for seed in spec["seeds"]
    ]
    store.enrol(spec["name"], spec, records)
    for r in records:
        if not begins(r.arm, r.seed):
            continue
        first = as_ids(range(50 * r.seed, 50 * r.seed + 50))
        store.begin(r.key, ENVIRONMENT, initial_hash(first))
        if "VAE" in r.arm:
            epochs = [
                {"elbo": -90 + e, "reconstruction": 80 - e, "kl": 10 + e / 2, **log(r.arm, r.seed)}
                for e in range(5)
            ]
            store.log_block(r.key, "vae", epochs, {"reconstructions": png(77)})
        for number in range(rounds(r.arm, r.seed)):
            value = curve(r.arm, r.seed, number)
            store.append(
                r.key,
                Round(
                    number,
                    50 * (number + 1),
                    first if number == 0 else as_ids(range(1000 * number, 1000 * number + 50)),
                    {
                        "validation/accuracy": value,
                        "validation/balanced_accuracy": value - 0.01,
                        "test/accuracy": value - 0.02,
                        **more(r.arm, r.seed, number),
                    },
                    Training(0.995, 8, 64, "random", reached(r.arm, r.seed, number)),
                    {"train": 2.0 + number, "select": 0.25}
                    | ({"blocks": blocks(r.arm)} if blocks(r.arm) else {}),
                    300 * 2**20,
                ),
                {"picked": png(r.seed if number == 0 else 100 * number + len(r.arm))},
            )
        if fails(r.arm, r.seed):
            store.fail(r.key, "out of memory")
        elif rounds(r.arm, r.seed) == 5:
            store.finish(r.key)
