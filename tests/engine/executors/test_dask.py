"""The executor of a Dask cluster, on a cluster in this process and trials that train nothing."""

import gc
import socket
import sys
import threading
import time

import pytest

distributed = pytest.importorskip("distributed")

from fake_trials import FakeTrials  # noqa: E402
from nextlabel.core.errors import ClusterError  # noqa: E402
from nextlabel.engine.cluster import connection  # noqa: E402
from nextlabel.engine.cluster.facts import (  # noqa: E402
    describe,
    differences,
    kind_of,
    usual_kind,
)
from nextlabel.engine.cluster.probe import Probe  # noqa: E402
from nextlabel.engine.cluster.remote_trial import Envelope, with_folders  # noqa: E402
from nextlabel.engine.cluster.submission import Submission  # noqa: E402
from nextlabel.engine.cluster.workers import ClusterWorkers  # noqa: E402
from nextlabel.engine.events import RoundDone, TrialDone, TrialFailed, TrialPlaced  # noqa: E402
from nextlabel.engine.executor import Assignment, Setup  # noqa: E402
from nextlabel.engine.executors import create, dask  # noqa: E402
from nextlabel.engine.executors.dask import DaskExecutor  # noqa: E402
from nextlabel.engine.messages import (  # noqa: E402
    DoneMessage,
    FailedMessage,
    LostMessage,
    WarningMessage,
)
from nextlabel.engine.run import run  # noqa: E402
from nextlabel.store.store import Store  # noqa: E402
from nextlabel.trial.spec import TrialSpec  # noqa: E402
from refusals import refused  # noqa: E402


def cluster_of(workers, threads=1):
    return distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=threads,
        processes=False,
        dashboard_address=":0",
        silence_logs=50,
    )


@pytest.fixture(scope="module")
def cluster():
    """Two workers of one thread each."""
    with cluster_of(2) as started:
        yield started


@pytest.fixture
def executor(cluster, tmp_path):
    """Make an executor on the cluster."""

    def make(**options):
        return DaskExecutor(
            scheduler=cluster.scheduler_address, cache_dir=tmp_path / "cache", **options
        )

    return make


def fake_work(assignment, emit):
    for message in FakeTrials()(assignment.trial, assignment.history, None, None):
        emit(message)


def test_a_grid_goes_through_the_queue_in_order(tiny, tmp_path, executor):
    with Store.open(tmp_path / "store.db") as store:
        events = list(run(tiny(), store, cache_dir=tmp_path, executor=executor(work=fake_work)))
        states = store.trials("tiny")
    assert "2 workers; dashboard http:" in events[0].where and "inproc://" in events[0].where
    assert len({event.worker for event in events if isinstance(event, TrialPlaced)}) == 2
    assert sum(isinstance(event, TrialDone) for event in events) == 6
    assert [(state.status, state.rounds) for state in states] == [("done", 4)] * 6
    for key in {state.record.key for state in states}:
        numbers = [e.round.number for e in events if isinstance(e, RoundDone) and e.key == key]
        assert numbers == [0, 1, 2, 3]


def broken(assignment, emit):
    raise RuntimeError("no such thing")


def silent(assignment, emit):
    """End without a last message."""


@pytest.mark.parametrize(
    ("work", "error"), [(broken, "no such thing"), (silent, "its worker left")]
)
def test_a_task_that_ends_without_a_last_message_fails(tiny, tmp_path, executor, work, error):
    with Store.open(tmp_path / "store.db") as store:
        experiment = tiny(seeds=[0])
        events = list(run(experiment, store, cache_dir=tmp_path, executor=executor(work=work)))
    failed = [event for event in events if isinstance(event, TrialFailed)]
    assert len(failed) == 3 and all(error in event.error for event in failed)


STOPPED = threading.Event()


def endless(assignment, emit):
    try:
        while True:
            emit(WarningMessage("still here"))
            time.sleep(0.01)
    finally:
        STOPPED.set()


def test_a_trial_stops_at_its_next_message_once_the_executor_is_closed(tiny, executor):
    STOPPED.clear()
    trial = TrialSpec.of(tiny(), "random", 0)
    with executor(work=endless) as opened:
        assert opened.ready and opened.jobs == 2
        opened.submit("key", trial, [])
        messages = [m for _, m in opened.receive(5)] + [m for _, m in opened.receive(5)]
        assert messages and not STOPPED.is_set()
    assert STOPPED.wait(10)


