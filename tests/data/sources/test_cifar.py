import hashlib
import io
import pickle
import struct
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from nextlabel.core.errors import DataError
from nextlabel.data import DataSettings, describe, load
from nextlabel.data.published.cifar_files import read_batch
from nextlabel.data.sources.cifar import FAMILIES, forms
from refusals import refused

RNG = np.random.default_rng(0)


def text(value: bytes) -> bytes:
    """Return a string as Python 2 pickled it."""
    return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + number4(value) + value


def number4(value: bytes) -> bytes:
    return struct.pack("<i", len(value))


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def array(values: np.ndarray, kind: bytes = b"u1") -> bytes:
    """Return an array as numpy on Python 2 pickled it."""
    rows, columns = values.shape
    empty = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0t" + text(b"b") + b"tR"
    dtype = b"cnumpy\ndtype\n(" + text(kind) + b"K\0K\1tR(K\3" + text(b"|") + b"NNN"
    dtype += number(-1) + number(-1) + b"K\0tb"
    content = text(values.tobytes())
    return (
        empty + b"(K\1(" + number(rows) + number(columns) + b"t" + dtype + b"\x89" + content + b"tb"
    )


def batch(
    images: np.ndarray,
    labels: list[int],
    key: str = "labels",
    change: Mapping[str, bytes] = MappingProxyType({}),
) -> bytes:
    """Return a batch as it is published."""
    items = {
        "batch_label": text(b"training batch 1 of 5"),
        key: b"](" + b"".join(map(number, labels)) + b"e",
        "data": array(images),
        "filenames": b"](" + text(b"leptodactylus_pentadactylus_s_000004.png") + b"e",
    } | dict(change)
    return b"\x80\2}(" + b"".join(text(k.encode()) + v for k, v in items.items()) + b"u."


def packed_files(files: Mapping[str, bytes]) -> bytes:
    """Return a tar archive of files by name."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def put(
    folder: Path, name: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, np.ndarray]:
    """Write a small set in one of its forms, announce its checksums, return its images."""
    known, rng = FAMILIES[name], np.random.default_rng(1)
    batches = {part: dict.fromkeys(sizes, 12) for part, sizes in known.batches.items()}
    images, md5, binary, pickled = {}, {}, {}, {}
    for part, sizes in batches.items():
        for file in sizes:
            pixels = rng.integers(0, 256, (12, 3072), np.uint8)
            labels = rng.integers(0, len(known.classes), 12, np.uint8)
            images.setdefault(part, []).append((pixels, labels))
            other = np.full((12, known.label_bytes - 1), 7, np.uint8)
            binary[f"{known.binary}/{file}.bin"] = np.hstack(
                [other, labels[:, None], pixels]
            ).tobytes()
            pickled[f"{known.python}/{file}"] = batch(pixels, labels.tolist(), known.labels)
            md5[file] = hashlib.md5(pickled[f"{known.python}/{file}"]).hexdigest()
    packed, files = (known.python_archive, pickled) if "python" in form else (known.archive, binary)
    tar = packed_files(files)
    md5[packed] = hashlib.md5(tar).hexdigest()
    if "archive" in form:
        (folder / packed).write_bytes(tar)
    else:
        for file, content in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
    change = {"batches": batches, "archive_md5": md5.get(known.archive, known.archive_md5)}
    monkeypatch.setitem(FAMILIES, name, replace(known, **change, md5=known.md5 | md5))
    return images


@pytest.mark.parametrize("form", ["archive", "binary", "python", "python archive"])
@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_every_form_gives_the_same_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, form: str
) -> None:
    official = put(tmp_path, name, form, monkeypatch)
    assert {info.name: info.where for info in describe(tmp_path)}[name] == "present"
    data = load(DataSettings(name=name, validation=4), data_dir=tmp_path)
    pixels = np.concatenate([pixels for pixels, _ in official["train"]]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([labels for _, labels in official["train"]])
    assert np.array_equal(data.train.images, pixels[data.train.origin])
    assert np.array_equal(data.train.labels, labels[data.train.origin])
    assert len(data.validation) == 4 and len(data.test) == 12
    assert np.array_equal(data.test.images.reshape(12, -1), official["test"][0][0])
    assert data.classes == FAMILIES[name].classes
    assert ("no published checksum" in data.notes) == (form == "binary")
    assert len(data.sources) == (1 if "archive" in form else len(official["train"]) + 1)


def test_an_altered_batch_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "cifar10", "python", monkeypatch)
    (tmp_path / "cifar-10-batches-py" / "test_batch").write_bytes(b"altered")
    with refused(DataError, "checksum-mismatch"):
        load(DataSettings(name="cifar10", validation=4), data_dir=tmp_path)


@pytest.mark.parametrize("content", [b"", b"too short", bytes(12 * 3073 + 1)])
def test_a_binary_batch_has_a_known_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    put(tmp_path, "cifar10", "binary", monkeypatch)
    (tmp_path / "cifar-10-batches-bin" / "data_batch_3.bin").write_bytes(content)
    with refused(DataError, "file-damaged", match="data_batch_3.bin .* not the 36876 of 12 images"):
        load(DataSettings(name="cifar10", validation=4), data_dir=tmp_path)


class Call:
    """Pickles as a call that writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


IMAGES = RNG.integers(0, 256, (3, 3072), np.uint8)


def test_no_call_in_a_batch_is_made(tmp_path: Path) -> None:
    (tmp_path / "batch").write_bytes(pickle.dumps({"data": Call(tmp_path / "made")}, 2))
    with refused(DataError, "file-damaged", match="UnpicklingError: it calls "):
        read_batch(tmp_path / "batch", None, "labels")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "EOFError"),
        (b"\x80\2}.", "KeyError"),
        (b"\x80\2](K\1e.", "TypeError"),
        (b"\xff" * 40, "UnpicklingError"),
        (batch(IMAGES, [1, 2, 3])[:-500], "UnpicklingError|EOFError"),
        (batch(IMAGES, [1, 2]), "3 images and labels of shape"),
        (batch(IMAGES, [1, 2, 3], change={"data": array(IMAGES, b"O8")}), "an array of O8"),
        (batch(IMAGES[:, :3071], [1, 2, 3]), "an array of u1 and shape"),
        (batch(IMAGES, [1, 2, 3], change={"data": b"K\1"}), "AttributeError"),
        (batch(IMAGES, [1, 2, 3], change={"labels": text(b"abc")}), "labels of shape"),
    ],
)
def test_a_file_that_is_not_a_batch_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "batch").write_bytes(content)
    with refused(DataError, "file-damaged", match=message):
        read_batch(tmp_path / "batch", None, "labels")


def test_rows_may_be_stored_by_column(tmp_path: Path) -> None:
    by_column = array(np.frombuffer(IMAGES.tobytes(order="F"), np.uint8).reshape(3, 3072))
    by_column = by_column.replace(b"K\0tb\x89", b"K\0tb\x88")
    (tmp_path / "batch").write_bytes(batch(IMAGES, [1, 2, 3], change={"data": by_column}))
    assert np.array_equal(
        read_batch(tmp_path / "batch", None, "labels").images.reshape(3, -1), IMAGES
    )


def test_published_facts() -> None:
    assert {name: len(known.classes) for name, known in FAMILIES.items()} == {
        "cifar10": 10,
        "cifar100": 100,
    }
    for name, known in FAMILIES.items():
        assert list(known.classes) == sorted(set(known.classes))
        assert sum(known.batches["train"].values()) == 50_000
        (archive,) = forms(name)[0]
        assert archive.urls == (f"https://www.cs.toronto.edu/~kriz/{archive.name}",)
