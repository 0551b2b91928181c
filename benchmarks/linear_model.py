"""Refit and prediction of the linear model on two blocks, next to scikit-learn on joined rows.

`python benchmarks/linear_model.py` fits 200 labels of ten classes on blocks of 64 and 16 columns,
float32, and predicts `--rows` images, in one thread. It prints the median and the longest of
`--repeat` runs, the peak of additional memory, and the largest difference of the probabilities.
scikit-learn does the same on rows joined in float64, with that copy counted and without.
"""

import argparse
import os
import statistics
import time
import tracemalloc

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sklearn.linear_model import LogisticRegression

from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.space.scaling import rms_distance
from nextlabel.models.classical import ClassicalModel
from nextlabel.models.settings import MOST_ITERATIONS
from nextlabel.models.task_models import create_model

WIDTHS = {"pretrained": 64, "vae": 16}
LABELS, CLASSES, STRENGTH = 200, 10, 10.0


def example(size):
    """Return blocks of a Gaussian mixture, and the class of every row."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, CLASSES, size)
    arrays = {}
    for name, width in WIDTHS.items():
        centres = rng.normal(size=(CLASSES, width)).astype(np.float32)
        arrays[name] = centres[classes] + rng.normal(size=(size, width)).astype(np.float32) * 2
    return arrays, classes


def measured(run, repeat):
    """Return what `run` gives, its median and longest seconds, and its peak memory in MB."""
    tracemalloc.start()
    probabilities = run()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    seconds = []
    for _ in range(repeat):
        clock = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - clock)
    return probabilities, statistics.median(seconds), max(seconds), peak


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=9)
    arguments = parser.parse_args()
    arrays, classes = example(arguments.rows)
    labelled = np.random.default_rng(1).choice(arguments.rows, LABELS, replace=False)
    labels = classes[labelled]
    units = {name: rms_distance(array) for name, array in arrays.items()}
    rows = ScaledBlocks(arrays, units)

    def ours(**options):
        settings = create_model("linear", blocks=dict.fromkeys(WIDTHS, 1.0), **options)
        fitted = ClassicalModel(settings, "multiclass", CLASSES).train(rows, labelled, labels)
        return fitted.infer(rows).probabilities

    def joined():
        return np.concatenate([arrays[n].astype(np.float64) / units[n] for n in WIDTHS], axis=1)

    def peer(scaled):
        fitted = LogisticRegression(C=STRENGTH, max_iter=MOST_ITERATIONS)
        return fitted.fit(scaled[labelled], labels).predict_proba(scaled)

    copy = joined()
    runs = {
        "linear on two blocks": ours,
        "the same, temperature cv": lambda: ours(temperature="cv"),
        "scikit-learn, rows joined": lambda: peer(joined()),
        "scikit-learn, joined before": lambda: peer(copy),
        "RMS distances (once a pool)": lambda: [rms_distance(a) for a in arrays.values()],
    }
    measurements = {name: measured(run, arguments.repeat) for name, run in runs.items()}
    print(f"{arguments.rows:,} rows of {' + '.join(map(str, WIDTHS.values()))}, {LABELS} labels")
    for name, (_, median, longest, peak) in measurements.items():
        print(f"{name:30} {median:.3f} s (at most {longest:.3f} s), {peak:.0f} MB more")
    difference = np.abs(
        measurements["linear on two blocks"][0] - measurements["scikit-learn, rows joined"][0]
    )
    print(f"largest difference of probabilities: {difference.max():.1e}")


if __name__ == "__main__":
    main()
