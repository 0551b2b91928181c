from functools import cache

import numpy as np
import pytest
from scipy.stats import beta, binom

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.models.cross_validation import audited_right
from nextlabel.statistics.accuracy_estimate import (
    AccuracyEstimate,
    combined,
    from_audit,
    mean_confidence,
)
from refusals import refused


def test_mean_confidence_is_what_the_probabilities_claim():
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4]], np.float32)
    assert mean_confidence(p) == pytest.approx(0.6)
    findings = np.array([[0.9, 0.3], [0.2, 0.5]])
    assert mean_confidence(findings, "multilabel") == pytest.approx((0.9 + 0.7 + 0.8 + 0.5) / 4)


def of(right, m):
    return np.arange(m) < right


@pytest.mark.parametrize(("right", "m"), [(0, 4), (3, 4), (10, 10), (37, 40)])
def test_the_interval_is_that_of_clopper_and_pearson(right, m):
    found = from_audit(of(right, m), 0.9)
    low = beta.ppf(0.05, right, m - right + 1) if right else 0
    high = beta.ppf(0.95, right + 1, m - right) if right < m else 1
    assert found == AccuracyEstimate(
        right / m, pytest.approx(low), pytest.approx(high), m, confidence=0.9
    )


@pytest.mark.parametrize("m", [1, 4, 10, 40])
def test_the_interval_covers_every_accuracy_at_its_level(m):
    intervals = [from_audit(of(right, m)) for right in range(m + 1)]
    low, high = (np.array([getattr(i, end) for i in intervals]) for end in ("low", "high"))
    for accuracy in np.linspace(0, 1, 101):
        covered = (low <= accuracy) & (accuracy <= high)
        assert binom.pmf(np.arange(m + 1), m, accuracy)[covered].sum() >= 0.95 - 1e-9


def test_shares_of_findings_are_covered_too():
    """Findings that are right or wrong together vary most, as those of one image would."""
    rng, covered = np.random.default_rng(0), []
    for _ in range(120):
        together = rng.random((20, 1)) < 0.8
        right = np.where(rng.random((20, 1)) < 0.9, together, rng.random((20, 5)) < 0.8)
        found = from_audit(right)
        assert found.value == pytest.approx(right.mean())
        covered.append(found.low <= 0.8 <= found.high)
    assert np.mean(covered) >= 0.95
    as_images = from_audit(of(16, 20))
    assert from_audit(np.repeat(of(16, 20)[:, None], 5, axis=1)) == as_images
    mixed = np.repeat(of(16, 20)[:, None], 2, axis=1)
    mixed[0, 0], mixed[19, 0] = False, True
    wider = from_audit(mixed)
    assert wider.low < as_images.low and wider.high > as_images.high


def test_no_audit_leaves_everything_open():
    assert from_audit([]) == AccuracyEstimate(0.5, 0.0, 1.0, 0)
    assert combined(0.9, []) == AccuracyEstimate(0.9, 0.0, 1.0, 0)


def test_a_claim_counts_as_so_many_audited_images_and_stays_in_the_interval():
    audit = from_audit(of(30, 40))
    both = combined(0.85, of(30, 40), prior=20)
    assert both.value == pytest.approx((20 * 0.85 + 30) / 60)
    assert (both.low, both.high, both.audited) == (audit.low, audit.high, 40)
    assert combined(1.0, of(30, 40), prior=1000).value == audit.high
    assert combined(0.0, of(30, 40), prior=1000).value == audit.low


@pytest.mark.parametrize(
    ("call", "kind", "code"),
    [
        (lambda: mean_confidence(np.empty((0, 2))), DataError, "no-probabilities"),
        (lambda: mean_confidence([0.5, 0.5]), DataError, "no-probabilities"),
        (lambda: mean_confidence([[2.0, -1.0]]), UsageError, "not-probabilities"),
        (lambda: mean_confidence([[np.nan, 1.0]]), UsageError, "numbers-not-finite"),
        (lambda: from_audit([0.5, 1]), UsageError, "not-true-or-false"),
        (lambda: from_audit([True], 1.0), UsageError, "confidence-out-of-range"),
        (lambda: from_audit([True], fitted_to=0), UsageError, "no-labels-to-fit"),
        (lambda: combined(1.2, [True]), UsageError, "not-a-share"),
        (lambda: combined(0.9, [True], prior=0), UsageError, "not-a-share"),
    ],
)
def test_what_is_no_estimate_is_refused(call, kind, code):
    with refused(kind, code):
        call()


class Centroids:
    """The class of the nearest class mean: quick, for many loops."""

    def __init__(self, rows, labels):
        self.classes_ = np.unique(labels)
        self.means = np.stack([rows[labels == c].mean(0) for c in self.classes_])

    def probabilities(self, rows):
        distance = ((rows.rows()[:, None] - self.means[None]) ** 2).sum(-1)
        likelihood = np.exp(-(distance - distance.min(1, keepdims=True)))
        return likelihood / likelihood.sum(1, keepdims=True)


