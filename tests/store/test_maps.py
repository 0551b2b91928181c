"""Maps in the store: kept whole, the newest in the place of the older, and old stores upgraded."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from sqlalchemy import create_engine
from stores import OLD

from nextlabel.core.errors import StoreError
from nextlabel.core.types import as_ids
from nextlabel.statistics.point_cloud import Shape
from nextlabel.store.maps import Map, MappedSpace
from nextlabel.store.migrations import revisions
from nextlabel.store.store import Store
from refusals import refused

SPEC = {"name": "digits", "arms": [{"name": name, "strategy": "core_set"} for name in "ba"]}
SETTINGS = {"perplexity": 2.0, "picked": 2}
HERE = {"processor": "a processor"}


def space(name: str, picked: list[int], sheet: bytes = b"png") -> MappedSpace:
    points = np.arange(10.0).reshape(5, 2) / 3
    shape = Shape(0.5, None, 1.5, 0.25, 0.0)
    return MappedSpace(
        name,
        {"task": 1.0},
        "rms",
        7,
        as_ids(picked),
        points,
        shape,
        replace(shape, nearest=2.0),
        sheet,
    )


def a_map(arm: str = "a", seed: int = 0, **more: object) -> Map:
    spaces = (space("task", [9, 4]), space("task + vae", [4, 7], b"other"))
    facts = {"train accuracy": 0.9}
    made = Map(arm, seed, as_ids([8, 3, 4, 7, 9]), 2, spaces, SPEC, SETTINGS, facts, {"data": 1.5})
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_map_comes_back_as_it_was(location: Path | str) -> None:
    one = a_map(notes=("a note",))
    with Store.open(location) as store:
        store.keep_map(one, HERE)
        assert store.experiments() == ["digits"] and store.trials("digits") == []
        (found,) = store.maps("digits")
    for name in ("arm", "seed", "labelled", "spec", "settings", "facts", "seconds", "notes"):
        assert getattr(found, name) == getattr(one, name), name
    assert found.ids.tolist() == one.ids.tolist()
    assert found.candidates.tolist() == [4, 7, 9]
    for kept, made in zip(found.spaces, one.spaces, strict=True):
        assert np.abs(kept.points - made.points).max() <= 0.0005
        assert kept.picked.tolist() == made.picked.tolist()  # in the order of choice
        for name in ("name", "weights", "scale", "dimensions", "in_space", "in_map", "sheet"):
            assert getattr(kept, name) == getattr(made, name), name
    groups = ["labelled", "labelled", "picked", "unlabelled", "picked"]
    assert found.groups(found.spaces[0]) == groups
    assert found.groups(found.spaces[1])[2:] == ["picked", "picked", "unlabelled"]


def test_the_newest_stays_and_others_are_left_alone(location: Path | str) -> None:
    with Store.open(location) as store:
        for made in (a_map("a", 3), a_map("b", 1), a_map("a", 0), a_map("unheard of")):
            store.keep_map(made, HERE)
        store.keep_map(a_map("a", 3, spaces=(space("vae", [4]),)), HERE)
        found = store.maps("digits")
        assert [(m.arm, m.seed, len(m.spaces)) for m in found] == [
            ("b", 1, 2), ("a", 0, 2), ("a", 3, 1), ("unheard of", 0, 2)
        ]  # fmt: skip
        with refused(
            StoreError,
            "experiment-missing",
            match="'digitz' is not in the store; did you mean 'digits'",
        ):
            store.maps("digitz")


def test_an_experiment_known_keeps_its_own_spec(location: Path | str) -> None:
    with Store.open(location) as store:
        store.enrol("digits", SPEC | {"seeds": [5]}, [])
        store.keep_map(a_map(), HERE)
        assert store.experiment("digits")["seeds"] == [5]
        assert "seeds" not in store.maps("digits")[0].spec


def test_numbers_that_are_none_are_refused_whole(location: Path | str) -> None:
    with Store.open(location) as store:
        store.keep_map(a_map(), HERE)
        with refused(StoreError, "value-not-json", match="cannot be stored"):
            store.keep_map(a_map(seconds={"data": float("nan")}), HERE)
        assert store.maps("digits")[0].seconds == {"data": 1.5}  # the older one is still there


def test_a_store_of_the_first_schema_is_upgraded(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    path = tmp_path / "store.db"
    with Store.open(path) as store:
        store.enrol("digits", SPEC, [])
    config = Config()
    config.set_main_option("script_location", str(revisions.MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    engine.dispose()
    assert not {"maps", "map_pictures"} & tables(path)
    with Store.open(path, create=False) as store:
        assert store.maps("digits") == []
        store.keep_map(a_map(), HERE)
    assert {"maps", "map_pictures"} <= tables(path)


def test_results_kept_from_before_maps_stay_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    shutil.copy(OLD, path)
    before = rounds(path)
    with Store.open(path, create=False) as store:
        (name,) = store.experiments()
        assert store.maps(name) == []
        store.keep_map(a_map(spec=SPEC | {"name": name}), HERE)
        assert [asdict(m.spaces[0].in_map)["nearest"] for m in store.maps(name)] == [2.0]
        counted = sum(len(store.history(t.record.key)) for t in store.trials(name))
    assert before and before == rounds(path)
    assert counted == len(before)


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as raw:
        return {name for (name,) in raw.execute("SELECT name FROM sqlite_master")}


def rounds(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as raw:
        return list(raw.execute("SELECT * FROM rounds ORDER BY trial_id, number"))
