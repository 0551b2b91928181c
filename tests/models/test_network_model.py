import numpy as np
import pytest
import torch
from torch import nn

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.seeds import Seeds
from nextlabel.models.device import resolve_device
from nextlabel.models.network_model import NetworkModel
from nextlabel.models.normalise import IMAGENET_DEVIATION, IMAGENET_MEAN, normalise
from nextlabel.models.settings import TrainingSettings
from nextlabel.models.task_models import create_model
from nextlabel.models.training import Trainer
from refusals import refused


def model(task="multiclass", outputs=10, batch_norm="recalibrate", **training):
    defaults = {"learning_rate": 0.05, "batch_size": 32, "device": "cpu"}
    return NetworkModel(
        create_model(name="small_cnn", weights="random", batch_norm=batch_norm),
        TrainingSettings(**(defaults | training)),
        task,
        outputs,
    )


def states_equal(first, second):
    return all(torch.equal(a, second[name]) for name, a in first.items())


def test_it_learns_and_the_same_seed_gives_the_same_bits(digits):
    images, labels = digits
    made = [
        model(epochs={"initial": 6, "step": 0}).train(images[:300], labels[:300], 0, Seeds(seed))
        for seed in (1, 1, 2)
    ]
    seen = [fitted.infer(images[1000:]) for fitted in made]
    accuracy = (seen[0].probabilities.argmax(1) == labels[1000:]).mean()
    assert accuracy > 0.75
    assert np.array_equal(seen[0].features, seen[1].features)
    assert np.array_equal(seen[0].probabilities, seen[1].probabilities)
    assert not np.array_equal(seen[0].features, seen[2].features)
    assert seen[0].features.shape == (797, 128)
    np.testing.assert_allclose(seen[0].probabilities.sum(1), 1, atol=1e-5)


def test_global_generators_stay_where_they_are(digits):
    images, labels = digits
    before, numpy_before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    model().train(images[:40], labels[:40], 0, Seeds(0))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002


def test_epochs_grow_by_round_and_min_steps_are_kept(digits):
    images, labels = digits
    schedule = {"initial": 2, "step": 3}
    first = model(epochs=schedule).train(images[:70], labels[:70], 0, Seeds(0)).training
    second = model(epochs=schedule).train(images[:70], labels[:70], 2, Seeds(0)).training
    assert (first.epochs, first.steps) == (2, 6)
    assert (second.epochs, second.steps) == (8, 24)
    few = model(epochs=schedule, min_steps=25).train(images[:10], labels[:10], 0, Seeds(0))
    assert few.training.steps == 25


def test_batches_are_split_evenly(digits, monkeypatch):
    images, labels = digits
    sizes = []
    original = Trainer.backward

    def counted(self, network, head, lesson, rows, *rest):
        sizes.append(len(rows))
        return original(self, network, head, lesson, rows, *rest)

    monkeypatch.setattr(Trainer, "backward", counted)
    model(epochs={"initial": 1, "step": 0}).train(images[:65], labels[:65], 0, Seeds(0))
    assert sizes == [22, 22, 21]


def test_train_until_stops_early_goes_on_and_marks(digits):
    images, labels = digits
    long = {"initial": 30, "step": 0}
    early = model(epochs=long, train_until={"accuracy": 0.9}).train(
        images[:100], labels[:100], 0, Seeds(0)
    )
    assert early.training.epochs < 30 and early.training.reached
    capped = model(
        epochs={"initial": 1, "step": 0}, train_until={"accuracy": 0.9, "cap": 30}
    ).train(images[:100], labels[:100], 0, Seeds(0))
    assert 1 < capped.training.epochs <= 30
    short = model(
        epochs={"initial": 1, "step": 0},
        learning_rate=1e-6,
        train_until={"accuracy": 0.99, "early": False},
    ).train(images[:100], labels[:100], 0, Seeds(0))
    assert not short.training.reached


def test_a_cap_after_a_schedule_that_ends_at_zero_is_refused():
    with pytest.raises(ValueError, match='set schedule = "constant"'):
        TrainingSettings(schedule="linear", train_until={"cap": 30})


