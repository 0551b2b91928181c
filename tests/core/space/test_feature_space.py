import pickle
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.space.feature_space import FeatureSpace
from nextlabel.core.space.scaling import TILE, rms_distance, unit_rows
from refusals import refused

values = st.floats(-100, 100, width=32)


def matrices():
    return st.integers(2, 12).flatmap(
        lambda n: hnp.arrays(np.float64, st.tuples(st.just(n), st.integers(1, 5)), elements=values)
    )


def squared_distances(rows):
    return ((rows[:, None] - rows[None]) ** 2).sum(-1)


@given(st.integers(2, 8), st.floats(0, 5), st.data())
def test_equation_6_squared_norms_add_with_the_square_of_the_weight(n, alpha, data):
    t = data.draw(hnp.arrays(np.float64, (n, 3), elements=values))
    v = data.draw(hnp.arrays(np.float64, (n, 2), elements=values))
    space = FeatureSpace({"task": 1.0, "vae": alpha}, "none")
    joined = space.embed({"task": t, "vae": v}).concatenate()
    np.testing.assert_allclose(
        (joined**2).sum(1), (t**2).sum(1) + alpha**2 * (v**2).sum(1), rtol=1e-12
    )
    np.testing.assert_allclose(
        squared_distances(joined),
        squared_distances(t) + alpha**2 * squared_distances(v),
        rtol=1e-9,
        atol=1e-9,
    )


@given(matrices())
def test_weight_zero_is_the_baseline(t):
    space = FeatureSpace({"task": 1.0, "vae": 0.0}, "none")
    assert space.blocks == ("task",)
    embedding = space.embed({"task": t, "vae": np.full((3, 1), np.nan)})  # never read
    assert len(embedding.blocks) == 1
    np.testing.assert_array_equal(embedding.concatenate(), t)


@given(matrices())
def test_rms_distance_is_the_brute_force_one(rows):
    n = len(rows)
    brute = np.sqrt(squared_distances(rows).sum() / (n * (n - 1)))
    assert rms_distance(rows) == pytest.approx(brute, rel=1e-9, abs=1e-150)


@given(matrices(), st.floats(0.001, 1000), st.floats(-1000, 1000))
def test_rms_distance_follows_scale_and_ignores_shift(rows, factor, shift):
    moved = rms_distance(rows * factor + shift)
    assert moved == pytest.approx(rms_distance(rows) * factor, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e160, 1e307])
def test_rms_distance_neither_overflows_nor_vanishes(size):
    rows = np.array([[-1.0, 0.5], [1.0, 0.25], [0.5, -1.0]])
    assert rms_distance(rows * size) == pytest.approx(rms_distance(rows) * size, rel=1e-12)


def test_rms_distance_sees_small_differences_far_from_zero():
    rows = np.random.default_rng(0).normal(size=(300, 4))
    assert rms_distance(rows + 1e9) == pytest.approx(rms_distance(rows), rel=1e-6)


def test_rms_distance_over_several_tiles_and_types():
    rows = np.random.default_rng(0).integers(0, 255, (TILE * 2 + 5, 2)).astype(np.uint8)
    whole = rows.astype(np.float64)
    expected = np.sqrt(2 * whole.var(0, ddof=1).sum())
    assert rms_distance(rows) == pytest.approx(expected, rel=1e-12)
    assert rms_distance(rows.astype(np.float16)) == pytest.approx(expected, rel=1e-12)


@given(matrices(), st.floats(0.01, 10))
def test_rms_scaled_blocks_have_the_weight_as_their_rms_distance(rows, weight):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scaled = FeatureSpace({"b": weight}, "rms").embed({"b": rows}).concatenate()
    if rms_distance(rows) > 0:
        assert rms_distance(scaled) == pytest.approx(weight, rel=1e-9)
    else:
        np.testing.assert_allclose(scaled, rows * weight)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
def test_a_constant_block_is_legal_and_warned_of(value):
    rows = np.full((7, 3), value)
    with pytest.warns(UserWarning, match="'flat' is the same in every row"):
        embedding = FeatureSpace({"flat": 2.0}).embed({"flat": rows})
    np.testing.assert_array_equal(embedding.concatenate(), rows * 2)


