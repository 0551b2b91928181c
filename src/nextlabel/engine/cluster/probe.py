"""A file in the driver's cache, by which a worker finds out whether it has the same cache."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from nextlabel.core.errors import StoreError
from nextlabel.features.cache import Cache, CacheLocation


@dataclass(frozen=True)
class Probe:
    """A file with a random name in a cache.

    Parameters
    ----------
    location : Path or str
        The folder or the fsspec URL of the driver's cache.
    token : str
        A random text: part of the name, and the content.
    """

    location: CacheLocation
    token: str

    @property
    def name(self) -> str:
        """The name of the file."""
        return f".seen-{self.token}"

    def write(self) -> None:
        """Make the file; StoreError when the cache cannot be written."""
        cache = Cache.open(self.location)
        try:
            (cache.folder / self.name).write_text(self.token, encoding="utf-8")
        except OSError as error:
            raise StoreError(
                f"cache folder {cache.folder} cannot be written ({error.strerror}); make room "
                "there, or give another --cache-dir",
                code="cache-not-writable",
            ) from error
        if cache.shared is not None:
            cache.shared.put(self.name, cache.folder / self.name)

    def is_seen(self) -> bool:
        """Return whether the file is in the cache, seen from here."""
        cache = Cache.at(self.location)
        if cache.shared is not None:
            with TemporaryDirectory() as folder:
                return cache.shared.fetch(self.name, Path(folder) / "seen")
        try:
            return (cache.folder / self.name).read_text(encoding="utf-8") == self.token
        except (OSError, ValueError):
            return False

    def remove(self) -> None:
        """Remove the file."""
        cache = Cache.at(self.location)
        (cache.folder / self.name).unlink(missing_ok=True)
        if cache.shared is not None:
            cache.shared.remove(self.name)
