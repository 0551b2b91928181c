import numpy as np
import pytest

from nextlabel.statistics.reliability import calibration_error, reliability


def test_ranges_of_confidence_by_hand():
    p = np.array([[0.95, 0.05], [0.92, 0.08], [0.35, 0.65], [0.38, 0.62], [0.0, 1.0]])
    labels = np.array([0, 1, 1, 1, 1])
    middle, high = reliability(p, labels, "multiclass")
    assert middle == pytest.approx({"share": 0.4, "confidence": 0.635, "accuracy": 1.0})
    assert high == pytest.approx({"share": 0.6, "confidence": 2.87 / 3, "accuracy": 2 / 3})
    expected = 0.4 * 0.365 + 0.6 * (2.87 / 3 - 2 / 3)
    assert calibration_error([middle, high]) == pytest.approx(expected)


def test_findings_count_one_by_one():
    p = np.array([[0.05, 0.95], [0.02, 0.55]])
    low, middle, high = reliability(p, np.array([[0, 1], [1, 0]]), "multilabel")
    assert low == pytest.approx({"share": 0.5, "confidence": 0.035, "accuracy": 0.5})
    assert middle == pytest.approx({"share": 0.25, "confidence": 0.55, "accuracy": 0.0})
    assert high == pytest.approx({"share": 0.25, "confidence": 0.95, "accuracy": 1.0})


def test_probabilities_that_made_the_labels_are_calibrated():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), 50_000)
    labels = (p.cumsum(1) > rng.random((len(p), 1))).argmax(1)
    assert calibration_error(reliability(p, labels, "multiclass")) < 0.01
    sharp = p**3 / (p**3).sum(1, keepdims=True)
    assert calibration_error(reliability(sharp, labels, "multiclass")) > 0.15
