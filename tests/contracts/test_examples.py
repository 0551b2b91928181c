"""The examples in the docstrings of public names run, and public functions have all sections."""

import doctest
import inspect

import pytest

import nextlabel

NAMES = [name for name in nextlabel.__all__ if not name.startswith("__")]
FUNCTIONS = [name for name in NAMES if inspect.isfunction(getattr(nextlabel, name))]


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_a_public_name_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    thing = getattr(nextlabel, name)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder().find(thing, name):
        report = []
        runner.run(example, out=report.append)
        assert not runner.failures, "".join(report)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_describes_each_parameter_result_and_error(name):
    function = getattr(nextlabel, name)
    text = inspect.getdoc(function)
    for section in ("Parameters", "Raises", "Examples"):
        assert f"{section}\n{'-' * len(section)}\n" in text, section
    assert "Returns\n-------" in text or "Yields\n------" in text
    described = text.partition("Parameters\n")[2].partition("\n\n")[0]
    named = {n.strip() for line in described.splitlines() for n in line.split(",")}
    assert set(inspect.signature(function).parameters) <= named


def test_a_wrong_example_would_be_found():
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert doctest.DocTestRunner().run(wrong, out=lambda text: None).failed == 1
