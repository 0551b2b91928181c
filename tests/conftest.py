"""Settings of all tests: reproducible examples, and no test that waits for a terminal."""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for refusals.py, next to the tests

# Two threads a process on a busy machine of two cores are far slower than one: they spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import psutil
import pytest
from hypothesis import settings

from nextlabel.engine.executors.process_pool import share_imports
from nextlabel.experiment.parse import parse_experiment

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("steady")

LONGEST = 400
"""After this number of seconds a test hangs, and must fail rather than be waited for."""


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


@pytest.fixture(scope="session")
def digits():
    """Real digits: uint8 tensor (1797, 1, 8, 8) and classes."""
    import torch
    from sklearn.datasets import load_digits

    raw = load_digits()
    images = (raw.images * (255 / 16)).round().astype(np.uint8)[:, None]
    return torch.from_numpy(images), raw.target.astype(np.int64)


@pytest.fixture(scope="module")
def no_bfloat16():
    """Multiply in float32 unless a test sets bfloat16, so that all machines test the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nextlabel.models.device.has_bfloat16", lambda device: False)
        yield


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
