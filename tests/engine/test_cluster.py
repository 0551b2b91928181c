"""A grid on a cluster of real processes with PostgreSQL as store, of which some are killed."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest

pytest.importorskip("distributed")

from nextlabel.engine.run import run
from nextlabel.store.store import Store
from postgresql import postgresql_server, postgresql_url  # noqa: F401 - fixtures

DRIVER = """
import sys
from pathlib import Path
from nextlabel.engine.executor import Setup
from nextlabel.engine.executors import create
from nextlabel.engine.run import run
from nextlabel.experiment.parse import load_experiment
from nextlabel.store.store import Store

if __name__ == "__main__":
    experiment, location, cache, scheduler = sys.argv[1:]
    setup = Setup(cache_dir=Path(cache), scheduler=scheduler or None, jobs=2)
    with Store.open(location) as store:
        for event in run(
            load_experiment(experiment), store, cache_dir=Path(cache),
            executor=create("dask", setup),
        ):
            print(type(event).__name__, flush=True)
"""


def rows(location):
    """Return all rounds by arm and seed, without times."""
    with Store.read(location) as store:
        return {
            (state.record.arm, state.record.seed): [
                round.identity for round in store.history(state.record.key)
            ]
            for state in store.trials("tiny")
        }


@pytest.fixture
def start(tmp_path):
    """Start a Python process; all that are left are killed at the end."""
    with ExitStack() as stack:

        def begin(*arguments, **options):
            log = stack.enter_context((tmp_path / "processes.log").open("a"))
            options = {"stdout": log, "stderr": subprocess.STDOUT, **options}
            process = subprocess.Popen([sys.executable, *map(str, arguments)], **options)
            stack.callback(end, process)
            return process

        yield begin


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait(30)
    if process.stdout is not None:
        process.stdout.close()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def cluster(start):
    """Start a scheduler; return its address, and a function that starts a worker."""
    address = f"tcp://127.0.0.1:{free_port()}"
    quiet = ("--host", "127.0.0.1", "--no-dashboard")
    port = address.rpartition(":")[2]
    start("-m", "dask", "scheduler", "--port", port, *quiet)

    def worker():
        return start("-m", "dask", "worker", address, "--nthreads", "1", "--no-nanny", *quiet)

    return address, worker


def wait_for_rounds(driver, number):
    """Read the events of a driver until that many rounds are stored."""
    for line in driver.stdout:
        number -= line.strip() == "RoundDone"
        if not number:
            return
    raise AssertionError(f"the driver ended early, {number} rounds too soon")


@pytest.mark.slow
def test_killed_workers_and_drivers_leave_the_rows_of_the_local_executor(
    tiny,
    tmp_path,
    start,
    cluster,
    postgresql_url,  # noqa: F811
):
    arms = [
        {"name": "random", "strategy": "random"},
        {"name": "core-set + VAE", "strategy": "core_set", "features": {"task": 1.0, "vae": 1.0}},
    ]
    epochs = {"initial": 8, "step": 0}
    experiment = tiny(training__epochs=epochs, seeds=[0], arms=arms, primary=None)
    (tmp_path / "tiny.toml").write_text(experiment.to_toml())
    (tmp_path / "driver.py").write_text(DRIVER)
    address, worker = cluster
    workers = [worker(), worker()]

    def drive():
        arguments = tmp_path / "tiny.toml", postgresql_url, tmp_path / "cache", address
        return start(
            tmp_path / "driver.py", *arguments, stdout=subprocess.PIPE, stderr=None, text=True
        )

    driver = drive()
    with Store.open(tmp_path / "calm.db") as store:  # meanwhile
        list(run(experiment, store, cache_dir=tmp_path / "calm", jobs=2))
    expected = rows(tmp_path / "calm.db")
    assert [len(rounds) for rounds in expected.values()] == [4] * 2

    wait_for_rounds(driver, 1)
    workers[0].kill()
    worker()
    wait_for_rounds(driver, 1)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait(30)
    stored = sum(map(len, rows(postgresql_url).values()))
    assert 2 <= stored < 8
    last = drive()
    output, _ = last.communicate(timeout=300)
    assert last.returncode == 0
    assert output.count("RoundDone") == 8 - stored and output.count("TrialFailed") == 0
    assert rows(postgresql_url) == expected
