import os

import numpy as np
import pytest

from nextlabel.files import scratch as module
from nextlabel.files.scratch import gather, scratch, stacked


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 100)
    monkeypatch.setattr(module, "TILE", 3 * 12)


@pytest.mark.usefixtures("on_disk")
def test_only_a_large_array_lies_on_the_disk() -> None:
    assert not isinstance(scratch((10, 10)), np.memmap)
    large = scratch((10, 11))
    assert isinstance(large, np.memmap) and large.shape == (10, 11)
    large[:] = 7
    assert int(large.sum()) == 770


@pytest.mark.usefixtures("on_disk")
def test_a_full_disk_leaves_it_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert not isinstance(scratch((10, 11)), np.memmap)


@pytest.mark.usefixtures("on_disk")
def test_rows_are_gathered_and_parts_are_stacked() -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 1, 3, 4), np.uint8)
    rows = np.array([7, 3, 3, 19, 0, 5, 6, 11, 12, 13])
    assert np.array_equal(gather(images, rows), images[rows])
    order = np.random.default_rng(1).permutation(20)
    made = stacked([images[:8], images[8:8], images[8:]], order)
    assert isinstance(made, np.memmap) and np.array_equal(made, images[order])
