"""Reading a folder again: only what is new or has changed is read."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.data import FolderSettings
from nextlabel.data.folder import index as folder_index
from nextlabel.data.folder.summary import FolderSummary
from nextlabel.data.loading import load_from
from nextlabel.data.pixels import small_images
from nextlabel.data.sources.folder import Folder
from nextlabel.features.cache import Cache
from refusals import refused


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust files from the moment that they are written."""
    monkeypatch.setattr(folder_index, "SETTLED", -1.0)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read, one for each time."""
    names: list[str] = []
    original = small_images._read

    def counted(path: Path, *rest: object) -> object:
        names.append(path.name)
        return original(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(small_images, "_read", counted)
    return names


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    folder = tmp_path / "photos"
    folder.mkdir()
    for k in range(6):
        Image.fromarray(rng.integers(0, 256, (9, 7), np.uint8)).save(folder / f"{k}.png")
    (folder / "broken.png").write_bytes(b"no image")
    return folder


def read(root: Path, cache: Cache | None, size: int = 8) -> tuple[Dataset, FolderSummary]:
    settings = FolderSettings(path=root, unreadable="skip", classes="none")
    folder = Folder(settings)
    data = load_from(folder, settings, image_size=size, cache=cache)
    return data, folder.summary(size)


pytestmark = pytest.mark.filterwarnings("ignore:.*cannot be read", "ignore:.*left out")


def test_a_folder_without_changes_is_not_read(root: Path, tmp_path: Path, opened: list) -> None:
    cache = Cache.open(tmp_path / "cache")
    first, summary = read(root, cache)
    assert (summary.images, summary.decoded, summary.unchanged) == (6, 7, 0)
    assert (
        summary.left_out == {"unreadable: is not an image of a kind that is read": 1}
        and len(opened) == 7
    )
    opened.clear()
    again, summary = read(root, cache)
    assert (summary.images, summary.decoded, summary.unchanged) == (6, 0, 7)
    assert opened == [] and again.checksum == first.checksum
    assert again.train.contents == first.train.contents and len(set(first.train.contents)) == 6


def test_only_what_is_new_or_changed_is_read(root: Path, tmp_path: Path, opened: list) -> None:
    cache = Cache.open(tmp_path / "cache")
    read(root, cache)
    opened.clear()
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(root / "new.png")
    (root / "copy.png").write_bytes((root / "1.png").read_bytes())
    os.utime(root / "2.png", ns=(1, 1))
    (root / "3.png").unlink()
    Image.fromarray(np.ones((5, 5), np.uint8)).save(root / "4.png")
    data, summary = read(root, cache)
    assert sorted(opened) == ["2.png", "4.png", "copy.png", "new.png"]
    assert (summary.read, summary.decoded, summary.unchanged) == (4, 2, 4)
    assert summary.copies == 1 and data.notes["copies"] == "1"
    plain, _ = read(root, None)
    assert plain.checksum == data.checksum and plain.sources == data.sources
    assert plain.train.names == data.train.names and "3.png" not in data.train.names


def test_another_size_is_decoded_anew_and_another_folder_is_not(
    root: Path, tmp_path: Path, opened: list
) -> None:
    cache = Cache.open(tmp_path / "cache")
    read(root, cache)
    _, summary = read(root, cache, size=10)
    assert (summary.decoded, summary.unchanged) == (7, 0)
    (tmp_path / "elsewhere").mkdir()
    moved = root.rename(tmp_path / "elsewhere" / "moved")
    _, summary = read(moved, cache)
    assert (summary.read, summary.decoded, summary.unchanged) == (7, 0, 0)


def test_a_store_that_is_lost_is_filled_again(root: Path, tmp_path: Path) -> None:
    cache = Cache.open(tmp_path / "cache")
    first, _ = read(root, cache)
    for kind in ("small-images", "images"):
        for file in (cache.folder / kind).iterdir():
            file.unlink()
    again, summary = read(root, cache)
    assert summary.decoded == 7 and again.checksum == first.checksum


def test_a_file_that_changes_while_the_folder_is_read(root: Path, tmp_path: Path) -> None:
    settings = FolderSettings(path=root, unreadable="skip", classes="none")
    folder = Folder(settings)
    folder.use(Cache.open(tmp_path / "cache"), False)
    reading = folder.reading(8)
    reading.usable(["1.png"])
    assert reading.stack(["1.png"])[0].shape == (1, 1, 8, 8)
    reading.store._table.write(
        "DELETE FROM images WHERE sha256 = ?", [(reading.contents["1.png"],)]
    )
    assert reading.stack(["1.png"])[0].shape == (1, 1, 8, 8)
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(root / "1.png")
    with refused(DataError, "image-changed"):
        reading.stack(["1.png"])


def test_what_was_decoded_before_an_interruption_is_kept(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache.open(tmp_path / "cache")
    original = small_images._read

    def interrupted(path: Path, *rest: object) -> object:
        if path.name == "4.png":
            raise KeyboardInterrupt
        return original(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(small_images, "_read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read(root, cache)
    assert not (cache.folder / "images").exists()
    monkeypatch.setattr(small_images, "_read", original)
    _, summary = read(root, cache)
    assert (summary.decoded, summary.unchanged) == (3, 4)  # 4.png, 5.png and broken.png are left


MEMORY = """
import re, resource, sys
from pathlib import Path
from nextlabel.data import FolderSettings, load
from nextlabel.files import scratch
from nextlabel.features.cache import Cache
scratch.LIMIT = 2**20
root, cache, size = Path(sys.argv[1]), Cache.open(Path(sys.argv[2])), 320
load(FolderSettings(path=root / "few", validation=3, test=0), image_size=size, cache=cache)
used = 1024 * int(re.search(r"VmData:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
resource.setrlimit(resource.RLIMIT_DATA, (used + 70 * 2**20,) * 2)
data = load(FolderSettings(path=root / "many", validation=30, test=0), image_size=size, cache=cache)
print(data.train.images.nbytes)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited so on Linux only")
def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for place, count in (("few", 20), ("many", 400)):
        for k in range(count):
            path = tmp_path / place / "ab"[k % 2] / f"{k}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (20, 20, 3), np.uint8)).save(path)
    command = [sys.executable, "-c", MEMORY, str(tmp_path), str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 370 * 3 * 320 * 320  # 114 MB, and 70 MB were free
