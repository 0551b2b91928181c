import platform
import resource

import numpy as np
import pytest

from nextlabel.models import freed_memory
from nextlabel.models.freed_memory import kept_memory

BLOCKS, SIZE = 40, 3 * 2**20
"""More than glibc keeps by itself; numpy requests huge pages from 4 MiB on."""
PAGES = BLOCKS * SIZE // resource.getpagesize()


def new_pages():
    """Return how many pages the system gives to a step that fills all blocks, then frees them."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [np.full(SIZE, 1, np.uint8) for _ in range(BLOCKS)]
    assert len(blocks) == BLOCKS
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")
def test_blocks_that_are_freed_are_taken_again_without_new_pages():
    with kept_memory():
        new_pages()
        assert new_pages() < PAGES / 10
    assert new_pages() > PAGES / 10  # what was kept went back to the system


def test_without_glibc_nothing_changes(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    freed_memory._glibc.cache_clear()
    with kept_memory():
        assert freed_memory._glibc() is None
    freed_memory._glibc.cache_clear()
