"""Selection side by side, in one process, one thread, warm: picks, the processor's seconds, ratios.

`python benchmarks/selection.py` takes the paper's MNIST step: 25,000 images of 512 features,
3,000 labelled, 3,000 to pick. `--full` adds 1,000,000 images on disk (2 GB in --folder, removed
afterwards), of which 10,000 are labelled and 10,000 picked. scikit-activeml, the peer, is
installed by `make bench`, or by pip install ".[bench]".
"""

import argparse
import importlib.util
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from memory import PeakMemory

from nextlabel import farthest_first, farthest_from_mean
from nextlabel.core.space.embedding import Embedding
from nextlabel.kernels import reference

SIZE, DIMENSIONS, LABELLED, BUDGET = 25_000, 512, 3_000, 3_000


def mixture(size, clusters, rng, out=None, columns=DIMENSIONS):
    """Return a Gaussian mixture, float32 (size, columns), written tile by tile."""
    centres = (rng.normal(size=(clusters, columns)) * 3).astype(np.float32)
    out = np.empty((size, columns), np.float32) if out is None else out
    for start in range(0, size, 20_000):
        n = min(20_000, size - start)
        noise = rng.standard_normal((n, columns), np.float32)
        out[start : start + n] = centres[rng.integers(0, clusters, n)] + noise
    return out


def plain_core_set(features, labelled, budget):
    """Pick core-set the plain way: a tiled product at first, then one per pick, float32."""
    squares = np.einsum("ij,ij->i", features, features)
    nearest = np.full(len(features), np.inf, np.float32)
    for s in range(0, len(features), 2048):
        tile = slice(s, s + 2048)
        for t in range(0, len(labelled), 1024):
            some = labelled[t : t + 1024]
            product = features[tile] @ features[some].T
            product *= -2
            product += squares[some]
            np.minimum(nearest[tile], product.min(axis=1) + squares[tile], out=nearest[tile])
    nearest[labelled] = -np.inf
    picks = np.empty(budget, np.int64)
    for k in range(budget):
        picks[k] = best = int(nearest.argmax())
        distances = features @ features[best]
        distances *= -2
        distances += squares
        distances += squares[best]
        np.minimum(nearest, distances, out=nearest)
        nearest[best] = -np.inf
    return picks


def plain_medal(features, labelled, budget):
    """Pick MedAL by its closed form, ‖z‖² - 2 z·μ: one product per pick."""
    shifted = features - features[labelled].mean(axis=0)
    squares = np.einsum("ij,ij->i", shifted, shifted)
    total, count = shifted[labelled].sum(axis=0, dtype=np.float64), len(labelled)
    squares[labelled] = -np.inf
    picks = np.empty(budget, np.int64)
    for k in range(budget):
        scores = squares - 2 * (shifted @ (total / count).astype(np.float32))
        picks[k] = best = int(scores.argmax())
        squares[best], total, count = -np.inf, total + shifted[best], count + 1
    return picks


def least_work(features, labelled, picks):
    """Compute the distances that any exact method needs: of picks to all centres before them."""
    rows = features[np.concatenate([labelled, picks])]
    for start in range(len(labelled), len(rows), 512):
        rows[start : start + 512] @ rows[: start + 512].T


def seconds(call, *arguments):
    """Return the processor's seconds of a call, and its result."""
    clock = time.process_time()
    result = call(*arguments)
    return time.process_time() - clock, result


def slope(call, features, labelled, budget, short):
    """Return the seconds of `budget` picks, from `short` and 3 × `short` of them."""
    few, _ = seconds(call, features, labelled, short)
    more, _ = seconds(call, features, labelled, 3 * short)
    return few + (more - few) / (2 * short) * (budget - short)


def peer(features, labelled, budget):
    """Run scikit-activeml's CoreSet."""
    from skactiveml.pool import CoreSet
    from skactiveml.utils import MISSING_LABEL

    y = np.full(len(features), MISSING_LABEL)
    y[labelled] = 0
    return CoreSet(random_state=0).query(features, y, batch_size=budget)


def row(name, took, ours, note=""):
    print(f"  {name:<52}{took:>9.2f} s{took / ours:>9.1f}×   {note}")


