"""Estimates of a classifier's accuracy next to the truth, in active loops on four data sets.

`python benchmarks/accuracy_estimate.py` runs `--seeds` loops a data set: TypiClust picks the first
ten labels, then UHerding ten a round, in the space of PCA and VAE, with logistic regression on both
blocks. A fifth of each batch are the next images of a random permutation of the pool: the audit.
At 20, 50, 100 and 200 labels every estimate is compared with the accuracy on other images, drawn
from the same source as the pool. The table gives the bias, the root-mean-square error, the share
of loops in which the interval covers the truth, and its mean width, in points. MNIST and
PneumoniaMNIST are read from NEXTLABEL_DATA.
"""

import argparse
import json
import os
import warnings
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.stats import beta

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.feature_space import FeatureSpace, rms_distance
from nextlabel.core.pool import Pool
from nextlabel.core.scaled_blocks import ScaledBlocks
from nextlabel.core.seeds import Seeds
from nextlabel.core.snapshot import Snapshot
from nextlabel.data.loading import load
from nextlabel.data.settings import DataSettings
from nextlabel.features.create import make_block
from nextlabel.models.classical import ClassicalModel
from nextlabel.models.cross_validation import audited_right
from nextlabel.models.settings import TrainingSettings
from nextlabel.models.task_models import create_model
from nextlabel.statistics.accuracy_estimate import (
    AccuracyEstimate,
    combined,
    from_audit,
    mean_confidence,
)
from nextlabel.strategies import create

COUNTS = (20, 50, 100, 200)
SETS = ("mnist", "pneumoniamnist", "digits", "mnist 1:100")
BATCH = 10
POOL = 2000

ESTIMATES = (
    "cross-validation on all labels",
    "audit",
    "confidence, no temperature",
    "confidence",
    "mean of audit and confidence",
    "audit + confidence (10)",
    "audit + confidence (20)",
    "audit + confidence (40)",
    "audit + confidence (20), Beta interval",
    "audit + confidence (40), Beta interval",
    "confidence, corrected by the audit",
)


def data_of(name):
    """Return a data set: a pool, and as test images others of the same kind."""
    source = "mnist" if name == "mnist 1:100" else name
    sizes = {"digits": 1797, "mnist 1:100": 20_000}
    settings = DataSettings(name=source, train=sizes.get(name, 2 * POOL), validation=0, test=0)
    rng = np.random.default_rng(0)
    whole = load(settings).train
    rows = rng.permutation(len(whole))
    if name == "mnist 1:100":
        shares = np.geomspace(1, 0.01, 10)
        counts = (shares / shares.sum() * 2 * POOL).round().astype(int)
        rows = [rows[whole.labels[rows] == c][:n] for c, n in enumerate(counts)]
        rows = rng.permutation(np.concatenate(rows))
    size = 1200 if name == "digits" else POOL
    pool, test = whole.take(rows[:size]), whole.take(rows[size:])
    classes = tuple(map(str, range(int(whole.labels.max()) + 1)))
    empty = Images(whole.images[:0], whole.labels[:0])
    return Dataset(name, "multiclass", classes, pool, empty, test)


def blocks_of(data, epochs):
    """Return PCA and the means of a VAE, for pool and test images."""
    options = {"pca": {"components": 32}, "vae": {"latent": 16, "epochs": epochs}}
    pool, training = Pool(len(data.train)), TrainingSettings(device="cpu")
    fitted = {
        name: make_block(name, options[name], training).fit(data, pool, None, 0, Seeds(0))
        for name in options
    }
    return [
        {name: block.rows(part) for name, block in fitted.items()} for part in ("train", "test")
    ]