def test_jobs_bound_the_trials_at_a_time(tiny, executor):
    trial = TrialSpec.of(tiny(), "random", 0)
    with executor(work=endless, jobs=1) as opened:
        opened.submit("key", trial, [])
        assert not opened.ready


def test_a_worker_that_leaves_loses_its_trial(tiny, tmp_path):
    trial = TrialSpec.of(tiny(), "random", 0)
    with cluster_of(1) as alone:
        options = {"scheduler": alone.scheduler_address, "cache_dir": tmp_path, "work": endless}
        with DaskExecutor(**options) as opened:
            opened.submit("key", trial, [])
            alone.scale(0)
            deadline, received = time.monotonic() + 30, []
            while time.monotonic() < deadline:
                received += list(opened.receive(0.1))
                if received and isinstance(received[-1][1], LostMessage):
                    break
            assert received[-1][0] == "key" and received[-1][1].counts
            assert not opened.ready


def test_workers_of_several_threads_are_left_out(tmp_path):
    with (
        cluster_of(1, threads=2) as wide,
        pytest.warns(UserWarning, match="has 2 threads; start it with --nthreads 1"),
        refused(ClusterError, "no-usable-worker"),
        DaskExecutor(scheduler=wide.scheduler_address, cache_dir=tmp_path),
    ):
        pass


def test_a_gpu_experiment_needs_workers_with_the_resource(executor, monkeypatch):
    monkeypatch.setattr(
        "nextlabel.models.device.resolve_device", lambda _: type("D", (), {"type": "cuda"})
    )
    with refused(ClusterError, "no-gpu-worker"), executor(device="cuda"):
        pass


def facts(torch="1", kind="a", commit=None):
    return {"packages": {"torch": torch}, "kind": [kind, "avx"], "commit": commit, "shared": True}


def test_a_worker_that_differs_is_named_with_what_differs(tmp_path):
    own = describe(Probe(tmp_path / "none", ""))
    assert own["shared"] is False and differences(own, own, kind_of(own)) == []
    other = own | {"packages": own["packages"] | {"torch": "0.1"}, "kind": ["i386", "none"]}
    torch, processor = differences(other, own, kind_of(own))
    assert torch == f"torch 0.1 instead of {own['packages']['torch']}"
    assert processor.startswith("the processor i386 none instead of ")
    (commit,) = differences(own | {"commit": "b" * 40}, own | {"commit": "a" * 40}, kind_of(own))
    assert commit == f"nextlabel of commit {'b' * 12} instead of {'a' * 12}"


def test_the_kind_of_most_workers_counts_and_among_equals_the_drivers():
    a, b = facts(kind="a"), facts(kind="b")
    assert usual_kind([a, b, b], a) == ("b", "avx")
    assert usual_kind([a, b], a) == ("a", "avx") and usual_kind([a, b], b) == ("b", "avx")


class AnotherTorch(ClusterWorkers):
    """A workers whose driver has another torch."""

    def _judge(self):
        for answer in self._waiting.values():
            answer["packages"]["torch"] = "0.1"
        super()._judge()


@pytest.mark.parametrize("mixed", [False, True])
def test_other_versions_are_left_out_unless_allowed(executor, monkeypatch, mixed):
    monkeypatch.setattr(dask, "ClusterWorkers", AnotherTorch)
    if mixed:
        with executor(mixed_workers=True) as opened:
            assert opened.ready
    else:
        with (
            pytest.warns(UserWarning, match=r"is left out: it has torch 0\.1 instead of"),
            refused(ClusterError, "no-usable-worker", match="--mixed-workers"),
            executor(),
        ):
            pass


