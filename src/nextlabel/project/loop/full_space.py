"""The full space of a project: a pretrained network's features and a VAE's, made in the background.

What was computed is kept by content, so that a process that was killed continues.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.core.progress import reporting_to
from nextlabel.features.block_creation import make_block
from nextlabel.features.cache import Cache
from nextlabel.files.digest import values_digest
from nextlabel.models.settings import TrainingSettings
from nextlabel.project.folder_features import folder_features
from nextlabel.project.folder_images import folder_images
from nextlabel.project.labelling.project import Project
from nextlabel.project.loop.cache_files import FULL
from nextlabel.project.loop.space import Space
from nextlabel.project.pipeline import Pipeline

ACTIVITY = "features"
EVERY = 1.0
"""Seconds between two reports of progress."""
WORDS = {"pretrained": "a pretrained network", "vae": "a VAE", "pca": "PCA", "pixels": "pixels"}
WORK = {"pretrained": "reading all images", "vae": "learning from all images"}
"""The work for a feature block; short, since the bar of the page shows it."""
VERSION = 1
"""To be raised when code changes what comes out of the same settings."""


def words_of(blocks: Iterable[str]) -> str:
    """Return the names of feature blocks as people read them: "a pretrained network and a VAE"."""
    return " and ".join(WORDS.get(name, name) for name in blocks)


def available(pipeline: Pipeline) -> tuple[Pipeline, str | None]:
    """Return the pipeline without blocks whose package is missing, and what to install for them."""
    lacking = None
    features = dict(pipeline.features)
    for name in pipeline.features:
        try:
            _ = make_block(name, pipeline.blocks.get(name, {}), TrainingSettings()).identity
        except UsageError as error:
            if error.code != "extra-missing" or len(features) == 1:
                raise
            del features[name]
            lacking = str(error)
    return pipeline.model_copy(update={"features": features}), lacking


def make_features(project: Project, cache_dir: Path | None = None) -> None:
    """Make the full space of a project, and store it where the trainer looks for it.

    Parameters
    ----------
    project : Project
        The project; its activities say how far the work is.
    cache_dir : Path, optional
        The folder of fitted features; the user's cache folder by default, as for `suggest`.
    """
    wanted = project.settings.pipeline
    pipeline, lacking = available(wanted)
    images = project.images()
    contents = values_digest({"digests": images.digests})
    key = values_digest(
        {"version": VERSION}
        | pipeline.model_dump(mode="json", include={"features", "blocks", "image_size", "seed"})
    )
    path = project.cache / FULL
    before = Space.load(path)
    if before is not None and before.key != key:
        before = None
    name = f"features of {words_of(pipeline.features)}"
    if before is not None and str(before.state.get("contents")) == contents:
        _say(project, "done", before, name, lacking)
        return
    project.set_activity(ACTIVITY, "running", message="reading the images")
    cache = Cache.open(cache_dir)
    data = folder_images(project.folder, pipeline.image_size, cache)
    report = _Report(project)
    with reporting_to(report):
        features = folder_features(project.folder, data, pipeline, cache, begin=report.begin)
    image_of = {digest: image for image, digest in enumerate(images.digests)}
    pairs = [
        (image_of[digest], row)
        for digest, row in {d: r for r, d in enumerate(features.digests)}.items()
        if digest in image_of
    ]
    ids, rows = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
    of_blocks = {block: of_block[rows] for block, of_block in features.rows.items()}
    state = {"contents": np.array(contents), "faults": np.array("; ".join(features.faults))}
    space = Space.placed(name, of_blocks, ids, len(images), key, state)
    if before is not None:
        space = _with_gone(space, before)
    space.save(path)
    _say(project, "done", space, name, lacking)


def _with_gone(space: Space, before: Space) -> Space:
    """Return the space with the rows of images that have no file any more."""
    kept = np.flatnonzero(before.there & ~space.there[: len(before)])
    rows = {name: of_block.copy() for name, of_block in space.rows.items()}
    for name, of_block in rows.items():
        of_block[kept] = before.rows[name][kept]
    there = space.there.copy()
    there[kept] = True
    return replace(space, rows=rows, there=there, _scaled={})


def _say(project: Project, word: str, space: Space, name: str, lacking: str | None) -> None:
    count = int(space.there.sum())
    message = f"the images are described by {name}"
    if faults := str(space.state.get("faults", "")):
        message += f"; {faults}"
    if lacking is not None:
        message += f"; better ones need more: {lacking}"
    project.set_activity(ACTIVITY, word, count, len(space), message)


class _Report:
    """Progress to the project's activities, not more often than EVERY."""

    def __init__(self, project: Project, clock: Callable[[], float] = time.monotonic) -> None:
        self.project, self.clock = project, clock
        self.block, self.last = "", -EVERY

    def begin(self, block: str) -> None:
        """Say which block is being made."""
        self.block, self.last = block, -EVERY
        self(0, 0)

    def __call__(self, done: int, total: int) -> None:
        if done < total and self.clock() - self.last < EVERY:
            return
        self.last = self.clock()
        message = WORK.get(self.block, f"making the features of {self.block}")
        with suppress(Exception):  # a busy database delays no work
            self.project.set_activity(ACTIVITY, "running", done, total or None, message)
