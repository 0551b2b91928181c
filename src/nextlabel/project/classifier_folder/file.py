"""The files of a classifier: JSON, safetensors and a card; nothing in them is executed."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import Array
from nextlabel.files.atomic import write_files
from nextlabel.files.digest import content_digest, values_digest

VERSION = 1
"""The version of the files; a newer one is refused."""
SETTINGS, ARRAYS, CARD = "classifier.json", "arrays.safetensors", "README.md"
T = TypeVar("T")


def write(
    folder: Path, settings: Mapping[str, Any], arrays: Mapping[str, Array], card: str
) -> None:
    """Write a classifier to a folder.

    Parameters
    ----------
    folder : Path
        The folder; it is made if it is missing.
    settings : mapping
        JSON values.
    arrays : mapping of str to array
        Arrays by name.
    card : str
        The text for people.

    Raises
    ------
    UsageError
        The folder holds other files.
    StoreError
        The files cannot be written.
    """
    check_classifier_folder(folder)
    from safetensors.numpy import save

    stored = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    whole = {**settings, "version": VERSION, "arrays_sha256": content_digest(stored)}
    text = json.dumps(
        whole | {"sha256": values_digest(whole, compact=False)}, indent=2, ensure_ascii=False
    )
    # The settings come last: without them there is no classifier.
    write_files(folder, {ARRAYS: stored, CARD: card.encode(), SETTINGS: f"{text}\n".encode()})


def check_classifier_folder(folder: Path) -> None:
    """Refuse a folder of other files: the card would replace their README.md.

    Parameters
    ----------
    folder : Path
        The folder to write to. It may be missing, empty, or hold a classifier, also one whose
        writing was interrupted.

    Raises
    ------
    UsageError
        It holds other files, or it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(
            f"{folder} is a file; give a new folder for the classifier", code="output-is-file"
        )
    if not folder.is_dir() or any((folder / name).exists() for name in (SETTINGS, ARRAYS)):
        return
    others = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if others:
        raise UsageError(
            f"{folder} holds other files ({others[0]} first); give a new or empty folder for the "
            "classifier",
            code="output-not-empty",
        )


def read(folder: Path, rebuilt: Callable[[Mapping[str, Any], Mapping[str, Array]], T]) -> T:
    """Return what `rebuilt` makes of the settings and arrays that `write` wrote.

    Parameters
    ----------
    folder : Path
        The folder.
    rebuilt : callable
        It gets the settings and the arrays.

    Raises
    ------
    UsageError
        There is no classifier in the folder.
    DataError
        A file is damaged, was changed, or is of a newer version.
    """
    if not (folder / SETTINGS).is_file():
        raise UsageError(
            f"{folder} does not hold a classifier; give a folder that `nextlabel fit` wrote",
            code="no-classifier",
        )
    try:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        version = settings["version"]
        if isinstance(version, int) and version > VERSION:
            raise DataError(
                f"{folder} has version {version}, and this nextlabel reads up to {VERSION}; "
                "install a newer nextlabel",
                code="classifier-too-new",
            )
        if settings.pop("sha256") != values_digest(settings, compact=False):
            raise _damaged(folder, f"{SETTINGS} was changed")
        if not (folder / ARRAYS).is_file():
            raise _damaged(folder, f"{ARRAYS} is missing")
        stored = (folder / ARRAYS).read_bytes()
        if content_digest(stored) != settings["arrays_sha256"]:
            raise _damaged(folder, f"{ARRAYS} was changed or cut short")
        from safetensors.numpy import load

        return rebuilt(settings, load(stored))
    except DataError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, f"it cannot be read ({error})") from error


def _damaged(folder: Path, fault: str) -> DataError:
    return DataError(
        f"the classifier in {folder} is damaged: {fault}; take the original, or fit it again",
        code="classifier-damaged",
    )
