import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.errors import DataError
from nextlabel.core.space.feature_space import FeatureSpace
from nextlabel.core.space.scaled_blocks import TILE, ScaledBlocks
from nextlabel.core.space.scaling import rms_distance
from refusals import refused


def blocks(n, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "vae": (rng.normal(size=(n, 3)) * 40).astype(np.float32),
        "pca": rng.normal(size=(n, 5)) + 3,
    }


def scaled(arrays, weights):
    distances = {name: lambda a=a: rms_distance(a) for name, a in arrays.items()}
    return ScaledBlocks.of(arrays, weights, distances)


@given(st.integers(2, 40), st.floats(0.1, 4))
def test_rows_are_those_of_equation_6(n, weight):
    arrays = blocks(n)
    weights = {"pca": 1.0, "vae": weight}
    joined = scaled(arrays, weights).rows()
    expected = FeatureSpace(weights, "rms").embed(arrays).concatenate()
    np.testing.assert_allclose(joined, expected, rtol=1e-12, atol=1e-12)


def test_products_are_those_of_the_joined_rows_over_several_tiles():
    some = scaled(blocks(2 * TILE + 7), {"pca": 1.0, "vae": 0.5})
    vectors = np.random.default_rng(1).normal(size=(4, 8))
    np.testing.assert_allclose(some.products(vectors), some.rows() @ vectors.T, atol=1e-12)


def test_products_never_join_the_rows_of_the_pool(monkeypatch):
    some = scaled(blocks(TILE + 1), {"pca": 1.0, "vae": 0.5})
    monkeypatch.setattr(ScaledBlocks, "rows", None)
    assert some.products(np.eye(8)).shape == (TILE + 1, 8)


def test_parts_keep_the_units_of_the_whole():
    some = scaled(blocks(20), {"pca": 1.0, "vae": 0.5})
    np.testing.assert_array_equal(some.take(np.array([7, 2])).rows(), some.rows()[[7, 2]])
    assert some.widths == (5, 3) and len(some) == 20
    pca, vae = some.split(np.arange(8.0)[None]).values()
    assert (pca.tolist(), vae.tolist()) == ([[0, 1, 2, 3, 4]], [[5, 6, 7]])


def test_a_block_that_does_not_vary_is_taken_as_it_is():
    flat = ScaledBlocks.of({"a": np.ones((3, 2))}, {"a": 0.5}, {"a": lambda: 0.0})
    np.testing.assert_array_equal(flat.rows(), np.full((3, 2), 0.5))


def test_blocks_that_make_no_rows_are_refused():
    with refused(DataError, "unequal-lengths", match="3 and 4 rows"):
        ScaledBlocks({"a": np.eye(3), "b": np.eye(4)}, {"a": 1, "b": 1})
    with refused(DataError, "not-a-table", match=r"block 'a' has shape \(3,\)"):
        ScaledBlocks({"a": np.zeros(3)}, {"a": 1})


def test_memory_maps_are_read_tile_by_tile(tmp_path):
    arrays = blocks(30)
    np.save(tmp_path / "vae.npy", arrays["vae"])
    mapped = arrays | {"vae": np.load(tmp_path / "vae.npy", mmap_mode="r")}
    one, other = (ScaledBlocks(a, {"pca": 2.0, "vae": 3.0}) for a in (arrays, mapped))
    np.testing.assert_array_equal(one.products(np.eye(8)), other.products(np.eye(8)))
