"""docs/cluster.md is true: its commands run on processes of this machine."""

import os
import re
import shlex
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import typer
import yaml

pytest.importorskip("distributed")

from nextlabel.cli import app
from nextlabel.store.store import Store
from postgresql import postgresql_server, postgresql_url  # noqa: F401 - fixtures

GUIDE = (Path(__file__).parents[2] / "docs/cluster.md").read_text(encoding="utf-8")

EXPERIMENT = """
name = "digits"
seeds = 1
initial = 20
batch = 20
target = 20
data = { name = "digits", train = 150, validation = 60, test = 30 }
model = { name = "small_cnn", weights = "random" }
training = { epochs = { initial = 1, step = 0 }, device = "cpu" }
arms = [{ name = "random", strategy = "random" }]
"""

SRUN = """#!/usr/bin/env bash
for _ in $(seq "$SLURM_NTASKS"); do "$@" & done
wait
"""


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.M | re.S)


@pytest.fixture
def folder(tmp_path):
    """A folder with the experiment, and programs with the names that the page uses."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/digits.toml").write_text(EXPERIMENT)
    (tmp_path / "bin").mkdir()
    programs = {
        "dask": f'exec {shlex.quote(sys.executable)} -m dask "$@"\n',
        "nextlabel": f'exec {shlex.quote(sys.executable)} -m nextlabel "$@"\n',
    }
    for name, text in {k: f"#!/usr/bin/env bash\n{v}" for k, v in programs.items()}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "bin/srun").write_text(SRUN)
    (tmp_path / "bin/srun").chmod(0o755)
    return tmp_path


def environment(folder, **values):
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(folder / "own"), **values}


def free_port():
    with socket.socket() as listener:
        listener.bind(("", 0))
        return listener.getsockname()[1]


def trials(location):
    with Store.read(location) as store:
        return [(trial.status, trial.rounds) for trial in store.trials("digits")]


@pytest.fixture
def run(folder):
    """Run a block's commands in their order; those of `dask` stay in the background."""
    with ExitStack() as stack:

        def commands(block, **replaced):
            outputs = []
            for line in block.splitlines():
                for old, new in replaced.values():
                    line = line.replace(old, new)
                words = shlex.split(line)
                options = {"cwd": folder, "env": environment(folder)}
                if words[0] == "dask":
                    log = stack.enter_context((folder / "log").open("a"))
                    words += ["--host", "127.0.0.1", "--no-dashboard"]
                    process = subprocess.Popen(words, stdout=log, stderr=log, **options)
                    stack.callback(process.wait, 60)
                    stack.callback(process.terminate)
                elif words[0] == "nextlabel":
                    done = subprocess.run(words, capture_output=True, text=True, **options)
                    assert done.returncode == 0, done.stderr
                    outputs.append((done.stdout, done.stderr))
            return outputs

        yield commands


STORE = "runs/digits/store.db"


@pytest.mark.slow
def test_a_cluster_of_this_machine(run, folder):
    ((_, err),) = run(blocks("sh")[0])
    assert re.search(r"Dask cluster at tcp://127\.0\.0\.1:\d+, 2 workers; dashboard http://", err)
    assert trials(folder / STORE) == [("done", 1)]


@pytest.mark.slow
def test_a_cluster_of_several_machines(run, folder):
    port = str(free_port())
    host = {"host": ("head:8786", f"127.0.0.1:{port}"), "port": ("8786", port)}
    _, (_, err) = run(blocks("sh")[1], **host)
    assert f"Dask cluster at tcp://127.0.0.1:{port}" in err and " on tcp://" in err
    assert trials(folder / STORE) == [("done", 1)]


@pytest.mark.slow
def test_a_database_for_several_drivers(run, folder, postgresql_url):  # noqa: F811
    _, (status, _), (report, _) = run(
        blocks("sh")[2], url=("postgresql://me@database/results", postgresql_url)
    )
    assert "done" in status and "report.html" in report
    assert trials(postgresql_url) == [("done", 1)]


@pytest.mark.slow
def test_the_script_for_slurm_runs_with_a_stand_in_for_srun(folder):
    (script,) = blocks("bash")
    (folder / "job.sh").write_text(script)
    done = subprocess.run(
        ["bash", "job.sh"],
        cwd=folder, capture_output=True, text=True, timeout=300,
        env=environment(folder, SLURM_NTASKS="2", PORT=str(free_port())),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert trials(folder / "runs/digits/store.db") == [("done", 1)]


def test_the_file_for_kubernetes_parses_and_its_commands_exist():
    (text,) = blocks("yaml")
    documents = list(yaml.safe_load_all(text))
    assert [document["kind"] for document in documents] == [
        *("Service", "Deployment", "Deployment", "Job")
    ]
    commands = [
        container["command"]
        for document in documents[1:]
        for container in document["spec"]["template"]["spec"]["containers"]
    ]
    assert [command[0] for command in commands] == ["dask", "dask", "nextlabel"]
    run = typer.main.get_command(app).commands[commands[2][1]]
    assert run.make_context("run", commands[2][2:]).params["scheduler"] == "tcp://scheduler:8786"
