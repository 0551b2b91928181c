import os
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest

from nextlabel.core.errors import StoreError
from nextlabel.core.learner import Training
from nextlabel.core.space.block import FittedBlock
from nextlabel.features.block_file import load_block, save_block
from nextlabel.features.cache import Cache
from nextlabel.features.fitted import load_task_model, save_task_model
from refusals import refused


def save(value, path):
    path.write_text(value)


def load(path):
    return path.read_text()


def test_what_is_the_same_is_made_once(tmp_path):
    cache, made = Cache.open(tmp_path), []

    def make():
        made.append(1)
        time.sleep(0.05)
        return "artefact"

    def ask(order):
        identity = {"a": 1, "b": 2} if order else {"b": 2, "a": 1}
        return cache.get("kind", identity, make, save, load)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, [0, 1, 0, 1]))
    assert [value for value, _ in found] == ["artefact"] * 4
    assert len(made) == 1 and sum(there for _, there in found) == 3
    assert cache.get("kind", {"a": 2}, make, save, load) == ("artefact", False)


def test_waiting_for_what_another_makes_is_measured_and_making_is_not(tmp_path):
    first, second, begun = Cache.open(tmp_path), Cache.open(tmp_path), Event()

    def make():
        begun.set()
        time.sleep(0.5)
        return "artefact"

    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(first.get, "kind", {}, make, save, load)
        begun.wait()
        assert second.get("kind", {}, make, save, load) == ("artefact", True)
    assert made.result() == ("artefact", False)
    assert first.waited < second.waited / 2


def test_a_file_cut_short_is_made_again(tmp_path):
    cache = Cache.open(tmp_path)
    block = FittedBlock({"train": np.arange(6.0).reshape(3, 2)}, ({"elbo": -1.5},), {"p": b"png"})
    cache.get("block", {"x": 1}, lambda: block, save_block, load_block)
    (file,) = [f for f in (tmp_path / "block").iterdir() if f.suffix != ".lock"]
    file.write_bytes(file.read_bytes()[:50])
    found, there = cache.get("block", {"x": 1}, lambda: block, save_block, load_block)
    assert not there and np.array_equal(found.rows("train"), block.rows("train"))
    found, there = cache.get("block", {"x": 1}, lambda: block, save_block, load_block)
    assert there and found.log == block.log and found.pictures == block.pictures


def test_a_full_disk_costs_time_not_the_run(tmp_path):
    def full(value, path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    cache = Cache.open(tmp_path)
    with pytest.warns(UserWarning, match="No space left on device.* another --cache-dir"):
        assert cache.get("kind", {}, lambda: "made", full, load) == ("made", False)
    assert cache.size().entries == 0


def test_size_and_prune(tmp_path):
    cache = Cache.open(tmp_path)
    for i in range(3):
        cache.get("a" if i else "b", {"i": i}, lambda: "12345", save, load)
    assert (cache.size().entries, cache.size().bytes) == (3, 15)
    assert cache.size().by_kind == {"a": 10, "b": 5}
    old = next(f for f in (tmp_path / "b").iterdir() if f.suffix != ".lock")
    os.utime(old, (0, 0))
    assert cache.prune(older_than_days=30).entries == 1
    assert cache.prune().entries == 2
    assert cache.size().entries == 0


def test_pruning_touches_only_what_the_cache_made(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    os.utime(tmp_path / "thesis" / "chapter.txt", (0, 0))
    cache = Cache.open(tmp_path)
    cache.get("kind", {}, lambda: "12345", save, load)
    assert cache.size().entries == 1
    assert cache.prune(older_than_days=30).entries == 0
    assert cache.prune().entries == 1
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis"]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with refused(StoreError, "cache-not-writable", match="cannot make the cache folder"):
        Cache.open(tmp_path / "file" / "cache")


def test_task_models_come_back_as_they_were(tmp_path):
    import torch

    training = Training(0.123456789, 3, 12, "random", reached=False, seconds={"train": 4.0})
    save_task_model(({"w": torch.arange(3.0)}, training), tmp_path / "task")
    state, found = load_task_model(tmp_path / "task")
    assert torch.equal(state["w"], torch.arange(3.0))
    assert found == training and found.shared and not found.seconds


def test_what_torch_says_of_a_full_disk_costs_time_not_the_run(tmp_path):
    def full(value, path):
        path.write_text("half")
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 128 vs 0")

    cache = Cache.open(tmp_path)
    with pytest.warns(UserWarning, match="unexpected pos 128"):
        assert cache.get("kind", {}, lambda: "made", full, load) == ("made", False)
    assert cache.size().entries == 0 and not list(tmp_path.glob("*/*.partial"))


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "kind").write_text("a file where a folder is needed")
    with refused(
        StoreError, "cache-not-writable", match=r"cache folder .* cannot be written .*--cache-dir"
    ):
        Cache.open(tmp_path).get("kind", {}, lambda: "made", save, load)


def test_the_lock_is_free_again_when_making_fails(tmp_path):
    def fail():
        raise ValueError("no such thing")

    cache = Cache.open(tmp_path)
    with pytest.raises(ValueError, match="no such thing"):
        cache.get("kind", {}, fail, save, load)
    assert cache.get("kind", {}, lambda: "made", save, load) == ("made", False)
