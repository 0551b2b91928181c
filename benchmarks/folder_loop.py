"""From a folder to a classifier by the commands alone: default suggestions and random ones.

For each seed, images of a data set are written out as PNG: a folder to label, and a folder of
others. Five rounds of `suggest`, answered with the true labels, give 100 labels; then come `fit`
and `predict`. A second loop draws all images at random (`--audit 1`). The table has the accuracy
on the other folder, the estimate that `fit` gives with its interval, and the true accuracy on the
images of the first folder without a label.

    python benchmarks/folder_loop.py --data mnist --images 2000 --seeds 5
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from nextlabel.data import load
from nextlabel.data.settings import DataSettings

LOOPS = {"default": (), "random": ("--audit", "1")}


def write_folder(folder, images, labels, classes):
    """Write images as PNG, and return the true name of each file's class."""
    from PIL import Image

    folder.mkdir(parents=True)
    truth = {}
    for number, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        name = f"{number:05}.png"
        channels = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
        Image.fromarray(channels).save(folder / name)
        truth[name] = classes[label]
    return truth


def nextlabel(*words):
    """Run a command and return its stdout and its seconds."""
    clock = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "nextlabel", *map(str, words)], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"nextlabel {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout, time.perf_counter() - clock


def write_labels(path, answers):
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "label"), *answers.items()])


def share_right(table, truth, apart_from=()):
    rows = [row for row in csv.DictReader(table.splitlines()) if row["path"] not in apart_from]
    return statistics.mean(row["label"] == truth[row["path"]] for row in rows)


def loop(work, truth, others, options, rounds, budget, features):
    """Return the figures of one loop."""
    answers, seconds = {}, []
    labels = work / f"labels-{'-'.join(options) or 'default'}.csv"
    cache = ("--cache-dir", work / "cache", *features)
    for _ in range(rounds):
        write_labels(labels, answers)
        given = ("--labels", labels) if answers else ()
        out, took = nextlabel(
            "suggest", work / "pool", "--budget", budget, *given, *options, *cache
        )
        seconds.append(took)
        answers |= {name: truth[name] for name in out.split()}
    write_labels(labels, answers)
    model = work / "classifier"
    out, took = nextlabel("fit", work / "pool", "--labels", labels, "-o", model, "--json", *cache)
    estimate = json.loads(out)["estimate"]
    pool, _ = nextlabel("predict", model, work / "pool", *cache[:2])
    other, predicting = nextlabel("predict", model, work / "others", *cache[:2])
    return {
        "others": share_right(other, others),
        "pool": share_right(pool, truth, answers),
        **{name: estimate[name] for name in ("value", "low", "high", "audited")},
        "suggest": seconds,
        "fit": took,
        "predict": predicting,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=20)
    parser.add_argument("--features", action="append", default=[], help="as for suggest")
    given = parser.parse_args()
    features = [word for text in given.features for word in ("--features", text)]
    figures = {name: [] for name in LOOPS}
    print(f"{given.data}, {given.images} images, {given.rounds} × {given.budget} labels")
    head = ("loop", "seed", "others", "pool", "estimate", "interval", "audited", "suggest s")
    print("{:>8} {:>4} {:>7} {:>7} {:>8} {:>16} {:>7} {}".format(*head))
    for seed in range(given.seeds):
        data = load(DataSettings(name=given.data, train=2 * given.images, seed=seed))
        order = np.random.default_rng(seed).permutation(2 * given.images)
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            halves = {"pool": order[: given.images], "others": order[given.images :]}
            truth, others = (
                write_folder(
                    work / name, data.train.images[rows], data.train.labels[rows], data.classes
                )
                for name, rows in halves.items()
            )
            for name, options in LOOPS.items():
                row = loop(work, truth, others, options, given.rounds, given.budget, features)
                figures[name].append(row)
                interval = f"{row['low']:.3f} to {row['high']:.3f}"
                seconds = " ".join(f"{took:.1f}" for took in row["suggest"])
                print(
                    f"{name:>8} {seed:>4} {row['others']:>7.3f} {row['pool']:>7.3f} "
                    f"{row['value']:>8.3f} {interval:>16} {row['audited']:>7} {seconds}",
                    flush=True,
                )
    for name, rows in figures.items():
        others = [row["others"] for row in rows]
        errors = [row["value"] - row["pool"] for row in rows]
        within = sum(row["low"] <= row["pool"] <= row["high"] for row in rows)
        print(
            f"{name}: accuracy on others {statistics.mean(others):.3f}; estimate − truth on the "
            f"pool {statistics.mean(errors):+.3f}, root mean square "
            f"{statistics.mean(e * e for e in errors) ** 0.5:.3f}; interval holds the truth in "
            f"{within} of {len(rows)}"
        )
    both = zip(figures["default"], figures["random"], strict=True)
    gains = [ours["others"] - chance["others"] for ours, chance in both]
    spread = f"{min(gains):+.3f} … {max(gains):+.3f}"
    print(f"default − random, paired: {statistics.mean(gains):+.3f} ({spread})")


if __name__ == "__main__":
    main()
