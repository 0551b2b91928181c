"""The whole experiment compared with a straightforward script of it: wall time and its parts.

`python benchmarks/end_to_end.py` takes the core-set pair of experiments/mnist_tenth.toml with one
seed and three rounds, `--full` all of it: hours, most of them the script's. The script is what one
writes in an afternoon: a DataLoader of images transformed one by one, float32, tables of pairwise
distances, every arm from the beginning. Images, rounds, epochs and batch size are the same, and
both run two trials at a time of one thread each, where there are two cores. MNIST is looked for in
the folder NEXTLABEL_DATA; without that, digits are taken.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
import tomllib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import pairwise_distances
from torch.utils.data import DataLoader, Subset
from training import OneByOne, plain_vae

from nextlabel.engine.events import RoundDone, TrialFailed
from nextlabel.engine.executors.process_pool import share_imports
from nextlabel.engine.run import run
from nextlabel.experiment.parse import parse_experiment
from nextlabel.models.networks.base import build, generator
from nextlabel.models.networks.resnet import ResNet18
from nextlabel.report.page import build_report
from nextlabel.store.store import Store
from nextlabel.trial.data import load_data

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
AIM = 3
"""The plain script shall take this number of times as long as ours."""
PAIR = ("core-set", "core-set + VAE")
SHORT = {"mnist_tenth": 900, "digits": 150}
"""Number of labels after three rounds."""

PHASES = {
    "train": "training the task model",
    "blocks": "training the VAE",
    "signals": "features of the pool",
    "select": "selection",
    "evaluate": "evaluation",
    "rest": "store, messages, pictures",
    "report": "report",
    "start": "start-up",
}


def task():
    """Return the name of the experiment: tenth-scale MNIST where the images are, else digits."""
    return "mnist_tenth" if "NEXTLABEL_DATA" in os.environ else "digits"


def pair(name, arms=PAIR, training=(), **changes):
    """Return the experiment of that name with the core-set pair alone, or one arm of it."""
    raw = tomllib.loads((EXPERIMENTS / f"{name}.toml").read_text())
    raw["arms"] = [arm for arm in raw["arms"] if arm["name"] in arms]
    raw["arms"][0].pop("baseline", None)
    if len(raw["arms"]) == 1:
        del raw["primary"]
    raw["training"].pop("precision", None)  # as nextlabel takes it by itself
    raw["training"] |= dict(training)
    return parse_experiment(raw | changes)


def ours(experiment, folder, jobs=1):
    """Run all from nothing; return the seconds of run and report, and the rounds as they came."""
    clock, rounds = time.perf_counter(), []
    with Store.open(folder / "store.db") as store:
        for event in run(experiment, store, cache_dir=folder / "cache", jobs=jobs):
            if isinstance(event, TrialFailed):
                raise SystemExit(f"{event.arm}, seed {event.seed}: {event.error}")
            if isinstance(event, RoundDone):
                rounds.append((time.perf_counter() - clock, event))
        ran = time.perf_counter() - clock
        build_report(store, experiment.name, folder / "report")
    return ran, time.perf_counter() - clock - ran, rounds


def script(experiment, seed, vae):
    """Run one arm in the straightforward way; return the test accuracy of every round."""
    torch.set_num_threads(1)
    data = load_data(experiment, None)
    pool, validation, test = (
        OneByOne(torch.from_numpy(np.array(part.images)), part.labels)
        for part in (data.train, data.validation, data.test)
    )
    extra = np.zeros((len(pool), 0), np.float32)
    if vae:
        epoch, network = plain_vae(pool.images)
        for _ in range(experiment.block("vae").epochs):
            epoch()
        with torch.no_grad():
            extra = scaled(network.encode(pool.images.float() / 255)[0].numpy())
    labelled = list(np.random.default_rng(seed).choice(len(pool), experiment.initial, False))
    classes, number, curve = len(data.classes), 0, []
    while True:
        network = train(experiment, classes, Subset(pool, labelled), number, seed)
        accuracies = [look(network, part)[1] for part in (validation, test)]
        curve.append(accuracies[1])
        if len(labelled) >= experiment.target:
            return curve
        rows = np.concatenate([scaled(look(network, pool)[0]), extra], axis=1)
        labelled += farthest(rows, labelled, experiment.batch)
        number += 1


def train(experiment, classes, labelled, number, seed):
    settings = experiment.training
    network = build(lambda: ResNet18(classes), generator(seed))
    optimiser = torch.optim.SGD(
        network.parameters(), lr=settings.learning_rate, momentum=settings.momentum
    )
    loader = DataLoader(labelled, settings.batch_size, shuffle=True)
    network.train()
    for _ in range(settings.planned_epochs(number, len(labelled))):
        for images, labels in loader:
            optimiser.zero_grad()
            F.cross_entropy(network(images), labels).backward()
            optimiser.step()
    if experiment.model.batch_norm == "recalibrate":
        recalibrate(network, loader)
    return network


@torch.no_grad()
def recalibrate(network, loader):
    """Take BatchNorm's averages again."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    for images, _ in loader:
        network(images)


@torch.no_grad()
def look(network, part):
    """Return the features of a part's images, and the accuracy on them."""
    network.eval()
    rows, right = [], 0
    for images, labels in DataLoader(part, 256):
        rows.append(network.pool(network.taps(images)))
        right += int((network.fc(rows[-1]).argmax(1) == labels).sum())
    return torch.cat(rows).numpy(), right / len(part)


def scaled(rows):
    """Divide by the root mean square of the pairwise distances."""
    return rows / np.sqrt(2 * rows.var(axis=0).sum())


