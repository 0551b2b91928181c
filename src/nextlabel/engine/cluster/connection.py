"""Connections to a Dask cluster: one that is there, or one started on this machine."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nextlabel.core.errors import ClusterError
from nextlabel.engine.worker_environment import ctrl_c_blocked, variables

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

LOOPBACK = "127.0.0.1"

LOGGERS = ("distributed", "distributed.client", "distributed.nanny", "distributed.scheduler")
"""Loggers with levels of their own."""


def shown(address: str) -> str:
    """Return an address without user and password, for messages."""
    scheme, separator, rest = address.rpartition("://")
    return scheme + separator + rest.rpartition("@")[2]


def check_address(address: str) -> None:
    """Raise ClusterError when no scheduler can have this address."""
    try:
        url = urlsplit(address if "://" in address else f"tcp://{address}")
        is_address = bool(url.netloc) and url.username is None and url.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise ClusterError(
            f"--scheduler {shown(address)} is not the address of a scheduler; give one such as "
            "tcp://head:8786, without user and password, which Dask does not have",
            code="not-a-scheduler-address",
        )


def check_installed() -> None:
    """Raise ClusterError when `distributed` is not installed."""
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ClusterError(
            f"--executor dask needs the package distributed ({error}); install it by "
            "pip install 'nextlabel[cluster]'",
            code="cluster-not-installed",
        ) from error


def connect(address: str, timeout: float) -> "Client":
    """Return a client of the scheduler at `address`.

    Parameters
    ----------
    address : str
        Such as "tcp://host:8786".
    timeout : float
        Seconds to wait for an answer.

    Raises
    ------
    ClusterError
        When no scheduler answers there, or it is one of another version.
    """
    import distributed

    check_address(address)

    class Connecting(distributed.Client):  # type: ignore[misc]
        """A client that ends at once when nothing answers; Dask's waits for its end."""

        def start(self, **options: Any) -> None:
            try:
                super().start(**options)
            except BaseException:
                self.status = "closed"
                self._loop_runner.stop()
                raise

    try:
        client = Connecting(address, timeout=timeout, set_as_default=False)
    except Exception as error:  # another program at the address may raise any
        said = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, MemoryError):  # the answer, read as Dask's, begins with a length
            said = "another program does"
        raise ClusterError(
            f"no Dask scheduler answers at {shown(address)} ({said[:150]}); "
            "start one by `dask scheduler`, or correct --scheduler",
            code="no-scheduler",
        ) from error
    try:
        there = client.get_versions()["scheduler"]["packages"]["distributed"]
    except Exception as error:
        client.close(timeout=1)
        raise ClusterError(
            f"the scheduler at {shown(address)} does not say its version; start one of "
            f"distributed {distributed.__version__}",
            code="other-scheduler",
        ) from error
    if there != distributed.__version__:
        client.close(timeout=1)
        raise ClusterError(
            f"the scheduler at {shown(address)} is distributed {there}, and this is "
            f"{distributed.__version__}; install the same version on all machines",
            code="other-scheduler",
        )
    return client


def dashboard(client: "Client") -> str:
    """Return the address of the scheduler's dashboard; "none" when it has none."""
    has_one = "dashboard" in client.scheduler_info()["services"]
    return shown(client.dashboard_link) if has_one else "none"


def start_cluster(jobs: int, threads: int) -> "LocalCluster":
    """Return a new cluster of worker processes with one thread each, reachable on loopback alone.

    Its processes end with this one, and do not receive Ctrl-C.
    """
    from distributed import LocalCluster

    resource_tracker.ensure_running()  # first, because its start unblocks Ctrl-C again
    with ctrl_c_blocked():
        return LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            host=LOOPBACK,
            dashboard_address=f"{LOOPBACK}:0",
            worker_dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            env=variables(threads),
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Leave lost workers and connections to this package's own messages."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
