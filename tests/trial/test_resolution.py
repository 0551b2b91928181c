"""An experiment is resolved once: no file is read again for each trial."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from nextlabel.engine.plan import plan
from nextlabel.engine.run import run
from nextlabel.store.store import Store
from nextlabel.trial.resolution import resolve
from nextlabel.trial.spec import trials
from refusals import refused

COUNTERS = Path("/proc/self/io")
needs_counters = pytest.mark.skipif(
    not COUNTERS.exists(), reason="needs the byte counters of Linux"
)


def bytes_read():
    """Return the bytes that this process has read by system calls so far."""
    return int(COUNTERS.read_text().split()[1])


@pytest.fixture
def shared(tiny, tmp_path):
    """24 trials that all use one embedding file, and the size of the file in bytes."""
    file = tmp_path / "shared.npy"
    rng = np.random.default_rng(0)
    np.save(file, rng.normal(size=(150, 50_000)).astype(np.float32))
    arms = [
        {"name": f"α = {weight}", "strategy": "core_set", "features": {str(file): weight}}
        for weight in (1.0, 2.0, 3.0)
    ]
    model = {"name": "linear", "block": str(file)}
    experiment = tiny(arms=arms, primary=None, seeds=list(range(8)), model=model, blocks={})
    return experiment, file.stat().st_size


@needs_counters
def test_a_plan_reads_a_shared_file_once(shared):
    experiment, size = shared
    plan(experiment, jobs=2)  # libraries are read the first time
    before = bytes_read()
    assert plan(experiment, jobs=2).trials == 24
    assert (bytes_read() - before) / size < 1.5


@needs_counters
def test_a_run_reads_a_shared_file_once_before_it_starts(shared, tmp_path):
    experiment, size = shared
    for name in ("first", "second"):  # libraries are read the first time
        with Store.open(tmp_path / f"{name}.db") as store:
            before = bytes_read()
            events = run(experiment, store, cache_dir=tmp_path / "cache")
            assert next(events).pending == 24
            share = (bytes_read() - before) / size
            events.close()
    assert share < 1.5


@needs_counters
def test_a_worker_does_not_read_it_again_for_its_key(shared):
    """A trial that was sent to another process brings the digests of its files."""
    experiment, size = shared
    resolve(experiment)  # libraries are read the first time
    sent = pickle.dumps(trials(experiment))
    before = bytes_read()
    arrived = pickle.loads(sent)
    assert {trial.key("d") for trial in arrived} == {t.key("d") for t in trials(experiment)}
    assert (bytes_read() - before) / size < 1.5  # `trials` on the right resolves once


def test_a_missing_file_is_said_before_any_trial(tiny, tmp_path):
    from nextlabel.core.errors import DataError

    arms = [{"name": "mine", "strategy": "core_set", "features": {str(tmp_path / "no.npy"): 1.0}}]
    with refused(DataError, "feature-file-unreadable", match=r"no\.npy"):
        resolve(tiny(arms=arms, primary=None))