def test_recalibrated_statistics_are_those_of_the_labelled_images(digits):
    images, labels = digits
    fitted = model(epochs={"initial": 1, "step": 0}, batch_size=64).train(
        images[:64], labels[:64], 0, Seeds(0)
    )
    seen = []
    first = fitted.network.norms[0]
    hook = first.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    fitted.infer(images[:64])
    hook.remove()
    torch.testing.assert_close(first.running_mean, seen[0].mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    assert isinstance(first, nn.BatchNorm2d) and first.momentum == 0.1


def test_recalibration_rescues_a_small_labelled_set(digits):
    images, labels = digits
    training = TrainingSettings(
        learning_rate=0.01, batch_size=50, epochs={"initial": 5, "step": 0}, device="cpu"
    )
    accuracy = {}
    for kind in ("running", "recalibrate"):
        settings = create_model(weights="random", batch_norm=kind)
        maker = NetworkModel(settings, training, "multiclass", 10)
        fitted = maker.train(images[:200], labels[:200], 0, Seeds(0))
        found = fitted.infer(images[1000:]).probabilities.argmax(1)
        accuracy[kind] = (found == labels[1000:]).mean()
    assert accuracy["recalibrate"] > accuracy["running"] + 0.1


def test_inference_changes_nothing_and_does_not_depend_on_company(digits):
    images, labels = digits
    fitted = model(epochs={"initial": 1, "step": 0}).train(images[:64], labels[:64], 0, Seeds(0))
    before = fitted.state()
    together = fitted.infer(images[:300])
    assert states_equal(before, fitted.state()) and not fitted.network.training
    alone = fitted.infer(images[:1])
    np.testing.assert_allclose(alone.features, together.features[:1], rtol=1e-4, atol=1e-5)


def test_restored_models_say_the_very_same(digits):
    images, labels = digits
    maker = model(epochs={"initial": 1, "step": 0})
    fitted = maker.train(images[:64], labels[:64], 0, Seeds(0))
    again = maker.restore(fitted.state(), fitted.training)
    assert np.array_equal(fitted.infer(images).features, again.infer(images).features)


def test_every_round_starts_from_the_same_weights_unless_fine_tuned(digits):
    images, labels = digits
    seeds = Seeds(3)
    scratch = model(epochs={"initial": 1, "step": 0}, learning_rate=1e-12)
    start, _ = scratch.initial(seeds)
    first = scratch.train(images[:64], labels[:64], 0, seeds)
    later = scratch.train(images[:96], labels[:96], 5, seeds, first)
    torch.testing.assert_close(later.network.fc.weight, start.fc.weight)
    tuned = model(epochs={"initial": 1, "step": 0}, refit="finetune")
    one = tuned.train(images[:64], labels[:64], 0, seeds)
    before = one.state()
    two = tuned.train(images[:96], labels[:96], 1, seeds, one)
    assert two.training.weights == "finetuned" and one.training.weights == "random"
    assert states_equal(before, one.state())
    assert not torch.equal(two.network.fc.weight, one.network.fc.weight)


def test_multi_label(digits):
    images, labels = digits
    truth = np.stack([labels % 2 == 0, labels > 4], 1).astype(np.int64)
    maker = model("multilabel", 2, epochs={"initial": 8, "step": 0})
    fitted = maker.train(images[:400], truth[:400], 0, Seeds(0))
    probabilities = fitted.infer(images[1000:]).probabilities
    assert ((probabilities > 0.5) == truth[1000:]).mean() > 0.75
    assert probabilities.shape == (797, 2) and probabilities.sum(1).std() > 0.1
    assert fitted.training.accuracy > 0.8


def test_one_labelled_image_and_bf16_train(digits):
    images, labels = digits
    for network in ("small_cnn", "resnet18"):  # maps of one pixel meet BatchNorm in both
        one = NetworkModel(
            create_model(name=network, weights="random"),
            TrainingSettings(device="cpu", epochs={"initial": 1, "step": 0}),
            "multiclass",
            10,
        ).train(images[:1], labels[:1], 0, Seeds(0))
        assert np.isfinite(one.infer(images[:5]).probabilities).all()
    half = model(epochs={"initial": 1, "step": 0}, precision="bf16").train(
        images[:64], labels[:64], 0, Seeds(0)
    )
    assert half.infer(images[:5]).features.dtype == np.float32


def test_rate_falls_to_zero_where_asked(digits, monkeypatch):
    images, labels = digits
    for schedule, last in (("constant", 0.05), ("linear", 0.0125), ("cosine", 0.0073)):
        rates = []
        original = torch.optim.SGD.step

        def step(self, *args, rates=rates, original=original, **options):
            rates.append(self.param_groups[0]["lr"])
            return original(self, *args, **options)

        monkeypatch.setattr(torch.optim.SGD, "step", step)
        model(schedule=schedule, epochs={"initial": 2, "step": 0}).train(
            images[:64], labels[:64], 0, Seeds(0)
        )
        monkeypatch.setattr(torch.optim.SGD, "step", original)
        assert rates[0] == 0.05
        assert rates[-1] == pytest.approx(last, abs=1e-4)


def test_normalising_repeats_grey_and_uses_imagenets_numbers():
    grey = torch.tensor([[[[0, 255]]]], dtype=torch.uint8)
    found = normalise(grey)
    assert found.shape == (1, 3, 1, 2)
    for c in range(3):
        mean, deviation = IMAGENET_MEAN[c], IMAGENET_DEVIATION[c]
        assert found[0, c, 0, 0].item() == pytest.approx(-mean / deviation, rel=1e-5)
        assert found[0, c, 0, 1].item() == pytest.approx((1 - mean) / deviation, rel=1e-5)
    with refused(DataError, "wrong-channels", match="images have 2 channels"):
        normalise(torch.zeros(1, 2, 4, 4, dtype=torch.uint8))


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_device("auto").type == "cpu"
    with refused(UsageError, "device-not-available", match="device 'cuda' is not available"):
        resolve_device("cuda")


def test_a_network_of_other_layers_has_other_keys():
    assert create_model(name="small_cnn").decisive()["make"] == 2
    assert "make" not in create_model().decisive()


def test_small_cnn_starts_at_random_and_never_claims_imagenet():
    assert create_model(name="small_cnn").weights == "random"
    assert create_model().weights == "imagenet"
    with refused(
        UsageError, "invalid-setting", match="no ImageNet weights are published for small_cnn"
    ):
        create_model(name="small_cnn", weights="imagenet")


@pytest.mark.parametrize(("labelled", "size"), [(3, 2), (5, 4), (4, 1), (9, 4), (65, 64), (2, 64)])
def test_no_batch_is_of_one_image(labelled, size):
    steps = TrainingSettings(batch_size=size).steps_per_epoch(labelled)
    assert min(len(rows) for rows in np.array_split(np.arange(labelled), steps)) >= 2
