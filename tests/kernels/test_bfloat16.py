"""Screening in bfloat16 overlooks no pair that matters, and knows how wrong it is."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.feature_space import Embedding
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import Screen
from nextlabel.kernels.k_centre import centres as module
from nextlabel.kernels.k_centre.bfloat16 import BfloatCentres
from nextlabel.kernels.k_centre.centres import NumpyCentres


class InFloat(BfloatCentres):
    """Results in float32, as on CUDA."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.result = 0.0

    def _product(self, columns: Any, others: Any) -> Any:
        return torch.mm(columns.float(), others.T.float())


def direct(metric: Metric, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.stack([metric.squared_distances(rows, metric.centre(int(o))) for o in others], axis=1)


def overlooked(kind: Any, features: object, rows: np.ndarray, others: np.ndarray) -> list[Any]:
    """Return the pairs that lower a row's bound most and were not found, for bounds around them."""
    metric = Metric(Embedding.of(features))
    screen = Screen(metric)
    centres = kind(screen, "cpu", len(others))
    centres.add(others)
    own = screen.rows(rows, np.float32)
    truth = direct(metric, rows, others)
    nearest = truth.min(axis=1)
    found = []
    for value in (np.full(len(rows), np.inf), nearest * 1.0001, np.nextafter(nearest, np.inf)):
        lot = centres.lot(own, screen.squares(own)).take(np.arange(len(rows)))
        pairs = set(zip(*centres.near(lot, value, 0, len(others)), strict=True))
        for row in np.flatnonzero((nearest < value) & (value > 0)):
            best = np.flatnonzero(truth[row] == nearest[row])
            if not any((row, column) in pairs for column in best):
                found.append((row, best))
    return found


@pytest.mark.parametrize("kind", [BfloatCentres, InFloat])
def test_no_pair_that_matters_is_overlooked(kind: Any, hard_set: Any) -> None:
    ids = np.random.default_rng(0).permutation(len(hard_set.features))
    third = len(ids) // 3
    assert overlooked(kind, hard_set.features, ids[:third], ids[third:]) == []


@given(st.integers(0, 10**6), st.integers(1, 70), st.floats(-6, 3), st.floats(0, 60))
def test_nor_in_spaces_of_blocks(seed: int, d: int, scale: float, offset: float) -> None:
    rng = np.random.default_rng(seed)
    first = (rng.normal(size=(60, d)) * 10**scale + offset).astype(np.float32)
    second = rng.standard_t(1, size=(60, 5))
    space = Embedding(((first, 0.3), (second, 10 ** float(rng.uniform(-3, 3)))))
    assert overlooked(BfloatCentres, space, np.arange(25), np.arange(25, 60)) == []


def test_most_pairs_are_ruled_out() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(900, 256)).astype(np.float32)
    features[:400] = features[400:800] + rng.normal(size=(400, 256)).astype(np.float32) / 2
    screen = Screen(Metric(Embedding.of(features)))
    rows = screen.rows(slice(0, 400), np.float32)
    others = np.arange(400, 900)
    found = {}
    for kind in (BfloatCentres, InFloat):
        centres = kind(screen, "cpu", 500)
        centres.add(others)
        lot = centres.lot(rows, screen.squares(rows))
        found[kind] = centres.near(lot, np.full(400, np.inf), 0, 500)
        np.testing.assert_array_equal(found[kind][0], np.arange(400))  # one pair a row
        np.testing.assert_array_equal(found[kind][1], np.arange(400))
        places, _ = centres.near(lot, np.full(400, 1e-3), 0, 500)
        assert not places.size


def test_the_error_of_rounding_is_known() -> None:
    rng = np.random.default_rng(1)
    raw = (rng.normal(size=(300, 50)) * 10.0 ** rng.integers(-9, 3, (300, 1))).astype(np.float32)
    space = Embedding(((raw[:, :20], 0.7), (raw[:, 20:], 3.1)))
    screen = Screen(Metric(space))
    centres = BfloatCentres(screen, "cpu", 300)
    rows = screen.rows(slice(None), np.float32)
    lot = centres.lot(rows, screen.squares(rows))
    scale = [np.sqrt(part.weight) * part.unit for part in screen.metric.parts]
    exact = np.hstack([raw[:, :20] * scale[0], raw[:, 20:] * scale[1]], dtype=np.float64)
    rounded = lot.columns[:, :50].double().numpy()
    lost = np.linalg.norm(exact - rounded, axis=1)
    assert (lost <= lot.spread).all()
    assert (lot.spread <= 1.1 * lost + 1e-6 * np.sqrt(lot.norms) + 1e-15).all()
    # The columns make half the distance between rounded rows, whatever the norms.
    product = centres._product(lot.columns, centres.others(rows, screen.squares(rows)).columns)
    wanted = ((rounded[:, None] - rounded) ** 2).sum(axis=2)
    sums = lot.norms[:, None] + lot.norms
    error = np.abs(-2 * product.double().numpy() - wanted)
    assert (error <= 2.0**-8 * wanted + 1.02 * centres.kappa * sums + centres.eta).all()


def test_centres_beyond_what_is_kept_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32)
    screen = Screen(Metric(Embedding.of(features)))
    plain = BfloatCentres(screen, "cpu", 30)
    monkeypatch.setattr(module, "CACHE", 2 * 48 * 10)
    few = BfloatCentres(screen, "cpu", 30)
    for own in (plain, few):
        own.add(np.arange(8))
        own.add(np.arange(20, 33))
    assert (plain.kept, few.kept) == (30, 10)
    for begin, end in ((0, 8), (5, 15), (12, 21)):
        assert torch.equal(few._others(begin, end), plain._others(begin, end))


def test_what_follows_is_numpy_in_float32_then_float64() -> None:
    features = np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32)
    centres = BfloatCentres(Screen(Metric(Embedding.of(features))), "cpu", 30)
    centres.add(np.array([4, 9]))
    sharper = centres.sharper()
    assert isinstance(sharper, NumpyCentres) and sharper.precision is np.float32
    assert sharper.ids.tolist() == [4, 9] and sharper.capacity == 30
    sharpest = sharper.sharper()
    assert sharpest is not None and sharpest.precision is np.float64
    assert sharpest.ids.tolist() == [4, 9] and sharpest.sharper() is None
