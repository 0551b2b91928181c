"""BAIT against its formula, written out with plain inverses."""

from fractions import Fraction

import numpy as np
import pytest

from nextlabel.core.errors import UsageError
from nextlabel.kernels.fisher_information import (
    MOST,
    OVERSAMPLING,
    bait,
    binary_factors,
    finding_factors,
    full_factors,
)
from refusals import refused


def pool(seed, n=30, d=4, k=3):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d))
    logits = 2 * rng.normal(size=(n, k))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    order = rng.permutation(n).astype(np.int64)
    return features, probabilities, order[:5], np.sort(order[5:])


def literally(information, labelled, candidates, budget, ridge):
    """Greedy forward and backward on tr(M⁻¹ F), every inverse computed again."""
    width = information.shape[1]
    target = information.mean(axis=0)
    share = budget / (len(labelled) + budget)
    start = ridge * np.eye(width)
    if len(labelled):
        start = start + (1 - share) * information[labelled].mean(axis=0)

    def trace(chosen):
        total = start + share * sum((information[i] for i in chosen), np.zeros((width, width)))
        return np.trace(np.linalg.inv(total) @ target)

    chosen = []
    for _ in range(min(OVERSAMPLING * budget, len(candidates))):
        free = [i for i in candidates if i not in chosen]
        chosen.append(min(free, key=lambda i: trace([*chosen, i])))
    while len(chosen) > budget:
        leave = min(chosen, key=lambda i: trace([j for j in chosen if j != i]))
        chosen.remove(leave)
    return chosen


def test_binary_factors_are_the_information_of_the_likeliest_class():
    features, probabilities, _, _ = pool(0)
    factors = binary_factors(features, probabilities)
    for x, p, v in zip(features, probabilities, factors, strict=True):
        assert np.allclose(v.T @ v, p.max() * (1 - p.max()) * np.outer(x, x))


def test_full_factors_are_the_information_of_the_softmax():
    features, probabilities, _, _ = pool(1)
    factors = full_factors(features, probabilities)
    for x, p, v in zip(features, probabilities, factors, strict=True):
        assert np.allclose(v.T @ v, np.kron(np.diag(p) - np.outer(p, p), np.outer(x, x)))


def test_findings_add_their_information():
    features, _, _, _ = pool(2)
    findings = np.random.default_rng(2).uniform(size=(len(features), 5))
    for x, p, v in zip(features, findings, finding_factors(features, findings), strict=True):
        assert np.allclose(v.T @ v, sum(q * (1 - q) for q in p) * np.outer(x, x))


@pytest.mark.parametrize("make", [binary_factors, full_factors])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ridge", [1.0, 0.01])
def test_picks_are_those_of_the_formula(make, seed, ridge):
    features, probabilities, labelled, candidates = pool(seed)
    factors = make(features, probabilities)
    information = np.einsum("nri,nrj->nij", factors, factors)
    for known, budget in ((labelled, 4), (labelled[:0], 4), (labelled, 1), (labelled, 25)):
        wanted = literally(information, known, candidates, budget, ridge)
        assert bait(factors, known, candidates, budget, ridge).tolist() == wanted


def test_by_hand():
    """Two directions, one of them labelled already: the other one is worth more."""
    factors = np.array([[[2.0, 0.0]], [[2.0, 0.0]], [[0.0, 1.0]]])
    # F = diag(8, 1) / 3; M = diag(1 + 4/2, 1). Image 1 makes it diag(5, 1): tr = 8/15 + 1/3.
    # Image 2 makes it diag(3, 1.5): tr = 8/9 + 2/9. The forward pass picks both, and the backward
    # pass leaves out image 2, whose absence raises the trace less.
    assert bait(factors, np.array([0]), np.array([1, 2]), 1, 1.0).tolist() == [1]
    # With a ridge of 0.1 the unseen direction counts: diag(4.1, 0.1) against diag(2.1, 0.6).
    assert bait(factors, np.array([0]), np.array([1, 2]), 1, 0.1).tolist() == [2]


def exactly(factors, labelled, candidates, budget, ridge):
    """Greedy forward and backward in rational numbers, for images of one row of two columns."""
    rows = [[Fraction(float(x)) for x in image[0]] for image in factors]
    squares = [(x * x, x * y, y * y) for x, y in rows]
    target = [sum(parts) / len(rows) for parts in zip(*squares, strict=True)]
    of_picks = Fraction(budget, len(labelled) + budget)
    begin = [Fraction(ridge), Fraction(0), Fraction(ridge)]
    for image in labelled:
        begin = [
            b + (1 - of_picks) / len(labelled) * q
            for b, q in zip(begin, squares[image], strict=True)
        ]

    def trace(chosen):
        a, b, d = (
            first + of_picks * sum(squares[image][part] for image in chosen)
            for part, first in enumerate(begin)
        )
        return (d * target[0] - 2 * b * target[1] + a * target[2]) / (a * d - b * b)

    chosen = []
    while len(chosen) < min(OVERSAMPLING * budget, len(candidates)):
        chosen.append(min(set(candidates) - set(chosen), key=lambda i: (trace([*chosen, i]), i)))
    while len(chosen) > budget:
        chosen.remove(min(chosen, key=lambda i: (trace([j for j in chosen if j != i]), i)))
    return chosen


@pytest.mark.parametrize("ridge", [1e-8, 1e-10])
@pytest.mark.parametrize("seed", range(3))
def test_a_small_ridge_leaves_no_rounding_in_the_picks(ridge, seed):
    """The first picks lower the trace by ten orders of magnitude; the next still differ."""
    features, probabilities, labelled, candidates = pool(seed, n=16, d=2)
    factors = binary_factors(features, probabilities)
    wanted = exactly(factors, labelled[:0].tolist(), candidates.tolist(), 3, ridge)
    assert bait(factors, labelled[:0], candidates, 3, ridge).tolist() == wanted


@pytest.mark.parametrize("make", [binary_factors, full_factors])
@pytest.mark.parametrize(("size", "ridge"), [(1.0, 1e-30), (1e150, 1.0), (1e-160, 5e-324)])
def test_a_ridge_that_rounding_swallows_is_refused(make, size, ridge):
    features, probabilities, labelled, candidates = pool(0)
    factors = make(size * features, probabilities)
    with refused(UsageError, "ridge-too-small", match="give a ridge of at least"):
        bait(factors, labelled, candidates, 3, ridge)
    information = np.trace(np.einsum("nri,nrj->ij", *[make(features, probabilities)] * 2)) / 30
    least = 1.1 * information / MOST
    assert len(bait(make(features, probabilities), labelled, candidates, 3, least)) == 3