def test_a_cache_folder_that_is_not_shared_is_said_and_replaced(
    cluster, tmp_path, monkeypatch, tiny
):
    with connection.connect(cluster.scheduler_address, 5) as client:
        workers = ClusterWorkers(client, Probe(tmp_path / "cache", "token"))
        with pytest.warns(UserWarning, match="does not see the cache .*cache;"):
            workers.settle()
        assert len(workers.usable) == 2 and not any(map(workers.shares_cache, workers.usable))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("NEXTLABEL_DATA", str(tmp_path))
    trial = TrialSpec.of(tiny(), "random", 0)
    given = Assignment("key", trial, [], tmp_path / "absent", tmp_path / "cache")
    there = with_folders(given, shared=False)
    assert there.data_dir == tmp_path and tmp_path / "own" in there.cache_dir.parents
    assert with_folders(given, shared=True).cache_dir == tmp_path / "cache"


class Done:
    status = "finished"


@pytest.mark.parametrize(("attempt", "number"), [("second", 1), ("second", 0), ("first", 2)])
def test_a_second_attempt_or_a_gap_is_a_loss_that_does_not_count(attempt, number):
    import pickle

    content = pickle.dumps(DoneMessage())
    submission = Submission("key", Done(), "worker")
    assert submission.open(Envelope("name", "first", 0, content)) == DoneMessage()
    message = submission.open(Envelope("name", attempt, number, content))
    assert isinstance(message, LostMessage) and not message.counts


def test_an_error_of_the_cluster_is_a_failure_and_a_killed_worker_a_loss():
    class KilledWorker(Exception):
        pass

    for error, message in ((ValueError("bad"), FailedMessage), (KilledWorker(), LostMessage)):
        future = type("Future", (), {"status": "error", "exception": lambda self, e=error: e})()
        assert isinstance(Submission("key", future, "worker").end(), message)


@pytest.mark.parametrize(
    "address", ["tcp://me:secret@127.0.0.1:9", "tcp://[bad", "a:b", "", "tcp://"]
)
def test_what_is_not_an_address_of_a_scheduler_is_refused(tmp_path, address):
    setup = Setup(cache_dir=tmp_path, scheduler=address)
    with refused(ClusterError, "not-a-scheduler-address") as failure, create("dask", setup):
        pass
    assert "secret" not in str(failure.value)


def test_no_scheduler_at_the_address_is_said_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(dask, "ANSWER", 0.3)
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    with (
        refused(ClusterError, "no-scheduler", match="tcp://127.0.0.1:9"),
        create("dask", Setup(cache_dir=tmp_path, scheduler="tcp://127.0.0.1:9")),
    ):
        pass
    began = time.monotonic()
    gc.collect()  # Dask's own client would wait here for its end, and show a traceback
    assert not unraisable and time.monotonic() - began < 10


def test_another_program_at_the_address_is_no_scheduler(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        setup = Setup(cache_dir=tmp_path, scheduler=address)
        with refused(ClusterError, "no-scheduler", match="another program"), create("dask", setup):
            pass


def test_a_scheduler_of_another_version_is_refused(executor, monkeypatch):
    versions = {"scheduler": {"packages": {"distributed": "1.0"}}}
    monkeypatch.setattr(distributed.Client, "get_versions", lambda client: versions)
    with refused(ClusterError, "other-scheduler", match="is distributed 1.0, and this"), executor():
        pass


def test_a_scheduler_that_vanishes_loses_all_trials_and_is_waited_for(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(dask, "ANSWER", 0.3)
    trial = TrialSpec.of(tiny(), "random", 0)
    first = cluster_of(1)
    executor = DaskExecutor(scheduler=first.scheduler_address, cache_dir=tmp_path, work=endless)
    with executor:
        executor.submit("key", trial, [])
        first.close()
        with pytest.warns(UserWarning, match="is out of reach; waiting up to 10 minutes"):
            for _ in range(100):
                received = list(executor.receive(0.1))
                if any(isinstance(message, LostMessage) for _, message in received):
                    break
        assert received[-1] == ("key", LostMessage(dask.UNREACHABLE, counts=False))
        assert list(executor.receive(0.1)) == [] and not executor.ready
        with cluster_of(1) as second:
            executor._address = second.scheduler_address
            for _ in range(100):
                assert list(executor.receive(0.1)) == []
                if executor.ready:
                    break
            assert executor.ready
        monkeypatch.setattr(dask, "PATIENCE", 0.0)
        with pytest.warns(UserWarning), refused(ClusterError, "no-scheduler"):
            for _ in range(100):
                list(executor.receive(0.1))
