"""The worker: features, near-copies and the map of a project, at low priority.

    python -m nextlabel.project.loop.worker

It is started by the trainer, and ends with it.
"""

import logging
from pathlib import Path
from threading import Event

import numpy as np

from nextlabel.core.errors import NextlabelError
from nextlabel.core.types import Array, Ids
from nextlabel.project.labelling.project import Project
from nextlabel.project.loop import child
from nextlabel.project.loop.cache_files import (
    COPIES,
    MAP,
    UNFINISHED_MAP,
    NearCopies,
    load_copies,
    newest_space,
    save_copies,
)
from nextlabel.project.loop.full_space import ACTIVITY, make_features
from nextlabel.project.loop.map import ACTIVITY as MAP_ACTIVITY
from nextlabel.project.loop.map import ProjectMap, make_map
from nextlabel.project.loop.near_copies import near_copies


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
    copies = load_copies(project.cache / COPIES)
    before = ProjectMap.load(project.cache / MAP)
    made = [None if one is None else one.key for one in (copies, before)]
    if made != [key, key]:
        project.set_activity(MAP_ACTIVITY, "running", message="the map is being made")
        rows = space.blocks.rows(ids).astype(np.float32)  # of the images that are there
        if made[0] != key:
            copies = NearCopies(ids, ids[near_copies(rows)], key)
            save_copies(project.cache / COPIES, copies)
        if made[1] != key and not _mapped(project, rows, ids, key, stop):
            return
    project.set_activity(MAP_ACTIVITY, "done", len(ids), len(ids), "the map is there")


def _mapped(project: Project, rows: Array, ids: Ids, key: str, stop: Event) -> bool:
    """Make the map of images by their rows (n, d); return False when `stop` was set."""

    def report(done: int, total: int) -> None:
        project.set_activity(MAP_ACTIVITY, "running", done, total, "the map is being made")

    project_map = make_map(rows, ids, key, project.cache / UNFINISHED_MAP, report, stop)
    if project_map is not None:
        project_map.save(project.cache / MAP)
    return project_map is not None


if __name__ == "__main__":
    main()
