"""The points of the map, with the label and the prediction of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextlabel.project.labelling.project import Project
from nextlabel.project.loop.cached import MAP
from nextlabel.project.loop.map import ProjectMap
from nextlabel.project.loop.pages.predictions import first_labels, predictions


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
        The ids of their classes; -1 without one.
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
    return MapPoints(
        ids,
        xy,
        first_labels(state, count)[ids].astype(np.int16),
        predicted.classes[ids].astype(np.int16),
        project_map.key,
    )
