"""The open project, as all requests share it: images, state, the queue and pictures."""

import os
import threading
from collections.abc import Callable, Collection
from functools import lru_cache
from pathlib import Path
from typing import Any

from nextlabel.files.digest import content_digest
from nextlabel.project.labelling.leases import Leases
from nextlabel.project.labelling.models import QueueItem
from nextlabel.project.labelling.project import Project
from nextlabel.project.labelling.state import State
from nextlabel.project.loop.pages.predictions import Predictions, predictions
from nextlabel.project.loop.serving import left, serve_next
from nextlabel.project.scanning.images import ProjectImages
from nextlabel.web.errors import HttpRefusal
from nextlabel.web.pictures.image_files import PASSING, ImageFiles, Unusable
from nextlabel.web.pictures.thumbnails import Thumbnails

Stamp = tuple[int, int, int, int]
"""The last answer, change of classes, change of images, and model."""


class Workspace:
    """The project of this server, for all its threads.

    Parameters
    ----------
    project : Project
        The project; it stays open as long as the server runs.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.files = ImageFiles(self)
        self.thumbnails = Thumbnails(self.files, project.directory / "cache" / "thumbnails")
        self.leases = Leases(project.database)
        self._asking = threading.Lock()
        self._kept: dict[str, tuple[Stamp, dict[str, Any]]] = {}

    @property
    def id(self) -> str:
        """A name of the project that stays the same, for what browsers keep of it."""
        return content_digest(os.fsencode(self.project.directory.resolve()))[:16]

    @property
    def folder(self) -> Path:
        """The folder of the images."""
        return self.project.folder

    @property
    def images(self) -> ProjectImages:
        """The images as they are known now."""
        return self.project.images()

    @property
    def state(self) -> State:
        """The state after all answers so far."""
        return self.project.state()

    def check_image(self, image: int) -> None:
        """Raise HttpRefusal unless there is an image of that number."""
        if not 0 <= image < len(self.images):
            raise HttpRefusal(404, "no-such-image", f"there is no image {image}")

    def note_problem(self, image: int, problem: Unusable) -> None:
        """Record why an image can never be shown, so that it is not asked."""
        images = self.images
        if problem.code in PASSING or images.problems[image] is not None or images.gone[image]:
            return
        self.project.note_images({image: images.facts(image, str(problem))})

    def file(self, image: int) -> tuple[str, str]:
        """Return the path of an image below the folder, and its digest."""
        self.check_image(image)
        images = self.images
        return images.names[image], images.digests[image]

    def next(
        self, count: int, held: Collection[int], person: str, tab: str
    ) -> tuple[list[QueueItem], State]:
        """Return images to ask, which belong to a tab from now on, and the state they are of."""
        project = self.project
        queue, settings = project.queue(), project.settings
        images = project.images()  # after the queue, so that all of its images are there
        with self._asking:
            state = project.state()  # here, since an answer may end the lease of its image
            chosen = serve_next(
                state,
                queue,
                images,
                self.leases.of_others(person, tab),
                count,
                held,
                person=person,
                overlap=settings.overlap,
                seed=settings.seed,
            )
            taken = set(self.leases.take([item.image for item in chosen], person, tab))
        return [item for item in chosen if item.image in taken], state

    def keep(self, images: Collection[int], person: str, tab: str) -> list[int]:
        """Keep images for a tab for another while; return those that no other tab has."""
        with self._asking:
            return self.leases.take(images, person, tab)

    def kept(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what `make` returns; it is made again when answers, images or models are new."""
        state, images, newest = self.state, self.images, self.project.database.newest()
        stamp = (state.seq, state.change_seq, images.version, newest.model)
        before = self._kept.get(name)
        if before is None or before[0] != stamp:
            before = self._kept[name] = stamp, make()
        return before[1]

    def counts(self) -> dict[str, int]:
        """Return how many images there are, and in which states."""
        return self.kept("counts", self._counts)

    def _counts(self) -> dict[str, int]:
        state, images = self.state, self.images
        return {
            "images": len(images),
            "labelled": len(state.labels),
            "skipped": len(state.skipped),
            "unsure": len(state.unsure),
            "flagged": len(state.flagged),
            **broken(images),
            "left": left(state, images),
        }

    def predictions(self) -> Predictions:
        """Return the predictions of the newest model for all images."""
        project = self.project
        classes, count = self.state.classes, len(self.images)
        return predictions(project.model(), classes, count, project.settings.task)

    def item(self, image: int, images: ProjectImages, state: State) -> dict[str, Any]:
        """Return an image as JSON values."""
        version = images.digests[image][:8]
        name = text(images.names[image])
        return {
            "image": image,
            "path": name,
            "name": name.rpartition("/")[2],
            "width": int(images.widths[image]) or None,
            "height": int(images.heights[image]) or None,
            "bits": int(images.bits[image]) or None,
            "channels": int(images.channels[image]) or None,
            "problem": images.problems[image]
            or ("the file is gone" if images.gone[image] else None),
            "copies": int(images.copies[image]),
            "flagged": image in state.flagged,
            "note": state.notes.get(image, ""),
            "label": list(state.labels.get(image, ())),
            "labelled": image in state.labels,
            "skipped": image in state.skipped,
            "unsure": image in state.unsure,
            "thumb": f"/thumb/{image}?v={version}",
            "url": {
                "thumb": f"/thumb/{image}?v={version}",
                "pixels": f"/pixels/{image}?v={version}",
            },
        }


@lru_cache(maxsize=2)
def broken(images: ProjectImages) -> dict[str, int]:
    """Return how many images cannot be shown, and how many are gone."""
    problems = sum(problem is not None for problem in images.problems)
    return {"problems": problems, "gone": int(images.gone.sum())}


def text(name: str) -> str:
    """Return a file name as text that JSON can hold; bytes without a letter are escaped."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def guess(predicted: Predictions, image: int) -> dict[str, Any] | None:
    """Return the predicted classes of an image, the likeliest first of all, and the confidence.

    None without a prediction.
    """
    of = predicted.of(image)
    if of is None:
        return None
    confidence = round(of.confidence, 4)
    return {"class": of.class_id, "classes": list(of.classes), "confidence": confidence}
