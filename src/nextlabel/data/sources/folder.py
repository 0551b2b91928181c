"""A folder of the user's images, in class sub-folders or with a manifest."""

import hashlib
import os
import threading
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nextlabel.core.dataset import Images
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import PARTS, Labels, Part, Task
from nextlabel.data.download import FileLocator
from nextlabel.data.formats.base import Undecodable, Wanted
from nextlabel.data.formats.class_folders import entries_of, image_files
from nextlabel.data.formats.images import decode
from nextlabel.data.lists.manifest import Entry, read_manifest
from nextlabel.data.registry import register
from nextlabel.data.resize import Pixels, resize, stretch
from nextlabel.data.settings import File, FileSettings
from nextlabel.data.source import Raw, SourceInfo
from nextlabel.files.arrays import check_regular
from nextlabel.files.digest import file_digest

SIZE = 64
MANIFEST = "manifest.csv"


class FolderSettings(FileSettings):
    """The settings of a folder of images."""

    name: str = "folder"
    manifest: Path | None = File
    """CSV file of paths, labels and splits, relative to the folder, the experiment file or the
    working directory.
    """
    unreadable: Literal["refuse", "skip"] = "refuse"
    """Stop at an image that cannot be decoded, or leave it out with a warning."""
    max_pixels: int = Field(default=100_000_000, ge=1, le=178_956_970)
    """An image of more pixels is not decoded."""


@register("folder")
class Folder:
    """Images of any size; see `entries_of` and `read_manifest` for how labels are given.

    The manifest is `data.manifest`, or the folder's own manifest.csv; images that it does not
    name are left out, with a warning. Images become grey if all are, else RGB. 16-bit images are
    scaled together: the smallest value of any of them becomes 0, the largest 255. The order is
    that of the sorted names, which `Images.names` keeps.
    """

    settings_class = FolderSettings

    def __init__(self, settings: FolderSettings) -> None:
        self.settings, self.root = settings, settings.need_path()
        if not self.root.is_dir():
            raise UsageError(f"{self.root} is not a folder; correct data.path", code="not-a-folder")

    @classmethod
    def info(cls, name: str, locator: FileLocator) -> SourceInfo:
        """Return that everything depends on the folder."""
        return SourceInfo(name, None, (), {}, None, "path")

    def identity(self, image_size: int | None) -> Mapping[str, Any]:
        """Return the digests of manifest and files, the settings, and the decoders' versions."""
        _, entries, sources = self._entries()
        options = ("unreadable", "validation_fraction", "test_fraction", "max_pixels")
        return {
            "folder": self.root.resolve().name,
            "manifest": sources,
            "files": _content(self.root, entries),
            "image_size": image_size or SIZE,
            "options": {name: getattr(self.settings, name) for name in options},
            "decoders": {name: version(name) for name in ("pillow", "tifffile", "imagecodecs")},
        }

    def read(self, image_size: int | None, locator: FileLocator) -> Raw:
        """Return all images, resized to squares of `image_size` (64 when None)."""
        task, entries, sources = self._entries()
        self._warn_of_others(entries)
        reading = _Reading(self.root, image_size or SIZE, self.settings.max_pixels)
        rows = reading.read(entries, locator.progress)
        self._report(reading.failures, len(entries))
        kept = [entries[row] for row in rows]
        classes, labels = encode(task, [entry.labels for entry in kept])
        images = Images(
            reading.stack(),
            labels,
            np.array(rows, np.int64),
            tuple(entry.name for entry in kept),
        )
        parts = _parts(images, kept)
        labelled = sum(e.labels is not None for e in kept if (e.part or "train") == "train")
        drawn: dict[Part, int] = {
            "validation": int(self.settings.validation_fraction * labelled),
            "test": int(self.settings.test_fraction * labelled),
        }
        name = self.root.resolve().name
        sources[name] = reading.digest.hexdigest()
        return Raw(name, task, classes, parts, drawn, sources, reading.notes)

    def _entries(self) -> tuple[Task, list[Entry], dict[str, str]]:
        path = self._manifest()
        if path is None:
            return "multiclass", entries_of(self.root), {}
        manifest = read_manifest(path, self.root)
        entries = sorted(manifest.entries, key=lambda entry: entry.name)
        return manifest.task, entries, {path.name: file_digest(path)}

    def _warn_of_others(self, entries: list[Entry]) -> None:
        if self._manifest() is None:
            return
        others = set(image_files(self.root)) - {entry.name for entry in entries}
        if others:
            warnings.warn(
                f"{len(others)} image(s) of {self.root.name} ({min(others)} first) are not in the "
                "manifest and are left out",
                stacklevel=5,
            )

    def _manifest(self) -> Path | None:
        named = self.settings.manifest
        if named is None:
            manifest = self.root / MANIFEST
            return manifest if os.path.lexists(manifest) else None
        for path in (self.root / named, named):
            if path.is_file():
                return path
        raise UsageError(
            f"manifest {named} is neither in {self.root} nor in the working directory; "
            "correct data.manifest",
            code="no-such-manifest",
        )

    def _report(self, failures: list[str], total: int) -> None:
        if not failures:
            return
        text = f"{len(failures)} of {total} images cannot be read: {'; '.join(failures)}"
        if self.settings.unreadable == "refuse":
            raise DataError(
                f"{text}; repair or remove them, or skip them by --unreadable skip, in experiments "
                'data.unreadable = "skip"',
                code="images-unreadable",
            )
        if len(failures) == total:
            raise DataError(
                f"{text}; give at least one image that can be read", code="images-unreadable"
            )
        warnings.warn(f"{text}; they are left out", stacklevel=4)


