import os
import sys

import pytest

from nextlabel.lab import worker
from nextlabel.lab.worker import THREADS, process_pool


def test_workers_have_the_threads_of_the_trial_whatever_the_user_has_set(monkeypatch):
    monkeypatch.setattr(worker, "_served", {})  # these settings are not to be the server's
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("MALLOC_TOP_PAD_", "1")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with process_pool(1, 2):
        assert [os.environ[name] for name in THREADS] == ["2"] * 3
        assert os.environ["MALLOC_TOP_PAD_"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "7" and os.environ["MALLOC_TOP_PAD_"] == "1"
    assert "MKL_NUM_THREADS" not in os.environ


def in_worker(threads, *call):
    with process_pool(1, threads) as pool:
        return pool.submit(*call).result(timeout=120)


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
def test_workers_of_later_pools_come_from_the_server_of_the_first():
    assert in_worker(1, os.getppid) == in_worker(1, os.getppid) != os.getpid()
    assert "sklearn.metrics" in in_worker(1, imported)


def imported():
    return set(sys.modules)


def test_a_worker_has_the_environment_of_its_driver_as_it_is_now(monkeypatch):
    in_worker(1, os.getppid)
    monkeypatch.setenv("NEXTLABEL_DATA", "elsewhere")
    monkeypatch.delenv("HOME", raising=False)
    assert in_worker(1, os.getenv, "NEXTLABEL_DATA") == "elsewhere"
    assert in_worker(1, os.getenv, "HOME") is None


@pytest.mark.parametrize("threads", [1, 2])
def test_libraries_in_a_worker_have_the_threads_asked_for(threads):
    in_worker(1, os.getppid)  # the server is that of one thread
    found = in_worker(threads, thread_pools)
    assert found and set(found) == {threads}


def thread_pools():
    import sklearn.metrics  # noqa: F401 - brings its own BLAS and OpenMP
    import threadpoolctl

    return [library["num_threads"] for library in threadpoolctl.threadpool_info()]
