"""Strategies that cover the pool, side by side with plain blocked ones, in one thread, warm.

`python benchmarks/covering.py` takes 20,000 images of 64 features, exact, with nothing and with 200
labelled, and all strategies on 100,000 × 64, 100,000 × 512 and 1,000,000 × 64. `--full` adds the
next round of the last two. The time is that of the processor, so that other work on the machine
disturbs little; memory is that over the features.
"""

import argparse
import os
import statistics
from functools import cache, partial

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from memory import PeakMemory

from nextlabel import Carried, Embedding, Pool, Snapshot
from nextlabel.kernels.coverage.bandwidth import neighbour_distance
from nextlabel.strategies import create
from selection import mixture, row, seconds

BUDGET, LABELLED, BLOCK = 100, 200, 1024
AIM_EXACT, AIM_MEGABYTES = 3, 1000
AIMS = {
    (20_000, 64): (AIM_EXACT,),
    (100_000, 64): (5, 1),
    (100_000, 512): (20, None),
    (1_000_000, 64): (60, None),
}
"""Seconds that the first round and the next may take, by the features."""
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


def slope(call, x, labelled, few=1, more=3):
    """Return the seconds of BUDGET picks, from those of `few` and `more`."""
    first, _ = seconds(call, x, labelled, few)
    second, _ = seconds(call, x, labelled, more)
    return first + (second - first) / (more - few) * (BUDGET - few)


@cache
def probabilities_of(size):
    """Return even probabilities of ten classes, drawn once."""
    return np.random.default_rng(2).dirichlet(np.ones(10), size).astype(np.float32)


def picks_of(name, x, labelled, carried=None, **options):
    """Return the picks of a strategy."""
    pool, probabilities = Pool(len(x), labelled), probabilities_of(len(x))
    view = Snapshot(pool, features=Embedding.of(x), probabilities=probabilities, carried=carried)
    return create(name, options).select(view, BUDGET, np.random.default_rng(1))


def exact(repeats, size=20_000):
    """Time the exact covers of 20,000 images next to the plain ones."""
    x = mixture(size, 50, np.random.default_rng(0), columns=64)
    probabilities_of(size)
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
            took = statistics.median(seconds(call)[0] for _ in range(repeats))
            missed = "" if took <= AIM_EXACT else ", missed"
            row(name, took, took, f"median of {repeats}; aim: {AIM_EXACT} s{missed}")
            row("  plain, blocked, float32", slope(plain, x, labelled), took, "slope")


def table(size, columns, rounds=2, repeats=1):
    """Print the seconds and MB of rounds of each strategy with its defaults on float16 features.

    Seconds are medians of `repeats`.
    """
    rng = np.random.default_rng(0)
    x = mixture(size, 50, rng, np.empty((size, columns), np.float16), columns)
    labelled = rng.choice(size, LABELLED, replace=False)
    probabilities_of(size)
    aims = AIMS[size, columns][:rounds]
    print(f"{size:,} × {columns} float16, {LABELLED} labelled, {BUDGET} picks, default options")
    names = ("first round", "the next")[: len(aims)]
    print(f"  {'':<30}" + "".join(f"{name:>18}" for name in names) + f"{'memory':>18}")
    print(f"  {'aim':<30}" + "".join(cell(aim) for aim in aims) + cell(AIM_MEGABYTES, unit="MB"))
    for name in STRATEGIES:
        took = np.empty((repeats, rounds))
        with PeakMemory() as peak:
            for repeat in range(repeats):
                carried, taken = Carried(), labelled
                for number in range(rounds):
                    took[repeat, number], picks = seconds(picks_of, name, x, taken, carried)
                    taken = np.concatenate([taken, picks])
        cells = "".join(map(cell, np.median(took, axis=0), aims))
        print(f"  {name:<30}{cells}{cell(peak.megabytes, AIM_MEGABYTES, 'MB')}", flush=True)


def cell(value, aim=None, unit="s"):
    """Return a figure, marked where it is above its aim, in 18 characters."""
    if value is None:
        return f"{'-':>18}"
    figure = f"{value:.2f}" if unit == "s" else f"{value:.0f}"
    return f"{'missed ' if aim is not None and value > aim else ''}{figure} {unit}".rjust(18)


def main(full=False):
    """Print the tables."""
    exact(3)
    table(20_000, 64, rounds=1)
    table(100_000, 64, repeats=3)
    table(100_000, 512, rounds=2 if full else 1)
    table(1_000_000, 64, rounds=2 if full else 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="more repeats, two rounds everywhere")
    main(parser.parse_args().full)
