import json
from dataclasses import asdict
from typing import ClassVar

import numpy as np
import pytest

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.errors import DataError
from nextlabel.engine.plan import OutOfReach, out_of_reach, plan
from nextlabel.engine.run import run
from nextlabel.features.blocks import BLOCKS
from nextlabel.features.blocks.base import BlockSettings
from nextlabel.features.blocks.vae import VAEBlock
from nextlabel.features.cache import Cache
from nextlabel.models.network_model import NetworkModel
from nextlabel.store.store import Store
from refusals import refused


def test_a_plan_counts_and_runs_nothing(tiny, tmp_path):
    experiment = tiny()
    planned = plan(experiment, cache_dir=tmp_path / "cache")
    each = 2 * (40 + 60 + 70)
    assert (planned.trials, planned.pending) == (6, 6)
    assert planned.training_samples == 6 * each + 2 * 2 * 20
    assert 0 < planned.fastest <= planned.seconds <= planned.slowest and planned.disk_bytes > 0
    assert planned.out_of_reach == (OutOfReach("the primary test of core-set + VAE", 0.5, 6),)
    with Store.open(tmp_path / "store.db") as store:
        assert store.experiments() == []
        list(run(experiment, store, cache_dir=tmp_path / "cache", jobs=2))
        assert plan(experiment, store).pending == 0
        assert plan(experiment, store).training_samples == 0
        assert json.dumps(asdict(planned))


def test_a_plan_counts_each_vae_once_a_seed_unless_it_is_there(tiny, tmp_path, monkeypatch):
    arms = [
        {"name": name, "strategy": "core_set", "features": {block: 1.0}}
        for name, block in (("one", "vae"), ("two", "vae"), ("three", "ccvae"))
    ]
    sizes = {"latent": 12, "epochs": 100}
    blocks = {"vae": sizes, "ccvae": sizes | {"round_epochs": 50}}
    experiment = tiny(arms=arms, primary=None, blocks=blocks, seeds=[0, 1])
    monkeypatch.setattr(NetworkModel, "sample_seconds", lambda self, data: 0.0)
    monkeypatch.setattr(VAEBlock, "pass_seconds", lambda self, data: float(len(data.train)))
    rounds = 4
    beginnings, later = 2 * 2 * 100, 2 * rounds * 50
    images = experiment.data.train
    assert plan(experiment, cache_dir=tmp_path).seconds == images * (beginnings + later)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(Cache, "has", lambda self, kind, identity: kind == "block-vaeblock")
    assert plan(experiment, cache_dir=tmp_path).seconds == images * (beginnings / 2 + later)


def test_a_plan_is_quick_on_large_images(tiny, monkeypatch):
    seen = []
    monkeypatch.setattr(NetworkModel, "train", lambda self, images, *rest: seen.append(len(images)))
    monkeypatch.setattr(
        "nextlabel.models.generative.vae.fit_vae", lambda images, *r: seen.append(len(images))
    )
    spec = tiny()
    for side, most in ((1024, 4), (8, 256)):
        images = np.broadcast_to(np.uint8(0), (300, 1, side, side))
        labels = np.zeros(300, np.int64)
        part = Images(images, labels)
        data = Dataset("large", "multiclass", ("a", "b"), part, part, part)
        model = spec.model.create(spec.training, data.task, 2)
        assert model.sample_seconds(data) > 0 and VAEBlock().pass_seconds(data) > 0
        assert max(seen) <= most
        seen.clear()


def test_a_plan_looks_for_the_files(tiny, tmp_path):
    arm = {"name": "mine", "strategy": "core_set", "features": {str(tmp_path / "no.npy"): 1.0}}
    with refused(DataError, "feature-file-unreadable", match=r"no.npy cannot be read"):
        plan(tiny(arms=[arm], primary=None))


def test_a_plan_times_a_vae_whose_prior_needs_many_images(tiny):
    arms = [{"name": "vamp", "strategy": "core_set", "features": {"vae_vamp": 1.0}}]
    blocks = {"vae_vamp": {"latent": 4, "epochs": 1, "pseudo_inputs": 140, "batch_size": 8}}
    assert plan(tiny(arms=arms, primary=None, blocks=blocks)).seconds > 0


def test_only_the_trials_of_the_arms_asked_for_are_counted(tiny):
    found = plan(tiny(), arms=["random", "core-set", "random"])
    assert (found.trials, found.pending) == (4, 4)
    assert plan(tiny()).trials == 6


class Learned(BlockSettings):
    """A block of another package that trains, on the pool and in each round."""

    supervised: ClassVar[bool] = True
    passes: ClassVar[int] = 3
    round_passes: ClassVar[int] = 2

    def pass_seconds(self, data):
        return 10.0


def test_a_learned_block_of_another_package_is_planned_with_its_cost(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(BLOCKS._things, "learned", Learned)
    monkeypatch.setattr(NetworkModel, "sample_seconds", lambda self, data: 0.0)
    arms = [{"name": n, "strategy": "core_set", "features": {"learned": 1.0}} for n in "ab"]
    experiment = tiny(arms=arms, primary=None, blocks={}, seeds=[0, 1])
    seconds = plan(experiment, cache_dir=tmp_path).seconds
    assert seconds == 10 * (2 * 3 + 2 * 2 * 4 * 2)  # once per seed, then per arm, seed and round


def test_a_range_of_time_is_that_of_the_timings(tiny, tmp_path, monkeypatch):
    timings = iter([5.0, 2.0, 3.0])
    arms = [{"name": n, "strategy": "random"} for n in "abc"]
    monkeypatch.setattr(NetworkModel, "planned_seconds", lambda self, data, rounds: next(timings))
    planned = plan(tiny(arms=arms, primary=None, seeds=[0]), cache_dir=tmp_path, jobs=2)
    assert (planned.seconds, planned.fastest, planned.jobs) == (1.5, 1.0, 2)
    # three trials with two jobs take as long as two one after the other: two thirds of all
    assert planned.slowest == pytest.approx(1.1 * 5.0 * 2 / 3)
    timings = iter([6.0] * 3)
    alone = plan(tiny(arms=arms, primary=None, seeds=[0]), cache_dir=tmp_path, jobs=9)
    assert (alone.fastest, alone.slowest, alone.jobs) == (2.0, pytest.approx(2.2), 9)


def test_a_plan_names_the_hypotheses_that_the_seeds_cannot_support(tiny):
    stated = [
        {"name": f"claim {n}", "arms": ["core-set"], "against": ["random"], "alternative": side}
        for n, side in enumerate(["greater", "greater", "two-sided"])
    ]
    five = out_of_reach(tiny(hypotheses=stated, primary=None, seeds=[0, 1, 2, 3, 4]))
    assert [(each.claim, each.least_p, each.needed) for each in five] == [
        ("“claim 0”", 3 / 32, 6),
        ("“claim 1”", 3 / 32, 6),
        ("“claim 2”", 3 / 32, 6),
    ]
    assert out_of_reach(tiny(hypotheses=stated, primary=None, seeds=list(range(6)))) == ()
