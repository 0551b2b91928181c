"""The map: all images in two dimensions, as arrays in base64."""

import base64

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray

from nextlabel.project.loop.pages.map_points import map_points
from nextlabel.web.dependencies import Json, Shared, Someone

router = APIRouter()


@router.get("/api/map")
def show(workspace: Shared, person: Someone) -> Json:
    """Return the points; numbers are little-endian: int32, pairs of uint16, and int16."""
    points = map_points(workspace.project)
    if points is None:
        return {"version": None, "count": 0}
    return {
        "version": points.key,
        "count": len(points.ids),
        "ids": _base64(points.ids, "<i4"),
        "xy": _base64(points.xy, "<u2"),
        "label": _base64(points.label, "<i2"),
        "predicted": _base64(points.predicted, "<i2"),
    }


def _base64(values: NDArray[np.generic], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode()
