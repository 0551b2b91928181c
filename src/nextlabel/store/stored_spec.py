"""The part of a stored experiment that readers rely on, whichever version wrote it."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from nextlabel.store.integrity import Damaged, damaged


class Stored(BaseModel):
    """A table of a stored experiment: strict about the keys below, open to all others."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


S = TypeVar("S", bound=Stored)


class StoredArm(Stored):
    """An arm."""

    name: str
    strategy: str
    baseline: str | None = None
    start: str = "random"
    scale: str | None = None
    features: dict[str, float] | None = None
    side: dict[str, float] | None = None


class StoredHypothesis(Stored):
    """A hypothesis."""

    name: str
    arms: list[str]
    against: list[str]
    alternative: Literal["greater", "two-sided"] = "greater"


class StoredData(Stored):
    """The data set."""

    name: str


class StoredArms(Stored):
    """The arms alone, as a map needs them."""

    arms: list[StoredArm]


class StoredSpec(StoredArms):
    """An experiment."""

    seeds: list[int]
    initial: int
    batch: int
    target: int
    headline: str | None = None
    primary: str | None = None
    data: StoredData
    model: dict[str, Any] = {}
    training: dict[str, Any] = {}
    blocks: dict[str, Any] = {}
    hypotheses: list[StoredHypothesis] | None = None


def parse(kind: type[S], spec: object) -> S:
    """Return the checked part of a stored experiment; Damaged when a key is not as it must be."""
    try:
        return kind.model_validate(spec)
    except ValidationError as error:
        first = error.errors()[0]
        dotted_key = ".".join(["spec", *map(str, first["loc"])])
        raise Damaged(f"{dotted_key}: {first['msg']}") from error


def check_spec(spec: Mapping[str, Any], location: str) -> Mapping[str, Any]:
    """Return a stored experiment; StoreError when it lacks what readers rely on."""
    try:
        parse(StoredSpec, spec)
    except Damaged as error:
        raise damaged(location, error) from error
    return spec


def check_arms(spec: Mapping[str, Any], arms: Iterable[str], location: str) -> None:
    """Raise StoreError when there are trials of an arm that the experiment does not have."""
    unknown = sorted(set(arms) - {arm["name"] for arm in spec["arms"]})
    if unknown:
        said = f"trials of {unknown[0]!r}, which is not an arm of the experiment"
        raise damaged(location, said)
