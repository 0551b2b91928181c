"""Every registered strategy on 100,000 images, and with `--full` on 1,000,000: time and memory.

`python benchmarks/strategies.py [--full] [NAME …]` takes 64 float16 features, 200 labelled images
and a budget of 100. Signals of a model are drawn at random, for ten classes. Each strategy runs in
one thread, warm, in a process of its own. The time is that of the processor; a strategy that needs
more than the limit is stopped. The memory is that in addition to the signals, which have to be
there.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from memory import resident

from nextlabel import Embedding, Pool, Snapshot
from nextlabel.core.errors import NextlabelError
from nextlabel.strategies import STRATEGIES, create
from selection import mixture

COLUMNS, CLASSES, LABELLED, BUDGET = 64, 10, 200, 100
SIZES = {False: (100_000,), True: (100_000, 1_000_000)}
LIMIT = 180
"""Seconds of the processor that one strategy may take."""


def rows_of(shape, rng):
    """Return probabilities of CLASSES classes, float32, from a few thousand distinct rows."""
    few = rng.dirichlet(np.ones(CLASSES), 4096).astype(np.float32)
    return few[rng.integers(0, len(few), shape)]


SIGNALS = {
    "features": lambda size, rng: Embedding.of(
        mixture(size, 50, rng, np.empty((size, COLUMNS), np.float16), COLUMNS)
    ),
    "probabilities": lambda size, rng: rows_of(size, rng),
    "samples": lambda size, rng: rows_of((size, 64), rng),
    "dropped": lambda size, rng: rows_of((size, 3), rng),
    "true_labels": lambda size, rng: rng.integers(0, CLASSES, size),
}
"""Functions that draw signals; a signal that is not here is one number per image."""


def view_of(strategy, size):
    """Return a pool with labels and the signals that a strategy needs."""
    rng = np.random.default_rng(0)
    drawn = {
        signal: SIGNALS.get(signal, lambda size, rng: rng.random(size))(size, rng)
        for signal in sorted(strategy.needs)
    }
    pool = Pool(size, np.random.default_rng(1).choice(size, LABELLED, replace=False))
    return Snapshot(pool, signals=drawn)


def one(name, size):
    """Run a strategy, and print its seconds and megabytes, or what it refuses."""
    strategy = create(name)
    warnings.simplefilter("ignore")
    strategy.select(view_of(strategy, 1000), 10, np.random.default_rng(2))  # imports what it needs
    view = view_of(strategy, size)
    limit = int(time.process_time()) + 1 + LIMIT
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins again
    before, clock = resident("VmRSS"), time.process_time()
    try:
        strategy.select(view, BUDGET, np.random.default_rng(2))
    except NextlabelError as error:
        print(json.dumps({"refused": error.code}))
        return
    took = time.process_time() - clock
    print(json.dumps({"seconds": took, "megabytes": max(resident("VmHWM") - before, 0)}))


def measured(name, size):
    """Return the two cells of a strategy."""
    command = [sys.executable, __file__, "--one", str(size), name]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        last = (finished.stderr.strip().splitlines() or ["killed"])[-1]
        return f"over {LIMIT} s" if finished.returncode < 0 else last[:30], ""
    result = json.loads(finished.stdout)
    if "refused" in result:
        return result["refused"], ""
    return f"{result['seconds']:.2f} s", f"{result['megabytes']:.0f} MB"


def main(full=False, names=()):
    """Print the table."""
    sizes = SIZES[full]
    print(f"every strategy: {COLUMNS} float16 features, {LABELLED} labelled, {BUDGET} picks")
    print("  " + f"{'':<18}" + "".join(f"{f'{size:,} images':>26}" for size in sizes))
    for name in names or sorted(STRATEGIES):
        cells = [measured(name, size) for size in sizes]
        print(
            f"  {name:<18}" + "".join(f"{time:>16}{memory:>10}" for time, memory in cells),
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="1,000,000 images too")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", help="strategies; all by default")
    given = parser.parse_args()
    if given.one:
        one(given.names[0], given.one)
    else:
        main(given.full, given.names)
