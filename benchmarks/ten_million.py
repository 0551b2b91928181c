"""Core-set on features on disk, up to 10,000,000 × 128 in float16: time, memory, and a proof.

`python benchmarks/ten_million.py` writes 2.56 GB into a folder under --folder, which it removes,
and chooses 10,000 images next to 10,000 labelled ones from ever longer parts of that file. The
file's pages are dropped before each, so that it comes from the disk, and each has a process of its
own, so that none finds memory that another left. Times are those of the processor, one thread;
memory is that over the mapped file. `--largest 1000000` stops earlier.
"""

import argparse
import os
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from growth import IMAGES, exponent
from memory import PeakMemory

from nextlabel import Embedding, farthest_first
from nextlabel.kernels import reference
from selection import mixture

COLUMNS, LABELLED, BUDGET = 128, 10_000, 10_000
SIZES = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
LARGEST = SIZES[-1]
BAR_SECONDS, BAR_MEGABYTES = 60, 500
PICTURE = IMAGES / "ten_million.svg"
CHECKED = (0, BUDGET // 10, BUDGET - 1)
"""The picks that one literal pass over all rows checks."""


def from_disk(file):
    """Return the mapped rows of a file of which nothing is in memory."""
    descriptor = os.open(file, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)
    return np.load(file, mmap_mode="r")


def labelled_of(size):
    """Return the ids of the labelled images."""
    return np.random.default_rng(1).choice(size, LABELLED, replace=False)


def choose(file, size):
    """Return the picks among the first rows of a file, seconds by both clocks, and megabytes."""
    features, labelled = from_disk(file)[:size], labelled_of(size)
    wall, clock = time.perf_counter(), time.process_time()
    with PeakMemory() as peak:
        picks = farthest_first(Embedding.of(features), labelled, BUDGET)
    return picks, time.process_time() - clock, time.perf_counter() - wall, peak.megabytes


def squared_distances(features, one, others):
    """Return ‖x - y‖² in float64 of one row to others, by differences."""
    row = features[one].astype(np.float64)
    return np.square(features[others].astype(np.float64) - row).sum(axis=1)


def others_farther(features, labelled, picks, steps):
    """Return images that were farther from all centres than the pick at one of `steps`.

    One pass over all rows; a row is left as soon as some centre, or it is one itself, is surely
    nearer than the smallest of the picks' distances. What products in float32 leave open is decided
    by differences.
    """
    centres = np.concatenate([labelled, picks])[: len(labelled) + steps[-1]]
    ends = [len(labelled) + step for step in steps]
    radii = [
        squared_distances(features, picks[step], np.sort(centres[:end])).min()
        for step, end in zip(steps, ends, strict=True)
    ]
    rows = features[centres].astype(np.float32)
    squares = np.einsum("ij,ij->i", rows, rows)
    farther = []
    for start in range(0, len(features), 8192):
        ids = np.arange(start, min(start + 8192, len(features)))
        tile = features[ids].astype(np.float32)
        norms = np.einsum("ij,ij->i", tile, tile)
        slack = 1e-4 * (norms + squares.max())
        nearest, begin = np.full(len(ids), np.inf, np.float32), 0
        for step, end, radius in zip(steps, ends, radii, strict=True):
            while begin < end:
                stop = min(begin + max(begin, 256), end)
                near = squares[begin:stop] - 2 * (tile @ rows[begin:stop].T)
                np.minimum(nearest, near.min(axis=1) + norms, out=nearest)
                begin, left = stop, nearest >= radii[-1] - slack
                ids, tile, norms = ids[left], tile[left], norms[left]
                slack, nearest = slack[left], nearest[left]
            for one in ids[nearest >= radius - slack]:
                exact = squared_distances(features, one, centres[:end]).min()
                if (exact, -one) > (radius, -picks[step]):
                    farther.append(int(one))
    return farther


def same_as_literal(features, count=300):
    """Print whether a small part gives the picks of the literal formula."""
    labelled = np.random.default_rng(2).choice(len(features), count, replace=False)
    picks = farthest_first(features, labelled, count)
    same = np.array_equal(picks, reference.farthest_first(features, labelled, count))
    print(
        f"  {len(features):,} images, {count} labelled, {count} picks: "
        + ("the same picks as the literal formula" if same else "OTHER PICKS")
    )


def draw(sizes, seconds, megabytes):
    """Write the log-log picture of time and memory; the dotted line has the exponent of time."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    from nextlabel.report.figures import HUES, plot_style

    with plot_style():
        plt.rcParams["text.parse_math"] = True
        figure, panels = plt.subplots(1, 2, figsize=(6, 2.6))
        k = exponent(sizes, seconds)
        line = seconds[-1] * (np.array(sizes) / sizes[-1]) ** k
        panels[0].loglog(sizes, line, ":", color=HUES[0])
        panels[0].set_title(rf"seconds of the processor, $\mathrm{{N}}^{{{k:.2f}}}$")
        panels[1].set_title("MB over the file")
        aims = BAR_SECONDS, BAR_MEGABYTES
        for axis, values, aim, hue in zip(panels, (seconds, megabytes), aims, HUES, strict=False):
            axis.loglog(sizes, values, "o-", color=hue)
            axis.axhline(aim, color="grey", linewidth=0.8)
            axis.annotate(f"aim: {aim}", (sizes[0], aim), (0, 2), textcoords="offset points")
            axis.set(xlabel="N", ylim=(min(values) / 3, 3 * aim))
            axis.yaxis.set_minor_formatter(NullFormatter())
        figure.tight_layout()
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(PICTURE, metadata={"Date": None})


def main(full=False, folder=None, largest=LARGEST):
    """Print a row per size, the exponents and what was checked; draw them where all sizes ran."""
    sizes = [size for size in SIZES if size <= largest]
    needed = sizes[-1] * COLUMNS * 2
    print(
        f"core-set from disk: {COLUMNS} columns in float16, {LABELLED:,} labelled, {BUDGET:,} picks"
    )
    folder = folder or tempfile.gettempdir()
    if shutil.disk_usage(folder).free < 1.1 * needed:
        print(f"  left out: {folder} has no room for {needed / 1e9:.1f} GB; give another --folder")
        return
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        file = Path(temporary) / "features.npy"
        stored = np.lib.format.open_memmap(file, "w+", np.float16, (sizes[-1], COLUMNS))
        mixture(len(stored), 100, np.random.default_rng(0), stored, COLUMNS)
        stored.flush()
        del stored
        same_as_literal(from_disk(file)[:10_000])
        seconds, megabytes = [], []
        for size in sizes:
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                picks, took, wall, memory = process.submit(choose, file, size).result()
            seconds.append(took)
            megabytes.append(memory)
            cells = f"{took:>8.2f} s of the processor{wall:>8.1f} s in all{memory:>7.0f} MB"
            print(f"  {size:>12,}{cells}", flush=True)
        print(f"  aims at 10,000,000: {BAR_SECONDS} s, {BAR_MEGABYTES} MB over the file")
        if len(sizes) > 2:
            grown = (megabytes[-1] - megabytes[-2]) * 2**20 / (sizes[-1] - sizes[-2])
            print(
                f"  N^{exponent(sizes, seconds):.2f}, memory {grown:.0f} bytes per image at the end"
            )
        farther = others_farther(from_disk(file), labelled_of(sizes[-1]), picks, CHECKED)
        named = ", ".join(f"{step + 1:,}" for step in CHECKED)
        print(
            f"  picks {named}, by one literal pass: "
            + (f"FARTHER WERE {farther[:3]}" if farther else "none of the other images was farther")
        )
    if largest >= LARGEST:
        draw(sizes, seconds, megabytes)
        print(f"  drawn: {PICTURE}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", help="where the file may lie; the usual one for /tmp")
    parser.add_argument("--largest", type=int, default=LARGEST, help="the largest number of images")
    main(**vars(parser.parse_args()))
