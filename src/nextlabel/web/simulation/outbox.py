"""The outbox of a client: answers are sent again, with the same keys, until they are saved."""

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from nextlabel.web.simulation.client import PageClient, PageError

PAUSE = 0.05
"""Seconds between two attempts."""
PASSING = frozenset({"page-offline", "disk-full"})
"""Codes of failures that another attempt may not have."""
PAUSE_OF_ANOTHER = 1.0
"""Seconds until a server that refuses us is asked again, unless ours has another address then."""
OF_ANOTHER = frozenset({"token-unknown", "no-session"})
"""Codes of another server, which took the port of one that had ended; ours starts elsewhere."""


class Outbox:
    """Answers of one tab, sent again after a lost connection, as the page does.

    Parameters
    ----------
    address : callable
        Returns the address of the server as it is now.
    tab : str
        The name of the tab.
    patience : float
        Seconds after which an answer that is not saved is an error.
    """

    def __init__(self, address: Callable[[], str], tab: str, patience: float = 120.0) -> None:
        self.address, self.tab, self.patience = address, tab, patience
        self.attempts = 0
        self._client: PageClient | None = None

    def send(self, answers: Sequence[dict[str, Any]]) -> dict[str, int]:
        """Send answers until all are saved; return the number in the log of each key.

        An answer without a key gets one.
        """
        keyed = [{"key": uuid.uuid4().hex, **answer} for answer in answers]
        reply = self.again(lambda client: client.post("/api/answers", tab=self.tab, answers=keyed))
        return {one["key"]: one["seq"] for one in reply["saved"]}

    def again(self, request: Callable[[PageClient], Any]) -> Any:
        """Return what a request returns, made again until the server answers it."""
        ends = time.monotonic() + self.patience
        address = ""
        while True:
            self.attempts += 1
            try:
                if self._client is None:
                    address = self.address()
                    self._client = PageClient(address, self.tab, patience=10.0)
                return request(self._client)
            except PageError as error:
                self.close()
                if error.code not in PASSING | OF_ANOTHER or time.monotonic() > ends:
                    raise
                time.sleep(PAUSE)
                until = time.monotonic() + PAUSE_OF_ANOTHER
                while error.code in OF_ANOTHER and time.monotonic() < until:
                    if self.address() != address:
                        break
                    time.sleep(PAUSE)

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._client is not None:
            self._client.close()
            self._client = None