def paper_step(repeats):
    """Time both kernels on the paper's step, in turns, so that a busy machine slows all alike."""
    rng = np.random.default_rng(0)
    features = mixture(SIZE, 20, rng)
    labelled = rng.choice(SIZE, LABELLED, replace=False)
    for name, ours, plain, text in (
        ("core-set", farthest_first, plain_core_set, "plain: tiled products, then one per pick"),
        ("MedAL", farthest_from_mean, plain_medal, "closed form: one product per pick"),
    ):
        print(f"{name}: {SIZE:,} × {DIMENSIONS}, {LABELLED:,} labelled, {BUDGET:,} picks, 1 thread")
        ours(features, labelled, BUDGET)
        pairs = []
        for _ in range(repeats):
            fast, picks = seconds(ours, features, labelled, BUDGET)
            pairs.append((fast, slope(plain, features, labelled, BUDGET, 150)))
        took = statistics.median(fast for fast, _ in pairs)
        ratio = statistics.median(slow / fast for fast, slow in pairs)
        row("nextlabel", took, took, f"median of {repeats}")
        row(text, ratio * took, took, "slope of 150 and 450 picks; median of the ratios")
        if name == "core-set":
            least = statistics.median(
                seconds(least_work, features, labelled, picks)[0] for _ in range(repeats)
            )
            row("least work: distances among the picked alone", least, took)
            if importlib.util.find_spec("skactiveml"):
                peer(features[:200], labelled[:0], 2)  # warm
                row(
                    "scikit-activeml CoreSet",
                    slope(peer, features, labelled, BUDGET, 150),
                    took,
                    "slope of 150 and 450 picks",
                )
            else:
                print("  scikit-activeml is not installed here: make bench does it")


def same_picks():
    """Print whether the picks are those of the literal float64 reference."""
    rng = np.random.default_rng(1)
    features = mixture(3_000, 20, rng)
    labelled = rng.choice(3_000, 600, replace=False)
    for name, ours, truth in (
        ("core-set", farthest_first, reference.farthest_first),
        ("MedAL", farthest_from_mean, reference.farthest_from_mean),
    ):
        took, picks = seconds(ours, features, labelled, 300)
        literal, expected = seconds(truth, features, labelled, 300)
        same = "the same picks" if np.array_equal(picks, expected) else "OTHER PICKS"
        print(
            f"{name}: 3,000 × 512, 600 labelled, 300 picks: {same} as the literal formula, "
            f"{literal / took:.0f}× faster"
        )


def million(folder, size=1_000_000, count=10_000):
    """Time core-set on features on disk; the file is removed even after a failure."""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        file = Path(temporary) / "features.npy"
        stored = np.lib.format.open_memmap(file, "w+", np.float32, (size, DIMENSIONS))
        mixture(size, 100, np.random.default_rng(0), stored)
        stored.flush()
        del stored
        labelled = np.random.default_rng(1).choice(size, count, replace=False)
        features = np.load(file, mmap_mode="r")
        print(f"core-set: {size:,} × {DIMENSIONS} on disk, {count:,} labelled, {count:,} picks")
        loading, space = seconds(Embedding.of, features)
        clock = time.perf_counter()
        with PeakMemory() as peak:
            took, picks = seconds(farthest_first, space, labelled, count)
        row(
            "nextlabel",
            took,
            took,
            f"{time.perf_counter() - clock:.1f} s in all; "
            f"loading and checking took {loading:.1f} s",
        )
        least, _ = seconds(least_work, features, labelled, picks)
        row("least work: distances among the picked alone", least, took)
        row(
            "one pass per pick would take about",
            slope(plain_core_set, features, labelled[:100], count, 2),
            took,
            "slope of 2 and 6 picks",
        )
        print(f"  memory on top of the file: {peak.megabytes:.0f} MB")


def main(full=False, folder=None):
    """Print the tables."""
    same_picks()
    paper_step(9 if full else 3)
    if full:
        million(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="a million images, and more repeats")
    parser.add_argument("--folder", help="where the million images may lie; the usual one for /tmp")
    main(**vars(parser.parse_args()))
