"""What a report relies on in an experiment's spec, whatever version has written it."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from nextlabel.core.errors import StoreError
from nextlabel.store.database import DAMAGED
from nextlabel.store.integrity import first_fault


class Part(BaseModel):
    """A table of the spec: strict about what is read here, open to all else."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class ArmPart(Part):
    """An arm."""

    name: str
    strategy: str
    baseline: str | None = None
    start: str = "random"
    scale: str | None = None
    features: dict[str, float] | None = None
    side: dict[str, float] | None = None


class ClaimPart(Part):
    """A hypothesis."""

    name: str
    arms: list[str]
    against: list[str]
    alternative: Literal["greater", "two-sided"] = "greater"


class DataPart(Part):
    """The data set."""

    name: str


class SpecPart(Part):
    """An experiment."""

    seeds: list[int]
    initial: int
    batch: int
    target: int
    headline: str | None = None
    primary: str | None = None
    data: DataPart
    model: dict[str, Any] = {}
    training: dict[str, Any] = {}
    blocks: dict[str, Any] = {}
    arms: list[ArmPart]
    hypotheses: list[ClaimPart] | None = None


def check_spec(spec: Mapping[str, Any], location: str) -> Mapping[str, Any]:
    """Return `spec`; StoreError when it lacks what a report reads, as no run leaves it."""
    try:
        SpecPart.model_validate(spec)
    except ValidationError as error:
        raise _damaged(location, f"spec.{first_fault(error)}") from error
    return spec


def check_arms(spec: Mapping[str, Any], arms: Iterable[str], location: str) -> None:
    """Raise StoreError when there are trials of an arm that `spec` does not have."""
    strange = sorted(set(arms) - {arm["name"] for arm in spec["arms"]})
    if strange:
        raise _damaged(location, f"trials of {strange[0]!r}, which is no arm of the experiment")


def _damaged(location: str, said: str) -> StoreError:
    return StoreError(DAMAGED.format(place=location, said=said))
