import numpy as np
import pytest
from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score

from nextlabel.core.errors import DataError
from nextlabel.models.metrics import MEASURED, evaluate


def test_multiclass_equals_scikit_learn():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 200)
    labels = rng.integers(0, 4, 200)
    found = evaluate(probabilities, labels, "multiclass")
    assert tuple(found) == MEASURED["multiclass"]
    assert found["accuracy"] == pytest.approx((probabilities.argmax(1) == labels).mean())
    assert found["balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(labels, probabilities.argmax(1))
    )
    assert found["auroc"] == pytest.approx(
        roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    )


def test_multilabel_equals_scikit_learn():
    rng = np.random.default_rng(1)
    probabilities = rng.random((100, 3))
    labels = rng.integers(0, 2, (100, 3))
    found = evaluate(probabilities, labels, "multilabel")
    assert set(found) == set(MEASURED["multilabel"])
    assert found["auroc"] == pytest.approx(roc_auc_score(labels, probabilities, average="macro"))
    assert found["map"] == pytest.approx(
        average_precision_score(labels, probabilities, average="macro")
    )
    right = (probabilities > 0.5) == labels
    assert found["label_accuracy"] == pytest.approx(right.mean())
    assert found["exact_match"] == pytest.approx(right.all(1).mean())


def test_absent_classes_are_left_out_and_nothing_is_nan():
    probabilities = np.full((4, 3), 1 / 3)
    found = evaluate(probabilities, np.array([0, 0, 1, 1]), "multiclass")
    assert found["auroc"] == 0.5
    one = evaluate(probabilities, np.zeros(4, np.int64), "multiclass")
    assert "auroc" not in one and one["balanced_accuracy"] == 1.0
    labels = np.array([[1, 0, 0], [0, 0, 0], [1, 0, 1], [0, 0, 1]])
    several = evaluate(probabilities, labels, "multilabel")
    assert all(np.isfinite(list(several.values())))


def test_predictions_of_a_diverged_model_are_refused():
    with pytest.raises(DataError, match=r"diverged; lower training\.learning_rate"):
        evaluate(np.full((4, 2), np.nan), np.array([0, 1, 0, 1]), "multiclass")


def test_nothing_to_measure_on_is_refused():
    with pytest.raises(DataError, match="no labelled images"):
        evaluate(np.empty((0, 3)), np.empty(0, np.int64), "multiclass")
