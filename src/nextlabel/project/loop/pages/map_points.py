"""The points of the map, with the label and the prediction of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextlabel.project.labelling.project import Project
from nextlabel.project.loop.cache_files import MAP
from nextlabel.project.loop.map import ProjectMap
from nextlabel.project.loop.pages.predictions import NONE, first_labels, predictions

NO_CLASS = -2
"""The class of an image with a label, or a prediction, of none of the classes."""


@dataclass(frozen=True, eq=False)
class MapPoints:
    """The points of a map.

    Parameters
    ----------
    ids : int32 array (n)
        The images.
    xy : uint16 array (n, 2)
        Where they lie.
    label, predicted : int16 array (n)
        The first class of the label, and the likeliest one; -1 without a label or a prediction,
        and NO_CLASS for none of the classes.
    key : str
        Changes when the map does.
    """

    ids: NDArray[np.int32]
    xy: NDArray[np.uint16]
    label: NDArray[np.int16]
    predicted: NDArray[np.int16]
    key: str


def map_points(project: Project) -> MapPoints | None:
    """Return the map of a project as it is now; None before there is one."""
    project_map = ProjectMap.load(project.cache / MAP)
    if project_map is None:
        return None
    images, state = project.images(), project.state()
    count = len(images)
    predicted = predictions(project.model(), state.classes, count, project.settings.task)
    there = project_map.ids < count
    ids = project_map.ids[there]
    ids, xy = ids[~images.gone[ids]], project_map.xy[there][~images.gone[ids]]
    labels = first_labels(state, count).astype(np.int16)
    empty = [image for image, label in state.labels.items() if not label and image < count]
    labels[np.array(empty, np.int64)] = NO_CLASS
    guesses = np.where(predicted.of_class(NONE), NO_CLASS, predicted.classes).astype(np.int16)
    return MapPoints(
        ids,
        xy,
        labels[ids],
        guesses[ids],
        project_map.key,
    )
