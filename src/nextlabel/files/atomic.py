"""Atomic writing: a file is complete or not there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nextlabel.core.errors import StoreError
from nextlabel.files.output_mark import make_output, remember


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a partial file; it becomes `path` when the block ends without an error.

    The partial file has the name of `path` with ".partial" at its end. After an error it is
    removed, and an older file at `path` stays as it was.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_files(out: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write files by name to the folder `out`, in their order, each of them atomically.

    Parameters
    ----------
    out : Path
        The folder; it is made when it does not exist.
    files : Mapping[str, bytes]
        The content of each file by its name.

    Returns
    -------
    tuple[Path, ...]
        The path of each file, in the order of `files`.

    Raises
    ------
    StoreError
        When a file cannot be written.
    """
    try:
        make_output(out)
        for name, content in files.items():
            with replacing(out / name) as partial:
                partial.write_bytes(content)
        if pictures := [name for name in files if name.endswith(".png")]:
            remember(out, pictures)
    except OSError as error:
        raise StoreError(
            f"{out} cannot be written to ({error.strerror}); free some space there, or give "
            "another place by --out",
            code="report-not-writable",
        ) from error
    return tuple(out / name for name in files)
