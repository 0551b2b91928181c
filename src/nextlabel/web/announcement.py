"""The announcement of a running server in its project, and the lock that lets one run at a time."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from nextlabel.core.errors import UsageError
from nextlabel.files.atomic import replacing

FILE, LOCK = "server.json", "server.lock"


@dataclass(frozen=True)
class Announcement:
    """The address of a server, its process and its token, in `server.json` of its project.

    The file stays when the server ends: the next one takes the same token and, where it is free,
    the same port, so that open pages go on.
    """

    url: str
    port: int
    pid: int
    token: str

    @property
    def address(self) -> str:
        """The address to open: with it the token becomes a cookie."""
        return f"{self.url}/?token={self.token}"

    def write(self, directory: Path) -> None:
        """Write the file, readable by its owner alone."""
        with replacing(directory / FILE) as partial:
            partial.unlink(missing_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(asdict(self), stream)


def announced(directory: Path) -> Announcement | None:
    """Return the announcement of the last server; None without one that can be read."""
    try:
        values = json.loads((directory / FILE).read_text(encoding="utf-8"))
        last = Announcement(**values)
    except (OSError, ValueError, TypeError):
        return None
    whole = isinstance(last.port, int) and isinstance(last.token, str) and len(last.token) > 20
    return last if whole else None


def token_of(last: Announcement | None) -> str:
    """Return the token of the last server, or a new one."""
    return secrets.token_urlsafe(32) if last is None else last.token


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold the lock of a project's server; it is free again when the process has ended.

    Raises
    ------
    UsageError
        Another server holds it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(directory / LOCK, timeout=1)
    try:
        lock.acquire()
    except Timeout as error:
        last = announced(directory)
        where = "" if last is None else f" at {last.address}"
        raise UsageError(
            f"a server of {directory} runs already{where}; open that page, or stop it first",
            code="server-runs",
        ) from error
    try:
        yield
    finally:
        lock.release()
