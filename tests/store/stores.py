"""Made-up trials and rounds in a store, for the tests of stores."""

import hashlib
from pathlib import Path

import numpy as np

from nextlabel.core.learner import Training
from nextlabel.core.round import Round
from nextlabel.store.store import Store, TrialRecord

OLD = Path(__file__).parent / "older/schema_0001.db"
"""Three rounds of mnist_tenth's core-set, seed 0, in the schema that they were run into: 0001."""

OLDER = (OLD, OLD.with_name("schema_0002.db"))
"""The same rounds in each older schema."""

ENVIRONMENT = {"cpu": "a", "versions": {"numpy": "2"}, "weights": "random"}


def record(arm: str = "core-set", seed: int = 0, **spec: object) -> TrialRecord:
    key = hashlib.sha256(f"{arm}{seed}{sorted(spec.items())}".encode()).hexdigest()
    return TrialRecord(key, arm, seed, {"start": "random", "data_checksum": "d", **spec})


def make_round(number: int = 0, chosen: tuple[int, ...] = (5, 3), **metrics: float) -> Round:
    return Round(
        number,
        2 * (number + 1),
        np.array(chosen, np.int64),
        {"validation/accuracy": 0.1 + 0.2, "test/accuracy": 1 / 3, **metrics},
        Training(0.99, 8, 64, "random", reached=False, shared=True, seconds={"fit": 0.1}),
        {"select": 1e-9, "train": 12.5},
        123_456_789_012,
    )


def filled(location: Path | str, *records: TrialRecord) -> Store:
    store = Store.open(location)
    store.enrol("digits", {"name": "digits", "target": 250}, records or [record()])
    return store
