"""Maps: who is shown, who is picked, and that the same seed draws the same picture."""

import numpy as np
import pytest

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.feature_space import FeatureSpace
from nextlabel.features.cache import Cache
from nextlabel.kernels.reference import farthest_first
from nextlabel.statistics.point_cloud import shape
from nextlabel.store.maps import Map
from nextlabel.trial import space_map as maps
from nextlabel.trial.data import load_data
from nextlabel.trial.learner import TrialLearner
from nextlabel.trial.space_map import (
    MapSettings,
    choose_arm,
    draw,
    make_map,
    spaces_of,
    t_sne,
)
from refusals import refused

SMALL = MapSettings(labelled=30, candidates=60, picked=8, perplexity=5)


def made(experiment, cache, *arguments):
    steps = list(make_map(experiment, *arguments, cache_dir=cache))
    assert all(isinstance(step, str) for step in steps[:-1])
    assert isinstance(steps[-1], Map)
    return steps[-1]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def flat(monkeypatch):
    """In the place of t-SNE: the first two columns."""
    monkeypatch.setattr(maps, "t_sne", lambda points, *_: points[:, :2])


# -- a whole map ---------------------------------------------------------------------------------


def test_the_experiments_own_sizes_are_no_matter(tiny, cache, flat):
    small = {"name": "digits", "train": 120, "validation": 40, "test": 20}
    found = made(tiny(data=small, target=140), cache, None, None, SMALL)
    assert len(found.ids) == 90


def test_a_map_shows_what_the_strategy_would_do(tiny, cache, flat):
    spec = tiny()
    found = made(spec, cache, None, None, SMALL)
    assert (found.arm, found.seed, found.labelled) == ("core-set + VAE", 0, 30)
    assert found.spec["headline"] == "validation/accuracy"
    assert found.settings["perplexity"] == 5 and found.settings["t-SNE"].startswith("openTSNE 1")
    assert len(set(found.ids.tolist())) == 90 and len(found.candidates) == 60
    assert [space.name for space in found.spaces] == ["task", "task + vae"]
    # by hand: train on the same labels, then the textbook core-set among the candidates alone
    data, seeds = load_data(spec, None), Seeds(0)
    pool, candidates, _ = draw(150, SMALL, seeds)
    assert found.ids.tolist() == [*pool.labelled.tolist(), *candidates.tolist()]
    for arm, space in zip(spec.arms[1:], found.spaces, strict=True):
        learner = TrialLearner(spec, arm, seeds, data, Cache.open(cache))
        fitted = learner.fit(pool, data.train.labels[pool.labelled], 0, None)
        rows = fitted.snapshot(pool, frozenset({"features"})).features.concatenate()[found.ids]
        picked = found.ids[farthest_first(rows, np.arange(30), 8)]
        assert picked.tolist() == space.picked.tolist()
        assert set(picked.tolist()) <= set(candidates.tolist())
        assert space.dimensions == rows.shape[1]
        at = np.array([found.ids.tolist().index(i) for i in picked])
        assert space.in_space == shape(rows, np.arange(30, 90), at)
        assert space.in_map == shape(rows[:, :2], np.arange(30, 90), at)
        assert space.points == pytest.approx(rows[:, :2])
        assert space.sheet.startswith(b"\x89PNG")
    parts = ["data", "blocks", "train", "signals"]
    parts += [
        f"{what} {s.name}"
        for s in found.spaces
        for what in ("select in", "t-SNE of", "measures of")
    ]
    assert list(found.seconds) == parts


def test_the_same_seed_gives_the_same_map(tiny, cache):
    one, again, other = (made(tiny(), cache, None, seed, SMALL) for seed in (1, 1, 0))
    for a, b in zip(one.spaces, again.spaces, strict=True):
        assert np.array_equal(a.points, b.points) and np.array_equal(a.picked, b.picked)
        assert (a.in_space, a.in_map, a.sheet) == (b.in_space, b.in_map, b.sheet)
    assert one.ids.tolist() == again.ids.tolist() != other.ids.tolist()


def test_a_space_without_the_task_model_is_compared_with_it(tiny, cache, flat):
    arm = {"name": "far", "strategy": "core_set", "features": {"vae": 2.0}, "scale": "none"}
    spec = tiny(arms=[arm], primary=None)
    found = made(spec, cache, None, None, SMALL)
    assert [(s.name, dict(s.weights), s.scale) for s in found.spaces] == [
        ("task", {"task": 1.0}, "none"),
        ("2 vae", {"vae": 2.0}, "none"),
    ]
    assert found.spaces[1].dimensions == 4


def test_a_strategy_may_ask_for_more_than_features(tiny, cache, flat):
    arm = {"name": "medal", "strategy": "medal", "options": {"entropy_top": 10}}
    found = made(tiny(arms=[arm], primary=None), cache, None, None, SMALL)
    assert [space.name for space in found.spaces] == ["task"]  # the arm has no other
    assert len(found.spaces[0].picked) == 8


