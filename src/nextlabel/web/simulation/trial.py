"""One simulation: a project in a folder of its own, its server, and a person at the page."""

import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nextlabel.core.errors import UsageError
from nextlabel.core.types import Task
from nextlabel.data.lists.manifest import read_labels
from nextlabel.project.labelling.project import Project
from nextlabel.web.simulation.client import PageClient, PageError
from nextlabel.web.simulation.person import (
    MARKS,
    Measured,
    SimulatedPerson,
    SimulationResult,
    every_image,
)
from nextlabel.web.simulation.server_process import ServerProcess

PATIENCE = 3600.0
"""Seconds that the features of a folder may take."""
ENDED = frozenset({"done", "failed"})


@dataclass(frozen=True)
class Simulation:
    """The images, the truth, and the number of answers.

    Parameters
    ----------
    folder : Path
        The images.
    truth : Path
        The true labels, as `read_labels` takes them.
    answers : int
        The number of answers.
    order : str
        "queue" is the strategy of the project, "random" the baseline.
    classes : tuple of str
        The names of the classes; by default those of the truth.
    settings : mapping
        Further settings of the project, as `Project.configure` takes them.
    marks : sequence of int
        Numbers of labels at which the model is measured.
    """

    folder: Path
    truth: Path
    answers: int
    order: Literal["queue", "random"] = "queue"
    classes: tuple[str, ...] = ()
    task: Task = "multiclass"
    settings: Mapping[str, Any] = field(default_factory=dict)
    marks: Sequence[int] = MARKS

    def run(
        self, seed: int, tell: Callable[[Measured], None] = lambda measured: None
    ) -> SimulationResult:
        """Return the result of a seed; the project is removed afterwards.

        Raises
        ------
        UsageError
            There is no file of the truth, or it has no label of an image.
        PageError
            The page refuses something, or ends.
        """
        if not self.truth.is_file():
            raise UsageError(
                f"there is no file {self.truth}; give the true labels as a CSV", code="no-such-file"
            )
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
            directory = Path(temporary) / "project"
            with Project.create(self.folder, directory=directory, task=self.task) as project:
                strategy = {"strategy": "random"} if self.order == "random" else {}
                project.configure(seed=seed, **{**self.settings, **strategy})
            arguments = [str(self.folder), "--project", str(directory)]
            with (
                ServerProcess(arguments) as server,
                PageClient(server.address, "simulated") as client,
            ):
                wait_for_features(client)
                truth = self.labels(client)
                self.add_classes(client, truth)
                return SimulatedPerson(client, truth).label(self.answers, self.marks, tell)

    def labels(self, client: PageClient) -> dict[str, tuple[str, ...]]:
        """Return the true classes of the images, by path."""
        names = [item["path"] for item in every_image(client)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of copies, which have one image and several names
            _, labels = read_labels(self.truth, names, self.task, missing="skip")
        truth = {
            name: tuple(label)
            for name, label in zip(names, labels, strict=True)
            if label is not None
        }
        if not truth:
            raise UsageError(
                f"{self.truth} has no label of an image in {self.folder}; give another file",
                code="no-truth",
            )
        return truth

    def add_classes(self, client: PageClient, truth: Mapping[str, tuple[str, ...]]) -> None:
        """Add the classes that are given, or else those of the truth."""
        names = self.classes or tuple(sorted({name for label in truth.values() for name in label}))
        for number, name in enumerate(names):
            client.post("/api/classes", action="add", value=name, key=f"simulated {number}")


def wait_for_features(client: PageClient, patience: float = PATIENCE) -> float:
    """Wait until the features of all images are there; return the seconds that it took."""
    begun = time.monotonic()
    while time.monotonic() < begun + patience:
        states = {of["name"]: of["state"] for of in client.get("/api/project")["activities"]}
        if states.get("scan") in ENDED and states.get("features") in ENDED:
            return time.monotonic() - begun
        time.sleep(0.2)
    raise PageError(
        f"the features of the images are not there after {patience:.0f} s; trainer.log of the "
        "project may say why",
        code="features-late",
    )
