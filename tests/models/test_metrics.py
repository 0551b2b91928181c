import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    hamming_loss,
    roc_auc_score,
)

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.errors import DataError
from nextlabel.models.metrics import MEASURED, evaluate, undefined, warn_undefined
from refusals import refused


def test_multiclass_equals_scikit_learn():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 200)
    labels = rng.integers(0, 4, 200)
    found = evaluate(probabilities, labels, "multiclass")
    assert tuple(found) == (*MEASURED["multiclass"], "ece")
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
    assert set(found) == {*MEASURED["multilabel"], "ece"}
    assert found["auroc"] == pytest.approx(roc_auc_score(labels, probabilities, average="macro"))
    assert found["map"] == pytest.approx(
        average_precision_score(labels, probabilities, average="macro")
    )
    said = probabilities > 0.5
    assert found["label_accuracy"] == pytest.approx(1 - hamming_loss(labels, said))
    assert found["exact_match"] == pytest.approx(accuracy_score(labels, said))
    assert found["exact_match"] < found["label_accuracy"]


def test_ranking_is_averaged_over_the_labels_that_have_both_kinds():
    rng = np.random.default_rng(2)
    probabilities, labels = rng.random((80, 5)), rng.integers(0, 2, (80, 5))
    labels[:, 1], labels[:, 3] = 0, 1  # never, and always
    kept = [0, 2, 4]
    assert undefined(labels, "multilabel", 5) == (1, 3)
    found = evaluate(probabilities, labels, "multilabel")
    for name, measure in (("auroc", roc_auc_score), ("map", average_precision_score)):
        want = measure(labels[:, kept], probabilities[:, kept], average="macro")
        assert found[name] == pytest.approx(want)
    said = probabilities > 0.5
    assert found["label_accuracy"] == pytest.approx(1 - hamming_loss(labels, said))


def dataset(validation, test, task="multilabel", classes=("cat", "dog", "cow")):
    def part(labels):
        labels = np.array(labels, np.int64)
        return Images(np.zeros((len(labels), 1, 4, 4), np.uint8), labels)

    parts = part(validation), part(validation), part(test)
    return Dataset("zoo", task, classes, *parts)


def test_classes_without_auroc_are_named():
    some = [[1, 0, 0], [0, 0, 0], [1, 0, 1]]
    with pytest.warns(UserWarning) as caught:
        warn_undefined(dataset(some, [[1, 1, 0], [0, 1, 0]]))
    assert [str(w.message) for w in caught] == [
        "AUROC is not defined on the validation images of zoo for dog, which none or all of them "
        "show; averages are over the other 2",
        "AUROC is not defined on the test images of zoo for dog, cow, which none or all of them "
        "show; averages are over the other 1",
    ]
    with pytest.warns(UserWarning, match="for cow, which none or all"):
        warn_undefined(dataset([0, 1], [0, 1, 2], "multiclass"))
    with pytest.warns(UserWarning, match="cat, dog, which none .* so it is not measured"):
        warn_undefined(dataset([0, 0], [0, 1], "multiclass", ("cat", "dog")))


def test_nothing_is_said_of_classes_that_all_have_one(recwarn):
    warn_undefined(dataset([0, 1, 2], [2, 1, 0], "multiclass"))
    assert not recwarn.list


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
    with refused(DataError, "training-diverged", match=r"diverged; lower training\.learning_rate"):
        evaluate(np.full((4, 2), np.nan), np.array([0, 1, 0, 1]), "multiclass")


def test_nothing_to_measure_on_is_refused():
    with refused(DataError, "no-labels", match="no labelled images"):
        evaluate(np.empty((0, 3)), np.empty(0, np.int64), "multiclass")
