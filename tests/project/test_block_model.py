import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.space.scaling import rms_distance
from nextlabel.project import block_model
from nextlabel.project.block_model import BlockModel
from refusals import refused

CLASSES = ("cat", "dog", "emu")


@pytest.fixture(scope="module")
def pool():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    rows = {
        "a": (rng.normal(size=(400, 5)) + truth[:, None]).astype(np.float32),
        "b": rng.normal(size=(400, 3)).astype(np.float32) * 7,
    }
    return rows, truth


def test_probabilities_are_those_of_a_regression_on_the_scaled_concatenation(pool):
    rows, truth = pool
    ids = np.arange(40)
    model = BlockModel.fit(rows, ids, truth[ids], CLASSES, weights={"a": 1.0, "b": 0.5})
    scaled = np.concatenate(
        [rows["a"] / rms_distance(rows["a"]), 0.5 * rows["b"] / rms_distance(rows["b"])], axis=1
    )
    plain = LogisticRegression(C=10, max_iter=1000).fit(scaled[ids], truth[ids])
    scores = plain.decision_function(scaled) / model.fitted.temperature
    expected = softmax(np.stack([np.zeros(400), scores], axis=1), axis=1)
    given = model.probabilities(rows)
    assert given.dtype == np.float32
    assert np.allclose(given[:, :2], expected, atol=1e-3)
    assert not given[:, 2].any()  # no image is labelled as an emu
    assert model.fitted.temperature != 1


def test_a_block_of_weight_0_is_left_out(pool):
    rows, truth = pool
    ids = np.arange(40)
    alone = BlockModel.fit({"a": rows["a"]}, ids, truth[ids], CLASSES)
    both = BlockModel.fit(rows, ids, truth[ids], CLASSES, weights={"a": 1.0, "b": 0.0})
    assert np.array_equal(alone.probabilities(rows), both.probabilities(rows))


def test_findings_have_a_model_each_and_one_answer_is_a_constant(pool):
    rows, truth = pool
    ids = np.arange(60)
    labels = np.stack([truth[ids], np.zeros(60, int), np.ones(60, int)], axis=1)
    model = BlockModel.fit(rows, ids, labels, CLASSES, "multilabel")
    given = model.probabilities(rows)
    assert ((given[:, 0] > 0.5) == truth).mean() > 0.8
    assert (given[:, 1] == 0).all()
    assert (given[:, 2] == 1).all()


def test_what_is_far_from_all_labelled_is_unlike(pool):
    rows, truth = pool
    ids = np.arange(0, 400, 4)
    model = BlockModel.fit(rows, ids, truth[ids], CLASSES)
    within = model.unlike(rows)
    assert not within[ids].any()
    assert within.sum() == 3  # beyond the 99th percentile of the 300 without a label
    far = {name: array[:3] + 100 for name, array in rows.items()}
    assert model.unlike(far).all()


@pytest.mark.parametrize("count", [400, 399, 310])
def test_where_most_are_labelled_each_counts_by_the_others(count, pool):
    rows, truth = pool
    model = BlockModel.fit(rows, np.arange(count), truth[:count], CLASSES)
    joined = np.concatenate([rows[n] / model.units[n] for n in rows], axis=1).astype(np.float64)
    distances = np.linalg.norm(joined[:, None] - joined[None, :count], axis=2)
    distances[np.arange(count), np.arange(count)] = np.inf
    assert model.reach == pytest.approx(np.quantile(distances.min(axis=1), 0.99), rel=1e-5)
    near = {name: array * 1.0001 for name, array in rows.items()}
    assert not model.unlike(near)[:count].any()
    assert model.unlike({name: array[:3] + 100 for name, array in rows.items()}).all()


def test_distances_are_computed_a_part_at_a_time(pool, monkeypatch):
    rows, _ = pool
    blocks = block_model.scaled_pool(rows)
    ids = np.arange(0, 400, 7)
    exemplars = blocks.rows(ids).astype(np.float32)
    whole = block_model.nearest_distances(blocks, exemplars, ids)
    monkeypatch.setattr(block_model, "PAIRS", 1000)
    parts = block_model.nearest_distances(blocks, exemplars, ids)
    np.testing.assert_allclose(parts, whole, rtol=1e-6)


def test_settings_and_arrays_rebuild_the_model(pool):
    rows, truth = pool
    model = BlockModel.fit(rows, np.arange(30), truth[:30], CLASSES)
    again = BlockModel.of(model.settings(), model.arrays())
    assert np.array_equal(again.probabilities(rows), model.probabilities(rows))
    assert np.array_equal(again.unlike(rows), model.unlike(rows))


def test_one_class_is_refused(pool):
    rows, _ = pool
    with refused(DataError, "one-class-only"):
        BlockModel.fit(rows, np.arange(5), np.zeros(5, np.int64), CLASSES)


def test_other_features_are_refused(pool):
    rows, truth = pool
    model = BlockModel.fit(rows, np.arange(30), truth[:30], CLASSES)
    with refused(UsageError, "missing-block"):
        model.probabilities({"a": rows["a"]})
    with refused(DataError, "other-features"):
        model.probabilities({"a": rows["a"], "b": rows["b"][:, :2]})
