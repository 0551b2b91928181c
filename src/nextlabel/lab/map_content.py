"""What a kept map must hold, so that a damaged one is told of when it is read."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from nextlabel.kernels.cloud import Shape
from nextlabel.lab.schema import MapRow


class _Part(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)


class _Arm(_Part):
    name: str
    strategy: str


class _Spec(_Part):
    arms: list[_Arm]


class _Settings(_Part):
    perplexity: float
    picked: int


class _Space(_Part):
    name: str
    weights: dict[str, float]
    scale: str
    dimensions: int
    picked: list[int]
    points: list[tuple[float, float]]
    in_space: Shape
    in_map: Shape


class _Content(_Part):
    ids: list[int]
    labelled: int
    spaces: list[_Space]
    facts: dict[str, Any]
    seconds: dict[str, float]
    notes: list[str]


def check_map(row: MapRow) -> None:
    """Raise ValueError unless a map has its numbers, its arms, and a point for each image."""
    _Spec.model_validate(row.spec, strict=True)
    _Settings.model_validate(row.settings, strict=True)
    content = _Content.model_validate(row.content)
    if any(len(space.points) != len(content.ids) for space in content.spaces):
        raise ValueError("a map with more or fewer points than images")
