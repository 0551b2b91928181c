"""Laplace's samples against the Gaussian itself; BALD and EPIG against their authors' formulas."""

import math

import numpy as np
import pytest

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.task_model import LastLayer
from nextlabel.kernels.posterior import information, laplace
from nextlabel.kernels.posterior.information import bald, checked_samples, epig
from nextlabel.kernels.posterior.laplace import posterior_samples, predictions, residual_factors
from refusals import refused

RNG = np.random.default_rng


def layer(n: int, d: int, link: str, k: int = 3) -> LastLayer:
    rng = RNG(5)
    weights, bias, rows = rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=(n, d))
    precision = np.array([0.7, 2.0, 0.3])
    return LastLayer(weights, bias, link, rows, precision)  # type: ignore[arg-type]


def covariance(fitted: LastLayer) -> np.ndarray:
    """Return (Λ + Σ_i H_i ⊗ x_i x_iᵀ)⁻¹, formed as it is written."""
    rows = np.concatenate([fitted.labelled, np.ones((len(fitted.labelled), 1))], axis=1)
    d = rows.shape[1]
    total = np.diag(np.repeat(fitted.precision, d))
    for x in rows:
        logits = fitted.weights @ x[:-1] + fitted.bias
        if fitted.link == "softmax":
            p = np.exp(logits) / np.exp(logits).sum()
            hessian = np.diag(p) - np.outer(p, p)
        else:
            p = 1 / (1 + np.exp(-logits))
            hessian = np.diag(p * (1 - p))
        total += np.kron(hessian, np.outer(x, x))
    return np.linalg.inv(total)


@pytest.mark.parametrize("link", ["softmax", "logistic"])
@pytest.mark.parametrize(("n", "d"), [(3, 4), (20, 2)])
def test_samples_have_the_posterior_mean_and_covariance(n: int, d: int, link: str) -> None:
    fitted = layer(n, d, link)
    drawn = posterior_samples(fitted, 40_000, RNG(1)).reshape(40_000, -1)
    mean = np.concatenate([fitted.weights, fitted.bias[:, None]], axis=1).ravel()
    exact = covariance(fitted)
    spread = np.sqrt(np.diag(exact))
    assert np.abs((drawn.mean(axis=0) - mean) / spread).max() < 0.03
    assert np.abs((np.cov(drawn.T) - exact) / np.outer(spread, spread)).max() < 0.03


def test_an_output_of_infinite_bias_stays_sure() -> None:
    fitted = layer(4, 2, "softmax")
    bias = np.array([0.3, -np.inf, 0.1])
    fitted = LastLayer(fitted.weights, bias, "softmax", fitted.labelled, np.ones(3))
    drawn = posterior_samples(fitted, 9, RNG(0))
    assert np.isneginf(drawn[:, 1, -1]).all()
    assert np.isfinite(np.delete(drawn[:, :, -1], 1, axis=1)).all()
    p = predictions("softmax", drawn[:, :, -1])
    assert (p[:, 1] == 0).all()
    assert p.sum(axis=1) == pytest.approx(1)


def test_residual_factors_by_hand() -> None:
    p = np.array([[0.2, 0.3, 0.5]])
    q = residual_factors(p, "softmax")[0]
    assert q.T @ q == pytest.approx(np.diag(p[0]) - np.outer(p[0], p[0]))
    assert residual_factors(p, "logistic")[0] == pytest.approx(np.diag([0.4, 0.21**0.5, 0.5]))


def test_too_large_a_posterior_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laplace, "LARGEST", 8)
    with refused(UsageError, "posterior-too-large"):
        posterior_samples(layer(3, 4, "softmax"), 2, RNG(0))


def binary_entropy(p: float) -> float:
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)


def test_bald_by_hand() -> None:
    """Two sure samples that disagree tell ln 2; two alike tell nothing; 0.9 and 0.5 in between."""
    samples = np.array([[[1, 0], [0, 1]], [[0.6, 0.4], [0.6, 0.4]], [[0.9, 0.1], [0.5, 0.5]]])
    between = binary_entropy(0.7) - (binary_entropy(0.9) + binary_entropy(0.5)) / 2
    assert bald(samples) == pytest.approx([math.log(2), 0, between])
    findings = samples[:, :, :1]
    assert bald(findings, "multilabel") == pytest.approx([math.log(2), 0, between])


def epig_literally(samples: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the mean of KL[p(y, y*) || p(y) p(y*)], each term of its own."""
    scores = np.zeros(len(samples))
    for i, x in enumerate(samples):
        for target in targets:
            joint = sum(np.outer(x[s], target[s]) for s in range(len(x))) / len(x)
            apart = np.outer(x.mean(axis=0), target.mean(axis=0))
            scores[i] += (joint * np.log(joint / apart)).sum() / len(targets)
    return scores


def test_epig_is_the_authors_divergence(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = RNG(0).dirichlet(np.ones(4), (23, 7))
    targets = samples[3:12]
    wanted = epig_literally(samples, targets)
    assert epig(samples, targets) == pytest.approx(wanted, abs=1e-12)
    monkeypatch.setattr(information, "VALUES", 2 * 9 * 4 * 4)  # blocks of two images
    assert epig(samples, targets) == pytest.approx(wanted, abs=1e-12)


def test_epig_by_hand() -> None:
    """Two samples that disagree on an image and on the target make one predict the other."""
    image = np.array([[[1.0, 0], [0, 1]], [[0.5, 0.5], [0.5, 0.5]]])
    target = np.array([[[1.0, 0], [0, 1]]])
    assert epig(image, target) == pytest.approx([math.log(2), 0])
    sure = np.array([[[1.0, 0], [1, 0]]])
    assert epig(image, sure) == pytest.approx([0, 0])


def test_epig_of_findings_is_the_mean_of_each() -> None:
    samples = RNG(1).random((6, 5, 3))
    own = [np.stack([samples[:, :, k], 1 - samples[:, :, k]], axis=-1) for k in range(3)]
    wanted = np.mean([epig_literally(each, each[:4]) for each in own], axis=0)
    assert epig(samples, samples[:4], "multilabel") == pytest.approx(wanted, abs=1e-12)
    assert bald(samples, "multilabel") == pytest.approx(
        np.mean([bald(each) for each in own], axis=0)
    )


def test_samples_are_checked() -> None:
    with refused(DataError, "samples-not-a-cube"):
        checked_samples(np.ones((3, 2)), "multiclass")
    with refused(DataError, "probabilities-do-not-sum-to-one"):
        checked_samples(np.full((3, 2, 2), 0.4), "multiclass")
    checked_samples(np.full((3, 2, 2), 0.4), "multilabel")
