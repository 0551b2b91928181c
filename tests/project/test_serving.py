"""The claim of a server on its project."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nextlabel.core.errors import UsageError
from nextlabel.project.store.serving import FILE, ServerClaim, running_server
from refusals import refused

HOLD = """
import sys
from pathlib import Path
from nextlabel.project.store.serving import ServerClaim
with ServerClaim(Path(sys.argv[1])) as claim:
    claim.announce("http://127.0.0.1:8765/", "secret")
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_second_server_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        refusal = refused(UsageError, "project-served", match=r"http://127\.0\.0\.1:8765/; open")
        with refusal, ServerClaim(tmp_path):
            pass
        assert running_server(tmp_path)["pid"] == process.pid
        if os.name == "posix":
            assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    finally:
        process.kill()
        process.communicate()
    with ServerClaim(tmp_path) as claim:
        assert running_server(tmp_path) == {}
        claim.announce("http://127.0.0.1:1/")
        assert running_server(tmp_path)["url"] == "http://127.0.0.1:1/"
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("content", ["", "[1]", "{"])
def test_a_damaged_file_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    assert running_server(tmp_path) == {}
