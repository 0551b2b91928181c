"""The claimant: what a driver claims of the trials of a store that several drivers share."""

import os
import platform
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from nextlabel.core.errors import StoreError
from nextlabel.files.digest import content_digest
from nextlabel.store.store import Store

LEASE = 60.0
"""Seconds that a claim lasts; a dead driver's trials are free after that time."""

PATIENCE = 0.5
"""Seconds until a driver asks again after no trial was free."""


class Claimant:
    """Claims trials for one driver, and renews the claims in a thread of its own.

    In a store with one writer every trial is free, and nothing is written.

    Parameters
    ----------
    store : Store
        The store of the trials.
    lease : float
        Seconds that a claim lasts; it is renewed three times in that time.
    """

    def __init__(self, store: Store, lease: float = LEASE) -> None:
        self.driver = f"{platform.node() or 'host'}/{os.getpid()}/{processes()}-{uuid4().hex[:8]}"
        self._claims, self._lease = store.claims, lease
        self._renewed = 0.0
        self._held: set[str] = set()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._renew_until_ended, daemon=True)
        self._asked_again = 0.0
        self.elsewhere: set[str] = set()
        """Trials that other drivers were seen to work on."""
        self.others: tuple[str, ...] = ()
        """The other drivers of the wanted trials, as they were last seen."""

    @property
    def shared(self) -> bool:
        """True when other drivers may work on the same trials."""
        return self._claims.shared

    def take(self, keys: Sequence[str], group: Callable[[str], object]) -> str | None:
        """Claim the first free one of these trials; None when there is none at the moment.

        Trials of a group that no other driver works on come first. Those of a group share round 0
        and fitted features: one driver would wait for the other, or make them once more.
        """
        if not self.shared:
            return keys[0]
        if time.monotonic() < self._asked_again:
            return None
        wanted = set(keys)
        theirs = {
            key: claim.driver
            for key, claim in self._claims.read().items()
            if claim.driver != self.driver and key in wanted
        }
        self.others = tuple(dict.fromkeys(theirs.values()))
        self.elsewhere |= theirs.keys()
        busy = {group(key) for key in theirs}
        free = sorted((key for key in keys if key not in theirs), key=lambda k: group(k) in busy)
        with self._lock:
            begun = time.monotonic()
            key = self._claims.take(free, self.driver, self._lease) if free else None
            if key is not None:
                self._held.add(key)
                self._renewed = self._renewed if len(self._held) > 1 else begun
        if key is None:
            self._asked_again = time.monotonic() + min(PATIENCE, self._lease / 3)
        return key

    def holds(self, key: str) -> bool:
        """Return whether a trial is still claimed: a driver that was asleep may have lost it."""
        if not self.shared:
            return True
        if time.monotonic() - self._renewed >= self._lease:
            with suppress(StoreError):
                self._renew()
        return key in self._held and time.monotonic() - self._renewed < self._lease

    def lost(self, key: str) -> bool:
        """Return whether another driver has claimed a trial meanwhile, as the store has it now."""
        if self.shared:
            self._renew()
        return not self.holds(key)

    def release(self, key: str) -> None:
        """End the claim on a trial."""
        if self.shared:
            with self._lock:
                self._held.discard(key)
                self._claims.release(self.driver, key)

    def _renew_until_ended(self) -> None:
        while not self._ended.wait(self._lease / 3):
            with suppress(StoreError):  # tried again soon; `holds` says when it is too late
                self._renew()

    def _renew(self) -> None:
        with self._lock:
            begun = time.monotonic()
            self._held &= self._claims.renew(self.driver, self._lease)
            self._renewed = begun

    def __enter__(self) -> Self:
        if self.shared:
            for driver in {claim.driver for claim in self._claims.read().values()}:
                if died_here(driver):
                    self._claims.release(driver)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.shared:
            self._ended.set()
            self._thread.join()
            with suppress(StoreError):  # the claims lapse by themselves
                self._claims.release(self.driver)


def processes() -> str:
    """Return a name of the set of processes that this one belongs to; empty where it is not known.

    Process numbers mean the same within one boot of one machine, and within one container.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        container = Path("/proc/self/ns/pid").readlink()
        return content_digest(f"{boot}{container}".encode())[:8]
    except OSError:
        return ""


def died_here(driver: str) -> bool:
    """Return whether a driver was a process of this machine that has ended."""
    import psutil

    _, number, name = driver.rsplit("/", 2)
    here = processes()
    return bool(here) and name.startswith(f"{here}-") and not psutil.pid_exists(int(number))
