"""A server of the page as a process of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from nextlabel.core.errors import StoreError


class ServerProcess:
    """`nextlabel label` in a process; `address` is the one that it printed.

    Parameters
    ----------
    arguments : sequence of str
        The words after `nextlabel label`.
    environment : mapping, optional
        Variables in addition to those of this process.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._messages = tempfile.TemporaryFile()  # a pipe would fill
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nextlabel", "label", *arguments, "--no-browser"],
            stdout=subprocess.PIPE,
            stderr=self._messages,
            text=True,
            encoding="utf-8",
            env={**os.environ, **(environment or {})},
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        if not self.address:
            self._process.communicate()
            self._messages.seek(0)
            messages = self._messages.read().decode("utf-8", "replace").strip().splitlines()
            last = (messages or ["it printed no address"])[-1]
            raise StoreError(f"the server ended: {last}", code="server-ended")

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def stop(self) -> None:
        """End the process, and wait for that."""
        self._process.terminate()
        try:
            self._process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process at once, as a power cut does."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        of: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self.stop()
