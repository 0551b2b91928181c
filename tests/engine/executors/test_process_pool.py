import os
import subprocess
import sys

import pytest

from nextlabel.engine.executors import process_pool as pools
from nextlabel.engine.executors.process_pool import process_pool
from nextlabel.engine.worker_environment import THREADS
from worker_facts import modules, thread_pools

linux = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
CORES = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()


def in_worker(threads, *call):
    with process_pool(1, threads) as pool:
        return pool.submit(*call).result(timeout=120)


def alone(code, *arguments, **options):
    """Run code in a process of its own, so that it starts no server here."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False, **options,
    )  # fmt: skip


def test_a_pool_sets_the_threads_of_the_trial_whatever_the_user_has_set(monkeypatch):
    monkeypatch.setattr(pools, "_sharing", False)  # these settings are not to be the server's
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("MALLOC_TOP_PAD_", "1")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with process_pool(1, 2) as pool:
        assert [pool.submit(os.getenv, name).result(120) for name in THREADS] == ["2"] * 3
        assert pool.submit(os.getenv, "MALLOC_TOP_PAD_").result(120) == "1"
    assert os.environ["OMP_NUM_THREADS"] == "7" and os.environ["MALLOC_TOP_PAD_"] == "1"
    assert "MKL_NUM_THREADS" not in os.environ


@linux
def test_workers_of_later_pools_come_from_the_server_of_the_first():
    assert in_worker(1, os.getppid) == in_worker(1, os.getppid) != os.getpid()
    assert {"sklearn.metrics", "torch._dynamo"} <= in_worker(1, modules)


def test_a_program_that_shares_nothing_starts_no_server(monkeypatch):
    monkeypatch.setattr(pools, "_sharing", False)
    assert in_worker(1, os.getppid) == os.getpid()


def test_a_worker_has_the_environment_of_its_driver_as_it_is_now(monkeypatch):
    in_worker(1, os.getppid)
    monkeypatch.setenv("NEXTLABEL_DATA", "elsewhere")
    monkeypatch.delenv("HOME", raising=False)
    assert in_worker(1, os.getenv, "NEXTLABEL_DATA") == "elsewhere"
    assert in_worker(1, os.getenv, "HOME") is None


@pytest.mark.parametrize("threads", [1, 2])
def test_libraries_in_a_worker_have_the_threads_asked_for(threads):
    if threads > CORES:
        pytest.skip("libraries take no more threads than there are cores")
    in_worker(1, os.getppid)  # the server is that of one thread
    found = in_worker(threads, thread_pools)
    assert found and set(found) == {threads}


def test_a_long_folder_of_temporary_files_stops_nobody(tmp_path):
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    code = """
import os
from multiprocessing import Pipe
from nextlabel.engine.executors.process_pool import process_pool

if __name__ == "__main__":
    with process_pool(1, 1) as pool:
        inbox, outbox = Pipe(duplex=False)  # its end goes over by a socket of its own
        pool.submit(type(outbox).send, outbox, "arrived").result(timeout=100)
        print(inbox.recv())
"""
    found = alone(code, env={**os.environ, "TMPDIR": str(folder)})
    assert found.stdout == "arrived\n", found.stderr


@linux
def test_ctrl_c_while_the_server_imports_leaves_no_traceback():
    code = """
import os, signal, time
from nextlabel.engine.executors.process_pool import prepare, share_imports

signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs of a shell ignore it

share_imports()
prepare(1)
for _ in range(4):
    time.sleep(0.2)
    try:
        os.killpg(0, signal.SIGINT)  # as a terminal does
        time.sleep(0.2)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""
    found = alone(code, start_new_session=True)
    assert found.stdout == "interrupted\n" * 4 and found.stderr == ""


def test_the_server_stops_importing_when_its_driver_is_gone():
    code = """
import itertools, os

parents = itertools.chain([7], itertools.repeat(1))
os.getppid = lambda: next(parents)
import nextlabel.engine.preload
print("imported all the same")
"""
    found = alone(code)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
