import io
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock
from nextlabel.features.blocks import BLOCKS
from nextlabel.models.generative.ccvae import (
    CCVAESettings,
    ClassDistributions,
    _frequencies,
    begin_ccvae,
    objective,
    refit_ccvae,
)
from nextlabel.models.generative.ccvae import batches as batches_of
from nextlabel.models.generative.priors import kl_divergence, log_normal
from nextlabel.models.generative.vae import VAE, fit_vae
from nextlabel.models.networks.base import build, generator
from refusals import refused

FINDINGS = np.array([[c % 2 == 0, c > 4, c in (0, 6, 8, 9)] for c in range(10)], np.int64)
"""Even, above four, has a closed loop: of each digit."""

QUICK = CCVAESettings(
    latent=12,
    epochs=5,
    round_epochs=5,
    batch_size=32,
    learning_rate=0.003,
    weight_decay=0,
    likelihood="gaussian",
    labelled_share=0.5,
    device="cpu",
)


@pytest.fixture(scope="module")
def beginning(digits):
    return begin_ccvae(digits[0][:600], QUICK, Seeds(0))


@pytest.fixture(scope="module")
def plain(digits):
    """A VAE that has trained for as long as a beginning and a round."""
    return fit_vae(digits[0][:600], QUICK.model_copy(update={"epochs": 10}), Seeds(0))


def random_part(labels, values, dims, seed=0):
    part = ClassDistributions(torch.full((labels, values), 1 / values), dims).double()
    with torch.no_grad():
        for p in part.parameters():
            p.copy_(torch.randn(p.shape, generator=generator(seed), dtype=torch.float64))
        part.frequencies.copy_(
            torch.rand(labels, values, generator=generator(9)).double().softmax(1)
        )
    return part


def small(settings, channels=1):
    network = build(lambda: VAE((channels, 8, 8), settings), generator(0)).double()
    return network, torch.rand(3, channels, 8, 8, generator=generator(1)).double()


def point(network, settings, x):
    """The z that `objective` draws with generator(5)."""
    noise = generator(5)
    mean, log_variance = network.encode(x)
    epsilon = torch.randn(len(x), settings.latent, generator=noise).double()
    return mean, log_variance, mean + (0.5 * log_variance).exp() * epsilon


def test_unlabelled_multi_label_terms_are_the_sum_over_all_label_vectors():
    settings = CCVAESettings(latent=7, dims_per_label=2, samples=4)
    network, x = small(settings)
    part = random_part(3, 2, 2)
    terms = objective(network, part, x, torch.full((3, 3), -1), settings, generator(5))
    mean, log_variance, z = point(network, settings, x)
    class_z, _ = part.split(z)
    log_q, log_p = part.log_classifier(class_z), part.log_prior(class_z)
    expected = log_normal(z[:, :6], mean[:, :6], log_variance[:, :6]).sum(1)
    expected = expected + kl_divergence(mean[:, 6:], log_variance[:, 6:])
    for y in itertools.product((0, 1), repeat=3):
        q, p, prior = (
            sum(t[..., i, v] for i, v in enumerate(y))
            for t in (log_q, log_p, part.frequencies.log())
        )
        expected = expected + q.exp() * (q - p - prior)
    torch.testing.assert_close(terms.kl, expected)
    assert terms.importance.tolist() == [1] * 3 and terms.log_label.tolist() == [0] * 3


