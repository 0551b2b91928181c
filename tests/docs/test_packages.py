"""The picture of the packages is that of their imports."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
grimp = pytest.importorskip("grimp")

from scripts import rooms  # noqa: E402


def test_the_picture_is_up_to_date():
    assert rooms.PICTURE.read_text(encoding="utf-8") == rooms.picture(), "run make reference"


def test_every_package_has_a_layer():
    source = ROOT / "src" / "nextlabel"
    packages = {path.parent.name for path in source.glob("*/__init__.py")}
    modules = {path.stem for path in source.glob("*.py")} - {"__init__", "__main__"}
    drawn = {name for row in rooms.layers() for name in row}
    assert packages | modules == drawn


def test_imports_that_others_imply_are_left_out():
    edges = {"a": {"b", "c"}, "b": {"c"}, "c": set(), "d": {"c"}}
    assert rooms.without_implied(edges) == {"a": {"b"}, "b": {"c"}, "c": set(), "d": {"c"}}


def test_a_long_line_passes_next_to_the_boxes():
    svg = rooms.draw(
        [["top"], ["middle"], ["bottom"]], {"top": {"bottom"}, "middle": set(), "bottom": set()}
    )
    (path,) = re.findall(r'<path d="([^"]*)"', svg)
    passed = [int(float(x)) for x in re.findall(r"(\d+) \d+ V", path)]
    assert len(passed) == 1
    assert abs(passed[0] - rooms.WIDTH // 2) > rooms.BOX // 2


def test_imports_are_found():
    imports = rooms.imports(["strategies", "kernels", "core"])
    assert "kernels" in imports["strategies"]
    assert imports["core"] == set()


def test_core_uses_numpy_and_pydantic_and_no_other_package_at_all():
    graph = grimp.build_graph("nextlabel", include_external_packages=True, cache_dir=None)
    core = {module for module in graph.modules if module.startswith("nextlabel.core")}
    imported = set().union(*(graph.find_modules_directly_imported_by(module) for module in core))
    outside = {name for name in imported - core if name not in sys.stdlib_module_names}
    assert outside == {"numpy", "pydantic"}


def test_modules_are_short_and_rooms_small():
    """A room of one kind may grow: one strategy, command, block, format or section is one file."""
    source = ROOT / "src" / "nextlabel"
    grow = {"strategies", "cli", "report/sections", "data/formats", "data/sources"}
    grow |= {"models/task_models", "web/routes"}
    rooms_of: dict[str, list[str]] = {}
    for path in source.rglob("*.py"):
        room = path.parent.relative_to(source).as_posix()
        rooms_of.setdefault(room, []).append(path.name)
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= 300, f"{path.name} has {lines} lines"
    for path in (source / "web" / "static").rglob("*.js"):
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= 300, f"{path.name} has {lines} lines"
    crowded = {room: len(set(names) - {"__init__.py"}) for room, names in rooms_of.items()}
    assert not {room: size for room, size in crowded.items() if size > 16 and room not in grow}
