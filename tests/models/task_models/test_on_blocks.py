"""Task models that read blocks: each against the same done plainly on joined rows."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import LabelSpreading

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.models.classical import ClassicalModel
from nextlabel.models.task_models import create_model

WEIGHTS = {"left": 1.0, "right": 0.5}
POOL = 400


@pytest.fixture(scope="module")
def pixels(digits):
    images, _ = digits
    return images.reshape(len(images), -1).numpy().astype(np.float64)


@pytest.fixture(scope="module")
def labels(digits):
    return digits[1]


def blocks(pixels, ids):
    arrays = {"left": pixels[ids, :40], "right": pixels[ids, 40:]}
    return ScaledBlocks(arrays, {"left": 600 / 1.0, "right": 900 / 0.5})


def predicted(name, pixels, labels, ids=slice(0, POOL), task="multiclass", **options):
    settings = create_model(name=name, blocks=WEIGHTS, **options)
    model = ClassicalModel(settings, task, 10 if task == "multiclass" else labels.shape[1])
    fitted = model.train(blocks(pixels, slice(0, POOL)), np.arange(60), labels[:60])
    return fitted.infer(blocks(pixels, ids)).probabilities


def regression(rows, labels, **options):
    return LogisticRegression(max_iter=1000, **options).fit(rows, labels)


def test_ensemble_is_the_weighted_geometric_mean_of_one_model_a_block(pixels, labels):
    left, right = pixels[:, :40] / 600, pixels[:, 40:] / 900
    logs = sum(
        weight * np.log(regression(rows[:60], labels[:60], C=10.0).predict_proba(rows[:POOL]))
        for rows, weight in ((left, 1.0), (right, 0.5))
    )
    expected = np.exp(logs / 1.5)
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(predicted("ensemble", pixels, labels), expected, atol=1e-6)


def spreading(rows, labels, labelled=60):
    answers = np.full(POOL, -1)
    answers[:labelled] = labels[:labelled]
    return LabelSpreading(kernel="knn", n_neighbors=10, max_iter=1000).fit(rows[:POOL], answers)


def test_label_spreading_reads_several_blocks(pixels, labels):
    rows = np.concatenate([pixels[:, :40] / 600, pixels[:, 40:] / 900 * 0.5], axis=1)
    expected = spreading(rows, labels).predict_proba(rows[:POOL])
    found = predicted("label_spreading", pixels, labels)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_balanced_label_spreading_spreads_as_much_of_each_class(pixels, labels):
    """The closed form (1 - a)(I - a S)⁻¹ Y, with the columns of Y divided by their sums."""
    rows = np.concatenate([pixels[:, :40] / 600, pixels[:, 40:] / 900 * 0.5], axis=1)[:POOL]
    plain = spreading(rows, labels)
    graph = plain._build_graph()
    graph = graph.toarray() if hasattr(graph, "toarray") else graph
    start = (labels[:POOL, None] == np.arange(10)) * 1.0
    start[60:] = 0
    start /= start.sum(0)
    even = np.linalg.solve(np.eye(POOL) - plain.alpha * graph, start)
    even /= even.sum(1, keepdims=True)
    settings = create_model(name="label_spreading", blocks=WEIGHTS, class_weight="balanced")
    fitted = settings.classifier(rows, np.arange(60), labels[:60])
    np.testing.assert_allclose(fitted.label_distributions_, even, atol=2e-2)
    assert np.abs(plain.label_distributions_ - even).max() > 0.1


def test_blend_is_the_mean_of_balanced_regression_and_balanced_spreading(pixels, labels):
    linear, spread = (
        predicted(name, pixels, labels, class_weight="balanced")
        for name in ("linear", "label_spreading")
    )
    found = predicted("blend", pixels, labels)
    np.testing.assert_allclose(found, (linear + spread) / 2, atol=1e-6)
    plain = predicted("blend", pixels, labels, class_weight="none")
    assert np.abs(found - plain).max() > 0.01


def test_knn_weighs_the_nearest_labels_by_their_distance(pixels, labels):
    rows = np.concatenate([pixels[:, :40] / 600, pixels[:, 40:] / 900 * 0.5], axis=1)
    found = predicted("knn", pixels, labels, slice(100, 130), neighbours=3)
    for row, p in zip(rows[100:130], found, strict=True):
        distance = np.linalg.norm(rows[:60] - row, axis=1)
        near = np.argsort(distance)[:3]
        expected = np.zeros(10)
        np.add.at(expected, labels[near], 1 / distance[near])
        np.testing.assert_allclose(p, expected / expected.sum(), atol=1e-6)


def test_knn_takes_all_labels_where_there_are_fewer_than_neighbours(pixels, labels):
    found = predicted("knn", pixels, labels, neighbours=1000)
    assert (found[POOL - 20 :, np.unique(labels[:60])] > 0).all()


@pytest.mark.parametrize("name", ["linear", "ensemble", "label_spreading", "blend", "knn"])
def test_findings_classes_without_labels_and_plans(name, pixels, labels):
    findings = np.stack([labels % 2, labels > 4, np.zeros_like(labels)], 1).astype(np.int64)
    seen = predicted(name, pixels, findings, slice(POOL, POOL + 200), task="multilabel")
    right = (seen > 0.5) == (findings[POOL : POOL + 200] > 0)
    assert right[:, :2].mean() > 0.75 and (seen[:, 2] == 0).all()
    few = np.where(labels > 2, 7, labels)
    seen = predicted(name, pixels, few)
    assert (seen[:, [3, 4, 5, 6, 8, 9]] == 0).all()
    np.testing.assert_allclose(seen.sum(1), 1, atol=1e-5)
    images = Images(np.zeros((30, 1, 8, 8), np.uint8), labels[:30])
    data = Dataset("d", "multiclass", tuple("0123456789"), images, images, images)
    settings = create_model(name=name, blocks=WEIGHTS)
    assert ClassicalModel(settings, "multiclass", 10).planned_seconds(data, [(0, 20)]) > 0
