import sys
from importlib.metadata import EntryPoint

import pytest

from nextlabel.core import registry as registry_module
from nextlabel.core.errors import UsageError, nearest
from nextlabel.core.registry import Registry
from refusals import refused


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An importable package `plants` with two modules, each registering one thing."""
    folder = tmp_path / "plants"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from nextlabel.core.registry import Registry\n"
        "plants = Registry('plant', 'plants', 'garden.plants')\n"
    )
    for name in ("rose", "tulip"):
        (folder / f"{name}.py").write_text(
            f"from plants import plants\n@plants.register('{name}')\nclass {name.title()}: ...\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [m for m in sys.modules if m.split(".")[0] == "plants"]:
        del sys.modules[name]


def load() -> Registry:
    from plants import plants

    return plants


def test_one_file_is_enough(package):
    (package / "fern.py").write_text(
        "from plants import plants\n@plants.register('fern')\ndef fern(): ...\n"
    )
    found = load()
    assert list(found) == ["fern", "rose", "tulip"]
    assert "fern" in found
    assert "oak" not in found
    assert found["fern"].__name__ == "fern"


def test_an_unknown_name_gets_the_nearest(package):
    with refused(
        UsageError, "unknown-name", match=r"unknown plant 'tulpi'; did you mean 'tulip'\?"
    ):
        load()["tulpi"]
    with refused(UsageError, "unknown-name", match="unknown plant 'zzz'; known: rose, tulip"):
        load()["zzz"]
    assert nearest("coreset", ["core_set", "medal"]) == "did you mean 'core_set'?"


def test_a_name_stands_for_one_thing(package):
    (package / "zinnia.py").write_text(
        "from plants import plants\n@plants.register('rose')\nclass Other: ...\n"
    )
    with refused(UsageError, "duplicate-name", match="a second plant is called 'rose'"):
        list(load())


def entry(monkeypatch, name, value):
    points = {"garden.plants": [EntryPoint(name, value, "garden.plants")]}
    monkeypatch.setattr(registry_module, "entry_points", lambda group: points[group])


def test_third_parties_add_by_entry_point(package, monkeypatch):
    (package.parent / "elsewhere.py").write_text("class Cactus: ...\n")
    entry(monkeypatch, "cactus", "elsewhere:Cactus")
    assert list(load()) == ["cactus", "rose", "tulip"]


def test_a_plug_in_that_does_not_load_is_named_each_time(package, monkeypatch):
    entry(monkeypatch, "cactus", "nowhere:Cactus")
    found = load()
    for _ in range(2):
        with refused(
            UsageError,
            "plug-in-does-not-load",
            match=r"plug-in 'cactus' \(nowhere:Cactus\) .*uninstall",
        ):
            list(found)
