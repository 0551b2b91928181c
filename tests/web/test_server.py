"""The server as a process: ports, one per project, Ctrl-C, and sessions that outlive it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from nextlabel.core.errors import StoreError, UsageError
from nextlabel.project.labelling.project import Project
from nextlabel.web.announcement import Announcement, alone, announced, token_of
from nextlabel.web.background import scan
from nextlabel.web.simulation.client import PageClient
from nextlabel.web.simulation.server_process import ServerProcess
from nextlabel.web.sockets import is_loopback, listening, url_of
from nextlabel.web.workspace import Workspace
from refusals import refused


def test_replies_do_not_wait_for_acknowledgements():
    """Asyncio switches the delay of small packets off for sockets that name their protocol."""
    delays = []

    async def serve():
        def note(reader, writer):
            accepted = writer.get_extra_info("socket")
            delays.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        opened = listening("127.0.0.1", None)
        async with await asyncio.start_server(note, sock=opened):
            _, writer = await asyncio.open_connection(*opened.getsockname())
            while not delays:
                await asyncio.sleep(0.01)
            writer.close()

    asyncio.run(serve())
    assert all(delays)


def test_a_taken_port_leads_to_the_next_free_one():
    with listening("127.0.0.1", None) as first:
        port = first.getsockname()[1]
        with listening("127.0.0.1", port) as second:
            assert second.getsockname()[1] > port


def test_the_port_of_the_last_server_is_tried_first():
    with listening("127.0.0.1", None, 0) as free:
        port = free.getsockname()[1]
    with listening("127.0.0.1", None, port) as again:
        assert again.getsockname()[1] == port


def test_a_host_of_another_machine_is_refused():
    with refused(UsageError, "host-unusable"):
        listening("192.0.2.1", 8640)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:5"),
        ("::1", "http://127.0.0.1:5"),
        ("0.0.0.0", "http://127.0.0.1:5"),
        ("lab.example", "http://lab.example:5"),
        ("fd00::1", "http://[fd00::1]:5"),
    ],
)
def test_the_url_is_one_for_a_browser(host, url):
    assert url_of(host, 5) == url


def test_loopback_is_known():
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "example.org")))


def test_the_announcement_is_for_its_owner_alone(tmp_path):
    here = Announcement("http://127.0.0.1:1", 1, 2, token_of(None))
    here.write(tmp_path)
    assert announced(tmp_path) == here
    assert token_of(announced(tmp_path)) == here.token
    assert token_of(None) != here.token
    if os.name != "nt":
        assert (tmp_path / "server.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"url": 1, "port": "x", "pid": 1, "token": "x"}']
)
def test_a_damaged_announcement_is_like_none(tmp_path, text):
    (tmp_path / "server.json").write_text(text)
    assert announced(tmp_path) is None


def test_a_second_server_is_refused_with_the_address_of_the_first(tmp_path):
    Announcement("http://127.0.0.1:1", 1, 2, "t" * 30).write(tmp_path)
    with alone(tmp_path):
        with refused(UsageError, "server-runs", match="http://127.0.0.1:1"), alone(tmp_path):
            pass
    with alone(tmp_path):
        pass


@pytest.mark.slow
def test_a_server_from_start_to_end(folder):
    """One process for several claims, since its start takes a while."""
    with Project.open(folder) as project:
        project.configure(features={"pca": 1.0})
        directory = project.directory
    with ServerProcess([str(folder)]) as server:
        with PageClient(server.address, "t") as client:
            assert client.get("/api/project")["counts"]["images"] == 14
            answer = {"key": "a", "image": 1, "kind": "label", "classes": [0]}
            client.post("/api/answers", tab="t", answers=[answer])
            assert client.wait(1)["model"] is not None
        with refused(StoreError, "server-ended", match="runs already"):
            ServerProcess([str(folder)])
        first = json.loads((directory / "server.json").read_text())
        server.kill()
        process = subprocess.Popen(
            [sys.executable, "-m", "nextlabel", "label", str(folder), "--no-browser"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline().strip() == server.address
        assert json.loads((directory / "server.json").read_text())["token"] == first["token"]
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=60)
        assert (process.returncode, "Traceback" in messages) == (0, False)
        assert "1 image labelled" in messages
    with Project.open(folder) as project:
        assert [answer.key for answer in project.answers()] == ["a"]


def test_another_task_is_refused(folder, capsys):
    from nextlabel.cli import main

    assert main(["label", str(folder), "--multilabel", "--no-browser"]) == 2
    assert "is multiclass, and multilabel is asked for" in capsys.readouterr().err


def test_the_command_says_what_to_install(monkeypatch):
    from nextlabel.cli import label

    monkeypatch.setattr(label, "NEEDED", ("fastapi", "no_such_module"))
    with refused(UsageError, "label-not-installed", match="no_such_module"):
        label.check_installed()


def test_the_socket_is_not_shared():
    with listening("127.0.0.1", None) as opened, socket.socket() as other:
        with pytest.raises(OSError):
            other.bind(opened.getsockname())


@pytest.mark.skipif(sys.platform != "linux", reason="names are text on other systems")
def test_a_project_of_a_folder_whose_name_is_not_text_has_an_id(tmp_path):
    folder = tmp_path / os.fsdecode(b"photos-\xff")
    folder.mkdir()
    with Project.create(folder) as project:
        assert len(Workspace(project).id) == 16


def test_a_scan_that_ends_unexpectedly_says_so(project, monkeypatch):
    def fail(progress):
        raise MemoryError

    monkeypatch.setattr(project, "scan", fail)
    with pytest.raises(MemoryError):
        scan(project)
    said = project.activity()["scan"]
    assert (said.state, said.message) == (
        "failed", "unexpected MemoryError; the terminal shows more"
    )  # fmt: skip


def test_images_that_come_later_are_taken_in(project, folder):
    from nextlabel.web.background import keep_scanned

    ended = threading.Event()
    scanning = threading.Thread(target=keep_scanned, args=(project, ended, 0.05))
    scanning.start()
    try:
        before = len(project.images())
        (folder / "late.png").write_bytes((folder / "image-00.png").read_bytes() + b"more")
        for _ in range(200):
            if len(project.images()) > before:
                break
            time.sleep(0.05)
        assert "late.png" in project.images().names
    finally:
        ended.set()
        scanning.join(10)
    assert not scanning.is_alive()
