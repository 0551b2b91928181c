"""A trial in a worker, as the driver knows it."""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from nextlabel.lab.trial import TrialSpec
from nextlabel.lab.worker import Message


@dataclass(eq=False)
class Running:
    """A trial in a worker; `inbox` and `outbox` are the ends of its pipe, `rounds` are stored."""

    trial: TrialSpec
    key: str
    rounds: int
    future: Future[None]
    inbox: Connection
    outbox: Connection
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, int, str]:
        """Arm, seed and key: how events name a trial."""
        return self.trial.arm.name, self.trial.seed, self.key

    @property
    def died(self) -> bool:
        """True when the worker is gone without a last word, and all that it sent has been read."""
        if not self.future.done() or self.future.exception() is None:
            return False
        return self.inbox.closed or not self.inbox.poll()

    def messages(self) -> Iterator[Message]:
        """Yield what has arrived; nothing more once the worker has closed its end or died."""
        try:
            while self.inbox.poll():
                self.outbox.close()  # the worker has its own by now; when that one goes, it is told
                yield self.inbox.recv()
        except (EOFError, OSError):
            self.close()

    def close(self) -> None:
        """Close both ends here."""
        self.inbox.close()
        self.outbox.close()
