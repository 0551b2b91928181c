import numpy as np
import pytest

from nextlabel.core.errors import DataError
from nextlabel.statistics.label_issues import label_quality
from refusals import refused

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.05, 0.9, 0.05]])


def test_a_case_worked_by_hand():
    labels = np.array([0, 2, 0])
    # (1 + 0.7 - 0.2) / 2, (1 + 0.3 - 0.6) / 2, (1 + 0.05 - 0.9) / 2
    assert label_quality(P, labels) == pytest.approx([0.75, 0.35, 0.075])
    assert label_quality(P, labels, "self_confidence") == pytest.approx([0.7, 0.3, 0.05])


def test_the_least_credible_finding_counts():
    findings = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1]])
    assert label_quality(P, findings) == pytest.approx([0.7, 0.1, 0.05])


def test_planted_mistakes_rank_first():
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=400)
    scores = rng.normal(size=(400, 4))
    scores[np.arange(400), truth] += 4
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    said, planted = truth.copy(), rng.choice(400, 20, replace=False)
    said[planted] = (truth[planted] + 1) % 4
    doubted = np.argsort(label_quality(p, said))[:20]
    assert len(np.intersect1d(doubted, planted)) >= 18


def test_labels_must_fit_the_predictions():
    with refused(DataError, "labels-shape"):
        label_quality(P, np.array([0, 1]))
    with refused(DataError, "label-outside-classes"):
        label_quality(P, np.array([0, 1, 3]))
    assert len(label_quality(np.empty((0, 3)), np.empty(0, np.int64))) == 0
