"""Words and forms that a reader who learned English at school stumbles over.

`python -m scripts.words` reads the paths listed in `[tool.nextlabel.words]` of pyproject.toml, or
those after `--only`, and prints each finding with file, line and a plain alternative. It reads
docstrings, comments, help texts, messages, templates, scripts of pages and Markdown; names in
backquotes and code are left out. In `src`, `scripts` and `benchmarks` it also finds local
variables whose names do not say what they hold.
"""

import ast
import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST = 30
"""Words that a sentence of a guide may have."""

NUMBER = r"\d(?:[\d,.]*\d)?"
COUNTED = r"(?:images|samples|steps|epochs|labels|files|rows|picks|seconds|minutes|hours|MB|more)"
SINGLE = r"(?:class|pass|regression|model|network|fit|line|image|picture|pair)"
TIME = r"(?:minute|hour|day|second(?= (?:and|or|on|at|by|in)\b|[.,;:)]|$))"
UNIT = (
    r"(?:image|value|seed|step|round|trial|run|block|worker|core|thread|pixel|row|line|epoch|batch"
    rf"|arm|class|file|label|pick|time|{TIME})"
)
"""Things that others are counted by, as in "20 images per second"."""

WORDS = {
    r"beside": "next to, or in addition to",
    r"besides": "other than, or in addition to",
    r"anew": "again",
    r"stands?(?! (?:alone|out)\b)": "is, are, or means",
    r"whatever": "all, any, or leave it out",
    r"who(?:m|ever)": "that, or name the person",
    r"told (?:of|apart|by)": "reported, distinguished, recognised",
    r"tells? (?:of|apart)": "reports, distinguishes",
    r"so many": "that many, or the number",
    r"nobody": "no person, or say it of the thing",
    r"somebody": "a person",
    r"(?<!there\s)(?:is|are) (?-i:none)": "does not exist, or is not one",
    r"gives? away": "reveals",
    r"asks for": "needs, or requests",
    r"(?<!there\s)(?:is|are|was|were) no(?! longer| more| less| better)": "is not a",
    rf"(?:twice|ones?|bits|bytes|{NUMBER}) an? {UNIT}": "per",
    rf"once an? {UNIT}(?= (?:and|or|in|by|on|at)\b|[.,;:)]|$)": "per",
    rf"(?:{NUMBER} {COUNTED} an? {UNIT}|{COUNTED} an? {TIME})": "per",
    rf"one (?:\w+ |`+ )*{SINGLE} an? {UNIT}": "per",
    r"in vain": "without effect",
    r"to be had": "available",
    r"goes? on": "continues",
    r"went on": "continued",
    r"mends?|mended": "repair, correct",
    r"thereof|therein|thereby|lest|whilst|whence|hither": "a plain word",
    r"looks? (?:at|into)|looked at": "uses, reads",
    r"(?:sees|knows|wishes|dreams|wants)(?! to it)": "uses, has, contains: only persons do this",
    r"of old|of late|as yet|ere": "a plain word",
    r"beforehand": "before, in advance",
    r"the house|floors?(?! (?:of|to) )|nursery": "layers, package",
    r"is left aside|leaves? aside": "is ignored, ignores",
    r"comes? in(?= and|\b[.,;])": "arrives",
    r"bar(?:red)? (?:it|them)|barred": "excluded",
}
"""Patterns, matched at word boundaries, and what to write instead."""

VAGUE = ("found", "kind", "known", "own", "place")
"""Names of locals that do not say what they hold; fields and parameters may have them."""

SUFFIXES = frozenset((".py", ".md", ".html", ".j2", ".js"))
"""Files of a folder that are read."""

RIDDLE = re.compile(r"(?:What|Who|How|Where|Which|Whether|When|Whose)\b")
"""A docstring that begins so names no subject."""


@dataclass(frozen=True)
class Finding:
    """One place to rewrite."""

    path: str
    line: int
    words: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words!r} -> {self.remedy}"


@dataclass(frozen=True)
class Passage:
    """A piece of text in a file, from its first line."""

    line: int
    text: str
    docstring: bool = False


def check(path: Path) -> Iterator[Finding]:
    """Yield the findings in one file."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()
    for passage in passages(path, text):
        plain = re.sub(r"``?[^`]*``?", lambda match: "`" * len(match.group()), passage.text)
        if passage.docstring and (riddle := RIDDLE.match(plain.strip())):
            yield Finding(name, passage.line, f"{riddle.group()} …", "begin with the subject")
        for pattern, remedy in WORDS.items():
            flexible = pattern.replace(" ", r"\s+")
            for match in re.finditer(rf"(?<![\w-])(?:{flexible})(?![\w-])", plain, re.IGNORECASE):
                line = passage.line + plain.count("\n", 0, match.start())
                yield Finding(name, line, " ".join(match.group().split()), remedy)
    if path.suffix == ".md":
        yield from long_sentences(name, text)
    if path.suffix == ".py" and name.startswith(("src/", "scripts/", "benchmarks/")):
        yield from vague_locals(name, text)


def vague_locals(name: str, text: str) -> Iterator[Finding]:
    """Yield the local variables of a module that are called by a word of VAGUE."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    nodes = (
        node for f in ast.walk(ast.parse(text)) if isinstance(f, functions) for node in ast.walk(f)
    )
    assigned = {
        (node.lineno, node.id)
        for node in nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in VAGUE
    }
    for line, variable in sorted(assigned):
        yield Finding(name, line, variable, "name what the variable holds")


