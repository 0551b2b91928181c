"""Strategies that cover the pool, side by side with plain blocked ones, in one thread, warm.

`python benchmarks/covering.py` takes 20,000 images of 64 features, exact, with nothing and with 200
labelled, and all strategies on 100,000 images. `--full` adds 100,000 × 512 and 1,000,000 × 64. The
time is that of the processor, so that other work on the machine disturbs little.
"""

import argparse
import os
import statistics
import time
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from nextlabel import Carried, Embedding, Pool, Snapshot
from nextlabel.kernels.coverage.bandwidth import neighbour_distance
from nextlabel.strategies import create
from selection import mixture, row

BUDGET, LABELLED, BLOCK = 100, 200, 1024
STRATEGIES = ("core_set", "medal", "typiclust", "max_herding", "uherding", "prob_cover")


def squared_distances(rows, others):
    """Return ‖x - y‖² (r, n) in float32, by one product."""
    values = rows @ others.T
    values *= -2
    values += np.einsum("ij,ij->i", others, others)
    values += np.einsum("ij,ij->i", rows, rows)[:, None]
    return values


def blocks(size):
    """Yield slices of at most BLOCK rows."""
    for start in range(0, size, BLOCK):
        yield slice(start, min(start + BLOCK, size))


def plain_max_herding(x, labelled, budget, sigma):
    """Pick MaxHerding the plain way: all gains again for each pick, block by block."""
    covered = np.zeros(len(x), np.float32)
    for centre in x[labelled]:
        np.maximum(covered, np.exp(-squared_distances(centre[None], x)[0] / sigma**2), out=covered)
    picks = []
    for _ in range(budget):
        gains = np.empty(len(x), np.float32)
        for span in blocks(len(x)):
            values = squared_distances(x[span], x)
            values /= -(sigma**2)
            np.exp(values, out=values)
            values -= covered
            gains[span] = np.maximum(values, 0, out=values).sum(axis=1)
        gains[np.concatenate([labelled, np.array(picks, int)])] = -1
        picks.append(int(gains.argmax()))
        near = np.exp(-squared_distances(x[picks[-1:]], x)[0] / sigma**2)
        np.maximum(covered, near, out=covered)
    return np.array(picks)


def plain_prob_cover(x, labelled, budget, radius):
    """Pick ProbCover the plain way: the images that each ball adds, again for each pick."""
    balls = np.zeros(len(x), np.int64)
    for centre in x[labelled]:
        balls += squared_distances(centre[None], x)[0] <= radius**2
    picks = []
    for _ in range(budget):
        taken = np.concatenate([labelled, np.array(picks, int)])
        unlabelled = np.setdiff1d(np.arange(len(x)), taken)
        targets = unlabelled[balls[unlabelled] == balls[unlabelled].min()]
        gains = np.empty(len(x), np.int64)
        for span in blocks(len(x)):
            gains[span] = (squared_distances(x[span], x[targets]) <= radius**2).sum(axis=1)
        gains[taken] = -1
        picks.append(int(gains.argmax()))
        balls += squared_distances(x[picks[-1:]], x)[0] <= radius**2
    return np.array(picks)


def processor_seconds(call, *arguments):
    """Return the processor's seconds of a call, and its result."""
    clock = time.process_time()
    result = call(*arguments)
    return time.process_time() - clock, result


def slope(call, x, labelled, few=1, more=3):
    """Return the seconds of BUDGET picks, from those of `few` and `more`."""
    first, _ = processor_seconds(call, x, labelled, few)
    second, _ = processor_seconds(call, x, labelled, more)
    return first + (second - first) / (more - few) * (BUDGET - few)


def picks_of(name, x, labelled, carried=None, **options):
    """Return the picks of a strategy, by even probabilities of ten classes."""
    pool = Pool(len(x), labelled)
    probabilities = np.random.default_rng(2).dirichlet(np.ones(10), len(x)).astype(np.float32)
    view = Snapshot(pool, features=Embedding.of(x), probabilities=probabilities, carried=carried)
    return create(name, options).select(view, BUDGET, np.random.default_rng(1))


def exact(repeats, size=20_000):
    """Time the exact covers of 20,000 images next to the plain ones."""
    x = mixture(size, 50, np.random.default_rng(0), columns=64)
    sigma = neighbour_distance(x, np.arange(size))
    for count in (0, LABELLED):
        labelled = np.random.default_rng(1).choice(size, count, replace=False)
        print(f"{size:,} × 64, exact, {count} labelled, {BUDGET} picks")
        for name, plain in (
            ("max_herding", partial(plain_max_herding, sigma=sigma)),
            ("prob_cover", partial(plain_prob_cover, radius=sigma / 2)),
        ):
            width = {"bandwidth": sigma} if name == "max_herding" else {"radius": sigma / 2}
            call = partial(picks_of, name, x, labelled, references="all", **width)
            took = statistics.median(processor_seconds(call)[0] for _ in range(repeats))
            row(name, took, took, f"median of {repeats}")
            row("  plain, blocked, float32", slope(plain, x, labelled), took, "slope")


def table(size, columns, labelled=LABELLED):
    """Print the seconds of two rounds of each strategy with its defaults on float16 features."""
    rng = np.random.default_rng(0)
    x = mixture(size, 50, rng, np.empty((size, columns), np.float16), columns)
    labelled_ids = rng.choice(size, labelled, replace=False)
    print(f"{size:,} × {columns} float16, {labelled} labelled, {BUDGET} picks, default options")
    print(f"  {'':<40}{'first round':>12}{'the next':>12}")
    for name in STRATEGIES:
        carried = Carried()
        first, picks = processor_seconds(picks_of, name, x, labelled_ids, carried)
        more = np.concatenate([labelled_ids, picks])
        then, _ = processor_seconds(picks_of, name, x, more, carried)
        print(f"  {name:<40}{first:>10.2f} s{then:>10.2f} s", flush=True)


def main(full=False):
    """Print the tables."""
    exact(3 if full else 1)
    table(100_000, 64)
    if full:
        table(100_000, 512)
        table(1_000_000, 64)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="100,000 × 512 and 1,000,000 × 64 too")
    main(parser.parse_args().full)
