"""Features that are hard for fast selection: cancellation, ties, duplicates, odd shapes."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pytest

from nextlabel.kernels.k_centre.tuning import KCentreTuning


def small(size: int, reservoir: int, chunk: int, grid: int, prepared_rows: int) -> KCentreTuning:
    """Return sizes so small that small sets go through all paths."""
    return KCentreTuning(
        top_rows=size,
        most_top_rows=4 * size,
        reservoir=reservoir,
        grid=grid,
        chunk=chunk,
        compared_rows=size,
        prepared_rows=prepared_rows,
        cached_bytes=2**12 * prepared_rows,
        tile_values=2**12,
    )


@pytest.fixture(params=[(16, 64, 8, 2, 4), (64, 100, 32, 4, 16)], ids=str)
def tuning(request: pytest.FixtureRequest) -> KCentreTuning:
    """Give each of two sets of small sizes."""
    return small(*request.param)


class HardSet(NamedTuple):
    name: str
    features: np.ndarray
    labelled: np.ndarray
    budget: int


def digits_relu(extra: int = 0) -> np.ndarray:
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(5)
    x = load_digits().data[:600] / 16.0
    hidden = np.maximum(x @ rng.normal(size=(64, 128)) / 8, 0)
    features = np.maximum(hidden @ rng.normal(size=(128, 96)) / 11, 0)
    return np.hstack([features, rng.normal(size=(len(x), extra))]).astype(np.float32)


def mixture(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(12, d))[rng.integers(0, 12, n)] * 3 + rng.normal(size=(n, d))


def relu_low_rank(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    low = rng.normal(size=(n, 8)) @ rng.normal(size=(8, d))
    return np.maximum(low + 0.1 * rng.normal(size=(n, d)), 0).astype(np.float32)


def _features() -> Iterator[tuple[str, Callable[[np.random.Generator], np.ndarray]]]:
    yield "gaussian mixture", lambda r: mixture(500, 48, r).astype(np.float32)
    yield "gaussian mixture, float64", lambda r: mixture(500, 48, r)
    yield "gaussian mixture, float16", lambda r: mixture(400, 48, r).astype(np.float16)
    yield "relu low rank", lambda r: relu_low_rank(500, 128, r)
    yield "digits through a relu network", lambda r: digits_relu()
    yield "digits with 64 columns of noise", lambda r: digits_relu(64)
    yield "duplicates", lambda r: np.repeat(r.normal(size=(40, 40)), 8, axis=0)[r.permutation(320)]
    yield (
        "near duplicates",
        lambda r: np.repeat(r.normal(size=(40, 40)), 8, axis=0) + 1e-7 * r.normal(size=(320, 40)),
    )
    yield "small integers", lambda r: r.integers(0, 4, (400, 40)).astype(np.float32)
    yield "small integers, int64", lambda r: r.integers(-3, 4, (400, 3))
    yield "large integers", lambda r: r.integers(0, 2**16, (350, 40)).astype(np.uint16)
    yield "bytes", lambda r: r.integers(0, 256, (350, 64)).astype(np.uint8)
    yield "binary", lambda r: r.integers(0, 2, (400, 36)).astype(np.float64)
    yield "bool", lambda r: r.integers(0, 2, (350, 36)).astype(bool)
    yield "one-hot", lambda r: np.eye(40, dtype=np.float32)[r.integers(0, 40, 300)]
    yield "one-hot of a tenth", lambda r: 0.1 * np.eye(40)[r.integers(0, 40, 300)]
    yield "two dimensions", lambda r: r.uniform(size=(500, 2)).astype(np.float32)
    yield "a grid of thirds", lambda r: np.indices((16, 16)).reshape(2, -1).T / 3
    yield (
        "four dimensions within 64",
        lambda r: (r.normal(size=(500, 4)) @ r.normal(size=(4, 64))).astype(np.float32),
    )
    yield (
        "far clusters of small radius",
        lambda r: (
            (1e3 * r.normal(size=(5, 40)))[r.integers(0, 5, 400)] + 1e-2 * r.normal(size=(400, 40))
        ).astype(np.float32),
    )
    yield "offset of 1000", lambda r: (mixture(500, 48, r) + 1000).astype(np.float32)
    yield "offset of 1000, float64", lambda r: mixture(500, 48, r) / 100 + 1000
    yield (
        "one column at 1e6",
        lambda r: np.hstack([np.full((350, 1), 1e6), r.normal(size=(350, 40))]).astype(np.float32),
    )
    yield "a scale of 1e-20", lambda r: (mixture(350, 48, r) * 1e-20).astype(np.float32)
    yield "a scale of 1e18", lambda r: (mixture(350, 48, r) * 1e18).astype(np.float32)
    yield "a scale of 1e-200", lambda r: mixture(350, 48, r) * 1e-200
    yield "a scale of 1e200", lambda r: mixture(350, 48, r) * 1e200
    yield "subnormal", lambda r: (mixture(350, 48, r) * 1e-40).astype(np.float32)
    yield "one huge row", lambda r: np.vstack([mixture(350, 48, r), np.full((1, 48), 1e15)])
    yield (
        "a cloud of 1e-25 and one row of 1",
        lambda r: np.vstack([mixture(350, 48, r) * 1e-25, np.ones((1, 48))]).astype(np.float32),
    )
    yield "heavy tails", lambda r: r.standard_t(1, size=(450, 40)).astype(np.float32)
    yield "many scales", lambda r: r.normal(size=(450, 40)) * 10.0 ** r.integers(-12, 4, (450, 1))
    yield "mirrored", lambda r: np.vstack([(x := r.normal(size=(300, 40))), -x, x[:, ::-1]])
    yield "fewer than a window", lambda r: mixture(90, 20, r)


def hard_sets() -> list[HardSet]:
    """Return every kind of features with labelled sets and budgets of every kind."""
    sets = []
    for i, (name, make) in enumerate(_features()):
        rng = np.random.default_rng(100 + i)
        x = make(rng)
        order = rng.permutation(len(x))
        for labelled, budget in ((len(x) // 10, 30), (1, 20), (0, 20)):
            sets.append(HardSet(f"{name}, |L| = {labelled}", x, order[:labelled], budget))
        if len(x) < 100 or name in ("one-hot", "duplicates", "a grid of thirds"):
            sets.append(HardSet(f"{name}, b = |U|", x, order[:10], len(x) - 10))
            sets.append(HardSet(f"{name}, b = |U|, nothing labelled", x, order[:0], len(x)))
    zeros = np.zeros((50, 8), np.float32)
    sets.append(HardSet("all zero", zeros, np.array([3, 1]), 20))
    sets.append(HardSet("all zero, nothing labelled", zeros, np.empty(0, np.int64), 50))
    return sets


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `hard_set` once for each of them."""
    if "hard_set" in metafunc.fixturenames:
        sets = hard_sets()
        metafunc.parametrize("hard_set", sets, ids=[case.name for case in sets])