def passages(path: Path, text: str) -> Iterator[Passage]:
    """Yield the texts of a file that people read."""
    if path.suffix == ".py":
        yield from python_passages(text)
    elif path.suffix == ".md":
        yield Passage(1, prose(path, text))
    elif path.suffix in (".html", ".j2"):
        without = re.sub(
            r"<(style|script)\b.*?</\1>|<[^>]*>|\{[%{#].*?[%}#]\}", blank, text, flags=re.S
        )
        yield Passage(1, without)
    elif path.suffix == ".js":
        yield from script_passages(text)
    else:
        for number, line in enumerate(text.splitlines(), 1):
            comment = re.search(r"(?:^|\s)#(?!!)(.*)", line)
            if comment:
                yield Passage(number, comment.group(1))


def python_passages(text: str) -> Iterator[Passage]:
    """Yield docstrings, comments, and strings of at least three words."""
    tree = ast.parse(text)
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            docstring = id(node) in docstrings
            if docstring or len(node.value.split()) >= 3:
                yield Passage(node.lineno, node.value, docstring)
    comments: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments.append((token.start[0], token.string.lstrip("# ")))
    for line, comment in comments:
        yield Passage(line, comment)


def script_passages(text: str) -> Iterator[Passage]:
    """Yield comments, and strings of at least three words, of a script without their code."""
    comment, string = r"//[^\n]*|/\*.*?\*/", r'"[^"\n]*"|`[^`]*`'
    for match in re.finditer(rf"({comment})|{string}", text, re.S):
        plain = re.sub(r"\$\{[^}]*\}", blank, match.group())
        if match.group(1) or len(plain.split()) >= 3:
            line = text.count("\n", 0, match.start()) + 1
            yield Passage(line, re.sub(r"^\s*\*", "", plain.strip("`"), flags=re.M))


def prose(path: Path, text: str) -> str:
    """Return Markdown without code, links' targets and what is released already."""
    if path.name == "CHANGELOG.md":
        text = re.split(r"^## \[\d", text, maxsplit=1, flags=re.M)[0]
    text = re.sub(r"^```.*?^```", blank, text, flags=re.M | re.S)
    text = re.sub(r"<!--.*?-->", blank, text, flags=re.S)
    return re.sub(r"\]\([^)]*\)", "]", text)


def long_sentences(name: str, text: str) -> Iterator[Finding]:
    """Yield the sentences of a guide's paragraphs and lists that are too long."""
    if name.startswith("docs/reference/"):
        return
    clean = prose(Path(name), text)
    for match in re.finditer(r"(?:^(?![|#]).*\S.*\n?)+", clean, re.M):
        line = clean.count("\n", 0, match.start()) + 1
        items = re.split(r"^(?=\s*[-*\d.]+ )", match.group(), flags=re.M)
        for item in items:
            for sentence in re.split(r"(?<=[.!?:;])\s+(?=[\w`*\[“])", item):
                words = re.findall(r"[\w’'-]*[^\W\d_][\w’'-]*", sentence)
                if len(words) > LONGEST:
                    start = " ".join(sentence.split()[:5])
                    yield Finding(name, line, f"{start} …", f"{len(words)} words: split it")
            line += item.count("\n")


def blank(match: re.Match[str]) -> str:
    """Return the line ends of a match, so that line numbers stay."""
    return "\n" * match.group().count("\n")


def settings() -> dict[str, list[object]]:
    """Return the table `[tool.nextlabel.words]`: `paths` to read, `skip` and what to `allow`."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text).get("tool", {}).get("nextlabel", {}).get("words", {})


def allowed(finding: Finding, exceptions: list[object]) -> bool:
    """Say whether pyproject.toml names this finding, with a reason."""
    for exception in exceptions:
        assert isinstance(exception, dict), "an entry of allow is a table: path, words, reason"
        assert exception["reason"], "an exception needs a reason"
        if finding.path.startswith(exception["path"]) and finding.words == exception["words"]:
            return True
    return False


def files(paths: list[str]) -> Iterator[Path]:
    """Yield the files at and below the paths that hold text."""
    for given in paths:
        path = ROOT / given if (ROOT / given).exists() else Path(given)
        if path.is_dir():
            texts = (file for file in path.rglob("*") if file.suffix in SUFFIXES)
            yield from sorted(file for file in texts if "__pycache__" not in file.parts)
        else:
            yield path


def main(arguments: list[str]) -> int:
    """Print all findings; return 1 if there are any."""
    table = settings()
    paths = arguments[1:] if arguments[:1] == ["--only"] else [str(p) for p in table["paths"]]
    skipped = {ROOT / str(path) for path in table.get("skip", [])}
    findings = [f for path in files(paths) if path not in skipped for f in check(path)]
    findings = [f for f in findings if not allowed(f, table.get("allow", []))]
    for finding in sorted(findings, key=lambda f: (f.path, f.line)):
        print(finding)
    if findings:
        print(f"{len(findings)} to rewrite; an exception goes into [tool.nextlabel.words] allow")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
