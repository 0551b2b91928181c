"""Sockets: the port that was wanted, or else the next free one."""

import socket
import sys
from collections.abc import Iterable

from nextlabel.core.errors import UsageError

FIRST = 8640
"""The port that is tried first."""
TRIED = 50
"""Ports that are tried before the system chooses one."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def listening(host: str, port: int | None, last: int | None = None) -> socket.socket:
    """Return a socket that listens at a host.

    Parameters
    ----------
    host : str
        A name or an address.
    port : int, optional
        The port that is wanted; by default that of the last server.
    last : int, optional
        The port of the last server of the project.

    Raises
    ------
    UsageError
        The host is not one of this machine, or no port can be used.
    """
    first = port or last or FIRST
    tried: Iterable[int] = (*range(first, min(first + TRIED, 65536)), 0)
    for number in tried:
        try:
            return _bound(host, number)
        except OSError as error:
            failure = error
    raise UsageError(
        f"nothing can listen at {host!r} ({failure.strerror or failure}); give --host 127.0.0.1, "
        "or the address of a network card of this machine",
        code="host-unusable",
    ) from failure


def _bound(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    # With the protocol named, asyncio sends each reply at once. Otherwise the second packet of a
    # reply waits for the browser's acknowledgement of the first, which takes some 40 ms.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":  # elsewhere two programs could share the port
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # a server that has just ended does not block the port
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(128)
    except OSError:
        opened.close()
        raise
    return opened


def is_loopback(host: str) -> bool:
    """Return whether a host is reached from this machine alone."""
    return host in LOOPBACK or host.startswith("127.")


def url_of(host: str, port: int) -> str:
    """Return the address of a server for a browser on this machine."""
    name = "127.0.0.1" if host in ("0.0.0.0", "::", "") or is_loopback(host) else host
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
