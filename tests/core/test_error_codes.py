"""Error codes of the whole source: each names one class of error."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import nextlabel

SOURCE = Path(nextlabel.__file__).parent


def codes_in(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield the code, the class and the line of each error that a module makes."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            values = (keyword.value for keyword in node.keywords if keyword.arg == "code")
            for value in values if name[:1].isupper() else ():
                for part in ast.walk(value):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value, name, part.lineno


def classes_by_code(modules: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return for each code the first place of each class that is made with it."""
    places: dict[str, dict[str, str]] = defaultdict(dict)
    for module, text in modules.items():
        for code, name, line in codes_in(text):
            places[code].setdefault(name, f"{module}:{line}")
    return places


@pytest.fixture(scope="module")
def places() -> dict[str, dict[str, str]]:
    modules = {
        path.relative_to(SOURCE).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(SOURCE.rglob("*.py"))
    }
    return classes_by_code(modules)


def test_a_code_names_one_class(places: dict[str, dict[str, str]]) -> None:
    assert len(places) > 200
    assert {code: of_code for code, of_code in places.items() if len(of_code) > 1} == {}


def test_codes_are_words_with_hyphens(places: dict[str, dict[str, str]]) -> None:
    odd = [code for code in places if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]*)*", code)]
    assert odd == []


def test_the_walk_sees_two_classes_of_one_code() -> None:
    one = 'raise errors.DataError("x", code="bad-thing")'
    two = 'def f(e):\n    return UsageError("x", code="bad-thing" if e else "other")'
    assert classes_by_code({"a.py": one, "b.py": two}) == {
        "bad-thing": {"DataError": "a.py:1", "UsageError": "b.py:2"},
        "other": {"UsageError": "b.py:2"},
    }
