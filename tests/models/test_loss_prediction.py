import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.errors import DataError
from nextlabel.core.seeds import Seeds
from nextlabel.models.loss_prediction import (
    LossHead,
    loss_correlation,
    pair_loss,
    random_pairs,
    sample_losses,
)
from nextlabel.models.network_model import NetworkModel
from nextlabel.models.networks.base import build, generator
from nextlabel.models.networks.resnet import ResNet18
from nextlabel.models.networks.small_cnn import SmallCNN
from nextlabel.models.settings import LossPredictionSettings, TrainingSettings
from nextlabel.models.task_models import create_model
from nextlabel.models.training import Trainer, TrainingData, forward_of
from refusals import refused


def model(task="multiclass", outputs=10, head=None, **training):
    defaults = {"learning_rate": 0.05, "batch_size": 32, "device": "cpu"}
    return NetworkModel(
        create_model(name="small_cnn"),
        TrainingSettings(**(defaults | training)),
        task,
        outputs,
        head=head,
    )


def test_pair_loss_by_hand():
    predicted = torch.tensor([0.2, 1.0, 3.0, 0.5])
    true = torch.tensor([2.0, 1.0, 1.0, 1.0])
    # (0, 1): J = +1, so 1 - (0.2 - 1.0) = 1.8. (2, 3): a tie, so J = -1 and 1 + (3.0 - 0.5) = 3.5
    pairs = torch.tensor([[0, 2], [1, 3]])
    assert pair_loss(predicted, true, pairs).item() == pytest.approx((1.8 + 3.5) / 2)
    # the same two with the margin 0; and one that is right by more than the margin costs nothing
    assert pair_loss(predicted, true, pairs, 0.0).item() == pytest.approx((0.8 + 2.5) / 2)
    right = torch.tensor([[1], [0]])
    assert pair_loss(torch.tensor([0.0, 5.0]), torch.tensor([1.0, 2.0]), right).item() == 0


def test_no_pairs_give_zero_and_a_zero_gradient():
    predicted = torch.tensor([0.3], requires_grad=True)
    loss = pair_loss(predicted, torch.tensor([1.0]), random_pairs(1, np.random.default_rng(0)))
    loss.backward()
    assert loss.item() == 0 and predicted.grad.tolist() == [0]


def test_gradients_of_the_pair_loss_in_float64():
    draw = generator(3)
    predicted = torch.randn(8, dtype=torch.float64, generator=draw, requires_grad=True)
    true = torch.rand(8, dtype=torch.float64, generator=draw)
    pairs = random_pairs(8, np.random.default_rng(0))
    assert torch.autograd.gradcheck(lambda p: pair_loss(p, true, pairs), predicted)


def test_gradients_of_the_whole_of_equation_3_in_float64():
    draw = generator(5)
    head = build(lambda: LossHead((3, 4), 5, side=2), draw).double()
    taps = [
        torch.randn(6, width, 2, 2, dtype=torch.float64, generator=draw, requires_grad=True)
        for width in (3, 4)
    ]
    side = torch.randn(6, 2, dtype=torch.float64, generator=draw)
    true = torch.rand(6, dtype=torch.float64, generator=draw)
    pairs = random_pairs(6, np.random.default_rng(1))
    assert torch.autograd.gradcheck(
        lambda *maps: pair_loss(head(maps, side), true, pairs, 10.0), taps
    )


@given(size=st.integers(0, 40), seed=st.integers(0, 99))
def test_every_row_is_in_one_pair_at_most(size, seed):
    pairs = random_pairs(size, np.random.default_rng(seed))
    flat = pairs.reshape(-1).tolist()
    assert pairs.shape == (2, size // 2)
    assert len(set(flat)) == len(flat) and set(flat) <= set(range(size))


def test_true_losses_get_no_gradient():
    true = torch.tensor([1.0, 2.0], requires_grad=True)
    predicted = torch.tensor([0.0, 0.0], requires_grad=True)
    pair_loss(predicted, true, torch.tensor([[0], [1]])).backward()
    assert true.grad is None and predicted.grad.tolist() == [1.0, -1.0]


def test_losses_of_both_tasks_agree_with_torch():
    logits = torch.randn(7, 4, generator=generator(0))
    classes = torch.tensor([0, 1, 2, 3, 0, 1, 2])
    expected = torch.nn.functional.cross_entropy(logits, classes)
    torch.testing.assert_close(sample_losses(logits, classes, "multiclass").mean(), expected)
    findings = (logits > 0.3).long()
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, findings.float())
    torch.testing.assert_close(sample_losses(logits, findings, "multilabel").mean(), expected)