# -- arms and spaces -----------------------------------------------------------------------------


def test_the_arm_by_default(tiny):
    spec = tiny()
    assert choose_arm(spec, None).name == "core-set + VAE"
    assert choose_arm(spec, "core-set").name == "core-set"
    free = spec.model_copy(update={"primary": None})
    assert choose_arm(free, None).name == "core-set + VAE"  # the first that has more than T_f
    plain = free.model_copy(update={"arms": free.arms[:2]})
    assert choose_arm(plain, None).name == "core-set"


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("core-sat", "unknown-arm", "no arm 'core-sat'; did you mean 'core-set'"),
        (
            "random",
            "arm-without-features",
            r"not choose by features but by random.*arms that do: core-set, core-set \+ VAE",
        ),
    ],
)
def test_arms_that_cannot_be_mapped(tiny, name, code, says):
    with refused(UsageError, code, match=says):
        choose_arm(tiny(), name)


def test_an_experiment_without_any_such_arm(tiny):
    arms = [{"name": "random", "strategy": "random"}]
    with refused(UsageError, "arm-without-features", match="no arm of tiny chooses by features"):
        choose_arm(tiny(arms=arms, primary=None), None)


def test_spaces_are_named_by_their_blocks(tiny):
    arm = tiny().arms[2]
    heavier = arm.model_copy(update={"features": {"vae": 0.5, "task": 1.0, "pca": 0.0}})
    assert list(spaces_of(heavier)) == ["task", "task + 0.5 vae"]
    assert spaces_of(heavier)["task"] == FeatureSpace({"task": 1.0}, "rms")
    only = arm.model_copy(update={"features": {"task": 3.0}, "scale": "none"})
    assert spaces_of(only) == {"task": FeatureSpace({"task": 3.0}, "none")}


# -- who is shown --------------------------------------------------------------------------------


def test_the_rest_of_the_pool_cannot_be_picked():
    pool, candidates, notes = draw(150, SMALL, Seeds(0))
    assert pool.unlabelled.tolist() == candidates.tolist()
    assert pool.labelled_count == 30 and len(candidates) == 60 and not notes
    other = draw(150, SMALL, Seeds(1))
    assert other[0].labelled.tolist() != pool.labelled.tolist()
    assert other[1].tolist() != candidates.tolist()


def test_fewer_candidates_than_asked_for_are_said():
    pool, candidates, notes = draw(70, SMALL, Seeds(0))
    assert len(candidates) == 40 and pool.excluded.size == 0
    assert notes == ("only 40 images are left as candidates, not 60",)


@pytest.mark.parametrize(
    ("size", "changes", "code", "says"),
    [
        (
            37,
            {},
            "too-many-labelled",
            "labelled 30 and picked 8 exceed the pool's 37 images; lower --labelled to 29",
        ),
        (5, {}, "too-many-labelled", "lower --labelled to 1 or less, or --picked"),
        (
            150,
            {"candidates": 7},
            "too-many-picked",
            "picked 8 exceeds the 7 candidates; lower --picked to 7",
        ),
        (
            150,
            {"perplexity": 29.7},
            "perplexity-too-large",
            "perplexity 29.7 is too large for 90 points.*to 29",
        ),
        (38, {"perplexity": 13}, "perplexity-too-large", "too large for 38 points"),
        (
            3,
            {"labelled": 1, "picked": 1, "perplexity": 1},
            "perplexity-too-large",
            "for 3 points.*; show at least 4",
        ),
    ],
)
def test_numbers_that_do_not_fit(size, changes, code, says):
    with refused(UsageError, code, match=says):
        draw(size, SMALL.model_copy(update=changes), Seeds(0))


def test_the_largest_numbers_that_fit():
    draw(38, SMALL, Seeds(0))
    draw(150, SMALL.model_copy(update={"perplexity": 29.0}), Seeds(0))
    draw(4, MapSettings(labelled=2, candidates=2, picked=2, perplexity=1), Seeds(0))


# -- t-SNE ---------------------------------------------------------------------------------------


def test_tsne_keeps_neighbours_together_and_draws_from_no_shared_generator():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(c, 0.1, (25, 6)) for c in (0, 5, 10)])
    np.random.seed(1)  # noqa: NPY002 - the generator under test
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    seen = t_sne(points, 5, 3)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert seen.shape == (75, 2)
    distances = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    nearest = np.argsort(distances, axis=1)[:, 1]
    assert np.array_equal(nearest // 25, np.arange(75) // 25)
    assert np.array_equal(seen, t_sne(points, 5, 3))


def test_tsne_of_a_line_and_of_nothing():
    line = np.random.default_rng(0).normal(size=(40, 1))
    assert np.isfinite(t_sne(line, 5, 0)).all()
    with refused(DataError, "points-alike", match="all 40 points are the same"):
        t_sne(np.ones((40, 3)), 5, 0)
