"""The labelling page from end to end: a simulated person answers over HTTP, and so does chance.

Images of a data set are written out as PNG. For each seed, a simulated person answers what the page
asks, by the true labels, once in the order of the queue and once at random. A seed draws the audit,
too, so that the courses of an order say how often the interval holds. The tables have the
accuracy on the images without a label, the estimate that the page shows next to it, and the paired
differences. Results are kept in a file: the same command again continues.

    python benchmarks/simulated_person.py --data mnist --images 5000 --seeds 5
"""

import argparse
import csv
import dataclasses
import json
import statistics
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from folder_loop import write_folder
from scipy import stats

from nextlabel.data import load
from nextlabel.data.settings import DataSettings
from nextlabel.statistics.paired import sign_flip
from nextlabel.web.simulation.trial import Simulation

ORDERS = ("queue", "random")


def write_images(name, count, target):
    """Write images of a data set to a folder, and their labels to a CSV; return both paths."""
    folder, truth = target / f"{name}-images", target / f"{name}.csv"
    if not truth.exists():
        data = load(DataSettings(name=name))
        train = data.train
        rows = np.random.default_rng(0).permutation(len(train))[:count]
        images = np.asarray(train.images)[rows]
        classes = write_folder(folder, images, np.asarray(train.labels)[rows], data.classes)
        with truth.open("w", newline="") as stream:
            csv.writer(stream).writerows([("path", "label"), *classes.items()])
    return folder, truth


def courses(options, target):
    """Run what is missing, and return the courses by order and seed."""
    kept = target / f"{options.data}.jsonl"
    done = {}
    if kept.exists():
        for line in kept.read_text().splitlines():
            one = json.loads(line)
            done[one["order"], one["seed"]] = one["course"]
    folder, truth = write_images(options.data, options.images, target)
    for seed in range(options.seeds):
        for order in ORDERS:
            if (order, seed) in done:
                continue
            simulation = Simulation(folder, truth, options.answers, order)
            course = dataclasses.asdict(simulation.run(seed))
            done[order, seed] = course
            with kept.open("a") as stream:
                stream.write(json.dumps({"order": order, "seed": seed, "course": course}) + "\n")
            last = course["curve"][-1]
            print(f"{order} {seed}: {last['accuracy']:.3f} with {last['labelled']}", flush=True)
    return done


def report(done, seeds):
    """Print curves, estimates, paired differences and seconds."""

    def curve(order, seed, field="accuracy"):
        return {of["labelled"]: of[field] for of in done[order, seed]["curve"]}

    marks = sorted(set.intersection(*(set(curve(o, s)) for o in ORDERS for s in range(seeds))))
    print("| labels | queue | random | difference (95% interval) | p | estimate - truth, queue |")
    print("|---|---|---|---|---|---|")
    for at in marks:
        queue, random = ([curve(order, s)[at] for s in range(seeds)] for order in ORDERS)
        errors = [
            of["estimate"] - of["accuracy"]
            for s in range(seeds)
            for of in done["queue", s]["curve"]
            if of["labelled"] == at and of["estimate"] is not None
        ]
        test = stats.ttest_rel(queue, random)
        low, high = test.confidence_interval(0.95)
        difference = statistics.mean(queue) - statistics.mean(random)
        error = f"{statistics.mean(errors):+.3f}" if errors else "–"
        print(
            f"| {at} | {statistics.mean(queue):.3f} | {statistics.mean(random):.3f} "
            f"| {difference:+.3f} ({low:+.3f} to {high:+.3f}) | {test.pvalue:.3f} | {error} |"
        )
    areas = [
        [np.trapezoid([curve(o, s)[at] for at in marks], marks) / (marks[-1] - marks[0])
         for s in range(seeds)]
        for o in ORDERS
    ]  # fmt: skip
    test = sign_flip(*areas)
    difference = np.mean(areas[0]) - np.mean(areas[1])
    print(f"area: {difference:+.4f}, exact sign-flip p {test.p:.4f}, {seeds} pairs")
    held = Counter()
    for course in done.values():
        for of in course["curve"]:
            if of["low"] is not None:
                held[of["labelled"], of["low"] <= of["accuracy"] <= of["high"]] += 1
    parts = [f"{at}: {held[at, True]} of {held[at, True] + held[at, False]}" for at in marks]
    print(f"courses in which the interval of the estimate has the truth: {', '.join(parts)}")
    for name in ("answered", "renewed"):
        seconds = [value for course in done.values() for value in course[name]]
        p50, p95 = np.percentile(seconds, [50, 95])
        print(f"seconds {name}: median {p50:.3f}, 95% within {p95:.3f}")


def main():
    """Write the images, run the simulations and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="the folder of images and results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        target = options.out or Path(temporary)
        target.mkdir(parents=True, exist_ok=True)
        report(courses(options, target), options.seeds)


if __name__ == "__main__":
    main()
