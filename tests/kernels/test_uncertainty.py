import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nextlabel.core.errors import DataError, UsageError
from nextlabel.kernels.ranking import highest
from nextlabel.kernels.uncertainty import confidence, entropy, margin
from refusals import refused

P = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])


def test_multi_class_by_hand() -> None:
    np.testing.assert_allclose(entropy(P, "multiclass"), stats.entropy(P, axis=1), atol=1e-12)
    np.testing.assert_allclose(margin(P, "multiclass"), [0.5, 1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(confidence(P, "multiclass"), [0.7, 1.0, 1 / 3])


def test_multi_label_by_hand() -> None:
    p = np.array([[0.5, 0.5], [0.0, 1.0], [0.9, 0.5]])
    binary = stats.entropy(np.stack([p, 1 - p]), axis=0).mean(axis=1)
    np.testing.assert_allclose(entropy(p, "multilabel"), binary, atol=1e-12)
    np.testing.assert_allclose(margin(p, "multilabel"), [0, 1, 0.4], atol=1e-12)
    np.testing.assert_allclose(confidence(p, "multilabel"), [0.5, 1, 0.7], atol=1e-12)


@given(st.integers(0, 10**6))
def test_permuted_classes_tie_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    row = rng.dirichlet(np.ones(7))
    rows = np.stack([row, rng.permutation(row)])
    for score in (entropy, margin, confidence):
        for task in ("multiclass", "multilabel"):
            a, b = score(rows, task)
            assert a == b


@pytest.mark.parametrize("score", [entropy, margin, confidence])
@pytest.mark.parametrize(
    ("rows", "task", "code", "message"),
    [
        ([[0.5, 0.5], [1.2, -0.2]], "multiclass", "probability-out-of-range", "hold 1.2 in row 1"),
        ([[0.5, 0.5], [0.5, 0.6]], "multiclass", "probabilities-do-not-sum-to-one", "1.1 in row 1"),
        ([[0.5, 0.5], [0.5, np.nan]], "multilabel", "probability-out-of-range", "row 1"),
        ([[1.0], [1.0]], "multiclass", "too-few-classes", "1 column, and one class"),
        ([0.5, 0.5], "multilabel", "probabilities-not-a-table", "1 dimensions"),
    ],
)
def test_a_value_that_is_not_a_probability_is_named(score, rows, task, code, message) -> None:
    with refused(DataError, code, match=message):
        score(np.array(rows), task)


def test_sums_that_are_near_one_and_sums_of_findings_pass() -> None:
    entropy(np.array([[0.5, 0.5005]], np.float32), "multiclass")
    entropy(np.array([[0.9, 0.9]]), "multilabel")
    entropy(np.array([[0.9]]), "multilabel")


def test_ranking_goes_by_score_then_by_id() -> None:
    scores = np.array([1.0, 3.0, 3.0, 0.0, 3.0, -np.inf])
    assert highest(scores, np.array([0, 2, 3, 4, 5]), 5).tolist() == [2, 4, 0, 3, 5]
    assert highest(scores, np.array([0, 2]), 0).dtype == np.int64


def test_scores_that_differ_by_rounding_alone_tie() -> None:
    scores = np.array([0.5, 0.5 + 1e-15, 0.2, 0.5 + 2e-15, 0.9, 0.5 + 1e-9])
    ids = np.arange(6)
    assert highest(scores, ids, 6).tolist() == [4, 5, 3, 1, 0, 2]
    for budget in range(7):
        picks = highest(scores, ids, budget, rounding=1.5e-15)
        assert picks.tolist() == [4, 5, 0, 1, 3, 2][:budget]
    assert len(highest(scores, ids[:0], 0, rounding=1e-12)) == 0


def test_a_score_that_is_not_a_number_is_never_zero() -> None:
    with refused(DataError, "score-not-a-number", match="image 2"):
        highest(np.array([1.0, 3.0, np.nan]), np.array([0, 2]), 1)
    assert highest(np.array([1.0, np.nan, 2.0]), np.array([0, 2]), 1).tolist() == [2]


def test_a_misspelt_task_is_refused() -> None:
    with refused(UsageError, "unknown-task", match="did you mean 'multiclass'"):
        entropy(P, "multi-class")  # type: ignore[arg-type]
