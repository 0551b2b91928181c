"""Failed attempts to log in, which make people wait."""

import time
from collections import deque
from collections.abc import Iterable


class Attempts:
    """Failed attempts to log in, by address and by name; too many of them make people wait.

    Parameters
    ----------
    most : int
        Failures in a minute after which the next attempt is refused.
    """

    def __init__(self, most: int, seconds: float = 60.0) -> None:
        self._most, self._seconds = most, seconds
        self._failures: dict[str, deque[float]] = {}

    def wait(self, sources: Iterable[str]) -> float:
        """Return the seconds until the next attempt is allowed; 0 when it is now."""
        now = time.monotonic()
        return max((self._left(source, now) for source in sources), default=0.0)

    def failed(self, sources: Iterable[str]) -> None:
        """Note a failure."""
        now = time.monotonic()
        for source in [one for one in self._failures if self._recent(one, now) == 0]:
            del self._failures[source]
        for source in sources:
            self._failures.setdefault(source, deque(maxlen=self._most)).append(now)

    def _recent(self, source: str, now: float) -> int:
        failures = self._failures.get(source, deque())
        while failures and failures[0] <= now - self._seconds:
            failures.popleft()
        return len(failures)

    def _left(self, source: str, now: float) -> float:
        full = self._recent(source, now) >= self._most
        return self._failures[source][0] + self._seconds - now if full else 0.0