def test_labelled_terms_are_the_papers():
    settings = CCVAESettings(latent=6, dims_per_label=1, samples=3)
    network, x = small(settings)
    part = random_part(1, 4, 4)
    y = torch.tensor([[2], [0], [-1]])
    terms = objective(network, part, x, y, settings, generator(5))
    mean, log_variance, z = point(network, settings, x)
    noise = generator(5)
    torch.randn(3, 6, generator=noise)
    drawn = torch.randn(2, 3, 1, 4, generator=noise).double()
    means, deviation = mean[:, None, :4], (0.5 * log_variance[:, None, :4]).exp()
    chances = [part.log_classifier(part.split(z)[0]).exp()]
    chances += [part.log_classifier(means + deviation * d).exp() for d in drawn]
    for row, value in ((0, 2), (1, 0)):
        of_x = torch.stack([c[row, 0, value] for c in chances]).mean()
        of_z = chances[0][row, 0, value]
        assert terms.log_label[row].item() == pytest.approx(of_x.log().item())
        assert terms.importance[row].item() == pytest.approx((of_z / of_x).item())
        prior = part.log_prior(part.split(z)[0])[row, 0, value]
        q = log_normal(z[row, :4], mean[row, :4], log_variance[row, :4]).sum()
        rest, spread = mean[row, 4:], log_variance[row, 4:]
        kl = 0.5 * (rest**2 + spread.exp() - 1 - spread).sum() + q + of_z.log() - prior
        assert terms.kl[row].item() == pytest.approx(kl.item())
    assert not terms.importance.requires_grad and terms.importance[2] == 1
    loss = (terms.importance * (terms.reconstruction + terms.kl) - 100 * terms.log_label).mean()
    assert terms.loss(settings).item() == pytest.approx(loss.item())
    halved = settings.model_copy(update={"beta": 0.5})
    loss = (terms.importance * (terms.reconstruction + terms.kl / 2) - 100 * terms.log_label).mean()
    assert terms.loss(halved).item() == pytest.approx(loss.item())


def test_labels_partly_known_count_where_they_are_known():
    settings = CCVAESettings(latent=4, samples=3)
    network, x = small(settings)
    part = random_part(3, 2, 1)
    none, some, other = (
        objective(network, part, x, torch.tensor([y] * 3), settings, generator(5))
        for y in ([-1, -1, -1], [-1, 1, -1], [-1, 0, -1])
    )
    assert (some.log_label < 0).all() and not torch.equal(some.kl, other.kl)
    q_sum = some.log_label.exp() + other.log_label.exp()
    torch.testing.assert_close(q_sum, torch.ones(3).double())
    assert (none.log_label == 0).all()


@pytest.mark.parametrize(("labels", "values", "dims"), [(1, 3, 3), (2, 2, 1)])
def test_gradients_of_the_class_terms_are_right(labels, values, dims):
    """With one sample the weight is 1, through which no gradient is meant to flow."""
    settings = CCVAESettings(latent=labels * dims + 1, samples=1, label_weight=3)
    part = random_part(labels, values, dims)
    y = torch.tensor([[0] * labels, [1] * labels, [-1] * labels])

    noise = generator(3)
    mean, log_variance = (
        torch.randn(3, settings.latent, generator=noise, dtype=torch.float64).requires_grad_()
        for _ in range(2)
    )
    matrix = torch.randn(settings.latent, 4, generator=noise, dtype=torch.float64)
    network = SimpleNamespace(decode=lambda z: (z @ matrix).view(-1, 1, 2, 2))
    x = torch.rand(3, 1, 2, 2, generator=noise, dtype=torch.float64)

    def loss(mean, log_variance, *_):
        network.encode = lambda x: (mean, log_variance)
        return objective(network, part, x, y, settings, generator(5)).loss(settings)

    assert torch.autograd.gradcheck(loss, (mean, log_variance, *part.parameters()))


def test_the_beginning_is_the_plain_vae_with_its_dimensions_sorted(digits, beginning):
    images = digits[0][:600]
    plain = fit_vae(images, QUICK, Seeds(0))
    order = np.argsort(-plain.kl_by_dimension(images), kind="stable")
    means = plain.means(images)
    np.testing.assert_allclose(beginning.means(images), means[:, order], atol=1e-5)
    assert (np.diff(beginning.kl_by_dimension(images)) <= 1e-6).all()
    difference = beginning.decode(means[:9, order]).astype(int) - plain.decode(means[:9])
    assert abs(difference).max() <= 1


def test_frequencies_count_known_labels_and_one_more():
    found = _frequencies(np.array([[1, 0], [1, -1], [0, 0]]), 2)
    np.testing.assert_allclose(found, [[2 / 5, 3 / 5], [3 / 4, 1 / 4]])


