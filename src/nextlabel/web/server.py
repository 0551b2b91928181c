"""The server: one process that serves a project until it is stopped."""

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nextlabel.core.errors import UsageError
from nextlabel.files.digest import content_digest
from nextlabel.project.labelling.project import Project
from nextlabel.project.people.people import People, Person
from nextlabel.web.announcement import Announcement, alone, announced, token_of
from nextlabel.web.people import PeopleSessions
from nextlabel.web.security import Access
from nextlabel.web.sockets import is_loopback, listening, url_of

if TYPE_CHECKING:
    import uvicorn

GRACE = 3
"""Seconds that requests get to end."""
TURN = 0.0005
"""Seconds after which a thread lets another one go on, so that requests hardly wait for a scan."""
IDLE = 75
"""Seconds until a connection without requests is closed."""


@dataclass(frozen=True)
class ServerOptions:
    """The address at which a server listens, and its users.

    Parameters
    ----------
    host : str
        The address to listen at.
    port : int, optional
        The port; the next free one when it is taken.
    users : bool
        Whether people log in by name and password.
    names : tuple of str
        Further names under which the page is reached, as behind a web server.
    store : str, optional
        The URL of the project's database with its password, for the trainer.
    trainer : bool
        Whether models are trained in the background.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    users: bool = False
    names: tuple[str, ...] = ()
    store: str | None = None
    trainer: bool = True

    def check(self) -> None:
        """Raise UsageError for a server beyond this machine without users."""
        if not is_loopback(self.host) and not self.users:
            raise UsageError(
                f"--host {self.host} lets other machines in, and then people must log in; add "
                "--users, or leave --host out",
                code="users-required",
            )


def serve(
    project: Project, options: ServerOptions, started: Callable[[Announcement], None]
) -> None:
    """Serve a project until Ctrl-C; `started` is called once requests are answered.

    Raises
    ------
    UsageError
        Another server of the project runs, or the host cannot be used.
    """
    import os

    import uvicorn

    from nextlabel.web.app import create_app
    from nextlabel.web.background import background
    from nextlabel.web.workspace import Workspace

    options.check()
    with alone(project.directory):
        last = announced(project.directory)
        opened = listening(options.host, options.port, None if last is None else last.port)
        port = int(opened.getsockname()[1])
        here = Announcement(url_of(options.host, port), port, os.getpid(), token_of(last))
        here.write(project.directory)
        workspace = Workspace(project)
        app = create_app(
            workspace,
            access_of(project, here.token, options),
            lambda: background(workspace, options.store, trainer=options.trainer),
        )
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="on",
            ws="none",
            server_header=False,
            timeout_keep_alive=IDLE,
            timeout_graceful_shutdown=GRACE,
        )
        sys.setswitchinterval(TURN)
        server = uvicorn.Server(config)
        with _told(server, lambda: started(here)), opened:
            server.run(sockets=[opened])


def access_of(project: Project, token: str, options: ServerOptions) -> Access:
    """Return who may do what at the server of a project."""
    directory = str(project.directory.resolve())
    name = content_digest(directory.encode("utf-8", "surrogateescape"))[:12]
    names = {"localhost", options.host.lower(), *map(str.lower, options.names)}
    if not is_loopback(options.host):
        host = socket.gethostname().lower()
        names |= {host, f"{host}.local", socket.getfqdn().lower()}
    sessions = PeopleSessions(People(project.database)) if options.users else None
    owner = Person(person_here(), "owner")
    return Access(token, f"nextlabel-{name}", owner, frozenset(names), sessions)


def person_here() -> str:
    """Return the name under which the person at this machine has logged in."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "me"


@contextmanager
def _told(server: "uvicorn.Server", tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` in a thread of its own once the server has started."""
    ended = threading.Event()

    def waiting() -> None:
        while not server.started:
            if ended.wait(0.02):
                return
        tell()

    thread = threading.Thread(target=waiting, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(1)
