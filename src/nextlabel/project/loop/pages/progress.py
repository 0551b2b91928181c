"""Progress: what is labelled, how fast, how good the model is, and whether to go on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from nextlabel.project.labelling.answer import RESPONSES, Answer
from nextlabel.project.labelling.classes import live
from nextlabel.project.labelling.models import Model
from nextlabel.project.labelling.project import Project
from nextlabel.project.loop.serving import left
from nextlabel.statistics.learning_curve import (
    AUDITED,
    FEWEST,
    FURTHER,
    SPAN,
    ExpectedRise,
    advice,
    expected_rise,
    lack_of,
)

PAUSE = 120.0
"""Seconds without an answer that count as a pause and not as work."""
WORK = frozenset({"one", "grid"})
"""The views in which a person answers one image after another."""
SHOWN = 200
"""The most points of the curve."""
HINTS = {
    "go-on": "further labels are expected to pay",
    "stop": "less than 1 point of accuracy is expected of {labels}, so it may be time to stop",
    "done": "no image is left to label",
}
TOO_EARLY = "it is too early to say what further labels bring: "
LACKS = {
    "estimates": "it takes {fewest} estimates of the accuracy, from {needed} random images or "
    "more, with the present features, and there are {estimates}",
    "audited": "it takes labels of {needed} random images, and there are {audited}",
    "span": "it can be said from {from_labels} labels on",
}


@dataclass(frozen=True)
class Pace:
    """The speed of labelling: images, seconds of work without pauses, and sessions between them."""

    images: int
    seconds: float
    sessions: int

    @property
    def an_hour(self) -> float | None:
        """The number of images per hour; None before there is an interval."""
        intervals = self.images - self.sessions
        return 3600 * intervals / self.seconds if intervals > 0 and self.seconds > 0 else None


def pace(answers: Sequence[Answer], pause: float = PAUSE) -> Pace:
    """Return the speed of labelling, of all people together.

    The time between two answers of a person counts when it is at most `pause`; longer ones are
    pauses, which divide the work into sessions. Several answers of one moment are one interval.

    Parameters
    ----------
    answers : sequence of Answer
        The answers that count, in any order. Those of imports and of whole rows of the gallery are
        left out, and so are notes and flags.
    pause : float
        The longest time, in seconds, that is work.
    """
    times: dict[str, list[float]] = {}
    for answer in answers:
        if answer.kind in RESPONSES and answer.view in WORK:
            at = answer.answered_at if answer.answered_at is not None else answer.received_at
            times.setdefault(answer.person, []).append(at)
    images, seconds, sessions = 0, 0.0, 0
    for of_person in times.values():
        gaps = np.diff(np.sort(of_person))
        images += len(of_person)
        seconds += float(gaps[gaps <= pause].sum())
        sessions += 1 + int((gaps > pause).sum())
    return Pace(images, seconds, sessions)


def curve(models: Sequence[Model]) -> list[dict[str, Any]]:
    """Return the estimates of the accuracy over time: the newest of each number of labels.

    Parameters
    ----------
    models : sequence of Model
        All models by version. Only those since the last change of the space have estimates that
        a curve may be fitted to; `space` says which they are.
    """
    points: dict[int, dict[str, Any]] = {}
    for model in models:
        if model.estimate is None or "labelled" not in model.facts:
            continue
        labelled = int(model.facts["labelled"])
        points.pop(labelled, None)
        points[labelled] = {
            "version": model.version,
            "at": model.created_at,
            "labelled": labelled,
            "space": model.space,
            **{name: model.estimate[name] for name in ("value", "low", "high", "audited")},
        }
    ordered = [points[labelled] for labelled in sorted(points)]
    if len(ordered) <= SHOWN:
        return ordered
    kept = np.unique(np.linspace(0, len(ordered) - 1, SHOWN).astype(np.int64))
    return [ordered[at] for at in kept.tolist()]


def random_images_missing(estimate: Mapping[str, Any] | None) -> int:
    """Return how many more audited images an estimate takes before it is worth showing."""
    return max(0, AUDITED - (0 if estimate is None else int(estimate["audited"])))


def outlook(points: Sequence[dict[str, Any]], remaining: int) -> dict[str, Any]:
    """Return what further labels are expected to bring, and a hint whether to go on.

    It is time to stop when even the upper end of the range of the next labels lies below one point
    of accuracy. Only estimates in the newest space count, since another space has another curve.

    Parameters
    ----------
    points : sequence of dict
        As `curve` returns them.
    remaining : int
        The number of images that are still to be asked.
    """
    if not remaining:
        return {"next": None, "advice": "done", "hint": HINTS["done"]}
    same = [point for point in points if point["space"] == points[-1]["space"]]
    further = min(FURTHER, remaining)
    rise = _rise(tuple((p["labelled"], p["value"], p["audited"]) for p in same), further)
    word = advice(rise)
    if rise is None:
        return {"next": None, "advice": word, "hint": _too_early(same)}
    labels = "the last label" if remaining == 1 else f"the next {further} labels"
    if 1 < remaining < FURTHER:
        labels = f"the last {remaining} labels"
    return {"next": asdict(rise), "advice": word, "hint": HINTS[word].format(labels=labels)}


def _too_early(points: Sequence[dict[str, Any]]) -> str:
    """Return why the estimates in the newest space do not say yet what further labels bring."""
    labelled, audited = ([point[name] for point in points] for name in ("labelled", "audited"))
    lack = lack_of(np.array(labelled), np.array(audited))
    assert lack is not None
    counted = [point["labelled"] for point in points if point["audited"] >= AUDITED]
    return TOO_EARLY + LACKS[lack].format(
        fewest=FEWEST,
        estimates=len(counted),
        needed=AUDITED,
        audited=audited[-1] if audited else 0,
        from_labels=int(np.ceil(SPAN * counted[0])) if counted else 0,
    )


@lru_cache(maxsize=4)
def _rise(points: tuple[tuple[int, float, int], ...], labels: int) -> ExpectedRise | None:
    """Return the expected rise after points of a curve; it takes a while, and is kept."""
    labelled, values, audited = zip(*points, strict=True) if points else ((), (), ())
    return expected_rise(labelled, values, audited, labels)


def progress_figures(project: Project) -> dict[str, Any]:
    """Return the figures of a project's progress, as JSON values.

    Parameters
    ----------
    project : Project
        The project.

    Returns
    -------
    dict
        `labelled`, `left`, `skipped`, `unsure`, `flagged`, `classes`, `an_hour`, `sessions`,
        `seconds`, `estimate`, `curve`, `next`, `advice` and `hint`.
    """
    state, images = project.state(), project.images()
    speed = pace(list(state.newest()))
    points = curve(project.models())
    remaining = left(state, images)
    return {
        "labelled": len(state.labels),
        "left": remaining,
        "skipped": len(state.skipped),
        "unsure": len(state.unsure),
        "flagged": len(state.flagged),
        "classes": [
            {"id": one.id, "name": one.name, "labelled": state.class_counts.get(one.id, 0)}
            for one in live(state.classes)
        ],
        "an_hour": speed.an_hour,
        "sessions": speed.sessions,
        "seconds": speed.seconds,
        "estimate": points[-1] if points else None,
        "curve": points,
        **outlook(points, remaining),
    }