def farthest(rows, labelled, budget):
    """Core-set with tables of pairwise distances, as the usual implementations have it."""
    nearest = pairwise_distances(rows, rows[labelled]).min(axis=1)
    picks = []
    for _ in range(budget):
        picks.append(int(nearest.argmax()))
        distances = pairwise_distances(rows, rows[picks[-1:]])[:, 0]
        nearest = np.minimum(nearest, distances)
    return picks


def scripts(experiment, jobs):
    """Run the script for every seed and arm, `jobs` at a time; return their curves."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context) as executor:
        running = [
            executor.submit(script, experiment, seed, "vae" in arm.features)
            for seed in experiment.seeds
            for arm in experiment.arms
        ]
        return [future.result() for future in running]


def phases(ran, report, rounds, jobs):
    """Return the workers' seconds by phase; idle is who has no trial left.

    A worker's start is what comes before the first round's own seconds.
    """
    seconds, first, last = Counter(), {}, {}
    for arrived, event in rounds:
        seconds.update(event.round.seconds)
        first.setdefault(event.key, arrived - sum(event.round.seconds.values()))
        last[event.key] = arrived
    seconds["start"] = sum(sorted(first.values())[:jobs])
    seconds["idle"] = sum(ran - arrived for arrived in sorted(last.values())[-jobs:])
    seconds["rest"] = jobs * ran - sum(seconds.values())
    seconds["report"] = report
    return seconds


def ends(rounds):
    """Return the test accuracies of the first seed's last rounds, in the order of arms."""
    seed = min(event.seed for _, event in rounds)
    accuracies = {e.arm: e.round.metrics["test/accuracy"] for _, e in rounds if e.seed == seed}
    return " ".join(f"{accuracies[arm]:.3f}" for arm in PAIR)


def beside(full, labels, arithmetic):
    """Print ours and the script, our time by phase, and what was computed once."""
    name = task()
    changes = {} if full else {"seeds": 1, "target": labels or SHORT[name]}
    experiment = pair(name, training={"arithmetic": arithmetic}, **changes)
    jobs = min(2, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        ran, report, rounds = ours(experiment, folder, jobs)
        vaes = [f for f in (folder / "cache").glob("block-vae*/*") if f.suffix != ".lock"]
    clock = time.perf_counter()
    theirs = scripts(experiment, jobs)
    other, wall = time.perf_counter() - clock, ran + report
    print(
        f"end to end: {name}, {' and '.join(PAIR)}, {len(experiment.seeds)} seed(s), up to "
        f"{experiment.target} labels, {jobs} trial(s) at a time"
    )
    print(f"  {'nextlabel':<12}{wall:>8.1f} s{'':>10}test accuracies at the end {ends(rounds)}")
    accuracies = " ".join(f"{curve[-1]:.3f}" for curve in theirs[: len(PAIR)])
    print(
        f"  {'script':<12}{other:>8.1f} s{other / wall:>8.2f}×  the same {accuracies}; "
        f"aim: {AIM}× over all rounds"
    )
    spent_in = phases(ran, report, rounds, jobs)
    idle = spent_in.pop("idle")
    busy = sum(spent_in.values())
    print(f"  where our {busy:.0f} s of work go ({idle:.0f} s idle at the end not counted):")
    for phase, words in PHASES.items():
        print(f"    {words:<34}{spent_in[phase]:>8.2f} s{spent_in[phase] / busy:>8.1%}")
    spent = busy - spent_in["train"] - spent_in["blocks"]
    print(f"    {'everything but training':<34}{spent:>8.2f} s{spent / busy:>8.1%}")
    zero = [event.round.training.shared for _, event in rounds if event.round.number == 0]
    uses = sum("VAE" in event.arm for _, event in rounds)
    print(
        f"  round 0: trained {zero.count(False)} time(s) for {len(zero)} trials; "
        f"VAE: trained {len(vaes)} time(s) for {uses} rounds"
    )


def two_workers(full, arithmetic):
    """Print how much more two workers of one thread do than one."""
    name = task()
    labels = SHORT[name] if full else SHORT[name] // 3
    settings = {"arithmetic": arithmetic}
    experiment = pair(name, PAIR[:1], training=settings, seeds=2, target=labels)
    walls, training = {}, {}
    for jobs in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            ran, _, rounds = ours(experiment, Path(folder), jobs)
        start = phases(ran, 0, rounds, jobs)["start"] / jobs
        walls[jobs] = ran, ran - start
        training[jobs] = sum(event.round.seconds["train"] for _, event in rounds)
    whole, begun = (one / two for one, two in zip(walls[1], walls[2], strict=True))
    print(
        f"  two workers, one thread each, on two trials up to {labels} labels: {whole:.2f}× one "
        f"worker,\n    {begun:.2f}× once started, "
        f"{2 * training[1] / training[2]:.2f}× in training alone"
    )


def main(full=False, labels=None, arithmetic="fast", beside_only=False):
    """Print the tables."""
    if "NEXTLABEL_DATA" not in os.environ:
        print("end to end: NEXTLABEL_DATA does not say where MNIST is, so digits are taken")
    share_imports()
    beside(full, labels, arithmetic)
    if not beside_only:
        two_workers(full, arithmetic)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all seeds and rounds: hours")
    parser.add_argument("--labels", type=int, help="stop there, instead of after three rounds")
    parser.add_argument("--arithmetic", choices=("plain", "fast"), default="fast")
    parser.add_argument("--beside-only", action="store_true", help="leave the two workers out")
    main(**vars(parser.parse_args()))
