"""The simulated person: fetches the next image, answers, and notes how good the model is."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nextlabel.core.errors import UsageError
from nextlabel.web.simulation.client import PageClient

AHEAD = 6
"""Images that a tab holds, as the page does."""
BEHIND = 5
"""Answers that the model may lag behind; a person is slower than a program."""
PAGE = 500
"""Images asked at a time."""
MARKS = (10, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000)
"""Numbers of labels at which the model is measured."""


@dataclass(frozen=True)
class Measured:
    """The model after some labels.

    Parameters
    ----------
    labelled : int
        The number of labelled images.
    accuracy : float
        The share of the images without a label that are predicted right, in [0, 1].
    estimate, low, high : float, optional
        The estimate that the page shows, with its interval.
    space : str
        The space of the model.
    """

    labelled: int
    accuracy: float
    estimate: float | None
    low: float | None
    high: float | None
    space: str


@dataclass
class SimulationResult:
    """The result of one simulation: the curve, and the seconds that the page took.

    `answered` holds, for each answer, the seconds from the answer to the picture of the next
    image; `renewed` the seconds until the queue was made again, where it was waited for.
    """

    curve: list[Measured] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    renewed: list[float] = field(default_factory=list)


class SimulatedPerson:
    """A person with all answers.

    Parameters
    ----------
    client : PageClient
        The tab.
    truth : mapping of str to sequence of str
        The names of the classes of each image, by its path.
    """

    def __init__(self, client: PageClient, truth: Mapping[str, Sequence[str]]) -> None:
        self.client, self.truth = client, truth
        classes = client.get("/api/project")["classes"]
        self.ids = {of["name"]: of["id"] for of in classes if not of["removed"]}

    def label(
        self,
        answers: int,
        marks: Sequence[int] = MARKS,
        tell: Callable[[Measured], None] = lambda measured: None,
    ) -> SimulationResult:
        """Answer as many images, and return the result; `tell` gets each measurement."""
        result, seq = SimulationResult(), 0
        ahead: list[Any] = []
        for number in range(1, answers + 1):
            ahead = ahead or self._more(ahead)
            if not ahead:
                break
            item = ahead.pop(0)
            shown = time.time()
            begun = time.perf_counter()
            seq = self._answer(item, shown)
            ahead = self._more(ahead)
            if ahead:
                self.client.content(ahead[0]["url"]["pixels"])
            result.answered.append(time.perf_counter() - begun)
            if number in marks or number == answers:
                result.curve.append(self.measure(seq))
                tell(result.curve[-1])
                ahead = self._renewed(ahead)
            elif number % BEHIND == 0:
                begun = time.perf_counter()
                self.client.wait(seq - 1)
                result.renewed.append(time.perf_counter() - begun)
                ahead = self._renewed(ahead)
        return result

    def measure(self, seq: int) -> Measured:
        """Return how good the model is that has seen the answer numbered `seq`."""
        project = self.client.wait(seq)
        right = total = 0
        names = {number: name for name, number in self.ids.items()}
        for item in every_image(self.client):
            if item["labelled"] or item["predicted"] is None or item["path"] not in self.truth:
                continue
            total += 1
            right += [names.get(item["predicted"]["class"])] == list(self.truth[item["path"]])
        estimate = project["model"]["estimate"] or {}
        return Measured(
            project["counts"]["labelled"],
            right / max(1, total),
            estimate.get("value"),
            estimate.get("low"),
            estimate.get("high"),
            project["model"]["space"],
        )

    def _answer(self, item: Mapping[str, Any], shown: float) -> int:
        """Send the true answer of an image, and return its number in the log."""
        classes = self.truth.get(item["path"])
        said = (
            {"kind": "skip"}
            if classes is None
            else {"kind": "label", "classes": self._ids(classes)}
        )
        reply = self.client.post(
            "/api/answers",
            tab=self.client.tab,
            answers=[
                {
                    "key": uuid.uuid4().hex,
                    "image": item["image"],
                    "shown_at": shown,
                    "answered_at": time.time(),
                    "model": item["model"],
                    "position": item["position"],
                    **said,
                }
            ],
        )
        return int(reply["saved"][0]["seq"])

    def _ids(self, classes: Sequence[str]) -> list[int]:
        missing = [name for name in classes if name not in self.ids]
        if missing:
            raise UsageError(
                f"{missing[0]!r} is not a class of the project; add it by --classes",
                code="unknown-class",
            )
        return [self.ids[name] for name in classes]

    def _more(self, ahead: list[Any]) -> list[Any]:
        """Return the images ahead, filled up."""
        if len(ahead) >= AHEAD // 2:
            return ahead
        held = ",".join(str(item["image"]) for item in ahead)
        reply = self.client.get(
            "/api/next", count=AHEAD - len(ahead), held=held, tab=self.client.tab
        )
        return ahead + list(reply["items"])

    def _renewed(self, ahead: list[Any]) -> list[Any]:
        """Return images of the newest queue; those that were ahead are given back."""
        images = [item["image"] for item in ahead]
        self.client.post("/api/release", tab=self.client.tab, images=images)
        return self._more([])


def every_image(client: PageClient) -> list[Any]:
    """Return all images as the gallery has them."""
    items: list[Any] = []
    while True:
        reply = client.get("/api/images", order="path", offset=len(items), limit=PAGE)
        items += reply["items"]
        if len(items) >= reply["total"] or not reply["items"]:
            return items