def test_memory_maps_and_tensors_are_taken_as_they_are(tmp_path):
    rows = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    for given_as in (mapped, torch.from_numpy(rows), rows):
        embedding = Embedding.of(given_as)
        assert np.shares_memory(embedding.blocks[0][0], np.asarray(given_as))
        assert embedding.dimensions == 3
        assert len(embedding) == 20
        np.testing.assert_array_equal(embedding.rows(np.array([4, 1])), rows[[4, 1]])
    assert Embedding.of(embedding) is embedding


def test_an_embedding_is_read_only():
    rows = np.ones((3, 2))
    with pytest.raises(ValueError, match="read-only"):
        Embedding.of(rows).blocks[0][0][0] = 5
    rows[0] = 5  # the owner still may


def test_tiles_cover_all_rows_in_order():
    embedding = Embedding(((np.arange(10.0).reshape(5, 2), 2.0), (np.ones((5, 1)), 3.0)))
    starts, tiles = zip(*embedding.tiles(2), strict=True)
    assert starts == (0, 2, 4)
    np.testing.assert_array_equal(np.concatenate(tiles), embedding.concatenate())
    assert next(iter(embedding.tiles(2, np.float32)))[1].dtype == np.float32


def test_a_space_survives_pickling_and_comparison():
    space = FeatureSpace({"task": 1.0, "vae": 0.5}, "none")
    assert pickle.loads(pickle.dumps(space)) == space
    assert space != FeatureSpace({"task": 1.0, "vae": 0.5}, "rms")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 3, TILE + 1])
def test_a_row_that_is_not_finite_is_named(bad, row):
    rows = np.zeros((TILE + 2, 2), np.float32)
    rows[row, 1] = bad
    with refused(
        DataError, "not-finite", match=rf"'vae' holds {bad} in column 1 of row {row}; give"
    ):
        FeatureSpace({"vae": 1.0}).embed({"vae": rows})


@pytest.mark.parametrize(
    ("rows", "code", "message"),
    [
        (np.zeros(4), "not-a-table", r"shape \(4,\)"),
        (np.zeros((4, 0)), "not-a-table", r"shape \(4, 0\)"),
        (np.zeros((2, 3, 4)), "not-a-table", r"shape \(2, 3, 4\)"),
        (np.array([["a"], ["b"]]), "not-real-numbers", "give real numbers"),
        (np.zeros((2, 2), np.complex64), "not-real-numbers", "complex64"),
    ],
)
def test_rows_without_distances_are_refused(rows, code, message):
    with refused(DataError, code, match=message):
        Embedding.of(rows)


def test_unequal_lengths_missing_blocks_and_bad_weights():
    with refused(DataError, "unequal-lengths", match="feature blocks have 3 and 4 rows"):
        FeatureSpace({"a": 1, "b": 1}, "none").embed({"a": np.eye(3), "b": np.eye(4)})
    with refused(DataError, "block-missing", match="needs block 'b', .* given are a; give it"):
        FeatureSpace({"a": 1, "b": 1}).embed({"a": np.eye(3)})
    for weight in (-1.0, float("nan"), float("inf"), "1", None, [1.0], 1j):
        with refused(
            UsageError, "bad-block-weight", match=r"weight .* of block 'a' is not a finite"
        ):
            FeatureSpace({"a": weight})
    for weight in (np.float32(0.5), np.int64(2), 1):
        assert FeatureSpace({"a": weight}).blocks == ("a",)
    for weights in ({}, {"a": 0.0}):
        with refused(UsageError, "weights-all-zero"):
            FeatureSpace(weights)
    for weights in ([1], 1.0, None, "task"):
        with refused(UsageError, "weights-without-names", match="give a mapping such as"):
            FeatureSpace(weights)
    with refused(UsageError, "no-blocks"):
        Embedding(())
    for factor in (float("nan"), float("inf")):
        with refused(UsageError, "factor-not-finite", match=f"factor {factor}"):
            Embedding(((np.eye(2), factor),))


