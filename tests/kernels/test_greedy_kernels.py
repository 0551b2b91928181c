"""Both greedy kernels: what they take, what they refuse, and what they need."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nextlabel.core.errors import AlreadyLabelled, BudgetError, DataError, UnknownId
from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels import reference
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import ShiftedRows, as_float32
from nextlabel.kernels.farthest_from_mean import farthest_from_mean
from nextlabel.kernels.k_centre.farthest_first import farthest_first
from refusals import refused

KERNELS = [
    pytest.param(farthest_first, reference.farthest_first, id="farthest_first"),
    pytest.param(farthest_from_mean, reference.farthest_from_mean, id="farthest_from_mean"),
]
every_kernel = pytest.mark.parametrize(("kernel", "truth"), KERNELS)


def features(n: int = 200, d: int = 40) -> np.ndarray:
    return np.random.default_rng(4).normal(size=(n, d)).astype(np.float32)


def test_the_line_by_hand() -> None:
    line = [[0.0], [1.0], [4.0], [9.0], [10.0]]
    assert farthest_first(line, [0], 3).tolist() == [4, 2, 1]
    assert farthest_first(line, [], 3).tolist() == [2, 4, 0]  # mean 4.8
    # To {0}: 100 for 10. To {0, 10}: 82 for 1 and for 9. To {0, 10, 1}: 146 for 9.
    assert farthest_from_mean(line, [0], 3).tolist() == [4, 1, 3]
    assert farthest_from_mean(line, [], 2).tolist() == [2, 4]


def _variants(x: np.ndarray, folder: Path) -> dict[str, Any]:
    import torch

    np.save(folder / "x.npy", x)
    wide = np.zeros((2 * len(x), 2 * x.shape[1]), x.dtype)
    wide[::2, ::2] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    odd = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    odd[:] = x
    return {
        "memory map": np.load(folder / "x.npy", mmap_mode="r"),
        "Fortran": np.asfortranarray(x),
        "strided": wide[::2, ::2],
        "negative strides": x[::-1, ::-1].copy()[::-1, ::-1],
        "read-only": read_only,
        "unaligned": odd,
        "big-endian": x.astype(">f4"),
        "float64": x.astype(np.float64),
        "tensor": torch.from_numpy(x.copy()),
        "tensor with gradient": torch.from_numpy(x.copy()).requires_grad_(),
        "lists": x.tolist(),
        "an embedding": Embedding.of(x),
        "two halves": Embedding(((x[:, :15], 1.0), (x[:, 15:], 1.0))),
    }


@every_kernel
def test_layout_and_kind_of_array_do_not_matter(kernel: Any, truth: Any, tmp_path: Path) -> None:
    x = features()
    expected = truth(x, np.arange(20), 15)
    for name, variant in _variants(x, tmp_path).items():
        np.testing.assert_array_equal(kernel(variant, np.arange(20), 15), expected, name)
        np.testing.assert_array_equal(kernel(variant, list(range(20)), 15), expected, name)
    np.testing.assert_array_equal(x, features())


@every_kernel
def test_excluded_rows_are_neither_picked_nor_centres(kernel: Any, truth: Any) -> None:
    x = features(60)
    x[7] = 100
    out = [7, 3]
    picks = kernel(x, [0, 1], 56, excluded=out)
    assert sorted(picks.tolist()) == sorted(set(range(60)) - {0, 1, 7, 3})
    np.testing.assert_array_equal(picks, truth(x, [0, 1], 56, out))
    np.testing.assert_array_equal(kernel(x, [], 9, excluded=out), truth(x, [], 9, out))


@every_kernel
def test_what_is_refused(kernel: Any, truth: Any) -> None:
    x = features(10)
    with refused(BudgetError, "budget-too-large"):
        kernel(x, [0, 1], 9)
    with refused(BudgetError, "budget-negative"):
        kernel(x, [0, 1], -1)
    with refused(UnknownId, "id-outside-pool", match="id 10"):
        kernel(x, [10], 1)
    with refused(AlreadyLabelled, "id-listed-twice"):
        kernel(x, [3], 1, excluded=[3])
    bad = x.copy()
    bad[6, 2] = np.nan
    with refused(DataError, "not-finite", match="row 6"):
        kernel(bad, [0], 1)
    with refused(BudgetError, "budget-too-large"):
        kernel(np.empty((0, 3)), [], 1)


@every_kernel
def test_budget_zero_is_empty_and_the_result_is_ones_own(kernel: Any, truth: Any) -> None:
    x = features(10)
    assert kernel(x, [0], 0).dtype == np.int64 and kernel(x, [0], 0).shape == (0,)
    assert kernel(np.empty((0, 3)), [], 0).shape == (0,)
    for picks in (kernel(x, [0], 5), kernel(x, [], 5)):
        picks[:] = 0
    with pytest.warns(UserWarning, match="all 9 images"):
        kernel(np.ones((9, 2)), [], 5)[:] = 0
    assert kernel(x[:1], [], 1).tolist() == [0]


@every_kernel
@pytest.mark.parametrize("value", [0.0, 0.1, 1e300])
def test_features_that_do_not_vary_warn_and_give_the_smallest_ids(
    kernel: Any, truth: Any, value: float
) -> None:
    x = np.full((12, 3), value)
    with pytest.warns(UserWarning, match="features of all 12 images are the same"):
        assert kernel(x, [1], 4, excluded=[2]).tolist() == [0, 3, 4, 5]
    assert truth(x, [1], 4, [2]).tolist() == [0, 3, 4, 5]


@every_kernel
def test_larger_than_a_tile_and_a_window(kernel: Any, truth: Any) -> None:
    rng = np.random.default_rng(0)
    x = np.maximum(rng.normal(size=(4700, 6)) @ rng.normal(size=(6, 33)), 0).astype(np.float32)
    labelled = rng.permutation(4700)[:1100]
    np.testing.assert_array_equal(kernel(x, labelled, 60), truth(x, labelled, 60))


@every_kernel
def test_memory_is_tiles_and_a_few_numbers_a_row(kernel: Any, truth: Any) -> None:
    n, d = 20_000, 64
    x = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    tracemalloc.start()
    kernel(x, np.arange(6000), 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A float64 copy is 10 MB and a table of 20,000 by 6,000 is 480 MB.
    assert peak < 40 * 2**20


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 30.0, 1e5])
def test_the_error_bound_holds(precision: Any, offset: float) -> None:
    rng = np.random.default_rng(1)
    raw = (rng.normal(size=(400, 96)) * 10.0 ** rng.integers(-3, 3, (400, 1))) + offset
    metric = Metric(Embedding(((raw.astype(np.float32), 0.3), (raw[:, ::2], 1.7))))
    shifted = ShiftedRows(metric)
    kappa, eta = shifted.error(precision)
    rows = shifted.weighted(shifted.rows(slice(0, 50), precision), precision)
    products = shifted.products(slice(0, 400), rows, precision).astype(np.float64)
    norms = shifted.squared_norms
    direct = np.stack(
        [metric.squared_distances(np.arange(400), metric.row(c)) for c in range(50)], axis=1
    )
    sums = norms[:, None] + norms[:50]
    assert (np.abs(sums - 2 * products - direct) <= kappa * sums + eta).all()
    quick = shifted.quick_squares(shifted.rows(slice(0, 400), precision))
    assert (np.abs(quick - norms) <= kappa * norms + eta).all()
    assert (
        np.abs(shifted.squares(shifted.rows(slice(0, 400), precision)) - norms) <= kappa * norms
    ).all()


@every_kernel
def test_one_rows_distance_does_not_depend_on_its_neighbours(kernel: Any, truth: Any) -> None:
    rng = np.random.default_rng(2)
    for d in (1, 2, 3, 7, 8, 9, 33, 128, 129, 300):
        x = rng.normal(size=(700, d))
        metric = Metric(Embedding.of(x))
        all_of_them = metric.squared_distances(np.arange(700), metric.row(5))
        for some in ([3], [699, 3], list(range(0, 700, 7))):
            alone = metric.squared_distances(np.array(some), metric.row(5))
            np.testing.assert_array_equal(alone, all_of_them[some])
        np.testing.assert_array_equal(all_of_them, ((x - x[5]) ** 2).sum(axis=1))
        pairs = metric.pair_distances(np.arange(700), np.full(700, 5))
        np.testing.assert_array_equal(pairs, all_of_them)


@pytest.mark.parametrize("offset", [0, 1000])
def test_most_pairs_are_never_measured(offset: float, monkeypatch: pytest.MonkeyPatch) -> None:
    x = features(2000, 64) + np.float32(offset)
    measured = []
    direct: Callable[..., Any] = Metric.squared_distances
    pairs: Callable[..., Any] = Metric.pair_distances
    monkeypatch.setattr(
        Metric, "squared_distances", lambda m, i, o: measured.append(len(i)) or direct(m, i, o)
    )
    monkeypatch.setattr(
        Metric, "pair_distances", lambda m, i, o: measured.append(len(i)) or pairs(m, i, o)
    )
    farthest_first(x, np.arange(500), 50)
    assert sum(measured) < 2 * len(x)  # of 2,000 × 550
    measured.clear()
    farthest_from_mean(x, np.arange(500), 50)
    assert sum(measured) == 0


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_rows_in_float16_become_float32_at_once(offset: float) -> None:
    raw = (np.random.default_rng(0).normal(size=(4096, 64)) + offset).astype(np.float16)
    shifted = ShiftedRows(Metric(Embedding.of(raw)))
    assert shifted.shifts[0].any() == (offset > 0)
    tracemalloc.start()
    (rows,) = shifted.rows(slice(None), np.float32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(rows, (raw.astype(float) - shifted.shifts[0]).astype(np.float32))
    assert peak < 10 * raw.size  # bytes; one copy in float64 has 8, next to the 4 of the rows


def test_every_float16_becomes_its_float32() -> None:
    numbers = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = numbers[np.isfinite(numbers)]
    bits = as_float32(finite[::-1]).view(np.uint32)  # 0 and -0 differ
    np.testing.assert_array_equal(bits, finite[::-1].astype(np.float32).view(np.uint32))