@given(st.integers(1, 90), st.integers(0, 90), st.integers(2, 40), st.floats(0.05, 0.95))
def test_batches_hold_the_labelled_often_and_all_others_in_turn(known, others, size, share):
    labelled, rest = np.arange(known), np.arange(known, known + others)
    batches = list(batches_of(labelled, rest, size, share, np.random.default_rng(0)))
    assert len(batches) == -(-(known + others) // size)
    assert {len(b) for b in batches} == {min(size, known + others)}
    drawn = np.bincount(np.concatenate(batches), minlength=known + others)
    for part in (drawn[:known], drawn[known:]):
        assert part.size == 0 or part.max() - part.min() <= 1
    allowed = max(1, int(share * size), size - others)
    assert drawn[:known].sum() == len(batches) * min(known, allowed)


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
def test_labels_make_latents_that_separate_classes(task, digits, beginning, plain):
    """Against a plain VAE of as many steps, on images that neither has seen."""
    images, labels = digits[0], digits[1]
    targets = labels[:, None] if task == "multiclass" else FINDINGS[labels]
    values = 10 if task == "multiclass" else 2
    known = np.arange(100)
    settings = QUICK.model_copy(update={"dims_per_label": 1 if task == "multiclass" else 3})
    shaped, _ = refit_ccvae(
        images[:600], known, targets[known], values, beginning.state(), settings, 1, Seeds(0)
    )

    def accuracy(fitted):
        rows = fitted.means(images[600:])
        wanted = labels[600:] if task == "multiclass" else targets[600:]
        neighbours = KNeighborsClassifier(5).fit(rows[:600], wanted[:600])
        return (neighbours.predict(rows[600:]) == wanted[600:]).mean()

    assert accuracy(shaped) > accuracy(plain) + 0.05
    assert shaped.log[-1]["label"] < shaped.log[0]["label"]
    assert set(shaped.log[0]) == {"elbo", "reconstruction", "kl", "label"}


def test_a_round_repeats_bit_for_bit_and_depends_on_its_number(digits, beginning):
    images, labels = digits[0][:600], digits[1][:, None]
    settings = QUICK.model_copy(update={"round_epochs": 1})

    def means(number, seed=0, rows=range(50)):
        rows = np.array(rows)
        before = torch.random.get_rng_state()
        fitted, _ = refit_ccvae(
            images, rows, labels[rows], 10, beginning.state(), settings, number, Seeds(seed)
        )
        assert torch.equal(torch.random.get_rng_state(), before)
        return fitted.means(images[:40])

    first = means(1)
    assert np.array_equal(first, means(1))
    for other in (means(2), means(1, seed=1), means(1, rows=range(49))):
        assert not np.array_equal(first, other)


def test_rounds_see_the_images_in_other_orders(digits, beginning, monkeypatch):
    images, labels = digits[0][:600], digits[1][:, None]
    settings = QUICK.model_copy(update={"round_epochs": 1})
    seen = []

    def kept(*given):
        seen.append(list(batches_of(*given)))
        return seen[-1]

    monkeypatch.setattr("nextlabel.models.generative.ccvae.batches", kept)
    for number in (1, 1, 2):
        state = beginning.state()
        refit_ccvae(images, np.arange(50), labels[:50], 10, state, settings, number, Seeds(0))
    first, again, other = (np.concatenate(batches).tolist() for batches in seen)
    assert first == again != other


def small_data(digits, task="multiclass"):
    images, labels = digits[0].numpy(), digits[1]
    wanted = labels if task == "multiclass" else FINDINGS[labels]
    cuts = [slice(0, 120), slice(120, 140), slice(140, 150)]
    names = tuple("0123456789") if task == "multiclass" else ("even", "high", "loop")
    return Dataset("digits", task, names, *(Images(images[c], wanted[c]) for c in cuts))


def quick_block(**options):
    return BLOCKS["ccvae"](latent=12, epochs=2, round_epochs=1, device="cpu", **options)


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
def test_a_round_starts_from_the_beginning_given(task, digits):
    data, seeds, block = small_data(digits, task), Seeds(0), quick_block()
    pool = Pool(120, np.array([7, 3, 50]))
    labels = data.train.labels[pool.labelled]
    start = block.fit(data, Pool(120), None, 0, seeds)
    given, own = (block.fit(data, pool, labels, 1, seeds, s) for s in (start, None))
    other = FittedBlock({}, state={k: a * 0.5 for k, a in start.state.items()})
    moved = block.fit(data, pool, labels, 1, seeds, other)
    for part, size in (("train", 120), ("validation", 20), ("test", 10)):
        assert given.rows(part).shape == (size, 12)
        assert np.array_equal(given.rows(part), own.rows(part))
        assert not np.array_equal(given.rows(part), start.rows(part))
    assert not np.array_equal(given.rows("train"), moved.rows("train"))
    assert np.array_equal(
        block.fit(data, Pool(120), np.empty((0, 3), np.int64), 0, seeds).rows("train"),
        start.rows("train"),
    )
    for picture in given.pictures.values():
        assert Image.open(io.BytesIO(picture)).format == "PNG"
    assert set(given.pictures) == {"reconstructions", "traversal", "classes"}
    assert set(given.state) < set(start.state) and "down.0.weight" in given.state


def test_labels_count_for_labelled_rows_alone(digits):
    data, seeds, block = small_data(digits), Seeds(0), quick_block()
    pool = Pool(120, np.array([7, 3, 50]), excluded=np.array([9]))
    labels = data.train.labels[pool.labelled]
    bare = Dataset(
        "digits",
        "multiclass",
        data.classes,
        Images(data.train.images),
        Images(data.validation.images),
        Images(data.test.images),
    )
    start = block.fit(bare, Pool(120), None, 0, seeds)
    first, hidden = (block.fit(d, pool, labels, 1, seeds, start) for d in (data, bare))
    assert np.array_equal(first.rows("train"), hidden.rows("train"))
    turned = Pool(120, pool.labelled[::-1], excluded=pool.excluded)
    again = block.fit(bare, turned, labels[::-1], 1, seeds, start)
    assert np.array_equal(first.rows("train"), again.rows("train"))
    changed = labels.copy()
    changed[0] = (changed[0] + 1) % 10
    assert not np.array_equal(
        first.rows("train"), block.fit(data, pool, changed, 1, seeds, start).rows("train")
    )


def test_the_class_part_alone_is_its_first_dimensions(digits):
    data, pool = small_data(digits, "multilabel"), Pool(120, np.arange(4))
    labels = data.train.labels[:4].copy()
    labels[0] = [-1, 1, -1]
    whole, part = (
        quick_block(dims_per_label=2, part=p).fit(data, pool, labels, 1, Seeds(0))
        for p in ("all", "class")
    )
    assert part.rows("train").shape == (120, 6)
    assert np.array_equal(part.rows("test"), whole.rows("test")[:, :6])


def test_what_does_not_fit_is_refused(digits):
    data, pool, seeds = small_data(digits), Pool(120, np.arange(3)), Seeds(0)
    start = quick_block().fit(data, Pool(120), None, 0, seeds)
    with refused(
        UsageError, "latent-too-small", match=r"needs 10 dimensions .* latent 10; raise .* above 10"
    ):
        BLOCKS["ccvae"](latent=10).fit(data, Pool(120), None, 0, seeds)
    with refused(DataError, "unequal-lengths", match="2 labels for 3 labelled images"):
        quick_block().fit(data, pool, np.array([0, 1]), 1, seeds, start)
    with refused(
        DataError, "labels-out-of-range", match="labels run from 0 to 10; ccvae takes 0 to 9"
    ):
        quick_block().fit(data, pool, np.array([0, 1, 10]), 1, seeds, start)
    with refused(
        DataError, "state-of-other-settings", match="cannot start from a state of 0 arrays"
    ):
        quick_block().fit(data, pool, np.array([0, 1, 2]), 1, seeds, FittedBlock({}))
    findings = small_data(digits, "multilabel")
    with refused(DataError, "labels-out-of-range"):
        quick_block().fit(findings, pool, np.array([[0, 1, 2]] * 3), 1, seeds, start)
