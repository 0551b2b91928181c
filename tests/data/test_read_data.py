import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from nextlabel.core.types import PARTS
from nextlabel.data import FolderSettings, load
from nextlabel.features.cache import Cache

COUNT = """
import os
from nextlabel.data.pixels import small_images
original = small_images.decode
def counted(*arguments, **options):
    with open(os.environ["DECODINGS"], "ab", buffering=0) as file:
        file.write(b".")
    return original(*arguments, **options)
small_images.decode = counted
"""
EXPERIMENT = """
name = "x"
seeds = 2
initial = 4
batch = 4
target = 8
[data]
name = "folder"
path = "images"
[model]
name = "linear"
block = "pixels"
image_size = 8
[[arms]]
name = "random"
strategy = "random"
"""


def draw(folder, count=30, seed=0):
    rng = np.random.default_rng(seed)
    for i in range(count):
        kind = folder / "ab"[i % 2]
        kind.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 7, 3), np.uint8)).save(kind / f"{i:02}.png")
    return folder


def read(folder, cache, size=8, **options):
    return load(FolderSettings(path=folder, **options), image_size=size, cache=cache)


def same(one, other):
    assert one.checksum == other.checksum
    assert (one.name, one.task, one.classes) == (other.name, other.task, other.classes)
    assert one.sources == other.sources and one.notes == other.notes
    for part in PARTS:
        a, b = one.part(part), other.part(part)
        assert np.array_equal(a.images, b.images) and np.array_equal(a.origin, b.origin)
        assert a.names == b.names and a.drawn_from == b.drawn_from
        assert (a.labels is None) == (b.labels is None)
        if a.labels is not None:
            assert a.labels.dtype == b.labels.dtype and np.array_equal(a.labels, b.labels)


def entries(cache):
    return sum(1 for path in (cache.folder / "images").iterdir() if path.suffix != ".lock")


def test_mapped_images_are_those_that_were_decoded(tmp_path):
    folder, cache = draw(tmp_path / "images"), Cache.open(tmp_path / "cache")
    plain, made, mapped = read(folder, None), read(folder, cache), read(folder, cache)
    same(plain, made)
    same(plain, mapped)
    for data in (made, mapped):
        for part in PARTS:
            images = data.part(part).images
            assert isinstance(images, np.memmap) and not images.flags.writeable
    assert dict(cache.size().by_kind).keys() == {"images", "folders", "small-images"}
    assert entries(cache) == 1


def test_several_labels_and_none_are_kept(tmp_path):
    folder, cache = draw(tmp_path / "images", 6), Cache.open(tmp_path / "cache")
    (folder / "manifest.csv").write_text(
        "path,labels,split\na/00.png,x;y,train\nb/01.png,none,train\na/02.png,,train\n"
        "a/04.png,y,test\n"
    )
    for _ in range(2):
        with pytest.warns(UserWarning, match="2 image.s. of images .* not in the manifest"):
            data = read(folder, cache)
        with pytest.warns(UserWarning, match="not in the manifest"):
            same(read(folder, None), data)
    assert data.train.labels.tolist() == [[1, 1], [-1, -1], [0, 0]]
    assert data.validation.labels is not None and data.validation.labels.shape == (0, 2)


def test_what_is_skipped_is_warned_of_each_time(tmp_path):
    folder, cache = draw(tmp_path / "images"), Cache.open(tmp_path / "cache")
    (folder / "a" / "broken.png").write_bytes(b"x")
    for _ in range(2):
        with pytest.warns(UserWarning, match="1 of 31 images cannot be read"):
            data = read(folder, cache, unreadable="skip")
    assert "broken.png" in data.notes["skipped"] and entries(cache) == 1


@pytest.mark.parametrize(
    "change",
    [
        "content",
        "name",
        "size",
        {"seed": 1},
        {"train": 5},
        {"channels": 1},
        {"max_pixels": 99},
        {"test_fraction": 0.1},
        {"unreadable": "skip"},
    ],
)
def test_each_change_is_another_entry(change, tmp_path):
    folder, cache = draw(tmp_path / "images"), Cache.open(tmp_path / "cache")
    read(folder, cache)
    file = folder / "a" / "00.png"
    status = file.stat()
    if change == "content":  # as long as before, and as old
        Image.fromarray(np.zeros((9, 7, 3), np.uint8)).save(file)
        data = file.read_bytes()
        file.write_bytes(data + bytes(status.st_size - len(data)))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert file.stat().st_size == status.st_size
    elif change == "name":
        file.rename(folder / "a" / "0.png")
    options = change if isinstance(change, dict) else {}
    size = 10 if change == "size" else 8
    same(read(folder, None, size, **options), read(folder, cache, size, **options))
    assert entries(cache) == 2


def test_a_moved_folder_is_not_decoded_again(tmp_path):
    folder, cache = draw(tmp_path / "images"), Cache.open(tmp_path / "cache")
    first = read(folder, cache)
    (tmp_path / "elsewhere").mkdir()
    same(first, read(folder.rename(tmp_path / "elsewhere" / "images"), cache))
    assert entries(cache) == 1


def test_a_file_cut_short_is_made_again(tmp_path):
    folder, cache = draw(tmp_path / "images"), Cache.open(tmp_path / "cache")
    first = read(folder, None)
    for cut in (10, 200, 700, -1):
        same(first, read(folder, cache))
        (file,) = (p for p in (tmp_path / "cache" / "images").iterdir() if p.suffix != ".lock")
        file.write_bytes(file.read_bytes()[:cut])
    same(first, read(folder, cache))


def test_driver_and_workers_decode_each_image_once(tmp_path):
    """A failure here means that every process decodes, and holds, the images for itself."""
    draw(tmp_path / "images")
    (tmp_path / "x.toml").write_text(EXPERIMENT)
    (tmp_path / "sitecustomize.py").write_text(COUNT)
    counter = tmp_path / "decodings"
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "nextlabel", "run", "x.toml", "--jobs", "2"]
    done = subprocess.run(
        [*command, "--cache-dir", "cache", "--store", "store.db"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path, "DECODINGS": str(counter)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert counter.stat().st_size == 30