@cache
def loops(count=120, size=400, audited=15):
    """Truth, the audit's and the active labels' estimate of loops that ask what is least sure."""
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        labels = rng.choice(4, 2 * size, p=(0.55, 0.25, 0.15, 0.05))
        centres = rng.normal(size=(4, 2)) * 2
        x = rng.normal(size=(2 * size, 2)) + centres[labels]
        rows, others = (ScaledBlocks({"x": part}, {"x": 1}) for part in np.split(x, 2))
        order = rng.permutation(size)
        audit, pool = order[:audited], order[audited:]
        labelled = pool[:15]

        def fit(ids, known, rows=rows):
            return Centroids(rows.rows(ids), known)

        for _ in range(3):
            free = np.setdiff1d(pool, labelled)
            p = np.sort(fit(labelled, labels[labelled]).probabilities(rows.take(free)), axis=1)
            margins = p[:, -1] - p[:, -2] if p.shape[1] > 1 else p[:, -1]
            labelled = np.concatenate([labelled, free[np.argsort(margins)[:15]]])
        known = labels[labelled]
        fitted = fit(labelled, known)

        def right(images, truth, fitted=fitted):
            return fitted.classes_[fitted.probabilities(images).argmax(1)] == truth

        active = audited_right(fit, rows, labelled, known, np.arange(15, len(labelled)))
        found.append(
            (
                right(others, labels[size:]).mean(),
                from_audit(right(rows.take(audit), labels[audit])),
                from_audit(active),
            )
        )
    return found


def coverage(part):
    return np.mean([found[part].low <= found[0] <= found[part].high for found in loops()])


def test_the_audit_covers_the_truth_of_active_loops_at_its_level():
    assert coverage(1) >= 0.95
    assert abs(np.mean([audit.value - truth for truth, audit, _ in loops()])) < 0.02


def test_labels_that_a_strategy_picked_do_not():
    assert coverage(2) < 0.7
    assert np.mean([active.value - truth for truth, _, active in loops()]) < -0.1


@cache
def cross_validated(count=300, labelled=40, size=400):
    """Truth, and the number right of ten-fold predictions, where all labels are drawn at random."""
    results = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        labels = rng.choice(6, labelled + size)
        x = rng.normal(size=(len(labels), 8)) + rng.normal(size=(6, 8))[labels] * 0.9
        rows, ids = ScaledBlocks({"x": x}, {"x": 1}), np.arange(labelled)

        def fit(some, known, rows=rows):
            return Centroids(rows.rows(some), known)

        fitted, others = fit(ids, labels[ids]), np.arange(labelled, len(labels))
        predicted = fitted.classes_[fitted.probabilities(rows.take(others)).argmax(1)]
        right = audited_right(fit, rows, ids, labels[ids], ids)
        results.append(((predicted == labels[others]).mean(), right))
    return results


def test_an_interval_of_cross_validation_is_wide_enough():
    def coverage(fitted_to):
        intervals = [(t, from_audit(right, fitted_to=fitted_to)) for t, right in cross_validated()]
        return np.mean([i.low <= truth <= i.high for truth, i in intervals])

    assert coverage(36) >= 0.95
    assert coverage(None) < 0.94


def test_cross_validation_counts_as_fewer_images():
    exact, wide = from_audit(of(30, 40)), from_audit(of(30, 40), fitted_to=36)
    assert wide.value == exact.value and wide.audited == 40
    m = 40 / (1 + 40 / 36)
    assert wide.low == pytest.approx(beta.ppf(0.025, 0.75 * m, 0.25 * m + 1))
    assert wide.high == pytest.approx(beta.ppf(0.975, 0.75 * m + 1, 0.25 * m))
    assert (wide.low, wide.high) == (
        combined(0.75, of(30, 40), fitted_to=36).low,
        combined(0.75, of(30, 40), fitted_to=36).high,
    )


def test_an_audited_label_is_predicted_without_it():
    rows = ScaledBlocks({"x": np.array([[0.0], [0.2], [5.0], [5.2], [9.0]])}, {"x": 1.0})
    labels, labelled = np.array([0, 0, 1, 1, 2]), np.arange(5)
    fitted_to = []

    def fit(ids, known):
        fitted_to.append(set(ids.tolist()))
        return Centroids(rows.rows(ids), known)

    right = audited_right(fit, rows, labelled, labels, np.array([4, 0, 2]))
    assert right.tolist() == [False, True, True]  # without 4 there is no class 2
    assert fitted_to == [{0, 1, 2, 3}, {1, 2, 3, 4}, {0, 1, 3, 4}]
    one = audited_right(fit, rows, labelled[:2], labels[:2], np.array([0, 1]))
    assert one.tolist() == [True, True] and len(fitted_to) == 3
    assert audited_right(fit, rows, labelled[:1], labels[:1], np.array([0])).tolist() == [False]
    assert audited_right(fit, rows, labelled, labels, np.array([], int)).shape == (0,)
