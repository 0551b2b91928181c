import hashlib
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from nextlabel.core.errors import DataError
from nextlabel.features.row_cache import KEY, RowCache
from refusals import refused


def keys(*numbers):
    return [hashlib.sha256(str(n).encode()).digest() for n in numbers]


def rows(*numbers, columns=5):
    return np.array(numbers, np.float16)[:, None] + np.zeros(columns, np.float16)


@pytest.fixture
def cache(tmp_path):
    return RowCache(tmp_path / "rows")


def test_rows_are_found_by_their_keys_and_mapped(cache):
    assert cache.find(keys(1, 2)).tolist() == [-1, -1]
    cache.append(keys(1, 2), rows(1, 2))
    cache.append(keys(3), rows(3))
    again = RowCache(cache.path)
    assert again.find(keys(3, 9, 1)).tolist() == [2, -1, 0]
    assert isinstance(again.rows(), np.memmap)
    np.testing.assert_array_equal(again.rows(), rows(1, 2, 3))


@pytest.mark.parametrize("torn", ["rows", "rows.keys"])
def test_what_a_killed_process_left_in_part_is_cut_off(cache, torn):
    cache.append(keys(1), rows(1))
    with (cache.path.parent / torn).open("ab") as stream:
        stream.write(b"part of a row")
    assert cache.find(keys(1, 2)).tolist() == [0, -1]
    cache.append(keys(2), rows(2))
    np.testing.assert_array_equal(cache.rows(), rows(1, 2))
    assert cache.find(keys(1, 2)).tolist() == [0, 1]
    assert cache.keys_path.stat().st_size == 3 * KEY


@pytest.mark.parametrize("damage", [b"", b"something else, longer than 32 bytes"])
def test_files_that_say_nothing_are_begun_anew(cache, damage):
    cache.append(keys(1), rows(1))
    cache.keys_path.write_bytes(damage)
    assert cache.find(keys(1)).tolist() == [-1]
    cache.append(keys(2), rows(2))
    np.testing.assert_array_equal(cache.rows(), rows(2))


def test_missing_rows_are_missing_though_their_keys_are_there(cache):
    cache.append(keys(1, 2), rows(1, 2))
    with cache.path.open("ab") as stream:
        stream.truncate(2 * 5)
    assert cache.find(keys(1, 2)).tolist() == [0, -1]


def test_rows_of_another_network_are_refused(cache):
    cache.append(keys(1), rows(1))
    with refused(DataError, "features-of-another-network"):
        cache.append(keys(2), rows(2, columns=6))


def test_a_full_disk_leaves_whole_rows(cache):
    cache.append(keys(1), rows(1, columns=100))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (250, before[1]))
    try:
        with pytest.raises(OSError):
            cache.append(keys(2), rows(2, columns=100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert cache.path.stat().st_size == 200
    assert cache.find(keys(1, 2)).tolist() == [0, -1]


WRITER = """
import hashlib, sys
from pathlib import Path
import numpy as np
from nextlabel.features.row_cache import RowCache
cache = RowCache(Path(sys.argv[1]))
for n in range(10**6):
    key = hashlib.sha256(str(n).encode()).digest()
    cache.append([key], np.full((1, 1280), n % 2048, np.float16))
"""


def test_a_process_that_is_killed_leaves_whole_rows(cache):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(cache.path)])
    while not cache.keys_path.exists() or cache.keys_path.stat().st_size < 20 * KEY:
        assert writer.poll() is None
        time.sleep(0.01)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    found = cache.rows()
    assert len(found) >= 19
    expected = np.arange(len(found))
    assert cache.find(keys(*expected)).tolist() == expected.tolist()
    np.testing.assert_array_equal(found, np.repeat(expected[:, None] % 2048, 1280, axis=1))
    cache.append(keys(-1), np.full((1, 1280), 7, np.float16))
    assert cache.find(keys(-1)).tolist() == [len(found)]
