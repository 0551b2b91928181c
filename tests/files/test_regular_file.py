import os
import socket
from pathlib import Path

import pytest

from nextlabel.files.arrays import check_regular


def test_files_and_links_to_them_are_regular(tmp_path):
    (tmp_path / "x").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    check_regular(tmp_path / "x")
    check_regular(tmp_path / "link")


@pytest.mark.parametrize("kind", ["pipe", "link", "socket", "device"])
def test_what_never_ends_is_not_opened(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the address of a socket must be short
    if kind == "pipe":
        os.mkfifo("x")
    elif kind == "link":
        os.mkfifo("y")
        Path("x").symlink_to("y")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as end:
            end.bind("x")
    else:
        Path("x").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="a pipe, socket or device, not a file"):
        check_regular(tmp_path / "x")


def test_what_is_none(tmp_path):
    with pytest.raises(IsADirectoryError):
        check_regular(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("absent", "loop"):
        with pytest.raises(OSError, match=name):
            check_regular(tmp_path / name)
