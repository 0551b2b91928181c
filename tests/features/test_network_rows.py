"""Rows of pretrained networks: what is computed, and what is taken from the disk."""

import resource
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from nextlabel.core.errors import DataError
from nextlabel.features.cache import Cache
from nextlabel.features.image_contents import ArrayContents
from nextlabel.features.network_rows import BATCH, KIND, keys_of, network_rows
from refusals import refused

COUNT = 2 * BATCH + 5


@pytest.fixture
def cache(tmp_path):
    return Cache.open(tmp_path / "cache")


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (COUNT, 1, 8, 8), dtype=np.uint8)


def rows_of(images, network, cache, **identity):
    contents = ArrayContents(images)
    made = network("", None, "auto")
    return network_rows(
        contents, keys_of(contents), identity, lambda: made.load(8, "cpu", "fp32"), cache
    )


def expected(images):
    return np.repeat(images.reshape(len(images), -1), 3, axis=1).astype(np.float32)


def test_rows_are_in_the_order_of_the_images(images, flat, cache):
    np.testing.assert_array_equal(rows_of(images, flat, cache), expected(images))
    np.testing.assert_array_equal(rows_of(images, flat, None), expected(images))
    shuffled = images[::-1]
    np.testing.assert_array_equal(rows_of(shuffled, flat, cache), expected(shuffled))
    assert flat.seen == 2 * COUNT  # with the cache, and without one


def test_of_a_pool_that_gained_images_only_those_are_computed(images, flat, cache):
    rows_of(images[:-10], flat, cache)
    flat.seen = 0
    np.testing.assert_array_equal(rows_of(images, flat, cache), expected(images))
    assert flat.seen == 10


def test_copies_of_an_image_are_computed_once(images, flat, cache):
    copies = images[[0, 1, 0, 0, 1]]
    for kept in (cache, None):
        flat.seen = 0
        np.testing.assert_array_equal(rows_of(copies, flat, kept), expected(copies))
        assert flat.seen == 2


def test_other_weights_have_other_rows(images, flat, cache):
    rows_of(images, flat, cache, weights="a")
    rows_of(images, flat, cache, weights="b")
    assert flat.seen == 2 * COUNT
    assert cache.size().entries == 4


def test_what_was_interrupted_continues(images, flat, cache):
    flat.fails_after = 2
    with pytest.raises(KeyboardInterrupt):
        rows_of(images, flat, cache)
    flat.fails_after, flat.seen = 9, 0
    np.testing.assert_array_equal(rows_of(images, flat, cache), expected(images))
    assert flat.seen == COUNT - 2 * BATCH


@pytest.mark.parametrize("batches", [0, 1])
def test_a_full_disk_is_said_and_the_rows_are_the_same(batches, images, flat, cache):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (batches * BATCH * 192 * 2 + 100, before[1]))
    try:
        with pytest.warns(UserWarning, match="make room there"):
            found = rows_of(images, flat, cache)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    np.testing.assert_array_equal(found, expected(images))
    flat.seen = 0
    np.testing.assert_array_equal(rows_of(images, flat, cache), expected(images))
    assert flat.seen == COUNT - batches * BATCH  # those that there was room for were kept


def test_every_batch_has_one_size(images, flat, cache):
    sizes = []
    plain = flat.features
    flat.features = lambda self, batch: sizes.append(len(batch)) or plain(self, batch)
    rows_of(images, flat, cache)
    assert sizes == [BATCH] * 3


@pytest.mark.parametrize("value", [np.nan, 1e6])
def test_features_that_are_no_numbers_are_refused(value, images, flat, cache):
    flat.features = lambda self, batch: np.full((len(batch), 192), value, np.float32)
    with refused(DataError, "not-finite"):
        rows_of(images, flat, cache)


@pytest.mark.parametrize("shape", [(1, 192), (BATCH, 0), (BATCH,)])
def test_features_that_are_no_row_for_each_image_are_refused(shape, images, flat, cache):
    flat.features = lambda self, batch: np.zeros(shape, np.float32)
    with refused(DataError, "network-output"):
        rows_of(images, flat, cache)


def test_an_image_that_changes_meanwhile_is_refused(images, flat, cache):
    contents = ArrayContents(images)
    keys = keys_of(contents)
    images[3] = 0
    with refused(DataError, "images-changed"):
        network_rows(contents, keys, {}, lambda: flat("", None, "auto"), cache)


def test_images_of_two_channels_are_refused():
    with refused(DataError, "wrong-channels"):
        ArrayContents(np.zeros((2, 2, 8, 8), np.uint8))


def test_the_cache_counts_and_prunes_rows(images, flat, cache):
    rows_of(images, flat, cache)
    assert cache.size().by_kind == {KIND: COUNT * 192 * 2 + (COUNT + 1) * 32}
    cache.prune()
    assert cache.size().entries == 0
    flat.seen = 0
    rows_of(images, flat, cache)
    assert flat.seen == COUNT


def test_of_two_processes_one_computes_and_the_other_waits(images, flat, cache):
    """Two threads in their place: each has a lock of its own."""
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(rows_of, images, flat, cache) for _ in range(2)]
    for found in both:
        np.testing.assert_array_equal(found.result(), expected(images))
    assert flat.seen == COUNT
