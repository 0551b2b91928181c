"""A PostgreSQL store: `status` and a report of many trials, and two drivers against one.

python benchmarks/shared_store.py read [--trials 10000]
python benchmarks/shared_store.py drivers [--seeds 2] [--arms random entropy …]

Both use the server of NEXTLABEL_TEST_DB_URL, or start one of their own on loopback.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from postgresql import database, server  # noqa: E402

ROUNDS = 10
ARMS = 20
SHARED_ARMS = ("random", "entropy", "core-set", "core-set + VAE", "MedAL")
"""Arms of the demo, of about a minute with two seeds and one job."""


@contextmanager
def timed(what):
    """Print the seconds that a block of code takes, and those of a processor outside the server."""
    began, busy = time.perf_counter(), sum(os.times()[:4])
    yield
    seconds, used = time.perf_counter() - began, sum(os.times()[:4]) - busy
    print(f"{what:44} {seconds:8.2f} s, of which {used:7.2f} s of a processor here", flush=True)


def fill(url, trials):
    """Write an experiment of 20 arms with ten rounds a trial."""
    from nextlabel.experiment.parse import parse_experiment
    from nextlabel.store.store import Store, TrialRecord

    seeds = range(max(1, trials // ARMS))
    raw = {
        "name": "many",
        "seeds": list(seeds),
        "initial": 10,
        "batch": 10,
        "target": 10 * ROUNDS,
        "data": {"name": "digits"},
        "arms": [{"name": f"arm {arm}", "strategy": "random"} for arm in range(ARMS)],
    }
    spec = parse_experiment(raw).resolved() | {"headline": "validation/accuracy"}
    records = [
        TrialRecord(
            hashlib.sha256(f"{arm['name']} {seed}".encode()).hexdigest(),
            arm["name"],
            seed,
            {"start": "random", "data_checksum": "d", "arm": arm},
        )
        for arm in spec["arms"]
        for seed in seeds
    ]
    rng = np.random.default_rng(0)
    with Store.open(url) as store:
        store.enrol("many", spec, records)
        connection = store._engine.raw_connection()
        cursor = connection.cursor()
        each = [(trial, n) for trial in range(1, len(records) + 1) for n in range(ROUNDS)]
        with cursor.copy("COPY rounds FROM STDIN") as copy:
            for trial, n in each:
                chosen = str(rng.integers(0, 50_000, 10).tolist())
                copy.write_row((trial, n, 10 * (n + 1), chosen, 1.0, 10, 100, "random", True,
                                False, 2**30, None))  # fmt: skip
        with cursor.copy("COPY metrics FROM STDIN") as copy:
            for trial, n in each:
                for name in ("validation/accuracy", "test/accuracy", "test/loss"):
                    copy.write_row((trial, n, name, rng.random()))
        with cursor.copy("COPY seconds FROM STDIN") as copy:
            for trial, n in each:
                for phase in ("select", "train", "evaluate"):
                    copy.write_row((trial, n, "round", phase, 1.0))
        cursor.execute("UPDATE trials SET status = 'done'")
        cursor.execute("ANALYZE")
        connection.commit()
    return len(records)


def read(url, trials):
    """Time `status` and a report, each in a process of its own, and their parts."""
    from nextlabel.report.results import read_results
    from nextlabel.store.store import Store

    with timed(f"writing {trials:,} trials of {ROUNDS} rounds"):
        fill(url, trials)
    with Store.read(url) as store:
        with timed("counts of all trials, of `status`"):
            store.counts("many")
        with timed("all rounds, of a report"):
            results = read_results(store, "many")
        with timed("table of the arms"):
            results.summary()
    nextlabel = [sys.executable, "-m", "nextlabel"]
    for words in (["status", "many"], ["report"]):
        with tempfile.TemporaryDirectory() as out, timed(f"nextlabel {words[0]}, all of it"):
            where = ["--store", url, *(["--out", out] if words[0] == "report" else [])]
            subprocess.run([*nextlabel, *words, *where], check=True, stdout=subprocess.DEVNULL)


def drivers(server_url, seeds, arms):
    """Time the demo's experiment with one driver of one job, and with two on one store."""
    experiment = ROOT / "src/nextlabel/experiments/digits.toml"
    chosen = [word for arm in arms for word in ("--arm", arm)]
    seconds, rows = {}, {}
    for number in (1, 2):
        with database(server_url) as url, tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            running = [
                subprocess.Popen(
                    [
                        sys.executable, "-m", "nextlabel", "run", str(experiment), *chosen,
                        *("--seeds", str(seeds), "--jobs", "1", "--store", url),
                        *("--out", f"{folder}/{k}", "--cache-dir", f"{folder}/cache"),
                    ],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )
                for k in range(number)
            ]  # fmt: skip
            assert [process.wait() for process in running] == [0] * number
            seconds[number] = time.perf_counter() - began
            rows[number] = rows_of(url, arms)
        drivers = f"{number} driver{'s' * (number > 1)}"
        print(
            f"{drivers} of one job: {seconds[number]:.1f} s, {len(rows[number])} rows", flush=True
        )
    assert rows[1] == rows[2], "the rows differ"
    ratio = seconds[2] / seconds[1]
    print(f"the same rows, each once; ratio {ratio:.2f} (bar 0.65), load {os.getloadavg()[0]:.1f}")


def rows_of(url, arms):
    """Return all rounds of these arms by arm, seed and number, without times."""
    from nextlabel.store.store import Store

    with Store.read(url) as store:
        states = [state for state in store.trials("digits") if state.record.arm in arms]
        histories = store.histories("digits")
    assert {state.status for state in states} == {"done"}
    return {
        (state.record.arm, state.record.seed, round.number): round.identity
        for state in states
        for round in histories[state.record.key]
    }


def main():
    """Run the part that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("read", "drivers"))
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--arms", nargs="+", default=SHARED_ARMS)
    given = parser.parse_args()
    with server() as server_url:
        if given.part == "drivers":
            drivers(server_url, given.seeds, given.arms)
        else:
            with database(server_url) as url:
                read(url, given.trials)


if __name__ == "__main__":
    main()
