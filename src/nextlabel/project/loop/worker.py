"""The worker: features, near-copies and the map of a project, at low priority.

    python -m nextlabel.project.loop.worker

It is started by the trainer, and ends with it.
"""

import logging
from pathlib import Path
from threading import Event

import numpy as np

from nextlabel.core.errors import NextlabelError
from nextlabel.core.types import Array
from nextlabel.project.labelling.project import Project
from nextlabel.project.loop import child
from nextlabel.project.loop.cached import (
    COPIES,
    MAP,
    UNFINISHED_MAP,
    NearCopies,
    load_copies,
    newest_space,
    save_copies,
)
from nextlabel.project.loop.features import ACTIVITY, make_features
from nextlabel.project.loop.map import ProjectMap, make_map
from nextlabel.project.loop.near_copies import near_copies
from nextlabel.project.loop.space import Space

MAP_ACTIVITY = "map"


def main() -> None:
    """Make what the project lacks: the features first."""
    arguments, stop = child.begin(low=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s worker %(message)s")
    logging.captureWarnings(True)
    logging.getLogger("openTSNE").setLevel(logging.WARNING)
    cache_dir = arguments["cache_dir"]
    with Project.open(arguments["project"], store=arguments["store"]) as project:
        try:
            make_features(project, None if cache_dir is None else Path(cache_dir))
        except NextlabelError as error:  # it would be the same again
            logging.warning("%s", error)
            project.set_activity(ACTIVITY, "failed", message=str(error))
        arrange(project, stop)


def arrange(project: Project, stop: Event) -> None:
    """Make the near-copies and the map of the project's space, unless they are there."""
    space = newest_space(project.cache)
    if space is None or stop.is_set():
        return
    ids = np.flatnonzero(space.there)
    key = f"{space.key} {len(ids)}"
    rows = None
    copies = load_copies(project.cache / COPIES)
    if copies is None or copies.key != key:
        rows = _rows(space)
        copies = NearCopies(ids, ids[near_copies(rows)], key)
        save_copies(project.cache / COPIES, copies)
    before = ProjectMap.load(project.cache / MAP)
    if before is not None and before.key == key:
        return
    rows = _rows(space) if rows is None else rows

    def report(done: int, total: int) -> None:
        project.set_activity(MAP_ACTIVITY, "running", done, total, "the map is being made")

    project_map = make_map(rows, ids, key, project.cache / UNFINISHED_MAP, report, stop)
    if project_map is not None:
        project_map.save(project.cache / MAP)
        project.set_activity(MAP_ACTIVITY, "done", len(ids), len(ids), "the map is there")


def _rows(space: Space) -> Array:
    """Return the joined rows of the images that are there, float32 (n, d)."""
    return space.blocks.rows(np.flatnonzero(space.there)).astype(np.float32)


if __name__ == "__main__":
    main()
