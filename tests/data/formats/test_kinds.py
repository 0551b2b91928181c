"""Kinds of files: by suffix where it is known, by content where it is not."""

import os
from pathlib import Path

import pytest

import image_files as files
from nextlabel.data.formats import FORMATS
from nextlabel.data.formats.kinds import NOT_AN_IMAGE, kind_by_head, kind_of

KINDS = {
    ".png": "png", ".jpg": "jpeg", ".jfif": "jpeg", ".jpe": "jpeg", ".bmp": "bmp", ".gif": "gif",
    ".webp": "webp", ".avif": "avif", ".tif": "tiff", ".btf": "tiff", ".dcm": "dicom",
    ".gz": "nifti", ".heic": "heic", ".ppm": "pnm",
}  # fmt: skip


@pytest.mark.parametrize("name", files.sound())
def test_every_kind_by_suffix_and_by_content(name: str, tmp_path: Path) -> None:
    data = files.sound()[name]
    want = KINDS[Path(name).suffix]
    for called in (name, name.upper(), "no suffix", "odd.xyz", "read.me.now"):
        (tmp_path / called).write_bytes(data)
        assert kind_of(tmp_path / called).format == want, called


def test_each_head_is_of_one_kind_alone() -> None:
    for name, data in files.sound().items():
        found = [kind for kind in FORMATS if FORMATS[kind]().recognises(data[:4096])]
        assert found == [KINDS[Path(name).suffix]]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("notes.txt", b"hello", NOT_AN_IMAGE),
        ("table.csv", b"BMI,age\n20,30\nand more, and more", NOT_AN_IMAGE),
        ("nothing", b"", "an empty file"),
        ("stack.czi", b"ZISRAWFILE", "Zeiss CZI is not read; export it as OME-TIFF"),
        ("stack.nd2", b"", "Nikon ND2 is not read; export it as OME-TIFF"),
        ("stack.LIF", b"", "Leica LIF is not read; export it as OME-TIFF"),
        ("renamed.dat", b"ZISRAWFILE", "Zeiss CZI is not read; export it as OME-TIFF"),
        ("raw.cr2", files.tiff(files.GREY), "camera raw is not read; export it as JPEG or TIFF"),
    ],
)
def test_why_a_file_is_not_read(name: str, data: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    kind = kind_of(tmp_path / name)
    assert kind.format is None and kind.reason == reason


def test_a_known_suffix_is_not_opened_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    assert kind_of(tmp_path / "gone.png").format == "png"
    os.mkfifo(tmp_path / "pipe")
    assert "pipe" in (kind_of(tmp_path / "pipe").reason or "")
    assert "No such file" in (kind_of(tmp_path / "gone").reason or "")


@pytest.mark.parametrize("data", [b"", b"\0" * 4096, b"\x1f\x8b" + b"x" * 99, b"RIFF", b"II*"])
def test_heads_of_nothing(data: bytes) -> None:
    assert kind_by_head(data) is None