def gradients(through, images, labels):
    """Gradients that the pair loss alone leaves in T, the task's subtracted."""
    settings = TrainingSettings(batch_size=32, device="cpu")
    found = []
    for weight in (0.0, 1.0):
        network = build(lambda: SmallCNN(10), generator(0))
        network.eval()  # BatchNorm's batch statistics would change nothing here, but take time
        head = build(lambda: LossHead(SmallCNN.tap_widths, 8), generator(1))
        trainer = Trainer(settings, "multiclass", LossPredictionSettings(weight=weight, width=8))
        data = TrainingData(images, torch.from_numpy(labels))
        forward = forward_of(network)
        rows = np.arange(len(images))
        trainer.backward(forward, head, data, rows, np.random.default_rng(0), through)
        found.append([p.grad.clone() for p in network.parameters()])
        reached = sum(float(p.grad.abs().sum()) for p in head.parameters())
        assert (reached > 0) == (weight > 0)
    return sum(float((a - b).abs().sum()) for a, b in zip(*found, strict=True))


def test_ps_gradient_reaches_t_before_the_stop_and_not_after(digits):
    images, labels = digits
    assert gradients(True, images[:16], labels[:16]) > 1e-3
    assert gradients(False, images[:16], labels[:16]) == 0


@pytest.mark.parametrize(
    ("stop", "epochs", "first"), [(0.6, 10, 6), (0.0, 10, 0), (1.0, 10, 10), (0.6, 1, 1)]
)
def test_the_epoch_of_the_stop(stop, epochs, first):
    assert LossPredictionSettings(stop=stop).stop_epoch(epochs) == first


def test_training_asks_the_stop_epoch(digits, monkeypatch):
    images, labels = digits
    seen = []
    original = Trainer.backward
    monkeypatch.setattr(
        Trainer, "backward", lambda self, *rest: (seen.append(rest[-1]), original(self, *rest))[1]
    )
    head = LossPredictionSettings(width=8, stop=0.5)
    model(head=head, epochs={"initial": 4, "step": 0}).train(images[:32], labels[:32], 0, Seeds(0))
    assert seen == [True, True, False, False]


def test_the_head_changes_nothing_in_t_at_initialisation(digits, monkeypatch):
    images, labels = digits
    seen = []

    def kept_start(_trainer, network, head, data, number, seeds):
        with torch.no_grad():
            x = data.images.expand(-1, 3, -1, -1).float() / 255
            seen.append((head, *network.eval().taps(x), network(x)))
        return 1, 1

    monkeypatch.setattr(Trainer, "train", kept_start)
    for head, side in ((None, 0), (LossPredictionSettings(), 0), (LossPredictionSettings(), 3)):
        beside = torch.ones(8, side) if side else None
        model(head=head).train(images[:8], labels[:8], 0, Seeds(3), side=beside)
    (plain, *first), *others = seen
    assert plain is None
    for head, *found in others:
        assert isinstance(head, LossHead)
        assert all(torch.equal(a, b) for a, b in zip(first, found, strict=True))


def test_p_by_hand():
    head = LossHead((1, 2), 2, side=1)
    with torch.no_grad():
        for layer, weight, bias in (
            (head.layers[0], [[1.0], [-1.0]], [0.5, 0.5]),
            (head.layers[1], [[1.0, 1.0], [0.0, 2.0]], [0.0, -10.0]),
            (head.out, [[1.0, 2.0, 3.0, 4.0, 5.0]], [0.25]),
        ):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
    taps = torch.tensor([[[[0.0, 4.0]]]]), torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])
    # Averages 2 and (1.5, 1.5); behind the ReLU (2.5, 0) and (3, 0); the side as it is.
    expected = 1 * 2.5 + 2 * 0 + 3 * 3 + 4 * 0 + 5 * -2 + 0.25
    assert head(taps, torch.tensor([[-2.0]])).item() == pytest.approx(expected)


def test_the_settings_of_p_are_used(digits):
    images, labels = digits
    head = LossPredictionSettings(width=5)
    fitted = model(head=head, learning_rate=1e-9, epochs={"initial": 1, "step": 1})
    first, later = (fitted.train(images[:8], labels[:8], n, Seeds(0)).head for n in (0, 1))
    assert [layer.out_features for layer in first.layers] == [5] * len(SmallCNN.tap_widths)
    assert not torch.allclose(first.out.weight, later.out.weight), "P starts again in every round"

    def pulled(**settings):
        network = build(lambda: SmallCNN(10), generator(0)).eval()
        head = build(lambda: LossHead(SmallCNN.tap_widths, 8), generator(1))
        plan = TrainingSettings(batch_size=32, device="cpu")
        trainer = Trainer(plan, "multiclass", LossPredictionSettings(width=8, **settings))
        data = TrainingData(images[:16], torch.from_numpy(labels[:16]))
        forward, rng = forward_of(network), np.random.default_rng(0)
        trainer.backward(forward, head, data, np.arange(16), rng, False)
        return head.out.weight.grad

    assert not torch.allclose(pulled(margin=0.0), pulled())
    torch.testing.assert_close(pulled(weight=3.0), 3 * pulled())


