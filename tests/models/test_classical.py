import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.space.scaling import rms_distance
from nextlabel.models.classical import ClassicalModel
from nextlabel.models.task_models import create_model
from refusals import refused


def rows_of(digits):
    images, labels = digits
    return images.reshape(len(images), -1).numpy().astype(np.float32), labels


def scaled(rows, pool=None):
    """Rows as one block, divided by the RMS distance of the pool."""
    return ScaledBlocks({"x": rows}, {"x": rms_distance(rows if pool is None else pool)})


@pytest.mark.parametrize(("name", "least"), [("linear", 0.8), ("label_spreading", 0.9)])
def test_a_hundred_labels_tell_digits_apart(digits, name, least):
    rows, labels = rows_of(digits)
    model = ClassicalModel(create_model(name=name, block="pixels"), "multiclass", 10)
    fitted = model.train(scaled(rows[:1200]), np.arange(100), labels[:100])
    seen = fitted.infer(scaled(rows[1200:], rows[:1200]))
    assert (seen.probabilities.argmax(1) == labels[1200:]).mean() > least
    np.testing.assert_allclose(seen.probabilities.sum(1), 1, atol=1e-5)
    assert seen.features.shape == (597, 64)
    assert 0.9 < fitted.training.accuracy <= 1
    assert fitted.training.weights == "none"


def test_linear_is_logistic_regression_in_any_unit(digits):
    rows, labels = rows_of(digits)
    model = ClassicalModel(create_model(name="linear", block="pixels"), "multiclass", 10)
    ours = model.train(scaled(rows), np.arange(50), labels[:50]).infer(scaled(rows)).probabilities
    divided = rows / np.sqrt(2 * rows.astype(np.float64).var(0, ddof=1).sum())
    theirs = (
        LogisticRegression(C=10.0, max_iter=1000)
        .fit(divided[:50], labels[:50])
        .predict_proba(divided)
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    large = scaled(rows * 1e4)
    larger = model.train(large, np.arange(50), labels[:50]).infer(large).probabilities
    np.testing.assert_allclose(ours, larger, atol=1e-4)


@pytest.mark.parametrize("name", ["linear", "label_spreading"])
def test_classes_not_seen_get_no_probability_and_one_class_all(digits, name):
    rows, labels = rows_of(digits)
    model = ClassicalModel(create_model(name=name, block="pixels"), "multiclass", 10)
    few = np.flatnonzero(np.isin(labels, [3, 7]))[:20]
    seen = model.train(scaled(rows), few, labels[few]).infer(scaled(rows[:50], rows)).probabilities
    assert (seen[:, [0, 1, 2, 4, 5, 6, 8, 9]] == 0).all()
    one = np.flatnonzero(labels == 4)[:5]
    assert (
        model.train(scaled(rows), one, labels[one])
        .infer(scaled(rows[:9], rows))
        .probabilities.argmax(1)
        == 4
    ).all()


@pytest.mark.parametrize("name", ["linear", "label_spreading"])
def test_findings_are_fitted_one_by_one(digits, name):
    rows, labels = rows_of(digits)
    findings = np.stack([labels % 2, labels > 4, np.zeros_like(labels)], 1).astype(np.int64)
    model = ClassicalModel(create_model(name=name, block="pixels"), "multilabel", 3)
    seen = model.train(scaled(rows[:1200]), np.arange(200), findings[:200])
    seen = seen.infer(scaled(rows[1200:], rows[:1200])).probabilities
    right = (seen > 0.5) == (findings[1200:] > 0)
    assert right[:, :2].mean() > 0.8 and (seen[:, 2] == 0).all()


def test_an_image_that_no_label_reaches_could_be_anything():
    rows = np.concatenate([np.zeros((6, 1)), np.full((6, 1), 100.0)]) + np.arange(12)[:, None] / 9
    model = ClassicalModel(
        create_model(name="label_spreading", block="x", neighbours=2), "multiclass", 3
    )
    seen = (
        model.train(scaled(rows), np.array([0, 5]), np.array([0, 2]))
        .infer(scaled(rows))
        .probabilities
    )
    np.testing.assert_allclose(seen[9], [0.5, 0, 0.5])


def test_bad_settings_say_what_to_do(digits):
    with refused(UsageError, "invalid-setting", match='needs a block to see; set block = "pca"'):
        create_model(name="linear")
    with refused(UsageError, "invalid-setting", match="has no use for block 'vae'; leave it out"):
        create_model(name="small_cnn", block="vae")
    with refused(UsageError, "invalid-setting", match="takes no weights file"):
        create_model(name="encoder", weights="some.pth")
    rows, labels = rows_of(digits)
    model = ClassicalModel(
        create_model(name="label_spreading", block="x", neighbours=50), "multiclass", 10
    )
    with refused(
        DataError, "too-many-neighbours", match="neighbours 50 needs more than the 30 images"
    ):
        model.train(scaled(rows[:30]), np.arange(10), labels[:10])
