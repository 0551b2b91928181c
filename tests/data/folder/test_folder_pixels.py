"""Pixels of a folder: its options, what is said once, and the options of the command line."""

import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

import image_files as files
from nextlabel.cli import main
from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError
from nextlabel.data import load
from nextlabel.data.folder.settings import FolderSettings
from refusals import refused

WHOLE = {"validation": 0, "test": 0, "validation_fraction": 0, "test_fraction": 0}


def read(path: Path, size: int = 8, **values: object) -> Dataset:
    return load(FolderSettings(path=path, **WHOLE, **values), image_size=size)


def fill(folder: Path, contents: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.mark.skipif(not files.EXTRAS, reason="needs the extras medical and photos")
def test_every_sound_file_is_read_and_what_is_special_is_said_once(photos: Path) -> None:
    contents = files.sound() | {"more.gif": files.animated("GIF")}
    fill(photos, contents)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = read(photos)
    assert data.train.names == tuple(sorted(contents))
    said = [str(warning.message) for warning in caught]
    assert said == ["4 image(s) (more.gif first): animated; its first frame is read"]
    assert set(data.notes) == {"16-bit range", "float32 range", "copies"}


def test_a_stack_needs_a_choice_and_follows_it(photos: Path) -> None:
    fill(photos, {"a.tif": files.tiff(files.STACK, photometric="minisblack")})
    with refused(DataError, "images-unreadable", match=r"a.tif: it has 5 pages; choose one by"):
        read(photos)
    seen = {
        tuple(read(photos, **option).train.images.ravel())
        for option in ({"page": 0}, {"page": "middle"}, {"project": "max"}, {"channels": [2, 0]})
    }
    assert len(seen) == 4
    assert read(photos, channels=[2, 0]).image_shape == (3, 8, 8)
    assert read(photos, channels=[2]).image_shape == (1, 8, 8)
    assert read(photos, page=1, channels=3).image_shape == (3, 8, 8)


def test_a_hot_pixel_is_named_and_leaves_the_others_their_grey_levels(photos: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 4096, (12, 40, 40), np.uint16)
    fill(photos, {f"{k:02}.png": files.deep_png(image) for k, image in enumerate(images)})
    sound = read(photos, 40)
    images[7, 3, 3] = 65535
    fill(photos, {"07.png": files.deep_png(images[7])})
    with pytest.warns(UserWarning, match=r"1 of 12 16-bit images hold .* 07.png \(\d+ to 65535\)"):
        hot = read(photos, 40)
    assert np.abs(sound.train.images[0].astype(int) - hot.train.images[0]).max() <= 1
    assert len(np.unique(hot.train.images[0])) > 200
    assert "(p0.1-p99.9)" in hot.notes["16-bit range"]
    assert len(np.unique(read(photos, 40, range="min-max").train.images[0])) <= 17


@pytest.mark.skipif(not files.EXTRAS, reason="needs the extra medical")
def test_a_dicom_window_yields_to_a_range(photos: Path) -> None:
    fill(photos, {"a.dcm": files.dicom(files.STACK[0], WindowCenter=2000, WindowWidth=100)})
    window = read(photos, 14).train.images
    assert set(read(photos, 14).notes) == set()
    values = read(photos, 14, range="0-4095")
    assert len(np.unique(values.train.images)) > len(np.unique(window))
    assert values.notes == {"16-bit range": "0 to 4095 in 1 images (0-4095)"}


@pytest.mark.parametrize(
    "options", [{"page": 3}, {"channels": [2, 0]}, {"project": "max"}], ids=str
)
def test_originals_have_the_same_pixels(photos: Path, options: dict) -> None:
    square = np.random.default_rng(0).integers(0, 4096, (5, 8, 8), np.uint16)
    fill(photos, {"a.tif": files.tiff(square, photometric="minisblack")})
    data = read(photos, **options)
    assert data.originals is not None
    full = data.originals.pixels(data.originals.content("a.tif"))
    full = full[..., None] if full.ndim == 2 else full
    assert np.array_equal(full.transpose(2, 0, 1), data.train.images[0])
    assert data.originals.identity != read(photos, page=0).originals.identity


@pytest.mark.parametrize(
    "values",
    [
        {"channels": 2},
        {"channels": True},
        {"channels": 3.0},
        {"channels": []},
        {"channels": [0, 1, 2, 3]},
        {"channels": [-1]},
        {"channels": [0.0]},
        {"channels": "0"},
        {"page": -1},
        {"page": True},
        {"page": "first"},
        {"project": "median"},
        {"range": "wide"},
        {"page": 0, "project": "max"},
    ],
    ids=str,
)
def test_options_that_mean_nothing_are_refused(values: dict) -> None:
    with pytest.raises(ValidationError):
        FolderSettings(path=Path(), **values)


def test_new_options_do_not_change_old_keys() -> None:
    old = {"name", "path", "manifest", "unreadable", "validation_fraction", "test_fraction"}
    old |= {"max_pixels", "channels", "train", "validation", "test", "seed"}
    assert set(FolderSettings().decisive()) == old
    assert tomllib.loads("channels = [2, 0]")["channels"] == [2, 0]
    assert FolderSettings(channels=[2, 0]).decisive()["channels"] == [2, 0]


@pytest.fixture
def embed(photos: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple]:
    """Return a function that runs the command, and returns its exit code, text and features."""

    def run(*arguments: str, data: str = str(photos)) -> tuple[int, str, np.ndarray | None]:
        out = photos.parent / "f.npz"
        words = ["embed", data, "--block", "pixels", "--image-size", "8", "-o", str(out)]
        code = main([*words, "--cache-dir", str(photos.parent / "cache"), *arguments])
        rows = np.load(out)["features"] if code == 0 else None
        return code, "".join(capsys.readouterr()), rows

    return run


def test_the_command_takes_channels_pages_projection_and_range(
    photos: Path, embed: Callable[..., tuple]
) -> None:
    stack = {"metadata": {"axes": "ZCYX"}, "imagej": True}
    volumes = files.CHANNELS[0], files.CHANNELS[1]
    fill(photos, {f"{k}.tif": files.tiff(v, **stack) for k, v in enumerate(volumes)})
    code, text, _ = embed()
    assert code == 1 and "2 images (0.tif first): it has 3 pages; choose one by --page 0" in text
    seen = set()
    for options in (
        ("--page", "0", "--channels", "0,2"),
        ("--page", "middle", "--channels", "0,2"),
        ("--project", "max", "--channels", "0,2"),
        ("--project", "max", "--channels", "3"),
        ("--project", "max", "--channels", "3", "--range", "p5-p95"),
    ):
        code, text, rows = embed(*options)
        assert code == 0, text
        seen.add(rows.tobytes())
    assert len(seen) == 5
    for options in (("--page", "x"), ("--channels", "a,b"), ("--range", "x"), ("--page", "-1")):
        code, text, _ = embed(*options)
        assert code == 2 and "Traceback" not in text and options[0].strip("-") in text


def test_these_options_are_for_folders(embed: Callable[..., tuple]) -> None:
    code, text, _ = embed("--page", "0", data="digits")
    assert code == 2 and "is not a folder of images and takes no page" in text