def test_pairs_are_drawn_at_random():
    first, again, other = (random_pairs(40, np.random.default_rng(s)) for s in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert sorted(first.reshape(-1).tolist()) == list(range(40)) != first.reshape(-1).tolist()


def test_a_head_that_weighs_nothing_leaves_t_as_it_is(digits):
    images, labels = digits
    states = [
        model(head=head, epochs={"initial": 2, "step": 0})
        .train(images[:70], labels[:70], 1, Seeds(0))
        .network.state_dict()
        for head in (None, LossPredictionSettings(weight=0.0), LossPredictionSettings())
    ]
    assert all(torch.equal(v, states[1][k]) for k, v in states[0].items())
    assert not all(torch.equal(v, states[2][k]) for k, v in states[0].items())


def test_it_learns_to_tell_hard_images_from_easy_ones(digits):
    images, labels = digits
    head = LossPredictionSettings()
    fitted = model(head=head, epochs={"initial": 12, "step": 0}).train(
        images[:300], labels[:300], 0, Seeds(0)
    )
    seen = fitted.infer(images[1000:])
    assert seen.predicted_loss.shape == (797,)
    found = loss_correlation(seen.predicted_loss, seen.probabilities, labels[1000:], "multiclass")
    assert found > 0.3


def test_side_features_enter_and_are_gathered_with_their_images(digits):
    images, labels = digits
    side = torch.randn(300, 3, generator=generator(0))
    make = model(head=LossPredictionSettings(width=8), epochs={"initial": 2, "step": 0})
    fitted = make.train(images[:300], labels[:300], 0, Seeds(0), side=side)
    seen = fitted.infer(images[:300], side).predicted_loss
    assert not np.allclose(seen, fitted.infer(images[:300], side + 1).predicted_loss)
    turned = fitted.infer(images[:300].flip(0), side.flip(0)).predicted_loss
    np.testing.assert_allclose(turned[::-1], seen, atol=1e-5)
    assert fitted.infer(images[:300]).predicted_loss is None


def test_p_trains_on_the_side_rows_of_the_images_it_sees(digits, monkeypatch):
    images, labels = digits
    side = images[:60].float().mean((1, 2, 3))[:, None]  # from which each image is known again
    latest, seen = [], []
    taps, forward = SmallCNN.taps, LossHead.forward

    def kept_taps(network, x):
        latest[:] = [x]
        return taps(network, x)

    def predict(head, maps, beside=None):
        seen.append((latest[0], beside))
        return forward(head, maps, beside)

    monkeypatch.setattr(SmallCNN, "taps", kept_taps)
    monkeypatch.setattr(LossHead, "forward", predict)
    make = model(head=LossPredictionSettings(width=8), epochs={"initial": 2, "step": 0})
    make.train(images[:60], labels[:60], 0, Seeds(0), side=side)
    assert sum(len(beside) for _, beside in seen) == 120
    for batch, beside in seen:
        order = batch.mean((1, 2, 3)).argsort()
        assert (beside[order, 0].diff() >= -1e-3).all(), "rows of other images"


def test_a_state_with_its_head_comes_back(digits):
    images, labels = digits
    make = model(head=LossPredictionSettings(width=8), epochs={"initial": 1, "step": 0})
    fitted = make.train(images[:40], labels[:40], 0, Seeds(0))
    again = make.restore(fitted.state(), fitted.training)
    np.testing.assert_array_equal(
        fitted.infer(images[:40]).predicted_loss, again.infer(images[:40]).predicted_loss
    )


def test_one_image_multi_label_and_resnet(digits):
    images, labels = digits
    findings = np.stack([labels % 2, labels > 4], 1).astype(np.int64)
    one = model("multilabel", 2, LossPredictionSettings(width=4), epochs={"initial": 1, "step": 0})
    for count in (1, 3):
        seen = one.train(images[:count], findings[:count], 0, Seeds(0)).infer(images[:5])
        assert np.isfinite(seen.predicted_loss).all()
    network = build(lambda: ResNet18(10), generator(0))
    head = build(lambda: LossHead(network.tap_widths, 128), generator(1))
    assert [layer.in_features for layer in head.layers] == [64, 128, 256, 512]
    assert head.out.in_features == 4 * 128
    taps = network.eval().taps(torch.zeros(2, 3, 28, 28))
    assert head(taps).shape == (2,)


def test_rank_correlation_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    labels = np.array([0, 0, 0])
    found = [
        loss_correlation(np.array(p), probabilities, labels, "multiclass")
        for p in ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 1.0, 1.0])
    ]
    assert found == [pytest.approx(1), pytest.approx(-1), None]
    with refused(
        DataError, "training-diverged", match="P predicts NaN or infinity, so its training diverged"
    ):
        loss_correlation(np.array([1.0, np.inf, 0.0]), probabilities, labels, "multiclass")
    findings = np.array([[1, 0], [0, 1], [0, 1]])
    assert loss_correlation(
        np.array([1.0, 3.0, 2.0]), probabilities, findings, "multilabel"
    ) == pytest.approx(1.0)
