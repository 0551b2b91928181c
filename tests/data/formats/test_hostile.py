"""Hostile and broken files: one line each with a reason and a remedy, quickly, in little memory."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

import image_files as files
from nextlabel.data.decoding.base import Undecodable, Wanted
from nextlabel.data.formats.images import decode
from plugged import python

HOSTILE = files.hostile()


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.filterwarnings("error")
def test_refused_in_one_line(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Undecodable) as failure:
        decode(HOSTILE[name])
    text = str(failure.value)
    assert "\n" not in text and "0x" not in text and len(text) < 250
    remedies = ("export", "copy", "save", "choose", "remove", "install")
    assert any(f"; {remedy}" in text for remedy in remedies), text
    assert capfd.readouterr() == ("", "")  # decoders write to stderr by themselves


def test_a_bomb_is_never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: object, **options: object) -> None:
        raise AssertionError("decoded")

    large = np.zeros((101, 100), np.uint8)
    bombs = [files.bomb_png(200, 51), files.bomb_png(200, 51, 16), files.tiff(large)]
    bombs += [files.pillow(large, kind) for kind in ("JPEG", "GIF", "BMP", "WEBP")]
    if files.EXTRAS:
        bombs += [files.heic(np.dstack([large] * 3)), files.dicom(large), files.nifti(large)]
    monkeypatch.setattr(imagecodecs, "png_decode", never)
    monkeypatch.setattr(Image.Image, "load", never)
    monkeypatch.setattr(tifffile.TiffPage, "asarray", never)
    for data in bombs:
        with pytest.raises(Undecodable, match="exceed the limit of 10000"):
            decode(data, Wanted(max_pixels=10_000))


MEASURE = """
import resource
from image_files import bomb_tiff
from nextlabel.data.decoding.base import Undecodable
from nextlabel.data.formats.images import decode
import imagecodecs, tifffile
data = bomb_tiff(1)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decode(data)
except Undecodable:
    pass
before = peak()
data = open("bomb", "rb").read()
try:
    decode(data)
except Undecodable as error:
    print(error.code)
print(peak() - before < 100_000)
"""


def test_a_strip_that_unpacks_to_much_takes_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bomb").write_bytes(files.bomb_tiff(300))
    monkeypatch.chdir(tmp_path)
    assert python(MEASURE, Path(__file__).parents[2]) == ["image-broken", "True"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 60_000), (60_000, 1)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF"])
def test_extreme_shapes_are_read(shape: tuple[int, int], kind: str) -> None:
    values = np.full(shape, 77, np.uint8)
    data = files.tiff(values) if kind == "TIFF" else files.pillow(values, kind)
    got = decode(data, Wanted(size=16)).pixels
    assert got.shape[:2] == shape and abs(int(got.mean()) - 77) <= 1


def test_a_wrong_suffix_does_not_matter(tmp_path: Path) -> None:
    for name, data in files.sound().items():
        path = tmp_path / f"{name}.jpg"
        path.write_bytes(data)
        assert np.array_equal(decode(path).pixels, decode(data).pixels)