def test_a_block_that_remembers_its_rms_distance_is_measured_once(monkeypatch):
    rows = np.random.default_rng(0).normal(size=(20, 3))
    block, space, measured = FittedBlock({"train": rows}), FeatureSpace({"a": 1.0, "b": 2.0}), []
    expected = space.embed({"a": rows, "b": rows * 5})

    def measure(array):
        measured.append(array)
        return rms_distance(array)

    monkeypatch.setattr("nextlabel.core.space.block.rms_distance", measure)
    for _ in range(3):
        embedding = space.embed({"a": rows, "b": rows * 5}, {"a": block.rms_distance})
        np.testing.assert_array_equal(embedding.concatenate(), expected.concatenate())
    assert len(measured) == 1
    FeatureSpace({"a": 1.0}, "none").embed({"a": rows}, {"a": None})  # not needed, not called


def test_a_space_without_scale_needs_no_distances():
    rows = np.random.default_rng(0).normal(size=(20, 3))
    embedding = FeatureSpace({"a": 3.0}, "none").embed({"a": rows})
    assert embedding.blocks[0][1] == 3.0


@pytest.mark.parametrize("scale", ["None", "cosine", None])
def test_an_unknown_scale_is_refused(scale):
    with refused(UsageError, "unknown-scale", match="rms, none, or unit .*cosine"):
        FeatureSpace({"task": 1.0}, scale)


@given(matrices(), st.floats(0.01, 10))
def test_unit_rows_have_the_weight_as_length_and_zero_rows_stay_zero(rows, weight):
    rows[-1] = 0
    joined = FeatureSpace({"b": weight}, "unit").embed({"b": rows}).concatenate()
    some = (rows != 0).any(axis=1)
    np.testing.assert_allclose(np.linalg.norm(joined[some], axis=1), weight, rtol=1e-12)
    assert (joined[~some] == 0).all()


def test_unit_distances_are_those_of_cosine_similarity():
    rng = np.random.default_rng(0)
    t, v = rng.normal(size=(20, 5)) * rng.lognormal(size=(20, 1)), rng.normal(size=(20, 3))
    joined = FeatureSpace({"t": 1.0, "v": 0.5}, "unit").embed({"t": t, "v": v}).concatenate()

    def cosine(x):
        return x @ x.T / np.outer(np.linalg.norm(x, axis=1), np.linalg.norm(x, axis=1))

    expected = 2 - 2 * cosine(t) + 0.25 * (2 - 2 * cosine(v))
    np.testing.assert_allclose(squared_distances(joined), expected, atol=1e-12)


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-160, 1e160, 1.7e308])
def test_unit_rows_neither_overflow_nor_vanish(size):
    rows = unit_rows(np.array([[size, size, 0.0]]))
    np.testing.assert_allclose(rows, [[0.5**0.5, 0.5**0.5, 0.0]], rtol=1e-15)


def test_unit_rows_over_several_tiles_keep_their_type_and_the_owner_s_rows():
    rows = np.random.default_rng(0).normal(size=(TILE + 3, 2)).astype(np.float16)
    kept = rows.copy()
    unit = unit_rows(rows)
    assert unit.dtype == np.float32 and unit_rows(rows.astype(np.float64)).dtype == np.float64
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(rows, kept)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_infinity_in_the_last_of_ten_million_rows_of_a_file_is_named(tmp_path, bad):
    shape = (10_000_000, 1)
    rows = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float16, shape)  # sparse
    rows[-1] = bad
    del rows
    with refused(DataError, "not-finite", match=f"{bad} in column 0 of row 9999999; give finite"):
        Embedding.of(np.load(tmp_path / "x.npy", mmap_mode="r"))


@given(hnp.arrays(np.float16, (5, 3), elements=st.floats(-60_000, 60_000, width=16)))
def test_the_largest_value_of_float16_is_that_of_float64(rows):
    for view in (rows, rows[:, ::2], rows.astype(">f2")):
        assert Embedding.of(view).largest[0] == np.abs(view.astype(np.float64)).max()
