"""The command line as a whole: quick help, exit codes, and never a traceback."""

import errno
import os
import subprocess
import sys
import warnings

import pytest

from nextlabel import cli
from nextlabel.cli import main
from nextlabel.cli.failure import explain
from nextlabel.core.errors import DataError, StoreError, UsageError

COMMANDS = [
    "demo",
    "run",
    "status",
    "report",
    "map",
    "select",
    "embed",
    "strategies",
    "datasets",
    "cache",
]
HEAVY = ["torch", "sklearn", "scipy", "pandas", "matplotlib", "sqlalchemy", "statsmodels", "numpy"]


def nextlabel(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "nextlabel", *arguments], capture_output=True, text=True, **more
    )


@pytest.mark.parametrize("command", [[], ["select"], ["run"]])
def test_help_imports_nothing_heavy(command):
    code = (
        "import sys; from nextlabel.cli import main; main(sys.argv[1:]); "
        f"print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    arguments = [sys.executable, "-c", code, *command, "--help"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert "Usage: nextlabel" in done.stdout
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help_on_stdout(command, flag, capsys):
    assert main([command, flag]) == 0
    out, err = capsys.readouterr()
    assert f"nextlabel {command}" in out
    assert not err


def test_the_list_of_commands_is_complete(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"│ {command} " in out for command in COMMANDS)
    assert main([]) == 0
    assert capsys.readouterr().out == out


def test_version_and_completion(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("nextlabel 0.")
    assert main(["--help"]) == 0
    assert "--install-completion" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["selct"], "no such command 'selct'"),
        (["select"], "missing option '--budget'; see nextlabel select --help"),
        (["select", "--budget", "ten"], "invalid value for '--budget'"),
        (["select", "--jason"], "no such option: --jason"),
        (["run"], "missing argument"),
        (["run", "x.toml", "--jobs", "0"], "invalid value for '--jobs'"),
        (["cache", "prune"], "either --all or --older-than DAYS"),
        (["cache", "prune", "--all", "--older-than", "3"], "either --all or --older-than DAYS"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(arguments, says, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("error: ")
    assert says in err
    assert err.count("\n") == 1


def raising(error):
    def describe(data_dir):
        raise error

    return describe


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (UsageError("budget 9 exceeds 3"), 2, "error: budget 9 exceeds 3\n"),
        (DataError("row 3 is bad"), 1, "error: row 3 is bad\n"),
        (StoreError("two\nlines"), 1, "error: two lines\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "error: the disk is full; free"),
        (PermissionError(errno.EACCES, "denied", "/x/y"), 1, "error: /x/y: permission denied; ch"),
        (OSError(errno.EROFS, "ro", "/x"), 1, "error: /x: the file system is read-only"),
        (FileNotFoundError(errno.ENOENT, "no", "z"), 1, "error: z: there is no such file"),
        (OSError(errno.EIO, "Input/output error", "z"), 1, "error: z: Input/output error; check"),
        (OSError("odd"), 1, "error: odd; check"),
        (MemoryError(), 1, "error: there is not enough memory"),
        (KeyboardInterrupt(), 130, "stopped\n"),
        (
            RuntimeError("[enforce] . DefaultCPUAllocator: can't allocate memory"),
            1,
            "error: there is",
        ),
        (BrokenPipeError(errno.EPIPE, "pipe"), 1, ""),
        (ZeroDivisionError("by zero"), 1, "error: unexpected ZeroDivisionError: by zero; NEXTLA"),
    ],
)
def test_what_goes_wrong_is_one_line(error, code, says, capsys, monkeypatch):
    monkeypatch.setattr("nextlabel.data.describe", raising(error))
    try:
        found = main(["datasets"])
    except SystemExit as stop:  # typer's own way out of a broken pipe
        found = stop.code
    out, err = capsys.readouterr()
    assert found == code
    assert not out
    assert err.startswith(says)
    assert err.count("\n") <= 1
    assert "Traceback" not in err


def test_ctrl_c_anywhere_is_130():
    assert explain(KeyboardInterrupt()) == ("stopped", 130)


def test_the_unforeseen_shows_its_traceback_when_asked(monkeypatch):
    monkeypatch.setattr("nextlabel.data.describe", raising(ZeroDivisionError("by zero")))
    monkeypatch.setenv("NEXTLABEL_DEBUG", "1")
    with pytest.raises(ZeroDivisionError, match="by zero"):
        main(["datasets"])


def test_warnings_are_one_line_on_stderr(capsys, monkeypatch):
    def describe(data_dir):
        warnings.warn("two\nlines", stacklevel=1)
        return []

    monkeypatch.setattr("nextlabel.data.describe", describe)
    before = warnings.showwarning
    assert main(["datasets", "--json"]) == 0
    assert capsys.readouterr() == ("[]\n", "warning: two lines\n")
    assert warnings.showwarning is before


def test_colours_follow_the_terminal_and_no_color(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(cli.output.typer, "echo", lambda text, err: shown.append(text))
    shown: list[str] = []
    cli.output.complain("x")
    monkeypatch.setenv("NO_COLOR", "1")
    cli.output.complain("x")
    assert shown == ["\x1b[31m\x1b[1merror:\x1b[0m x", "error: x"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")  # noqa: PTH110
def test_a_full_disk_behind_stdout_is_a_failure():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "nextlabel", "datasets"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert (
        done.stderr == "error: the disk is full; free some space and run the same command again\n"
    )


def test_a_reader_that_leaves_early_is_no_error():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "nextlabel", "datasets"],
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == ""


def test_python_m_nextlabel_passes_the_exit_code_on():
    assert nextlabel("--version").returncode == 0
    assert nextlabel("nonsense").returncode == 2
