"""Maps in the store: their points, the coordinates of these, and the numbers that go with them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from nextlabel.core.types import Ids, as_ids
from nextlabel.files.digest import values_digest
from nextlabel.statistics.point_cloud import Shape
from nextlabel.store.database import to_json
from nextlabel.store.integrity import Damaged, finite, numbers, table, text, whole
from nextlabel.store.rows import add_once, find_experiment, keep_picture
from nextlabel.store.schema import EnvironmentRow, ExperimentRow, MapPictureRow, MapRow, PictureRow
from nextlabel.store.stored_spec import StoredArms, parse

DECIMALS = 3
"""Decimals of the coordinates of a map, which spans about a hundred units."""


@dataclass(frozen=True, eq=False)
class MappedSpace:
    """A feature space in two dimensions.

    `points` (n, 2) are t-SNE coordinates of the map's ids, `picked` the ids chosen in this space,
    in the order of choice. `in_space` and `in_map` are the same measures before and after t-SNE;
    `sheet` is a PNG of the picked.
    """

    name: str
    weights: Mapping[str, float]
    scale: str
    dimensions: int
    picked: Ids
    points: NDArray[np.float64]
    in_space: Shape
    in_map: Shape
    sheet: bytes


@dataclass(frozen=True, eq=False)
class Map:
    """Labelled, unlabelled and picked images of one seed, in the spaces of one arm (Figs. 5-6).

    `ids` (n) are the images shown, the `labelled` ones first, then the candidates. `spec` is the
    experiment at the time of the map, `settings` those of the map itself, `facts` further results,
    and `seconds` the time by part.
    """

    arm: str
    seed: int
    ids: Ids
    labelled: int
    spaces: tuple[MappedSpace, ...]
    spec: Mapping[str, Any]
    settings: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def candidates(self) -> Ids:
        """The unlabelled images that could be picked."""
        return self.ids[self.labelled :]

    def groups(self, space: MappedSpace) -> list[str]:
        """Return "labelled", "unlabelled" or "picked" (in `space`) for each id."""
        picked = set(space.picked.tolist())
        return [
            "labelled" if position < self.labelled else "picked" if i in picked else "unlabelled"
            for position, i in enumerate(self.ids.tolist())
        ]


def keep_map(session: Session, map: Map, environment: Mapping[str, Any]) -> None:
    """Store a map in the place of an earlier one of its experiment, arm and seed."""
    name = map.spec["name"]
    row = session.scalar(select(ExperimentRow).where(ExperimentRow.name == name))
    if row is None:
        row = ExperimentRow(name=name, spec=dict(map.spec))
        session.add(row)
        session.flush()
    digest = values_digest(environment, compact=False)
    if session.get(EnvironmentRow, digest) is None:
        add_once(session, EnvironmentRow(sha256=digest, content=json.loads(to_json(environment))))
    row_key = {"experiment_id": row.id, "arm": map.arm, "seed": map.seed}
    session.execute(delete(MapPictureRow).filter_by(**row_key))
    session.execute(delete(MapRow).filter_by(**row_key))
    session.add(
        MapRow(
            **row_key,
            spec=dict(map.spec),
            settings=dict(map.settings),
            content=_content(map),
            environment=digest,
        )
    )
    session.flush()
    session.add_all(
        MapPictureRow(**row_key, space=space.name, sha256=keep_picture(session, space.sheet))
        for space in map.spaces
    )


def read_maps(session: Session, experiment: str) -> list[Map]:
    """Return the maps of an experiment, by seed and in the order of its arms."""
    row = find_experiment(session, experiment)
    sheets = {
        (arm, seed, space): png
        for arm, seed, space, png in session.execute(
            select(MapPictureRow.arm, MapPictureRow.seed, MapPictureRow.space, PictureRow.png)
            .join(PictureRow, PictureRow.sha256 == MapPictureRow.sha256)
            .where(MapPictureRow.experiment_id == row.id)
        )
    }
    order = [arm["name"] for arm in row.spec.get("arms", ())]
    maps = [
        _map(kept, sheets)
        for kept in session.scalars(select(MapRow).where(MapRow.experiment_id == row.id))
    ]
    positions = {name: position for position, name in enumerate(order)}
    return sorted(maps, key=lambda m: (positions.get(m.arm, len(order)), m.arm, m.seed))


def _content(map: Map) -> dict[str, Any]:
    return {
        "ids": as_ids(map.ids).tolist(),
        "labelled": map.labelled,
        "spaces": [
            {
                "name": space.name,
                "weights": dict(space.weights),
                "scale": space.scale,
                "dimensions": space.dimensions,
                "picked": as_ids(space.picked).tolist(),
                "points": np.round(space.points, DECIMALS).tolist(),
                "in_space": asdict(space.in_space),
                "in_map": asdict(space.in_map),
            }
            for space in map.spaces
        ],
        "facts": dict(map.facts),
        "seconds": dict(map.seconds),
        "notes": list(map.notes),
    }


def _map(row: MapRow, sheets: Mapping[tuple[str, int, str], bytes]) -> Map:
    parse(StoredArms, row.spec)
    settings, content = table("settings", row.settings), table("content", row.content)
    finite("perplexity", settings["perplexity"])
    whole("picked", settings["picked"])
    ids = as_ids(content["ids"])
    return Map(
        text("arm", row.arm),
        whole("seed", row.seed),
        ids,
        whole("labelled", content["labelled"]),
        tuple(
            _space(space, len(ids), sheets[row.arm, row.seed, space["name"]])
            for space in content["spaces"]
        ),
        row.spec,
        settings,
        table("facts", content["facts"]),
        numbers("seconds", content["seconds"]),
        tuple(text("note", note) for note in content["notes"]),
    )


def _space(stored: Mapping[str, Any], images: int, sheet: bytes) -> MappedSpace:
    points = np.array(stored["points"], np.float64).reshape(-1, 2)
    if len(points) != images or not np.isfinite(points).all():
        raise Damaged("a map with more or fewer points than images")
    return MappedSpace(
        text("space", stored["name"]),
        numbers("weights", stored["weights"]),
        text("scale", stored["scale"]),
        whole("dimensions", stored["dimensions"]),
        as_ids(stored["picked"]),
        points,
        _shape(stored["in_space"]),
        _shape(stored["in_map"]),
        sheet,
    )


def _shape(stored: Mapping[str, float | None]) -> Shape:
    return Shape(**{k: None if v is None else finite(k, v) for k, v in stored.items()})
