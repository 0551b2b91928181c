"""The loop of a labelling project: seconds of its parts, next to those of a plain way.

Images are rows of numbers in groups, as features of a pretrained network and a VAE are. For each
number of images the table has the seconds from the answers to a renewed queue with the project's
way, and with a plain one: the strategy considers all images, every model is fitted again for each
use, and nothing is kept. Then come what a page needs at each request, and near-copies.

    python benchmarks/labelling_loop.py --images 10000 100000
    python benchmarks/labelling_loop.py --quick 10000 --side 300

The second call writes PNG images, starts a trainer on a new project, and prints when the first
image can be shown, when the first space is there, and when all thumbnails are read.

`cpu` is processor time, of the trainer too, which hardly grows when other programs run.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from nextlabel.core.types import Labels
from nextlabel.project.audit import AuditOrder
from nextlabel.project.choice import Candidates, choose
from nextlabel.project.labelling.answer import Answer
from nextlabel.project.labelling.classes import ClassChange
from nextlabel.project.labelling.models import Model, QueueItem
from nextlabel.project.labelling.project import Project
from nextlabel.project.labelling.state import State, fold
from nextlabel.project.labels import KnownLabels
from nextlabel.project.loop.near_copies import near_copies
from nextlabel.project.loop.pages.gallery import Filters, gallery
from nextlabel.project.loop.pages.predictions import predictions
from nextlabel.project.loop.pages.why import neighbours
from nextlabel.project.loop.round import Labelled, next_round
from nextlabel.project.loop.serving import serve_next
from nextlabel.project.loop.space import Space
from nextlabel.project.loop.supervisor import Trainer
from nextlabel.project.pipeline import Pipeline
from nextlabel.project.scanning.images import ProjectImages

CLASSES = 10
COLUMNS = {"pretrained": 64, "vae": 16}


def timed(name, work, repeat=1):
    """Print the seconds of one of some calls, and return the last result."""
    work() if repeat > 1 else None
    clock, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeat):
        result = work()
    wall = (time.perf_counter() - clock) / repeat
    spent = (time.process_time() - cpu) / repeat
    print(f"  {name:<52} {wall:8.3f} s   cpu {spent:8.3f} s", flush=True)
    return result, spent


def simulated(count: int) -> tuple[Space, Labels]:
    """Return a space of images in forty groups of ten classes, and the class of each image."""
    rng = np.random.default_rng(0)
    group = rng.integers(40, size=count)
    centres = rng.normal(size=(40, sum(COLUMNS.values())))
    rows = (centres[group] + 0.7 * rng.normal(size=(count, centres.shape[1]))).astype(np.float32)
    ends = np.cumsum(list(COLUMNS.values()))[:-1]
    blocks = {
        name: np.ascontiguousarray(part)
        for name, part in zip(COLUMNS, np.split(rows, ends, axis=1), strict=True)
    }
    return Space.placed("simulated", blocks, np.arange(count), count), group % CLASSES


def plain(space, labels, order, pipeline):
    """Return the picks and predictions of the plain way."""
    candidates = Candidates(space.rows, order, np.arange(len(space)))

    def predict(known):
        return pipeline.fit(space.rows, known).probabilities(space.rows)

    return choose(candidates, labels, 100, pipeline, predict), predict(labels)


def images_of(count: int) -> ProjectImages:
    """Return the images of a simulated project."""
    numbers = np.zeros(count, np.int32)
    return ProjectImages(
        1,
        tuple(f"plate {i % 96}/{i:06}.png" for i in range(count)),
        tuple(f"{i:064x}" for i in range(count)),
        np.zeros(count, bool),
        (None,) * count,
        numbers,
        numbers,
        numbers,
        numbers,
        copies=numbers + 1,
    )


def state_of(ids, classes) -> State:
    """Return the state after a label of each of some images."""
    answers = [
        Answer(str(n), int(i), "label", (int(classes[i]),), seq=n + 1, person="me", received_at=n)
        for n, i in enumerate(ids)
    ]
    changes = [
        ClassChange(f"{k}", "add", value=f"class {k}", seq=k + 1, at=0, person="me")
        for k in range(CLASSES)
    ]
    return fold(answers, changes)


def measure(count: int, labelled: int, plainly: bool) -> None:
    """Print the figures for a number of images."""
    print(f"{count:,} images, {labelled} labelled")
    space, classes = simulated(count)
    images, pipeline = images_of(count), Pipeline()
    order, _ = timed("random order of the images, once", lambda: AuditOrder.of(images.digests))
    free = order.rows[len(order.reserved(0.2)) :]
    ids = np.sort(np.concatenate([order.rows[: labelled // 5], free[: labelled - labelled // 5]]))
    labels = KnownLabels("multiclass", tuple("abcdefghij"), ids, classes[ids])
    given = Labelled(labels, tuple(range(CLASSES)), np.empty(0, np.int64), order, labelled)
    next_round(space, given, pipeline)  # imports
    made, ours = timed("answers to a renewed queue", lambda: next_round(space, given, pipeline))
    print(f"    parts: {made.model.facts['seconds']}")
    if plainly:
        _, theirs = timed("the same, plainly", lambda: plain(space, labels, order, pipeline))
        print(f"    plain / ours: {theirs / ours:.1f}")
    state = state_of(ids, classes)
    model = Model(1, 0, labelled, space.name, "uherding", {}, None, Path("none"))
    model.__dict__["arrays"] = dict(made.model.arrays)
    predicted, _ = timed(
        "predictions of a new model, once",
        lambda: predictions(model, state.classes, count, "multiclass"),
    )
    for filters in (
        Filters(class_id=3, by="prediction"),
        Filters(order="most", above=0.9, labelled=False),
        Filters(disagree=True, order="path"),
        Filters(order="new"),
        Filters(order="path"),
    ):
        text = ", ".join(f"{k}={v}" for k, v in vars(filters).items() if v not in (None, False))
        timed(f"gallery {text}"[:52], lambda f=filters: gallery(f, images, state, predicted), 5)
    queue = [QueueItem(i.position, i.image, i.reason, i.score, i.audit, 1) for i in made.queue]
    timed("six images to serve", lambda: serve_next(state, queue, images, (), 6), 20)
    timed("six images to serve without a queue", lambda: serve_next(state, [], images, (), 6), 20)
    timed("nearest labelled neighbours", lambda: neighbours(space, state, 5), 5)
    rows = space.blocks.rows().astype(np.float32)
    timed("near-copies, in the background", lambda: near_copies(rows))


def quick(count: int, side: int) -> None:
    """Print when a new project of images is of use."""
    from PIL import Image

    rng = np.random.default_rng(0)
    soft = [
        np.asarray(
            Image.fromarray((255 * rng.random((9, 9, 3))).astype(np.uint8)).resize((side, side))
        )
        for _ in range(20)
    ]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "images"
        folder.mkdir()
        for number in range(count):
            noise = rng.integers(0, 12, (side, side, 1), np.uint8)
            Image.fromarray(soft[number % 20] // 2 + noise).save(folder / f"{number:06}.png")
        size = sum(path.stat().st_size for path in folder.iterdir()) / count
        print(f"{count:,} PNG of {side} pixels, RGB, {size / 1000:.0f} kB each")
        begin, before = time.perf_counter(), time.process_time()

        def say(text):
            spent = time.process_time()
            if trainer.alive:
                spent += sum(psutil.Process(trainer.pid).cpu_times()[:2])
            wall = time.perf_counter() - begin
            print(f"  {text:<52} {wall:8.3f} s   cpu {spent - before:8.3f} s", flush=True)

        project = Project.create(folder, classes=["a", "b"])
        cache = Path(scratch) / "cache"
        with Trainer(project.directory, cache_dir=cache, background=False) as trainer:
            project.scan()
            say("files read once: images can be shown")
            assert serve_next(project.state(), project.queue(), project.images(), (), 6)
            while project.model() is None:
                time.sleep(0.02)
            there = project.model().facts["with features"]
            say(f"first queue, {there:,} images in the space")
            while project.activity()["space"].state != "done":
                time.sleep(0.05)
            say("all images in the space")
        project.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="*", help="10000 and 100000 by default")
    parser.add_argument("--labelled", type=int, default=200)
    parser.add_argument("--no-plain", action="store_true", help="leave the plain way out")
    parser.add_argument("--quick", type=int, default=0, help="images of a new project")
    parser.add_argument("--side", type=int, default=300)
    given = parser.parse_args()
    usual = [] if given.quick else [10_000, 100_000]
    for count in usual if given.images is None else given.images:
        measure(count, given.labelled, not given.no_plain)
    if given.quick:
        quick(given.quick, given.side)


if __name__ == "__main__":
    main()