def loop(data, arrays, others, seed, weighted):
    """Yield (number of labels, truth, {estimate: (value, low, high)}) of one active loop."""
    labels, classes = data.train.labels, len(data.classes)
    weights = dict.fromkeys(arrays, 1.0)
    distances = {name: partial(rms_distance, array) for name, array in arrays.items()}
    rows = ScaledBlocks.of(arrays, weights, distances)
    test = ScaledBlocks.of(others, weights, distances)
    space = FeatureSpace(weights).embed(arrays, distances)
    plain = create_model(name="linear", blocks=weights, class_weight=weighted)
    calibrated = plain.model_copy(update={"temperature": "cv"})
    size, rng = len(labels), np.random.default_rng(seed)
    audit = rng.permutation(size)
    pool, fitted = Pool(size), None
    while pool.labelled_count < max(COUNTS):
        count = pool.labelled_count + BATCH
        audited = audit[: round(0.2 * count)]
        pool = pool.label(np.setdiff1d(audited, pool.labelled))
        signals = {"features": space}
        strategy = create("typiclust" if fitted is None else "uherding")
        if fitted is not None:
            signals["probabilities"] = fitted.infer(rows).probabilities
        chosen = strategy.select(
            Snapshot(pool, "multiclass", signals=signals), count - pool.labelled_count, rng
        )
        pool = pool.label(chosen)
        known = labels[pool.labelled]
        fitted = ClassicalModel(plain, "multiclass", classes).train(rows, pool.labelled, known)
        if count in COUNTS:
            seen = fitted.infer(test).probabilities
            truth = float((seen.argmax(1) == data.test.labels).mean())
            scaled = ClassicalModel(calibrated, "multiclass", classes)
            scaled = scaled.train(rows, pool.labelled, known)
            yield count, truth, estimates(plain, fitted, scaled, rows, pool, known, audited)


def estimates(plain, fitted, scaled, rows, pool, known, audited):
    """Return every estimate of the accuracy as (value, low, high)."""
    fit = partial(plain.fit_blocks, rows)
    free = rows.take(pool.unlabelled)
    uncalibrated = mean_confidence(fitted.infer(free).probabilities)
    claimed = mean_confidence(scaled.infer(free).probabilities)
    everything = np.arange(len(known))
    all_right = audited_right(fit, rows, pool.labelled, known, everything, 5)
    position = {id: i for i, id in enumerate(pool.labelled.tolist())}
    places = np.array([position[id] for id in audited.tolist()])
    right = audited_right(fit, rows, pool.labelled, known, places)
    audit = from_audit(right)
    own = scaled.infer(rows.take(audited)).probabilities.max(1).mean()
    corrected = claimed + (audit.value - own)
    both = {
        f"audit + confidence ({prior})": combined(claimed, right, prior=prior)
        for prior in (10, 20, 40)
    }
    found = {
        "cross-validation on all labels": from_audit(all_right),
        "audit": audit,
        "confidence, no temperature": uncalibrated,
        "confidence": claimed,
        "mean of audit and confidence": (claimed + audit.value) / 2,
        "confidence, corrected by the audit": min(max(corrected, 0), 1),
        **both,
    }
    values = {}
    for name, e in found.items():
        interval = isinstance(e, AccuracyEstimate)
        values[name] = (e.value, e.low, e.high) if interval else (float(e), None, None)
    for prior in (20, 40):
        a, b = prior * claimed + right.sum(), prior * (1 - claimed) + (~right).sum()
        low, high = beta.ppf((0.025, 0.975), a, b)
        values[f"audit + confidence ({prior}), Beta interval"] = (a / (a + b), low, high)
    return values


def table(found):
    """Print one line per data set, estimate and number of labels."""
    print("| data set | estimate | labels | truth | bias | RMSE | covers | width |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, estimate, count), values in found.items():
        truth = np.array([t for t, _ in values])
        value = np.array([e[0] for _, e in values])
        ends = [(t, *e[1:]) for t, e in values if e[1] is not None]
        covers = width = "–"
        if ends:
            covers = f"{np.mean([low <= t <= high for t, low, high in ends]):.0%}"
            width = f"{100 * np.mean([high - low for _, low, high in ends]):.0f}"
        error = 100 * (value - truth)
        print(
            f"| {name} | {estimate} | {count} | {100 * truth.mean():.1f} | {error.mean():+.1f} | "
            f"{np.sqrt((error**2).mean()):.1f} | {covers} | {width} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=15, help="of the VAE")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--class-weight", default="none", choices=("none", "balanced"))
    parser.add_argument("--json", type=Path, help="write all values there")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    found = {}
    for name in arguments.sets.split(","):
        data = data_of(name)
        arrays, others = blocks_of(data, arguments.epochs)
        for seed in range(arguments.seeds):
            steps = loop(data, arrays, others, seed, arguments.class_weight)
            for count, truth, values in steps:
                for estimate in ESTIMATES:
                    key = (name, estimate, count)
                    found.setdefault(key, []).append((truth, values[estimate]))
    order = {estimate: i for i, estimate in enumerate(ESTIMATES)}
    sets = arguments.sets.split(",")
    found = dict(
        sorted(found.items(), key=lambda i: (sets.index(i[0][0]), order[i[0][1]], i[0][2]))
    )
    table(found)
    if arguments.json:
        arguments.json.write_text(json.dumps([[*key, values] for key, values in found.items()]))


if __name__ == "__main__":
    main()
