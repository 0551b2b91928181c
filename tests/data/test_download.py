import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nextlabel.core.errors import DataError, UsageError
from nextlabel.data.download import FileLocator, Remote
from refusals import refused

GOOD = b"the file as published" * 5000
MD5 = hashlib.md5(GOOD).hexdigest()


class Server(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        altered = GOOD[:-1] + b"X"
        body = {"/good": GOOD, "/altered": altered, "/short": GOOD, "/page": b"<html>"}.get(
            self.path
        )
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write((body or b"")[: 1000 if self.path == "/short" else None])

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    Server.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def remote(*urls: str, shared: bool = False) -> Remote:
    return Remote("set", "file.gz", MD5, urls, shared)


DEAD = "http://127.0.0.1:9/nobody"


def test_downloads_once_and_verifies(url: str, bare: Path) -> None:
    locator, wanted = FileLocator(), remote(f"{url}/good")
    assert locator.where(wanted) == "download"
    local = locator.fetch(wanted)
    assert local.path == bare / "set" / "file.gz"
    assert local.path.read_bytes() == GOOD
    assert local.sha256 == hashlib.sha256(GOOD).hexdigest()
    assert locator.where(wanted) == "cached"
    assert locator.fetch(wanted) == local
    assert Server.asked == ["/good"]


@pytest.mark.parametrize("bad", ["altered", "short", "page", "missing"])
def test_a_bad_mirror_is_passed_over_and_leaves_nothing(url: str, bare: Path, bad: str) -> None:
    local = FileLocator().fetch(remote(DEAD, f"{url}/{bad}", f"{url}/good"))
    assert local.path.read_bytes() == GOOD
    assert Server.asked == [f"/{bad}", "/good"]
    assert [p.name for p in local.path.parent.iterdir() if "part" in p.name] == []


def test_all_mirrors_bad(url: str, bare: Path) -> None:
    altered = hashlib.md5(GOOD[:-1] + b"X").hexdigest()
    with refused(DataError, "download-failed") as failure:
        FileLocator().fetch(remote(DEAD, f"{url}/altered", f"{url}/short", f"{url}/missing"))
    for words in (MD5, altered, "HTTP status 404", "ConnectionError", "set/file.gz", "--data-dir"):
        assert words in str(failure.value)
    assert [p.name for p in (bare / "set").iterdir() if p.suffix != ".lock"] == []


def test_progress_is_drawn_on_stderr(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    FileLocator(progress=True).fetch(remote(f"{url}/good"))
    captured = capsys.readouterr()
    assert "100%" in captured.err and captured.out == ""


@pytest.mark.parametrize("place", ["set/file.gz", "file.gz"])
@pytest.mark.parametrize("by", ["argument", "variable"])
def test_found_in_a_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, by: str
) -> None:
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(GOOD)
    if by == "variable":
        monkeypatch.setenv("NEXTLABEL_DATA", str(tmp_path))
    locator = FileLocator(tmp_path if by == "argument" else None)
    assert locator.where(remote(DEAD)) == "present"
    assert locator.fetch(remote(DEAD)).path == path


@pytest.mark.parametrize("place", ["folder", "cache"])
@pytest.mark.parametrize("content", [GOOD[:-7], GOOD[:-1] + b"X", b""])
def test_a_bad_local_file_is_named_and_never_used(
    url: str, tmp_path: Path, bare: Path, place: str, content: bytes
) -> None:
    path = (tmp_path if place == "folder" else bare) / "set" / "file.gz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with refused(DataError, "checksum-mismatch") as failure:
        FileLocator(tmp_path).fetch(remote(f"{url}/good"))
    for words in (str(path), MD5, hashlib.md5(content).hexdigest(), "delete it"):
        assert words in str(failure.value)
    assert Server.asked == [] and path.read_bytes() == content


def test_a_shared_flat_name_counts_only_by_content(url: str, tmp_path: Path) -> None:
    (tmp_path / "file.gz").write_bytes(b"another set's file")
    wanted = remote(f"{url}/good", shared=True)
    assert FileLocator(tmp_path).where(wanted) == "download"
    assert FileLocator(tmp_path).fetch(wanted).path.read_bytes() == GOOD
    (tmp_path / "file.gz").write_bytes(GOOD)
    assert FileLocator(tmp_path).where(wanted) == "present"


def test_missing_data_folder(tmp_path: Path) -> None:
    with refused(
        UsageError, "no-such-data-folder", match=r"data folder .*gone does not exist; create it"
    ):
        FileLocator(tmp_path / "gone").fetch(remote(DEAD))


def test_unwritable_cache(url: str, bare: Path) -> None:
    (bare / "set").write_text("a file where the folder should be")
    with refused(
        DataError,
        "download-not-writable",
        match=r"file\.gz cannot be written to .*; make room there",
    ):
        FileLocator().fetch(remote(f"{url}/good"))


def test_a_flat_file_of_a_shared_name_that_is_another_is_named(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file.gz").write_bytes(GOOD[:9000])
    monkeypatch.setattr("nextlabel.data.download.user_cache", lambda kind: tmp_path / "cache")
    with pytest.warns(
        UserWarning, match=rf"file.gz is not set's.*expected md5 {MD5}, found \w+ in"
    ):
        found = FileLocator(tmp_path).fetch(remote(f"{url}/good", shared=True))
    assert found.path == tmp_path / "cache" / "set" / "file.gz"
