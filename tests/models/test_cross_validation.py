import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.models.classical import ClassicalModel
from nextlabel.models.cross_validation import (
    at_temperature,
    best_temperature,
    folds,
    held_out_probabilities,
)
from nextlabel.models.linear import softmax
from nextlabel.models.task_models import create_model


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_every_fold_leaves_labels_of_every_class(labels):
    labels = np.array(labels)
    fold = folds(labels)
    counts = np.bincount(labels)
    np.testing.assert_array_equal(fold == -1, counts[labels] == 1)
    for number in range(5):
        kept = labels[fold != number]
        assert set(kept) == set(labels)
    for c in np.unique(labels):
        sizes = np.bincount(fold[(labels == c) & (fold >= 0)], minlength=5)
        assert sizes.max() - sizes.min() <= 1


class Nearest:
    def __init__(self, rows, labels):
        self.rows, self.labels = rows, labels
        self.classes_ = np.unique(labels)

    def probabilities(self, rows):
        distance = ((rows.rows()[:, None] - self.rows[None]) ** 2).sum(-1)
        return (self.labels[distance.argmin(1)][:, None] == self.classes_) * 1.0


def test_a_label_is_predicted_by_a_fit_without_it():
    """Each image has its own place, and its neighbour another class: all are predicted wrong."""
    rows = ScaledBlocks({"x": np.array([[0.0], [0.1], [5.0], [5.1], [9.0], [9.1]])}, {"x": 1.0})
    labels = np.array([2, 7, 7, 2, 2, 7])
    held, predicted = held_out_probabilities(
        lambda ids, known: Nearest(rows.rows(ids), known), rows, np.arange(6), labels
    )
    assert sorted(held.tolist()) == list(range(6))
    np.testing.assert_array_equal(predicted.argmax(1), (labels[held] == 2).astype(int))


def test_a_temperature_divides_scores():
    scores = np.random.default_rng(0).normal(size=(20, 4)) * 5
    p = softmax(scores.copy())
    np.testing.assert_allclose(at_temperature(p, 2.5), softmax(scores / 2.5), atol=1e-12)
    assert at_temperature(p, 1.0) is p
    np.testing.assert_array_equal(at_temperature(np.array([[1.0, 0.0]]), 0.5), [[1.0, 0.0]])


@pytest.mark.parametrize("true", [0.4, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(true):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(4000, 5)) * 3
    truth = (softmax(scores / true).cumsum(1) > rng.random((4000, 1))).argmax(1)
    found = best_temperature([(softmax(scores.copy()), truth)])
    assert found == pytest.approx(true, rel=0.1)
    halves = [(softmax(scores[i::2].copy()), truth[i::2]) for i in (0, 1)]
    assert best_temperature(halves) == pytest.approx(found, rel=0.01)


def test_few_labels_that_are_all_right_do_not_give_certainty():
    p = np.full((5, 2), [0.7, 0.3])
    sharp = at_temperature(p, best_temperature([(p, np.zeros(5, int))]))
    assert 0.8 < sharp[0, 0] < 0.95
    assert best_temperature([]) == 1.0
    assert best_temperature([(np.empty((0, 2)), np.empty(0, int))]) == 1.0


def expected_calibration_error(p, truth):
    top = p.max(1)
    bins = np.minimum((top * 10).astype(int), 9)
    right = p.argmax(1) == truth
    gaps = [
        (bins == b).mean() * abs(right[bins == b].mean() - top[bins == b].mean())
        for b in np.unique(bins)
    ]
    return sum(gaps)


def test_temperature_makes_confidence_mean_more_and_leaves_the_classes(digits):
    images, labels = digits
    pixels = images.reshape(len(images), -1).numpy().astype(np.float32)
    rows = ScaledBlocks({"a": pixels[:, :30], "b": pixels[:, 30:]}, {"a": 700, "b": 700})
    seen = {}
    for temperature in ("none", "cv"):
        settings = create_model(
            name="linear", blocks={"a": 1, "b": 1}, regularisation=0.1, temperature=temperature
        )
        fitted = ClassicalModel(settings, "multiclass", 10).train(
            rows, np.arange(200), labels[:200]
        )
        seen[temperature] = fitted.infer(rows).probabilities
        np.testing.assert_allclose(seen[temperature].sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(seen["none"].argmax(1), seen["cv"].argmax(1))
    before, after = (expected_calibration_error(p, labels) for p in seen.values())
    assert after < before / 3


def test_findings_share_a_temperature_and_a_constant_one_stays(digits):
    images, labels = digits
    pixels = images.reshape(len(images), -1).numpy().astype(np.float32)
    rows = ScaledBlocks({"a": pixels}, {"a": 1000})
    findings = np.stack([labels % 2, labels > 4, np.zeros_like(labels)], 1).astype(np.int64)
    settings = create_model(name="linear", block="a", regularisation=0.1, temperature="cv")
    model = ClassicalModel(settings, "multilabel", 3)
    fitted = model.train(rows, np.arange(150), findings[:150])
    assert 0.05 < fitted.temperature < 0.9
    assert (fitted.infer(rows).probabilities[:, 2] == 0).all()
