"""Writing what was made: each file whole or not at all."""

from collections.abc import Mapping
from pathlib import Path

from nextlabel.core.errors import StoreError


def write_files(out: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write files by name to the folder `out`, in their order; StoreError when it cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            partial = out / f".{name}.partial"
            partial.write_bytes(content)
            partial.replace(out / name)
    except OSError as error:
        raise StoreError(
            f"the report cannot be written to {out} ({error.strerror}); "
            "free some space there or give another --out"
        ) from error
    return tuple(out / name for name in files)
