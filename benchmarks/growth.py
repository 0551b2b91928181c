"""Growth of cost: core-set selection against N, b, d and |L|, and whole trials against seeds.

`python benchmarks/growth.py` goes to 100,000 images, `--full` to 1,000,000 (2 GB of memory). Every
other size stays at the base below. An exponent k is fitted to the upper half of the sizes, where
fixed costs no longer hide it: twice the size costs 2^k times as much. Selections are timed by the
processor's clock, one thread; trials by wall clock, one worker.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from nextlabel import farthest_first
from selection import mixture

BASE = {"images": 25_000, "picks": 500, "columns": 256, "labelled": 500}
SIZES = {
    "images": (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000),
    "picks": (30, 100, 300, 1_000, 3_000, 10_000),
    "columns": (64, 128, 256, 512, 1_024),
    "labelled": (30, 100, 300, 1_000, 3_000, 10_000),
}
SYMBOLS = {"images": "N", "picks": "b", "columns": "d", "labelled": "|L|", "seeds": "seeds"}
SEEDS = (1, 2, 4)
LARGEST = 100_000
IMAGES = Path(__file__).parents[1] / "docs" / "images"
PICTURE = IMAGES / "growth.svg"


def selection(repeats, **sizes):
    """Return the processor's seconds of a selection, median of `repeats` after one to warm up."""
    size = BASE | sizes
    rng = np.random.default_rng(0)
    features = mixture(size["images"], 20, rng, columns=size["columns"])
    labelled = rng.choice(size["images"], size["labelled"], replace=False)
    farthest_first(features, labelled, 1)
    times = []
    for _ in range(repeats):
        clock = time.process_time()
        farthest_first(features, labelled, size["picks"])
        times.append(time.process_time() - clock)
    return statistics.median(times)


def trials(seeds):
    """Return the seconds of some small trials by one worker, with start-up and report."""
    from end_to_end import PAIR, ours, pair

    experiment = pair("digits", PAIR[:1], seeds=seeds, target=100)
    with tempfile.TemporaryDirectory() as folder:
        ran, report, _ = ours(experiment, Path(folder))
    return ran + report


def exponent(sizes, times):
    """Return k of seconds ∝ size^k, fitted to the upper half of the sizes."""
    upper = len(sizes) // 2
    return float(np.polyfit(np.log(sizes[upper:]), np.log(times[upper:]), 1)[0])


def draw(measured):
    """Write the log-log picture; dotted lines have the fitted exponents."""
    import matplotlib.pyplot as plt

    from nextlabel.report.figures import HUES, plot_style

    with plot_style():
        plt.rcParams["text.parse_math"] = True
        figure, axes = plt.subplots(
            1, len(measured), figsize=(2.3 * len(measured), 2.5), sharey=True
        )
        for axis, (what, (sizes, times)), hue in zip(axes, measured.items(), HUES, strict=False):
            k = exponent(sizes, times)
            axis.loglog(sizes, times, "o-", color=hue)
            axis.loglog(sizes, times[-1] * (np.array(sizes) / sizes[-1]) ** k, ":", color=hue)
            axis.set(xlabel=SYMBOLS[what], title=rf"$\mathrm{{{SYMBOLS[what]}}}^{{{k:.2f}}}$")
            if sizes[-1] < 10 * sizes[0]:
                axis.set_xticks(sizes, [str(size) for size in sizes])
                axis.set_xticks([], minor=True)
        axes[0].set_ylabel("seconds")
        figure.tight_layout()
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(PICTURE, metadata={"Date": None})


def main(full=False):
    """Print a row per size, the exponents, and draw them."""
    measured = {}
    print("growth: core-set selection, " + ", ".join(f"{v:,} {k}" for k, v in BASE.items()))
    for what, sizes in SIZES.items():
        sizes = [size for size in sizes if full or size <= LARGEST]
        times = [selection(5 if full else 3, **{what: size}) for size in sizes]
        measured[what] = sizes, times
        show(what, sizes, times)
    measured["seeds"] = list(SEEDS), [trials(count) for count in SEEDS]
    show("seeds", *measured["seeds"])
    start, each = np.polynomial.Polynomial.fit(*measured["seeds"], 1).convert().coef
    print(f"  trials of digits, two rounds: {start:.1f} s to start and report, {each:.1f} s a seed")
    draw(measured)
    print(f"  drawn: {PICTURE}")


def show(what, sizes, times):
    pairs = "  ".join(f"{n:,}: {t:.3g} s" for n, t in zip(sizes, times, strict=True))
    print(f"  {what:<10}{SYMBOLS[what]}^{exponent(sizes, times):.2f}   {pairs}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="up to 1,000,000 images, more repeats")
    main(**vars(parser.parse_args()))
