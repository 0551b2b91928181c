"""The trainer: a process that turns answers into models, predictions and the next queue.

    python -m nextlabel.project.loop.trainer

The server starts it through `supervisor.Trainer`. It reads the log of answers, and writes models,
queues and activities; it never writes an answer.
"""

import logging
import os
import threading
import time
from contextlib import suppress

import numpy as np
from sqlalchemy.exc import SQLAlchemyError
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nextlabel.core.errors import StoreError
from nextlabel.project.labelling.classes import live
from nextlabel.project.labelling.known_labels import known_labels
from nextlabel.project.labelling.project import Project
from nextlabel.project.labelling.state import State
from nextlabel.project.loop import child
from nextlabel.project.loop.background import Background
from nextlabel.project.loop.current_space import Spaces
from nextlabel.project.loop.pages.review import write_review
from nextlabel.project.loop.round import Labelled, next_round
from nextlabel.project.loop.serving import labelled_as_shown, order_of, settled_ids, usable
from nextlabel.project.loop.space import Space
from nextlabel.project.scanning.images import ProjectImages

POLL = 0.1
"""Seconds between two readings of the log."""
FEW = 5
"""Answers after which a new model is made at once."""
QUIET = 0.3
"""Seconds without an answer after which fewer are enough."""
AGAIN = 5.0
"""Seconds until the next try when the project cannot be read or written."""
IDLE = 1.0
"""Seconds without anything to do after which the labels are reviewed."""
ACTIVITY, STRATEGY = "trainer", "strategy"

log = logging.getLogger("nextlabel.trainer")


class Loop:
    """The work of the trainer on one project, a step at a time.

    Parameters
    ----------
    project : Project
        The project.
    stop : Event
        Ends what runs in the background.
    background : Background, optional
        The worker for the full space and the map; None makes neither.
    """

    def __init__(
        self, project: Project, stop: threading.Event, background: Background | None = None
    ) -> None:
        self.project, self.background = project, background
        self.spaces = Spaces(project, stop)
        self._cause: tuple[object, ...] = ()
        self._seq = self._reviewed = 0
        self._newest, self._changed_at = -1, 0.0
        self._problem: str | None = None
        self._failed = False

    def step(self) -> bool:
        """Make a model and a queue if there is reason to; return whether one was published."""
        images, state = self.project.images(), self.project.state()
        settings = self.project.settings
        space = self.spaces.current(images)
        now = time.monotonic()
        if state.seq != self._newest:
            self._newest, self._changed_at = state.seq, now
        if self.background is not None:
            self.background.care(images, self.spaces.quick_ready)
        if space is None:
            return False
        cause = (space, images.version, state.change_seq, settings)
        new = state.seq - self._seq
        quiet = now - self._changed_at
        if cause == self._cause and (not new or (new < FEW and quiet < QUIET)):
            if not new and quiet > IDLE and self._reviewed != state.seq:
                self._reviewed = state.seq
                write_review(self.project, state, space)
            return False
        self._publish(images, state, space)
        self._cause, self._seq = cause, state.seq  # last: what cannot be stored is tried again
        return True

    def attempt(self) -> bool:
        """Make a step; return False when the project cannot be read or written now."""
        try:
            self.step()
            if self._failed:
                self.project.set_activity(ACTIVITY, "running", message="")
        except (StoreError, SQLAlchemyError, OSError) as error:  # a full disk, a busy database
            log.warning("%s", error)
            self._failed = True
            with suppress(StoreError, SQLAlchemyError):
                self.project.set_activity(ACTIVITY, "failed", message=str(error))
            return False
        self._failed = False
        return True

    def _publish(self, images: ProjectImages, state: State, space: Space) -> None:
        settings = self.project.settings
        unfit = np.flatnonzero(~usable(images))
        labelled = Labelled(
            known_labels(state, settings.task),
            tuple(one.id for one in live(state.classes)),
            np.union1d(settled_ids(state), unfit),
            order_of(images, settings.seed),
            state.seq,
            labelled_as_shown(state),
        )
        made = next_round(space, labelled, settings.pipeline)
        version = self.project.publish(made.model, made.queue)
        log.info("model %d after answer %d: %s", version, state.seq, dict(made.model.facts))
        if made.problem != self._problem:
            self._problem = made.problem
            if made.problem is None:
                self.project.set_activity(STRATEGY, "done")
            else:
                message = f"the default strategy chooses instead: {made.problem}"
                self.project.set_activity(STRATEGY, "failed", message=message)


def main() -> None:
    """Work on the project that the arguments name, until the server ends."""
    arguments, stop = child.begin()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s trainer %(message)s")
    logging.captureWarnings(True)
    with Project.open(arguments["project"], store=arguments["store"]) as project:
        background = Background(project, arguments) if arguments["background"] else None
        loop = Loop(project, stop, background)
        project.set_activity(ACTIVITY, "running", message="")
        loop.attempt()  # begins to read thumbnails, while what fits them is imported
        import sklearn.cluster
        import sklearn.decomposition
        import sklearn.linear_model  # noqa: F401

        try:
            with threadpool_limits(max(1, (os.cpu_count() or 1) - 1)):
                while not stop.is_set():
                    stop.wait(POLL if loop.attempt() else AGAIN)
        finally:
            stop.set()
            if background is not None:
                background.stop()


if __name__ == "__main__":
    main()
