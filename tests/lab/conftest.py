import pytest

from nextlabel.lab.parse import parse_experiment


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
