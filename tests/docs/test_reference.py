"""The pages in docs/reference say what the code has, and the guides name only what is there."""

import importlib
import inspect
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
pytest.importorskip("typer")

from scripts.reference import FOLDER, pages  # noqa: E402
from scripts.reference.commands import commands  # noqa: E402
from scripts.reference.fields import attribute_docstrings, type_name, value_name  # noqa: E402
from scripts.reference.markdown import markdown, table  # noqa: E402
from scripts.reference.public_names import signature_of  # noqa: E402
from scripts.reference.settings import nested_tables  # noqa: E402
from scripts.reference.strategies import option_fields  # noqa: E402

import nextlabel  # noqa: E402
from nextlabel.experiment.spec import Experiment  # noqa: E402
from nextlabel.features.blocks import BLOCKS  # noqa: E402
from nextlabel.strategies import STRATEGIES  # noqa: E402

PAGES = pages()
MARKDOWN = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
OUTSIDE = {"--resolution", "--index-url", "--strict", "--full", "--check", "--only"}
OUTSIDE |= {
    "--port",
    "--nthreads",
    "--nworkers",
    "--resources",
    "--no-dashboard",
    "--death-timeout",
}
OUTSIDE |= {"--job-name", "--ntasks", "--cpus-per-task", "--time"}
OUTSIDE |= {"--of", "--arithmetic", "--target"}  # of benchmarks
"""Options of other programs that guides mention."""


def section(page, heading):
    """Return the text below a heading of a page, up to the next of its level."""
    match = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGES[page], re.M | re.S)
    assert match, f"{page} has no section {heading}"
    return match.group(1)


def has_a_meaning(text, key):
    """Say whether a table has a row for a key, with a meaning in the last cell."""
    return bool(re.search(rf"^\| `{key}` \|.*\| \S[^|]* \|$", text, re.M))


@pytest.mark.parametrize("page", sorted(PAGES))
def test_pages_are_up_to_date(page):
    assert (FOLDER / page).read_text(encoding="utf-8") == PAGES[page], "run make reference"


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_every_strategy_and_option_is_documented(name):
    text = section("strategies.md", name)
    for field in option_fields(STRATEGIES[name]):
        assert has_a_meaning(text, field.name), field.name


@pytest.mark.parametrize("name", list(BLOCKS))
def test_every_key_of_a_block_is_documented(name):
    text = section("settings.md", f"`[blocks.{name}]`")
    assert all(has_a_meaning(text, key) for key in BLOCKS[name].model_fields)


def test_every_key_of_the_experiment_file_is_documented():
    tables = [("At the top of the file", Experiment), *nested_tables(Experiment)]
    assert len(tables) >= 9
    for title, model in tables:
        text = section("settings.md", title)
        assert all(has_a_meaning(text, key) for key in model.model_fields), title


def test_every_command_and_option_is_documented():
    for path, command in commands():
        text = section("cli.md", path)
        for param in command.params:
            if param.param_type_name == "option" and "-completion" not in param.opts[0]:
                assert all(f"`{name}`" in text for name in param.opts), param.opts


def test_every_public_name_is_documented():
    for name in nextlabel.__all__:
        if not name.startswith("__"):
            section("python.md", name)


@pytest.mark.parametrize("page", sorted(PAGES))
def test_tables_have_as_many_cells_as_their_header(page):
    cells = 0
    for line in PAGES[page].splitlines():
        if line.startswith("|---"):
            cells = line.count("|")
        if line.startswith("|"):
            assert not cells or len(re.findall(r"(?<!\\)\|", line)) == cells, line
        else:
            cells = 0


def test_options_that_the_guides_name_exist():
    known = {option for _, command in commands() for p in command.params for option in p.opts}
    for path in MARKDOWN:
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - OUTSIDE - {"--help"}
        assert named <= known, f"{path.name} names {named - known}"


def test_dotted_names_in_the_guides_exist():
    sources = "".join(path.read_text() for path in (ROOT / "src").glob("**/*.py"))
    groups = set(re.findall(r'"(nextlabel\.\w+)"', sources))  # of entry points
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/reference/*.md")]:
        for name in re.findall(r"`(nextlabel(?:\.\w+)+)`", path.read_text(encoding="utf-8")):
            if name not in groups:
                resolve(name)


def resolve(name):
    """Return the object of a dotted name; ImportError or AttributeError if there is none."""
    parts = name.split(".")
    thing = importlib.import_module(parts[0])
    for i, part in enumerate(parts[1:], 2):
        if not hasattr(thing, part):
            importlib.import_module(".".join(parts[:i]))
        thing = getattr(thing, part)
    return thing


def test_a_name_that_is_not_there_would_be_noticed():
    with pytest.raises(ImportError):
        resolve("nextlabel.strategies.core_sett")


@dataclass
class Example:
    """An example."""

    size: int = 3
    """Number of
    things."""
    bare: str | None = None
    kept: ClassVar[int] = 0


def test_strings_below_fields_are_their_meanings(monkeypatch):
    monkeypatch.setattr(Example, "__module__", "nextlabel.example")
    monkeypatch.setattr("inspect.getsource", lambda cls: EXAMPLE)
    assert attribute_docstrings(Example) == {"size": "Number of things."}


EXAMPLE = '''class Example:
    """An example."""

    size: int = 3
    """Number of
    things."""
    bare: str | None = None
'''


def test_types_and_defaults_in_words():
    assert type_name(int | None) == "whole number"
    assert type_name(tuple[str, ...]) == "list of text"
    assert value_name({"task": 1.0}) == "`{ task = 1.0 }`"
    assert value_name(None) == "not set"


def test_numpydoc_sections_become_lists():
    text = "One sentence.\n\nParameters\n----------\nx : int\n    A number.\n    Two lines."
    assert markdown(text) == (
        "One sentence.\n\n**Parameters**\n\n- `x` (int): A number. Two lines."
    )


def test_bars_in_cells_are_escaped():
    assert list(table(("a",), [("|2p - 1| and `a|b`",)]))[-1] == r"| \|2p - 1\| and `a\|b` |"


def one(first, *, second: "int" = 3) -> str: ...


def test_signatures_are_those_of_the_source():
    assert signature_of("one", one) == 'one(first, *, second: "int" = 3) -> str'


def public_callables():
    """Yield the name and the object of all public functions and methods that take arguments."""
    for name in nextlabel.__all__:
        thing = getattr(nextlabel, name)
        members = {name: thing} if inspect.isfunction(thing) else {}
        if inspect.isclass(thing):
            members = {
                f"{name}.{key}": getattr(thing, key)
                for key, value in vars(thing).items()
                if not key.startswith("_") and (callable(value) or isinstance(value, classmethod))
            }
        for path, member in members.items():
            of_protocol = path.endswith((".select", ".scores")) and name != "Strategy"
            if not of_protocol and {*inspect.signature(member).parameters} - {"self"}:
                yield path, member


PUBLIC = dict(public_callables())


@pytest.mark.parametrize("path", PUBLIC)
def test_public_functions_document_their_parameters(path):
    member = PUBLIC[path]
    text = inspect.getdoc(member) or ""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=\n\n\w+\n-+\n|\Z)", text, re.M | re.S)
    assert section, path
    listed = set(re.findall(r"[*\w]+", " ".join(re.findall(r"^[*\w, ]+", section[1], re.M))))
    for parameter in {*inspect.signature(member).parameters} - {"self"}:
        assert parameter in {word.lstrip("*") for word in listed}, f"{path}: {parameter}"
