"""The last layer of each model, and the samples and passes that are made from it."""

from types import SimpleNamespace

import numpy as np
import pytest

from nextlabel.core.errors import UsageError
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.task_model import ModelOutputs
from nextlabel.kernels.posterior.laplace import predictions
from nextlabel.models.classical import ClassicalModel
from nextlabel.models.network_model import NetworkModel
from nextlabel.models.settings import TrainingSettings
from nextlabel.models.signals import compute, samples
from nextlabel.models.task_models import create_model
from refusals import refused

RNG = np.random.default_rng


def rows(n: int = 300) -> ScaledBlocks:
    x = RNG(0).normal(size=(n, 5))
    return ScaledBlocks({"a": x[:, :3], "b": x[:, 3:]}, {"a": 2.0, "b": 0.5})


def outputs(labels, task="multiclass", count=4, **options) -> ModelOutputs:
    model = create_model("linear", block="pca", **options)
    fitted = ClassicalModel(model, task, count).train(rows(), np.arange(len(labels)), labels)
    return fitted.infer(rows())


def view(found: ModelOutputs):
    return SimpleNamespace(outputs=found)


def layer_predictions(found: ModelOutputs) -> np.ndarray:
    layer = found.last_layer
    return predictions(layer.link, found.features @ layer.weights.T + layer.bias)


FINDINGS = np.stack([np.arange(30) % 2, np.arange(30) % 3 == 0, np.ones(30), np.zeros(30)], axis=1)


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (np.arange(30) % 4, "multiclass"),
        (np.arange(30) % 3 + (np.arange(30) % 3 == 2), "multiclass"),  # no 2
        (np.arange(30) % 2 * 3, "multiclass"),  # 0 and 3
        (np.full(30, 2), "multiclass"),
        (FINDINGS.astype(int), "multilabel"),
    ],
)
@pytest.mark.parametrize("temperature", ["none", "cv"])
def test_the_last_layer_gives_the_probabilities(labels, task, temperature) -> None:
    found = outputs(labels, task, temperature=temperature)
    np.testing.assert_allclose(layer_predictions(found), found.probabilities, atol=2e-6)


def test_the_prior_is_the_regularisation() -> None:
    many, two = (outputs(np.arange(30) % k, regularisation=4.0).last_layer for k in (4, 2))
    assert many.precision == pytest.approx(np.full(4, 0.25))
    assert two.precision == pytest.approx(np.full(4, 0.5))
    assert len(many.labelled) == 30


def test_samples_agree_with_more_labels_and_stay_probabilities() -> None:
    truth = (rows().rows() @ RNG(3).normal(size=(5, 3))).argmax(axis=1)
    spreads = []
    for n in (12, 290):
        found = outputs(truth[:n], count=3)
        drawn = compute("samples", view(found), RNG(1))
        assert drawn.shape == (300, samples.COUNT, 3)
        assert drawn.dtype == np.float32
        assert drawn.sum(axis=2) == pytest.approx(1, abs=1e-5)
        spreads.append(drawn.std(axis=1).mean())
    assert spreads[1] < 0.6 * spreads[0]
    again = compute("samples", view(found), RNG(1))
    assert np.array_equal(drawn, again)


def test_a_network_has_samples_by_dropout(digits) -> None:
    images, labels = digits
    model = NetworkModel(
        create_model("small_cnn"), TrainingSettings(device="cpu"), "multiclass", 10
    )
    from nextlabel.core.seeds import Seeds

    found = model.train(images[:40], labels[:40], 0, Seeds(0)).infer(images[:90])
    np.testing.assert_allclose(layer_predictions(found), found.probabilities, atol=1e-5)
    drawn = compute("samples", view(found), RNG(0))
    assert drawn.shape == (90, samples.COUNT, 10)
    assert drawn.std(axis=1).max() > 0.01


def test_passes_leave_out_three_quarters_of_each_image_by_itself(monkeypatch) -> None:
    """With one weight of 1, a logit is 4x or 0."""
    found = outputs(np.arange(30) % 2, count=2)
    dropped = compute("dropped", view(found), RNG(2))
    assert dropped.shape == (300, 3, 2)
    layer = found.last_layer
    x = np.ones((4000, 1), np.float32)
    one = type(layer)(np.array([[1.0], [0.0]]), np.zeros(2), "softmax")
    p = compute("dropped", view(ModelOutputs(x, x, None, one)), RNG(0))[:, :, 0]
    kept = p > 0.9
    assert p[kept] == pytest.approx(1 / (1 + np.exp(-4)))
    assert p[~kept] == pytest.approx(0.5)
    assert kept.mean() == pytest.approx(0.25, abs=0.02)
    assert (kept[:, 0] != kept[:, 1]).mean() == pytest.approx(2 * 0.25 * 0.75, abs=0.03)


def test_a_model_without_a_last_layer_is_refused() -> None:
    found = ModelOutputs(np.ones((3, 2)), np.full((3, 2), 0.5))
    for signal in ("samples", "dropped"):
        with refused(UsageError, "no-last-layer"):
            compute(signal, view(found), RNG(0))
    model = create_model("label_spreading", block="pca", neighbours=3)
    fitted = ClassicalModel(model, "multiclass", 2).train(rows(), np.arange(8), np.arange(8) % 2)
    assert fitted.infer(rows()).last_layer is None
