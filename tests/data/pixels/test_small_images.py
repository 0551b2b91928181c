"""Reading of many files: in order, on several threads, in bounded memory."""

import hashlib
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import image_files as files
from nextlabel.data.decoding.base import Wanted
from nextlabel.data.formats.images import decode
from nextlabel.data.pixels import small_images
from nextlabel.data.pixels.small_images import SmallImage, read_small_images
from nextlabel.data.resize import resize
from plugged import python


def written(folder: Path, contents: dict[str, bytes]) -> list[Path]:
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in contents]


@pytest.mark.parametrize("threads", [1, 3, None])
def test_all_files_in_order_with_what_is_wrong(tmp_path: Path, threads: int | None) -> None:
    contents = files.sound() | {"a.png": b"", "b.tif": files.cyclic_tiff(2)}
    paths = [*written(tmp_path, contents), tmp_path / "gone.png"]
    images = list(read_small_images(paths, 8, Wanted(), threads=threads))
    assert len(images) == len(paths)
    for (name, data), image in zip(contents.items(), images, strict=False):
        assert image.sha256 == hashlib.sha256(data).hexdigest()
        if name in files.sound():
            picture = decode(data, Wanted(size=8))
            want = picture.pixels
            kept = want if want.dtype in (np.uint8, np.uint16) else want.astype(np.float32)
            assert image.pixels is not None and np.array_equal(image.pixels, resize(kept, 8))
            assert (image.spread is None) == (want.dtype == np.uint8)
            assert image.notes == picture.notes and image.failure is None
    failures = [image.failure for image in images[-3:]]
    assert failures[0] is not None and failures[0].startswith("the file is empty")
    assert failures[1] is not None and "lead back" in failures[1]
    assert failures[2] is not None and "No such file" in failures[2]
    assert images[-1].sha256 is None


def test_what_is_known_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = written(tmp_path, {"a.png": files.pillow(files.RGB, "PNG")})
    monkeypatch.setattr(small_images, "decode", lambda *_: pytest.fail("decoded"))
    (image,) = read_small_images(paths, 8, Wanted(), is_stored=lambda sha256: True)
    assert image == image and image.pixels is None and image.sha256 is not None


def test_a_large_file_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = written(
        tmp_path, {"a.tif": files.tiff(files.DEEP), "b.jpg": files.sound()["photo.jpg"]}
    )
    want = list(read_small_images(paths, 8, Wanted()))
    monkeypatch.setattr(small_images, "WHOLE", 10)
    for a, b in zip(want, read_small_images(paths, 8, Wanted()), strict=True):
        assert a.sha256 == b.sha256 and np.array_equal(a.pixels, b.pixels)


def test_only_a_few_images_are_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = written(tmp_path, {f"{k}.png": files.pillow(files.GREY, "PNG") for k in range(60)})
    read = []
    monkeypatch.setattr(
        small_images, "_read", lambda path, *_: (read.append(path), SmallImage("0"))[1]
    )
    images = read_small_images(paths, 8, Wanted(), threads=2)
    next(images)
    time.sleep(0.05)
    assert len(read) <= 2 * small_images.AHEAD + 2
    images.close()  # type: ignore[attr-defined]
    assert len(read) < 60


def test_pixels_at_a_time_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = written(tmp_path, {f"{k}.png": files.pillow(files.GREY, "PNG") for k in range(12)})
    monkeypatch.setattr(small_images, "AT_ONCE", files.GREY.size * 2)
    active, most, lock = 0, 0, threading.Lock()
    original = small_images.decode

    def counted(file: object, wanted: Wanted) -> object:
        nonlocal active, most
        picture = original(file, wanted)  # type: ignore[arg-type]
        with lock:
            active += 1
            most = max(most, active)
        time.sleep(0.01)
        with lock:
            active -= 1
        return picture

    monkeypatch.setattr(small_images, "decode", counted)
    assert len(list(read_small_images(paths, 8, Wanted(), threads=6))) == 12
    assert most == 2
    monkeypatch.setattr(small_images, "AT_ONCE", 5)  # each is larger: one after the other
    most = 0
    assert len(list(read_small_images(paths, 8, Wanted(), threads=6))) == 12
    assert most == 1


MEASURE = """
import resource, sys
from pathlib import Path
from nextlabel.data.decoding.base import Wanted
from nextlabel.data.pixels import small_images
small_images.AT_ONCE = 10_000_000
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
list(small_images.read_small_images([Path("large.png")] * 2, 8, Wanted(), threads=1))
before = peak()
list(small_images.read_small_images([Path("large.png")] * 8, 8, Wanted(), threads=6))
print(peak() - before < 40_000)
"""


def test_memory_does_not_grow_with_the_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, {"large.png": files.pillow(np.zeros((3000, 3000, 3), np.uint8), "PNG")})
    monkeypatch.chdir(tmp_path)
    assert python(MEASURE, tmp_path) == ["True"]


def test_resizing_in_the_decoder_changes_nothing() -> None:
    for name in ("grey.png", "old.bmp", "photo.jpg", "moving.gif"):
        data = files.sound()[name]
        exact = decode(data, Wanted(size=5, exact=True)).pixels
        assert np.array_equal(exact, resize(decode(data).pixels, 5))
