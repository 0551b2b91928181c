"""Estimates of a classifier's accuracy next to the truth, in active loops on four data sets.

`python benchmarks/accuracy_estimate.py` runs `--seeds` loops a data set: TypiClust picks the first
ten labels, then UHerding ten a round, in the space of PCA and VAE, with logistic regression on both
blocks. A loop has no audit, or a fifth of its labels are one: the next images of a random
permutation of the pool. Audited labels are trained on as all others, and predicted by fits without
them ("cross-validated"), or they are hidden from strategy and training ("held back"), perhaps
until the classifier is fitted whose accuracy is asked for ("held back, then trained on").
At 20, 50, 100 and 200 labels, audit included, every estimate is compared with the accuracy on other
images, drawn from the same source as the pool. The table gives the bias, the root-mean-square
error, the share of loops in which the interval covers the truth, and its mean width, in points.
MNIST and PneumoniaMNIST are read from NEXTLABEL_DATA.
"""

import argparse
import json
import os
import warnings
from functools import partial
from itertools import product
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.stats import beta

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.space.feature_space import FeatureSpace
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.space.scaling import rms_distance
from nextlabel.data.loading import load
from nextlabel.data.settings import DataSettings
from nextlabel.features.block_creation import make_block
from nextlabel.models.classical import ClassicalModel
from nextlabel.models.cross_validation import audited_right
from nextlabel.models.settings import TrainingSettings
from nextlabel.models.task_models import create_model
from nextlabel.statistics.accuracy_estimate import (
    combined,
    from_audit,
    mean_confidence,
)
from nextlabel.strategies import create

COUNTS = (20, 50, 100, 200)
SETS = ("mnist", "pneumoniamnist", "digits", "mnist 1:100")
BATCH = 10
POOL = 2000
SHARE = 0.2
PRIORS = (20, 40)

AUDITS = ("none", "cross-validated", "held back")
THEN = "held back, then trained on"


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


def loop(data, arrays, others, seed, weighted, audit):
    """Yield (number of labels, truth, {estimate: (value, low, high)}) of one active loop."""
    labels, classes = data.train.labels, len(data.classes)
    weights = dict.fromkeys(arrays, 1.0)
    distances = {name: partial(rms_distance, array) for name, array in arrays.items()}
    rows = ScaledBlocks.of(arrays, weights, distances)
    test = ScaledBlocks.of(others, weights, distances)
    space = FeatureSpace(weights).embed(arrays, distances)
    plain = create_model(name="linear", blocks=weights, class_weight=weighted)
    calibrated = plain.model_copy(update={"temperature": "cv"})
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(labels))[: round(SHARE * max(COUNTS))]
    pool, fitted = Pool(len(labels)), None
    if audit == "held back":
        pool = pool.exclude(drawn)
    for count in range(BATCH, max(COUNTS) + 1, BATCH):
        audited = drawn[: 0 if audit == "none" else round(SHARE * count)]
        if audit == "cross-validated":
            pool = pool.label(np.setdiff1d(audited, pool.labelled))
        trained_on = count - (len(audited) if audit == "held back" else 0)
        signals = {"features": space}
        if fitted is not None:
            signals["probabilities"] = fitted.infer(rows).probabilities
        strategy = create("typiclust" if fitted is None else "uherding")
        snapshot = Snapshot(pool, "multiclass", signals=signals)
        pool = pool.label(strategy.select(snapshot, trained_on - pool.labelled_count, rng))
        given_labels = labels[pool.labelled]
        fitted = ClassicalModel(plain, "multiclass", classes).train(
            rows, pool.labelled, given_labels
        )
        if count in COUNTS:
            seen = fitted.infer(test).probabilities
            truth = float((seen.argmax(1) == data.test.labels).mean())
            scaled = ClassicalModel(calibrated, "multiclass", classes)
            scaled = scaled.train(rows, pool.labelled, given_labels)
            fit = partial(plain.fit_blocks, rows)
            free = rows.take(pool.unlabelled)
            claimed = mean_confidence(scaled.infer(free).probabilities)
            if audit == "none":
                everything = np.arange(len(given_labels))
                right = audited_right(fit, rows, pool.labelled, given_labels, everything, 5)
                uncalibrated = mean_confidence(fitted.infer(free).probabilities)
                yield (
                    count,
                    truth,
                    {
                        "cross-validation on all labels": ends(from_audit(right)),
                        "confidence, no temperature": (uncalibrated, None, None),
                        "confidence": (claimed, None, None),
                    },
                )
                continue
            probabilities = scaled.infer(rows.take(audited)).probabilities
            right = probabilities.argmax(1) == labels[audited]
            if audit == "cross-validated":
                position = {id: i for i, id in enumerate(pool.labelled.tolist())}
                places = np.array([position[id] for id in audited.tolist()])
                right = audited_right(fit, rows, pool.labelled, given_labels, places)
            estimates = with_audit(claimed, probabilities, right)
            yield count, truth, {f"{name} ({audit})": value for name, value in estimates.items()}
            if audit == "held back":
                ids = np.concatenate([pool.labelled, audited])
                final = ClassicalModel(plain, "multiclass", classes).train(rows, ids, labels[ids])
                seen = final.infer(test).probabilities
                truth = float((seen.argmax(1) == data.test.labels).mean())
                yield count, truth, {f"{name} ({THEN})": value for name, value in estimates.items()}


def with_audit(claimed, probabilities, right):
    """Return the estimates of a loop with an audit."""
    corrected = min(max(claimed + right.mean() - mean_confidence(probabilities), 0), 1)
    estimates = {
        "audit": ends(from_audit(right)),
        "confidence": (claimed, None, None),
        "confidence, corrected by the audit": (corrected, None, None),
    }
    for prior in PRIORS:
        both = combined(claimed, right, prior=prior)
        a, b = prior * claimed + right.sum(), prior * (1 - claimed) + (~right).sum()
        low, high = beta.ppf((0.025, 0.975), a, b)
        estimates[f"both, prior {prior}"] = ends(both)
        estimates[f"both, prior {prior}, Beta interval"] = (a / (a + b), low, high)
    return estimates


def ends(estimate):
    return estimate.value, estimate.low, estimate.high


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
    parser.add_argument("--audits", default=",".join(AUDITS))
    parser.add_argument("--json", type=Path, help="write all values there")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    pairs = {}
    for name in arguments.sets.split(","):
        data = data_of(name)
        arrays, others = blocks_of(data, arguments.epochs)
        for audit, seed in product(arguments.audits.split(","), range(arguments.seeds)):
            steps = loop(data, arrays, others, seed, arguments.class_weight, audit)
            for count, truth, values in steps:
                for estimate, value in values.items():
                    pairs.setdefault((name, estimate, count), []).append((truth, value))
    order = {estimate: i for i, (_, estimate, _) in enumerate(pairs)}
    sets = arguments.sets.split(",")
    keys = sorted(pairs, key=lambda key: (sets.index(key[0]), order[key[1]], key[2]))
    pairs = {key: pairs[key] for key in keys}
    table(pairs)
    if arguments.json:
        arguments.json.write_text(json.dumps([[*key, values] for key, values in pairs.items()]))


if __name__ == "__main__":
    main()
