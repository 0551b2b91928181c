"""The space that a project works in: the quick one at first, then the full one."""

import logging
import threading
import time
from contextlib import suppress

import numpy as np

from nextlabel.core.errors import StoreError
from nextlabel.core.types import Ids
from nextlabel.project.labelling.project import Project
from nextlabel.project.loop.cache_files import FULL, QUICK, stamp
from nextlabel.project.loop.quick_space import Thumbnails
from nextlabel.project.loop.serving import order_of, usable
from nextlabel.project.loop.space import Space
from nextlabel.project.scanning.images import ProjectImages

ACTIVITY = "space"
EVERY = 1.0
"""Seconds between two looks whether the full space was renewed."""

log = logging.getLogger("nextlabel.trainer")


class Spaces:
    """The space of a project as of now.

    Parameters
    ----------
    project : Project
        The project.
    stop : Event
        Ends the reading of thumbnails.
    """

    def __init__(self, project: Project, stop: threading.Event) -> None:
        self.project, self._stop = project, stop
        self._quick: Space | None = None
        self._renewing = threading.Lock()
        self._full: Space | None = None
        self._stamp, self._looked = (0, 0), -EVERY
        self._thread: threading.Thread | None = None
        self._thumbnails = Thumbnails(project.folder, self._renewed, self._failed)
        self._tried = np.zeros(0, bool)
        self._problems: dict[int, str] = {}
        self._begun = False

    @property
    def quick_ready(self) -> bool:
        """True when the full space is there, or all thumbnails are read."""
        if self._full is not None:
            return True
        return self._begun and (self._thread is None or not self._thread.is_alive())

    def current(self, images: ProjectImages) -> Space | None:
        """Return the space of all images, as far as it is there; None before the first seconds."""
        self._look()
        if self._full is not None:
            self._full = self._full.grown(len(images))
            return self._full
        self._read(images)
        with self._renewing:  # a renewal in between would be lost
            if self._quick is not None:
                self._quick = self._quick.grown(len(images))
            return self._quick

    def _look(self) -> None:
        """Take the full space, when it is there or was renewed."""
        if time.monotonic() - self._looked < EVERY:
            return
        self._looked = time.monotonic()
        path = self.project.cache / FULL
        if (now := stamp(path)) == self._stamp:
            return
        self._stamp = now
        space = Space.load(path)
        if space is None:
            return
        first = self._full is None
        self._full = space
        if first:
            self._say("done", space)

    def _read(self, images: ProjectImages) -> None:
        """Read thumbnails of the images that have none yet, in a thread."""
        if self._thread is not None:
            if self._thread.is_alive():
                return
            self._note_problems(images)
        if not self._begun:
            self._begun = True
            before = Space.load(self.project.cache / QUICK)
            if before is not None:
                self._quick = before
                self._thumbnails.continue_from(before)
                if self._thumbnails.rows:
                    self._tried = before.there.copy()
        tried = np.zeros(len(images), bool)
        tried[: len(self._tried)] = self._tried
        waiting = _at_random(images)
        waiting = waiting[usable(images)[waiting] & ~tried[waiting]]
        if not len(waiting):
            return
        tried[waiting] = True
        self._tried = tried
        names = {image: images.names[image] for image in waiting.tolist()}
        self._thread = threading.Thread(
            target=self._run, args=(names, len(images)), name="thumbnails", daemon=True
        )
        self._thread.start()

    def _run(self, names: dict[int, str], count: int) -> None:
        try:
            self._thumbnails.read(names, count, self._stop)
            if self._quick is not None and not self._stop.is_set():
                self._say("done", self._quick)
        except Exception:
            log.exception("thumbnails")
            self.project.set_activity(ACTIVITY, "failed", message="trainer.log has the reason")

    def _renewed(self, space: Space) -> None:
        with self._renewing:
            self._quick = space
        try:
            space.save(self.project.cache / QUICK)
        except OSError as error:  # it is made again next time
            log.warning("%s cannot be kept: %s", QUICK, error)
        self._say("running", space)

    def _say(self, word: str, space: Space) -> None:
        message = f"the model and the queue use {space.name}"
        with suppress(StoreError):  # a busy database does not end the reading
            self.project.set_activity(ACTIVITY, word, int(space.there.sum()), len(space), message)

    def _failed(self, image: int, reason: str) -> None:
        self._problems[image] = reason

    def _note_problems(self, images: ProjectImages) -> None:
        """Store why images cannot be read, so that no person is asked them."""
        if not self._problems:
            return
        problems, self._problems = self._problems, {}
        self.project.note_images(
            {image: images.facts(image, reason) for image, reason in problems.items()}
        )


def _at_random(images: ProjectImages) -> Ids:
    """Return all images in a random order that is independent of that of the audit.

    In the audit's own order, the images that the strategy may choose would come last.
    """
    order = order_of(images)
    return order.rows[np.argsort((order.places * 2**20) % 1, kind="stable")]
