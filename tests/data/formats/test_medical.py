"""DICOM, NIfTI and HEIC, on real small files; and the remedy where their packages are missing."""

from importlib import util
from pathlib import Path

import numpy as np
import pytest

import image_files as files
from image_files import FLOAT, RGB, STACK, dicom, heic, nifti
from nextlabel.data.decoding.base import Undecodable, Wanted
from nextlabel.data.formats.images import decode
from nextlabel.data.formats.kinds import kind_of

pytestmark = pytest.mark.skipif(not files.EXTRAS, reason="needs the extras medical and photos")
VALUES = np.array([[0, 500, 1000], [1500, 2000, 4000]], np.uint16)


def test_the_window_of_a_dicom_file_decides_its_grey_levels() -> None:
    # PS3.3 C.11.2.1.2: centre 1000.5 and width 1001 make 500 black and 1500 white
    got = decode(dicom(VALUES, WindowCenter=1000.5, WindowWidth=1001)).pixels
    assert got.dtype == np.uint8
    assert got[..., 0].tolist() == [[0, 0, 128], [255, 255, 255]]
    several = dicom(VALUES, WindowCenter=[1000.5, 40], WindowWidth=[1001, 400])
    assert np.array_equal(decode(several).pixels, got)
    plain = decode(dicom(VALUES, WindowCenter=1000.5, WindowWidth=1001), Wanted(windowed=False))
    assert np.array_equal(plain.pixels[..., 0], VALUES)


def test_values_are_rescaled_before_the_window() -> None:
    data = dicom(VALUES, RescaleSlope=2, RescaleIntercept=-1000)
    assert np.array_equal(decode(data).pixels[..., 0], VALUES * 2.0 - 1000)
    data = dicom(VALUES, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=0, WindowWidth=2001)
    assert decode(data).pixels[..., 0].tolist() == [[0, 128, 255], [255, 255, 255]]


def test_of_monochrome1_the_smallest_value_is_white() -> None:
    inverted = {"PhotometricInterpretation": "MONOCHROME1"}
    got = decode(dicom(VALUES, WindowCenter=1000.5, WindowWidth=1001, **inverted)).pixels
    assert got[..., 0].tolist() == [[255, 255, 127], [0, 0, 0]]
    assert np.array_equal(decode(dicom(VALUES, **inverted)).pixels[..., 0], -VALUES.astype(float))


def test_frames_are_pages_and_colour_is_kept() -> None:
    data = dicom(STACK)
    assert np.array_equal(decode(data, Wanted(page=3)).pixels[..., 0], STACK[3])
    assert np.array_equal(decode(data, Wanted(project="max")).pixels[..., 0], STACK.max(0))
    assert np.array_equal(decode(dicom(RGB)).pixels, RGB)


def test_dicom_without_an_image() -> None:
    data = dicom(VALUES)
    from io import BytesIO

    import pydicom

    report = pydicom.dcmread(BytesIO(data))
    del report.Rows, report.PixelData
    report.Modality = "SR"
    out = BytesIO()
    report.save_as(out)
    with pytest.raises(Undecodable, match=r"it holds no image \(SR\); remove it"):
        decode(out.getvalue())


@pytest.mark.parametrize("packed", [False, True])
def test_slices_of_nifti_are_pages(packed: bool) -> None:
    volume = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32)
    data = nifti(volume, packed)
    got = decode(data, Wanted(page=2)).pixels[..., 0]
    assert np.array_equal(got, np.rot90(volume[:, :, 2]))  # x to the right, y upwards
    middle = decode(data, Wanted(page="middle")).pixels[..., 0]
    assert np.array_equal(middle, np.rot90(volume[:, :, 3]))
    assert np.array_equal(decode(nifti(FLOAT, packed)).pixels[..., 0], np.rot90(FLOAT))
    scaled = nifti(np.int16([[1, 2], [3, 4]]), packed)
    assert decode(scaled).pixels.dtype == np.int16


def test_photos_of_phones_are_upright() -> None:
    smooth = np.add.outer(np.arange(40) * 3, np.arange(64) * 2).astype(np.uint8)
    rgb = np.dstack([smooth, 255 - smooth, smooth // 2])
    got = decode(heic(rgb)).pixels
    assert got.shape == rgb.shape and np.abs(got.astype(int) - rgb).mean() < 4
    turned = decode(heic(rgb, exif=files.orientation(6).tobytes())).pixels
    assert np.abs(turned.astype(int) - np.rot90(rgb, -1)).mean() < 4


@pytest.mark.parametrize(
    ("name", "module", "remedy"),
    [
        ("scan.dcm", "pydicom", "dicom is read after `pip install nextlabel[medical]`"),
        ("slice.nii.gz", "nibabel", "nifti is read after `pip install nextlabel[medical]`"),
        ("phone.heic", "pillow_heif", "heic is read after `pip install nextlabel[photos]`"),
    ],
)
def test_without_its_package_a_format_names_the_remedy(
    name: str, module: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    path.write_bytes(files.sound()[name])
    assert kind_of(path).format is not None
    find = util.find_spec
    monkeypatch.setattr(
        "nextlabel.data.formats.kinds.find_spec", lambda n: None if n == module else find(n)
    )
    assert kind_of(path).format is None and kind_of(path).reason == remedy
    with pytest.raises(Undecodable, match="is read after `pip install"):
        decode(path)
