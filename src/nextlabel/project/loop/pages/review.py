"""The review: labels that a model of the other labels doubts, the most doubtful first.

n images are labelled, K classes.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.types import Array, Ids, Labels
from nextlabel.files.atomic import replacing
from nextlabel.models.cross_validation import held_out_probabilities
from nextlabel.models.linear import LinearClassifier, fit_linear
from nextlabel.project.labelling.classes import live
from nextlabel.project.labelling.known_labels import known_labels
from nextlabel.project.labelling.project import Project
from nextlabel.project.labelling.state import State
from nextlabel.project.labels import KnownLabels
from nextlabel.project.loop.cache_files import REVIEW
from nextlabel.project.loop.space import Space
from nextlabel.project.pipeline import Pipeline
from nextlabel.statistics.label_issues import label_quality


@dataclass(frozen=True)
class Doubt:
    """A label that may be wrong.

    Parameters
    ----------
    image : int
        The image.
    label : tuple of int
        The ids of the classes that it has.
    suggested : tuple of int
        Those that a model of the other labels gives it.
    quality : float
        How credible the label is, from 0 (surely wrong) to 1.
    """

    image: int
    label: tuple[int, ...]
    suggested: tuple[int, ...]
    quality: float


def doubts(
    blocks: ScaledBlocks, answers: KnownLabels, class_ids: Sequence[int], pipeline: Pipeline
) -> list[Doubt]:
    """Return the labels with which models of the others disagree, the least credible first.

    Each label is predicted by a model that is fitted to four fifths of the labels without it, and
    ranked by its normalised margin. A class with a single label is not predicted, and so its label
    is not doubted.

    Parameters
    ----------
    blocks : ScaledBlocks
        The scaled rows of all images.
    answers : KnownLabels
        The labels.
    class_ids : sequence of int
        The id of each class of `answers`.
    pipeline : Pipeline
        The model.
    """
    if not answers.can_be_told_apart:
        return []
    names = np.array(class_ids, np.int64)

    def fit(ids: Ids, labels: Labels) -> LinearClassifier:
        return fit_linear(blocks, ids, labels, pipeline.regularisation, pipeline.class_weight)

    def held_out(labels: Labels) -> tuple[Ids, Array]:
        return held_out_probabilities(fit, blocks, answers.ids, labels)

    if answers.task == "multiclass":
        held, predicted = held_out(answers.labels)
        occurring = np.unique(answers.labels)
        quality = label_quality(predicted, np.searchsorted(occurring, answers.labels[held]))
        best = occurring[predicted.argmax(axis=1)] if len(held) else held
        said = [(int(names[k]),) for k in answers.labels[held]]
        thought = [(int(names[k]),) for k in best]
    else:
        chances = answers.labels.astype(np.float64)  # a finding that is not predicted agrees
        for k, column in enumerate(answers.labels.T):
            if len(np.unique(column)) > 1:
                rows, predicted = held_out(column)
                chances[rows, k] = predicted[:, 1]
        held = np.arange(len(answers))
        quality = label_quality(chances, answers.labels)
        said = [tuple(names[row > 0].tolist()) for row in answers.labels]
        thought = [tuple(names[row > 0.5].tolist()) for row in chances]
    doubted = [
        Doubt(int(answers.ids[position]), label, other, float(value))
        for position, label, other, value in zip(held, said, thought, quality, strict=True)
        if label != other
    ]
    return sorted(doubted, key=lambda doubt: (doubt.quality, doubt.image))


def write_review(project: Project, state: State, space: Space) -> None:
    """Store the doubts about the labels of a state, for `review`."""
    settings = project.settings
    answers = known_labels(state, settings.task).without(space.unplaced)
    class_ids = [one.id for one in live(state.classes)]
    blocks = space.scaled(settings.pipeline.features)
    made = doubts(blocks, answers, class_ids, settings.pipeline)
    text = json.dumps({"after": state.seq, "doubts": [asdict(doubt) for doubt in made]})
    with replacing(project.cache / REVIEW) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def review(project: Project, limit: int | None = None) -> list[Doubt]:
    """Return the doubts about labels that are still as they were, the least credible first.

    Parameters
    ----------
    project : Project
        The project.
    limit : int, optional
        The most doubts; all by default.
    """
    try:
        stored = json.loads((project.cache / REVIEW).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    state = project.state()
    made = []
    for values in stored["doubts"]:
        doubt = Doubt(
            values["image"], tuple(values["label"]), tuple(values["suggested"]), values["quality"]
        )
        last = state.last.get(doubt.image)
        confirmed = last is None or last.seq > stored["after"]
        if state.labels.get(doubt.image) == doubt.label and not confirmed:
            made.append(doubt)
    return made[:limit]
