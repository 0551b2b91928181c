"""The workers of a cluster: those that may run trials, and those that are left out."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nextlabel.core.errors import ClusterError
from nextlabel.engine.cluster.facts import Kind, describe, describe_worker, differences, usual_kind
from nextlabel.engine.cluster.probe import Probe
from nextlabel.features.cache import Cache

if TYPE_CHECKING:
    from distributed import Client, Future

REFRESH = 1.0
"""Seconds between two lists of the scheduler's workers."""

PATIENCE = 120.0
"""Seconds until the workers that are there at the beginning must have said what they are."""


@dataclass(eq=False)
class ClusterWorkers:
    """The workers of a client's scheduler.

    Parameters
    ----------
    client : Client
        A connected client.
    probe : Probe
        A file in the driver's cache.
    mixed : bool
        Whether workers may differ from the driver and from each other.
    """

    client: "Client"
    probe: Probe
    mixed: bool = False
    needs_gpu: bool = False
    kind: Kind | None = None
    workers: Mapping[str, int] = field(default_factory=dict)
    """The workers of the scheduler by address, with their threads."""
    usable: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Workers that may run trials, with the facts of `describe_worker`."""
    left_out: dict[str, str] = field(default_factory=dict)
    """The other workers, each with the reason."""
    _asked: dict[str, "Future[Any]"] = field(default_factory=dict)
    _waiting: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Facts of workers that have answered and are not judged yet."""
    _refreshed: float = -REFRESH

    def settle(self) -> None:
        """Wait until all workers that are there have been judged.

        Raises
        ------
        ClusterError
            When there are workers, and none of them can run the trials.
        """
        deadline = time.monotonic() + PATIENCE
        self.refresh()
        while self._asked and time.monotonic() < deadline:
            time.sleep(0.05)
            self.refresh()
        if self.left_out and not self.usable and not self._asked:
            address, reason = next(iter(self.left_out.items()))
            raise ClusterError(
                f"none of the {len(self.left_out)} workers can be used; {address} {reason}",
                code="no-usable-worker",
            )
        if self.usable and not any(map(self.fits, self.usable)):
            raise ClusterError(
                "training.device is a GPU, and no worker has the resource GPU; start workers with "
                '--resources "GPU=1", or set training.device to "cpu"',
                code="no-gpu-worker",
            )

    def refresh(self) -> None:
        """Find out which workers have come and gone, once per second, and judge those that came."""
        if time.monotonic() - self._refreshed >= REFRESH:
            self._refreshed = time.monotonic()
            self.workers = dict(self.client.nthreads())
            groups = (self.usable, self.left_out, self._asked, self._waiting)
            for group in groups:
                for address in [a for a in group if a not in self.workers]:
                    del group[address]
            for address in self.workers:
                if not any(address in group for group in groups):
                    self._ask(address)
        for address, future in list(self._asked.items()):
            if future.status != "pending":
                self._receive(address, self._asked.pop(address))
        if self._waiting and (self.kind is not None or not self._asked):
            self._judge()

    def fits(self, address: str) -> bool:
        """Return whether a worker may run the trials, which may need a GPU."""
        return address in self.usable and (not self.needs_gpu or self.usable[address]["gpu"])

    def shares_cache(self, address: str) -> bool:
        """Return whether the cache folder of the driver is that of a worker too."""
        return bool(self.usable[address]["shared"])

    def _ask(self, address: str) -> None:
        threads = self.workers[address]
        if threads != 1:
            self._leave_out(
                address, f"has {threads} threads; start it with --nthreads 1, a process per trial"
            )
            return
        self._asked[address] = self.client.submit(
            describe_worker, self.probe, workers=[address], pure=False, retries=0
        )

    def _receive(self, address: str, future: "Future[Any]") -> None:
        if future.status == "finished":
            self._waiting[address] = future.result()
        elif future.status == "error":
            error = future.exception()
            self._leave_out(
                address,
                f"cannot import this nextlabel ({type(error).__name__}: {error}); install the "
                "same version there",
            )

    def _judge(self) -> None:
        of_driver = describe(self.probe)
        if self.kind is None:
            self.kind = usual_kind(self._waiting.values(), of_driver)
        answered, self._waiting = self._waiting, {}
        for address, facts in answered.items():
            different = differences(facts, of_driver, self.kind)
            if different and not self.mixed:
                self._leave_out(
                    address,
                    f"has {', '.join(different)}, so its rows would differ; change it, or allow "
                    "that by --mixed-workers",
                )
                continue
            self.usable[address] = facts
            if not facts["shared"]:
                cache = Cache.at(self.probe.location).shown
                warnings.warn(
                    f"worker {address} does not see the cache {cache}; it fits features "
                    "by itself, so give a --cache-dir that all machines share",
                    stacklevel=2,
                )

    def _leave_out(self, address: str, reason: str) -> None:
        self.left_out[address] = reason
        warnings.warn(f"worker {address} is left out: it {reason}", stacklevel=2)
