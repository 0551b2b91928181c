"""The list of words that are hard to understand finds them, with line and alternative."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from scripts import words  # noqa: E402


def findings(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return [(finding.line, finding.words) for finding in words.check(path)]


def test_docstrings_comments_and_messages_are_read(tmp_path):
    text = (
        '"""What is asked of the store."""\n'
        "x = 1  # the row beside it\n"
        'y = f"photos is no folder; correct {x}"\n'
        'z = "anew"\n'
    )
    expected = [(1, "What …"), (2, "beside"), (3, "is no")]
    assert sorted(findings(tmp_path, "a.py", text)) == expected


def test_comments_and_messages_of_scripts_are_read(tmp_path):
    text = (
        "// The list beside a gallery\n"
        "/**\n * Draw rows; `anew` is a name, and\n * so many rows stay.\n */\n"
        'const size = Math.floor(3), name = "anew", url = "http://is none";\n'
        "say(`The page of ${Math.floor(besides)} images\nstands still.`);\n"
    )
    expected = [(1, "beside"), (4, "so many"), (8, "stands")]
    assert sorted(findings(tmp_path, "a.js", text)) == expected


def test_plain_text_has_no_findings(tmp_path):
    text = (
        '"""Queries on the store."""\n'
        "# There is no limit; `beside` is a name. It is no longer used.\n"
        'x = "photos is not a folder; standard understanding withstands"\n'
        'y = "all rows an arm uses, once an arm is named, need a second pass"\n'
    )
    assert findings(tmp_path, "a.py", text) == []


def test_lines_of_a_docstring_are_counted(tmp_path):
    text = '"""Queries.\n\nThe name stands\nfor so\nmany rows.\n"""\n'
    assert findings(tmp_path, "a.py", text) == [(3, "stands"), (4, "so many")]


@pytest.mark.parametrize(
    "line",
    [
        "one a line",
        "20 images a second",
        "43 minutes a trial",
        "once a seed, at first",
        "one forward pass a step",
        "an id is none of them",
        "nobody knows",
        "The run goes on",
        "told apart by colour",
        "it gives away the answer",
    ],
)
def test_each_form_is_found(tmp_path, line):
    assert findings(tmp_path, "a.md", f"# Title\n\n{line}\n")


def test_code_and_released_changes_are_left_out(tmp_path):
    text = "# Changelog\n\n```sh\nanew\n```\n\n`anew` [a](anew.md)\n\n## [1.0]\n\nanew\n"
    assert findings(tmp_path, "CHANGELOG.md", text) == []


def test_long_sentences_of_guides_are_found(tmp_path):
    long = "word " * 31
    assert findings(tmp_path, "a.md", f"Short one.\n{long}.\n") == [
        (1, "word word word word word …")
    ]
    assert findings(tmp_path, "a.md", f"{'word ' * 20}. {'Word ' * 20}.") == []
    assert findings(tmp_path, "a.md", f"| {long} | {long} |\n") == []


def test_exceptions_have_a_path_words_and_a_reason():
    finding = words.Finding("src/a.py", 3, "beside", "next to")
    exception = {"path": "src/", "words": "beside", "reason": "a legend's word"}
    assert words.allowed(finding, [exception])
    assert not words.allowed(finding, [exception | {"words": "anew"}])
    with pytest.raises(AssertionError, match="reason"):
        words.allowed(finding, [exception | {"reason": ""}])


def test_the_command_fails_when_there_is_something(tmp_path, capsys):
    (tmp_path / "a.py").write_text("x = 1  # anew\n")
    assert words.main(["--only", str(tmp_path)]) == 1
    assert "a.py:1: 'anew' -> again" in capsys.readouterr().out
    (tmp_path / "a.py").write_text("x = 1  # again\n")
    assert words.main(["--only", str(tmp_path)]) == 0


def test_the_paths_that_lint_reads_exist():
    assert all((ROOT / path).exists() for path in words.settings()["paths"])


def test_locals_are_named_for_what_they_hold():
    text = (
        "def f(known, kind=1):\n"
        "    found, rows = known, [own for own in kind]\n"
        "    if place := rows:\n"
        "        return place\n"
        "class C:\n"
        "    kind: str = 'a field'\n"
    )
    findings = [(finding.line, finding.words) for finding in words.vague_locals("src/a.py", text)]
    assert findings == [(2, "found"), (2, "own"), (3, "place")]
