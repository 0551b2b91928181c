import signal
import sys
from pathlib import Path

import psutil
import pytest

from nextlabel.lab.parse import parse_experiment
from nextlabel.lab.processes import share_imports

sys.path.insert(0, str(Path(__file__).parent))  # for stores.py, beside the tests

LONGEST = 400
"""After so many seconds a test hangs, and must fail rather than be waited for."""


@pytest.fixture(autouse=True, scope="session")
def shared_imports():
    """Pay for the workers' imports once in a test process, as a program does."""
    share_imports()


@pytest.fixture(autouse=True)
def no_test_hangs():
    def late(*_):
        raise TimeoutError(f"this test has been running for {LONGEST} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LONGEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def tiny():
    """An experiment of real digits that takes a second a trial."""

    def make(**changes):
        raw = {
            "name": "tiny",
            "seeds": [0, 1],
            "initial": 20,
            "batch": 20,
            "target": 70,
            "primary": "core-set + VAE",
            "data": {"name": "digits", "train": 150, "validation": 60, "test": 30},
            "model": {"name": "small_cnn", "weights": "random"},
            "training": {
                "learning_rate": 0.05,
                "epochs": {"initial": 2, "step": 0},
                "device": "cpu",
            },
            "blocks": {"vae": {"latent": 4, "epochs": 1}},
            "arms": [
                {"name": "random", "strategy": "random"},
                {"name": "core-set", "strategy": "core_set", "baseline": "random"},
                {
                    "name": "core-set + VAE",
                    "strategy": "core_set",
                    "features": {"task": 1.0, "vae": 1.0},
                    "baseline": "core-set",
                },
            ],
        }
        for key, value in changes.items():
            place = raw
            *parents, last = key.split("__")
            for parent in parents:
                place = place[parent]
            place[last] = value
        return parse_experiment(raw)

    return make


@pytest.fixture
def workers():
    """The workers of this process: forked by its server, or spawned where there is none."""

    def find():
        found = []
        for child in psutil.Process().children():
            line = " ".join(child.cmdline())
            found += child.children() if "forkserver" in line else [child] * ("spawn_main" in line)
        return found

    return find
