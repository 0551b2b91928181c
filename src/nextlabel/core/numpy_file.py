"""A file of arrays, .npy or .npz, that a person gave."""

import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.regular_file import check_regular
from nextlabel.core.types import Array

DAMAGED: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    OverflowError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
)
"""What numpy raises for a file that is damaged, cut short, encrypted or of another kind."""


def read_arrays(path: Path) -> Array | dict[str, Array]:
    """Return the array in an .npy file, as a memory map for reading, or those in an .npz by name.

    Raises DataError for what cannot be read or holds something else.
    """
    try:
        check_regular(path)
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}); check the path"
        ) from error
    except DAMAGED as error:
        reason = str(error).splitlines()[0] if str(error) else "it ends too early"
        raise DataError(
            f"{path} is no .npy or .npz file of numbers ({reason}); save it by numpy.save or "
            "numpy.savez"
        ) from error
