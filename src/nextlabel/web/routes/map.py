"""The map: all images in two dimensions, as arrays in base64."""

import base64

import numpy as np
from fastapi import APIRouter
from numpy.typing import ArrayLike

from nextlabel.project.loop.pages.map_points import map_points
from nextlabel.web.dependencies import Json, Shared, Someone

router = APIRouter()


@router.get("/api/map")
def show(workspace: Shared, person: Someone) -> Json:
    """Return the points; numbers are little-endian: int32, pairs of uint16, int16, and uint32.

    `digest` has the first 32 bits of the digest of each image, for the addresses of its pictures.
    """
    points = map_points(workspace.project)
    if points is None:
        return {"version": None, "count": 0}
    digests = workspace.images.digests
    return {
        "version": points.key,
        "count": len(points.ids),
        "ids": _base64(points.ids, "<i4"),
        "xy": _base64(points.xy, "<u2"),
        "label": _base64(points.label, "<i2"),
        "predicted": _base64(points.predicted, "<i2"),
        "digest": _base64([int(digests[image][:8], 16) for image in points.ids], "<u4"),
    }


def _base64(values: ArrayLike, dtype: str) -> str:
    return base64.b64encode(np.asarray(values, dtype).tobytes()).decode()
