"""Intervals of a cross-validated accuracy next to the truth, where all labels are drawn at random.

`python benchmarks/cross_validated_accuracy.py` draws 20, 50 and 100 labels `--seeds` times on each
data set, fits logistic regression to 32 principal components of the pixels, and predicts each label
by ten-fold cross-validation. The truth is the accuracy of the model of all labels on the images
without one. The table has the share of draws in which an interval of 95% covers the truth, and half
its mean width: that of independent images, and the wider one. MNIST and PneumoniaMNIST are read
from NEXTLABEL_DATA.
"""

import argparse
import os
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.data.loading import load
from nextlabel.data.settings import DataSettings
from nextlabel.models.cross_validation import audited_right
from nextlabel.models.linear import fit_linear
from nextlabel.project.accuracy import FOLDS
from nextlabel.statistics.accuracy_estimate import from_audit

SIZES = {"digits": 1797, "pneumoniamnist": 4000, "mnist": 4000}
COUNTS = (20, 50, 100)


def components(images, count=32):
    """Return principal components (N, count) of the pixels, of mean square distance 1."""
    pixels = images.reshape(len(images), -1) / 255
    pixels -= pixels.mean(axis=0)
    _, _, directions = np.linalg.svd(pixels[:1500], full_matrices=False)
    rows = pixels @ directions[:count].T
    return rows / np.sqrt(2 * rows.var(axis=0).sum())


def draw(rows, labels, count, seed):
    """Return the truth, and the two intervals."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    ids, others = np.sort(order[:count]), order[count:]
    fit = partial(fit_linear, rows, regularisation=10.0, class_weight="balanced")
    fitted = fit(ids, labels[ids])
    best = fitted.probabilities(rows.take(others)).argmax(axis=1)
    right = audited_right(fit, rows, ids, labels[ids], rng.permutation(count), FOLDS)
    wide = from_audit(right, fitted_to=count - -(-count // FOLDS))
    return (fitted.classes_[best] == labels[others]).mean(), from_audit(right), wide


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=100)
    seeds = parser.parse_args().seeds
    for name, size in SIZES.items():
        images = load(DataSettings(name=name, train=size, validation=0, test=0)).train
        rows = ScaledBlocks({"pixels": components(images.images)}, {"pixels": 1.0})
        for count in COUNTS:
            drawn = [draw(rows, images.labels, count, seed) for seed in range(seeds)]
            cells = []
            for which in (1, 2):
                inside = np.mean([d[which].low <= d[0] <= d[which].high for d in drawn])
                half = np.mean([d[which].high - d[which].low for d in drawn]) / 2
                cells.append(f"{100 * inside:.0f} (± {100 * half:.0f})")
            print(f"{name}, {count} labels: {cells[0]}; wider {cells[1]}", flush=True)


if __name__ == "__main__":
    main()
