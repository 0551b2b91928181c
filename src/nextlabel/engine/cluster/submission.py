"""A trial on a cluster, as the driver follows it."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nextlabel.engine.cluster.remote_trial import Envelope
from nextlabel.engine.messages import FailedMessage, LostMessage, Message

if TYPE_CHECKING:
    from distributed import Future

LOST = "its worker left the cluster (killed, out of memory or out of reach); see the worker's log"
RESTARTED = "the cluster has begun the trial again by itself"


@dataclass(eq=False)
class Submission:
    """A trial on a cluster: its future, its worker, and how many of its messages have arrived."""

    key: str
    future: "Future"
    worker: str
    attempt: str = ""
    received: int = 0

    def open(self, envelope: Envelope) -> Message:
        """Return the message in an envelope.

        It is a `LostMessage` when another worker has begun the trial with an old history, or when
        a message was lost on its way.
        """
        self.attempt = self.attempt or envelope.attempt
        if (envelope.attempt, envelope.number) != (self.attempt, self.received):
            return LostMessage(RESTARTED, counts=False)
        self.received += 1
        return envelope.message

    def end(self) -> Message:
        """Return the last message of a trial whose future or worker ended without one."""
        error = self.future.exception() if self.future.status == "error" else None
        if error is None or type(error).__name__ == "KilledWorker":
            return LostMessage(LOST)
        return FailedMessage(f"{type(error).__name__}: {error}", repr(error))

    def cancel(self) -> None:
        """Let the worker stop at its next message."""
        with suppress(Exception):  # the scheduler may be gone
            self.future.cancel()
