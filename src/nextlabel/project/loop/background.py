"""The worker of a trainer: started when there is something to make, and again when it failed."""

import time
from collections.abc import Mapping
from typing import Any

from nextlabel.project.labelling.activity import Activity
from nextlabel.project.labelling.project import Project
from nextlabel.project.loop.child import Child
from nextlabel.project.loop.full_space import ACTIVITY
from nextlabel.project.loop.map import ACTIVITY as MAP_ACTIVITY
from nextlabel.project.loop.serving import usable
from nextlabel.project.scanning.images import ProjectImages

MODULE = "nextlabel.project.loop.worker"
LOG = "trainer.log"
STABLE = 2.0
"""Seconds without a change of the images, after which the features are made."""
PAUSES = (5.0, 30.0, 120.0)
"""Seconds before each further try of a worker that failed."""
LOOK = 1.0
"""Seconds between two looks whether a person has asked for failed work again."""
WORK = (ACTIVITY, MAP_ACTIVITY)
"""The activities of the worker."""
ASKED = "waiting"
"""The state of an activity that failed and that a person has asked for again."""


def can_begin_again(activity: Activity) -> bool:
    """Return whether a person may ask for this work again: it is the worker's, and failed."""
    return activity.name in WORK and activity.state == "failed"


def ask_again(project: Project, name: str) -> bool:
    """Let the worker begin again with work that failed; return False when there is no such work."""
    activity = project.activity().get(name)
    if activity is None or not can_begin_again(activity):
        return False
    project.set_activity(name, ASKED, message="it begins again")
    return True


class Background:
    """The worker of a project.

    Parameters
    ----------
    project : Project
        The project.
    arguments : mapping
        The arguments of the trainer, which the worker gets too.
    """

    def __init__(self, project: Project, arguments: Mapping[str, Any]) -> None:
        self.project, self.arguments = project, arguments
        self._child: Child | None = None
        self._wanted: object = None
        self._since = self._due = 0.0
        self._failures = 0
        self._looked = -LOOK

    def care(self, images: ProjectImages, ready: bool) -> None:
        """Start the worker when it has something to do; see what became of it.

        Parameters
        ----------
        images : ProjectImages
            The images.
        ready : bool
            Whether the thumbnails are read, so that the worker takes no time from them.
        """
        now = time.monotonic()
        if self._child is not None:
            code = self._child.code
            if code is None:
                return
            self._child = None
            if code:
                self._failed(code, now)
        wanted = (len(images), self.project.settings.features)
        if wanted != self._wanted:
            self._wanted, self._since, self._failures = wanted, now, 0
            self._due = now + STABLE
        if self._asked(now):
            self._due, self._failures = now, 0
        if ready and self._due and now >= self._due and usable(images).sum() > 1:
            self._due = 0.0
            self._child = Child(MODULE, self.arguments, self.project.directory / LOG)

    def stop(self) -> None:
        """End the worker; what it has made is kept."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def _failed(self, code: int, now: float) -> None:
        message = f"the work in the background ended with {code}; trainer.log has the reason"
        if self._failures < len(PAUSES):
            pause = PAUSES[self._failures]
            self._due = now + pause
            message += f"; it begins again in {pause:g} s"
        self._failures += 1
        states = self.project.activity()
        running = [name for name in WORK if name in states and states[name].state == "running"]
        for name in running or [ACTIVITY]:
            self.project.set_activity(name, "failed", message=message)

    def _asked(self, now: float) -> bool:
        """Return whether a person has asked for failed work again, and note that it begins."""
        if now - self._looked < LOOK:
            return False
        self._looked = now
        asked = [a.name for a in self.project.activity().values() if a.state == ASKED]
        for name in asked:
            self.project.set_activity(name, "running")
        return bool(asked)