class _Reading:
    """Images read one by one: small pixels, what failed, and a digest of names and bytes.

    The digest is the sha256 over each file's name, a zero byte, its length (8 bytes, little
    endian) and its bytes, in the order of names.
    """

    def __init__(self, root: Path, size: int, max_pixels: int) -> None:
        self.root, self.size, self.max_pixels = root, size, max_pixels
        self.pixels: list[Pixels] = []
        self.failures: list[str] = []
        self.notes: dict[str, str] = {}
        self.digest = hashlib.sha256()
        self.low, self.high = 65535, 0

    def read(self, entries: list[Entry], progress: bool) -> list[int]:
        """Read all; return the rows of the entries that could be."""
        from tqdm import tqdm

        tqdm.set_lock(threading.RLock())  # its own is a semaphore that killed workers leave behind
        rows = []
        for row, entry in enumerate(tqdm(entries, "images", disable=not progress)):
            try:
                self.pixels.append(self._read(entry.name))
                rows.append(row)
            except Undecodable as error:
                self.failures.append(f"{_printable(entry.name)}: {error}")
        if self.failures:
            self.notes["skipped"] = "\n".join(self.failures)
        return rows

    def _read(self, name: str) -> Pixels:
        data = _bytes(self.root / name)
        self.digest.update(_framed(name, data))
        if _printable(name) != name:
            raise Undecodable(
                "its name holds a line break or is not valid UTF-8; rename it",
                code="image-name-invalid",
            )
        pixels = decode(data, Wanted(self.max_pixels)).pixels
        if pixels.dtype == np.uint16:
            self.low = min(self.low, int(pixels.min()))
            self.high = max(self.high, int(pixels.max()))
        return resize(pixels, self.size)

    def stack(self) -> NDArray[np.uint8]:
        """Return all images as uint8 (N, C, size, size); the single images are dropped."""
        channels = max((p.shape[2] for p in self.pixels), default=1)
        out = np.empty((len(self.pixels), channels, self.size, self.size), np.uint8)
        deep = sum(pixels.dtype == np.uint16 for pixels in self.pixels)
        if deep:
            self.notes["16-bit range"] = f"{self.low} to {self.high} in {deep} images"
        for row, pixels in enumerate(self.pixels):
            eight = stretch(pixels, self.low, self.high) if pixels.dtype == np.uint16 else pixels
            out[row] = eight.transpose(2, 0, 1)
        self.pixels.clear()
        return out


def _bytes(path: Path) -> bytes:
    """Return the content of a file; Undecodable when it cannot be read."""
    try:
        check_regular(path)
        return path.read_bytes()
    except OSError as error:
        raise Undecodable(str(error.strerror or error), code="file-unreadable") from error


def _framed(name: str, data: bytes) -> bytes:
    return os.fsencode(name) + b"\0" + len(data).to_bytes(8, "little") + data


def _content(root: Path, entries: list[Entry]) -> str:
    """Return a digest of all names and contents; for an unreadable file, of the reason."""
    digest = hashlib.sha256()
    for entry in entries:
        try:
            digest.update(_framed(entry.name, _bytes(root / entry.name)))
        except Undecodable as error:
            digest.update(os.fsencode(entry.name) + f"\0\0{error}".encode())
    return digest.hexdigest()


def encode(
    task: Task, answers: list[tuple[str, ...] | None]
) -> tuple[tuple[str, ...], Labels | None]:
    """Return class names and labels, -1 where unknown; no labels when none is known.

    Names are sorted, as numbers when all are whole numbers. Raises DataError when images are
    labelled, and all of them with none of the classes.
    """
    if all(answer is None for answer in answers):
        return (), None
    names = {name for answer in answers for name in answer or ()}
    if not names:
        raise DataError(
            "every image is labelled 'none'; name at least one class", code="no-classes"
        )
    numeric = all(name.isascii() and name.isdigit() for name in names)
    classes = tuple(sorted(names, key=lambda n: (int(n), n) if numeric else (0, n)))
    number = {name: k for k, name in enumerate(classes)}
    if task == "multiclass":
        return classes, np.array([number[a[0]] if a else -1 for a in answers], np.int64)
    labels = np.full((len(answers), len(classes)), -1, np.int64)
    for row, answer in enumerate(answers):
        if answer is not None:
            labels[row] = 0
            labels[row, [number[name] for name in answer]] = 1
    return classes, labels


def _parts(images: Images, entries: list[Entry]) -> dict[Part, Images]:
    """Return the parts of the entries; an entry without a part belongs to train."""
    of = np.array([entry.part or "train" for entry in entries])
    named: set[Part] = {entry.part or "train" for entry in entries} | {"train"}
    if named == {"train"}:
        return {"train": images}
    return {part: images.take(np.flatnonzero(of == part)) for part in PARTS if part in named}


def _printable(name: str) -> str:
    """Return a name that is one line of valid text: itself where it is so already."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text.replace("\n", "\\n").replace("\r", "\\r")
