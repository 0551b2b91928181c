"""A real run in a real process, stopped by a real signal, and gone on with."""

import os
import shlex
import signal
import subprocess
import sys

import pytest

from nextlabel.store.store import Store

TOML = """
name = "stopped"
seeds = 1
initial = 20
batch = 10
target = 60
[data]
name = "digits"
train = 150
validation = 50
test = 50
[model]
name = "small_cnn"
weights = "random"
image_size = 8
[training]
epochs = { initial = 2, step = 0 }
[[arms]]
name = "random"
strategy = "random"
[[arms]]
name = "core-set"
strategy = "core_set"
baseline = "random"
"""


def rounds(path):
    with Store.open(path, create=False) as store:
        return {
            (trial.record.arm, trial.record.seed): [
                known.identity for known in store.history(trial.record.key)
            ]
            for trial in store.trials("stopped")
        }


def start(folder, *command):
    environment = {k: v for k, v in os.environ.items() if k != "NEXTLABEL_DATA"}
    return subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, text=True, env=environment,
        stdout=subprocess.DEVNULL, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # shells' jobs ignore it
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_gives_the_command_that_goes_on_and_keeps_what_was_there(number, tmp_path):
    (tmp_path / "stopped.toml").write_text(TOML)
    arguments = ["run", "stopped.toml", "--cache-dir", "kept", "--jobs", "1"]
    run = start(tmp_path, sys.executable, "-m", "nextlabel", *arguments)
    lines = []
    for line in run.stderr:
        lines.append(line)
        if "round 2 of" in line:
            os.killpg(run.pid, number)  # as a terminal does: the workers get it too
            break
    rest = run.stderr.read()
    assert run.wait(60) == 130, rest
    assert "Traceback" not in rest and "leaked" not in rest
    command = shlex.split(rest.splitlines()[-1])
    assert command == [sys.executable, "-m", "nextlabel", *arguments]
    before = rounds(tmp_path / "runs/stopped/store.db")
    assert 2 <= sum(map(len, before.values())) < 10

    again = start(tmp_path, *command)
    assert again.wait(300) == 0, again.stderr.read()
    after = rounds(tmp_path / "runs/stopped/store.db")
    assert [len(known) for known in after.values()] == [5] * 2
    for place, known in before.items():
        assert after[place][: len(known)] == known
