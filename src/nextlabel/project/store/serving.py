"""The server of a project: one at a time, and where it is found."""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

from nextlabel.core.errors import StoreError, UsageError
from nextlabel.files.atomic import replacing

FILE = "server.json"
LOCK = "server.lock"


class ServerClaim:
    """The claim of a server on a project, as a context manager.

    It ends with the block or with the process, however that ends.

    Parameters
    ----------
    directory : Path
        The folder of the project.

    Raises
    ------
    UsageError
        Another server has the project; the message has its URL (code "project-served").
    StoreError
        The folder cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self._path, self._lock = directory / FILE, FileLock(directory / LOCK)

    def __enter__(self) -> Self:
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            url = running_server(self._path.parent).get("url", "another address")
            raise UsageError(
                f"a server of {self._path.parent} is running at {url}; open that page, or stop it",
                code="project-served",
            ) from error
        except OSError as error:
            raise _not_writable(self._path, error) from error
        self._path.unlink(missing_ok=True)  # of a server that was killed
        return self

    def announce(self, url: str, token: str | None = None) -> None:
        """Write where the server is, in a file that its user alone may read."""
        facts = {"url": url, "pid": os.getpid(), "token": token}
        try:
            with replacing(self._path) as partial:
                partial.unlink(missing_ok=True)
                opened = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(opened, "w", encoding="utf-8") as stream:
                    json.dump(facts, stream)
        except OSError as error:
            raise _not_writable(self._path, error) from error

    def __exit__(
        self,
        of: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._path.unlink(missing_ok=True)
        self._lock.release()


def running_server(directory: Path) -> dict[str, Any]:
    """Return what the last server of a project announced: url, pid and token; or nothing."""
    try:
        facts = json.loads((directory / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _not_writable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path.parent} cannot be written to ({error.strerror or error}); free some space there, "
        "or make it writable",
        code="project-not-writable",
    )
