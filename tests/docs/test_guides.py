"""The README and the guides are true: their code runs, their commands and links exist."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import typer
from PIL import Image

from nextlabel.cli import app, main
from nextlabel.core.settings import Settings
from nextlabel.experiment.parse import load_experiment
from nextlabel.experiment.spec import Experiment
from nextlabel.features.blocks import BLOCKS
from nextlabel.models.task_models import TASK_MODELS

ROOT = Path(__file__).parents[2]
RESULTS = [ROOT / "docs/results/README.md", *sorted((ROOT / "docs/results").glob("*/README.md"))]
GUIDES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
GUIDES += [*sorted((ROOT / "docs/reference").glob("*.md")), *RESULTS]
TEXT = {guide: guide.read_text(encoding="utf-8") for guide in GUIDES}


def blocks(guide, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT[guide], re.M | re.S)


def name(guide):
    return str(guide.relative_to(ROOT))


def having(language):
    found = [guide for guide in GUIDES if blocks(guide, language)]
    return pytest.mark.parametrize("guide", found, ids=name)


def commands(guide):
    """Yield the words of each line of a guide's shell blocks; continued lines are one."""
    for block in blocks(guide, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


@having("python")
def test_python_runs(guide, tmp_path):
    """Each block is a module that continues the one before."""
    code = blocks(guide, "python")
    for number, block in enumerate(code):
        before = f"from block{number - 1} import *\n" if number else ""
        (tmp_path / f"block{number}.py").write_text(before + block, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", f"import block{len(code) - 1}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *python_path()])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def python_path():
    """Return the folders of the caller's PYTHONPATH, so that its sources are tested."""
    return [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]


def parse(words):
    """Parse a nextlabel command line as the program would, and run nothing."""
    command = typer.main.get_command(app)
    context = command.make_context("nextlabel", list(words))
    while left := [*getattr(context, "_protected_args", ()), *context.args]:
        found, command, rest = context.command.resolve_command(context, left)
        context = command.make_context(found, rest, parent=context)


@having("sh")
def test_shell_commands_exist(guide):
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    for words in commands(guide):
        program = Path(words[0]).name or words[0]
        if program == "nextlabel":
            if "--help" not in words:
                parse(words[1:])
        elif program == "make":
            assert set(words[1:]) <= targets, words
        else:
            others = {"python3", "pip", "pre-commit", "export", "git", "cd", ".", "dask"}
            assert program in others, words


@pytest.mark.parametrize("guide", RESULTS, ids=name)
def test_results_are_run_and_drawn_from_what_is_there(guide):
    """Arms, files and stores that commands name; what is listed as not run has no store yet."""
    for words in commands(guide):
        if words[0] != "nextlabel":
            continue
        given = {word: words[i + 1] for i, word in enumerate(words[:-1]) if word.startswith("--")}
        store = given.get("--store", "")
        assert not store.startswith("docs/") or (ROOT / store).is_file(), store
        if words[1] in ("run", "map"):
            arms = {arm.name for arm in load_experiment(ROOT / words[2]).arms}
            asked = {words[i + 1] for i, word in enumerate(words) if word == "--arm"}
            assert asked <= arms, asked - arms
        if words[1] == "run" and guide == RESULTS[0]:
            assert not (guide.parent / Path(words[2]).stem / "store.db").exists(), words


def test_a_wrong_command_would_be_noticed():
    with pytest.raises(typer.TyperException):
        parse(["select", "--budgt", "3"])
    with pytest.raises(typer.TyperException):
        parse(["selct"])


@having("toml")
def test_experiments_load(guide, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks(guide, "toml"):
        if "[[arms]]" in block:
            Path("guide.toml").write_text(block)
            assert load_experiment(Path("guide.toml")).arms


def test_tables_of_settings_are_complete():
    """Keys in backquotes at the start of a table's row exist, and each table names most of its."""
    guide = ROOT / "docs/experiments.md"
    known = set(BLOCKS).union(*(settings_keys(BLOCKS[name]) for name in BLOCKS))
    known |= settings_keys(Experiment)
    known = known.union(*(settings_keys(TASK_MODELS[name]) for name in TASK_MODELS))
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", TEXT[guide], re.M)
    named = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert len(named) > 20
    assert named <= known, named - known


def settings_keys(model):
    """Return the keys of a table of settings and of the tables below it."""
    keys = set(model.model_fields)
    for field in model.model_fields.values():
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, Settings):
                keys |= settings_keys(inner)
    return keys


def make_scans(rng: np.random.Generator) -> None:
    """Write stacks of 3 planes and 3 channels to the folder scans."""
    import tifffile

    Path("scans").mkdir()
    for k in range(40):
        values = rng.integers(0, 4096, (3, 3, 12, 12), np.uint16)
        tifffile.imwrite(f"scans/{k}.tif", values, imagej=True, metadata={"axes": "ZCYX"})


def make_photos(count, rng):
    """Write `count` images of each of two classes below photos/."""
    for label, level in (("cats", 60), ("dogs", 180)):
        Path("photos", label).mkdir(parents=True)
        for i in range(count):
            pixels = np.clip(rng.normal(level, 30, (20, 24)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(f"photos/{label}/{i:04}.png")


@pytest.mark.slow
def test_the_paths_of_the_readme_work_as_they_stand(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    make_photos(60, rng)
    Path("experiments").symlink_to(ROOT / "experiments")
    labelled = {f"{kind}s/{i:04}.png": kind for kind in ("cat", "dog") for i in range(4)}
    lines = [f"{path},{label}" for path, label in labelled.items()]
    Path("labels.csv").write_text("\n".join(["path,label", *lines]))
    Path("ids.txt").write_text("0\n1\n")
    np.save("clip.npy", rng.normal(size=(150, 8)))
    np.save("p.npy", rng.dirichlet(np.ones(2), 150))
    chosen = []
    for words in commands(ROOT / "README.md"):
        needs_a_run = words[1:2] == ["status"] or (words[1:2] == ["run"] and "--plan" not in words)
        if words[0] != "nextlabel" or "--help" in words or needs_a_run:
            continue
        if words[1] == "label":  # the page is tried in tests/web and tests/browser
            words = ["nextlabel", "import", words[2], "labels.csv"]
        assert main(words[1:]) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        if words[1] in ("suggest", "select"):
            chosen.append(out.split())
    assert [len(set(lines)) for lines in chosen] == [100, 100]
    assert not {"0", "1"} & {*chosen[0], *chosen[1]}
    predicted = [line.split(",") for line in Path("predictions.csv").read_text().splitlines()[1:]]
    assert np.mean([path.startswith(label) for path, label, *_ in predicted]) > 0.9


@pytest.mark.slow
def test_the_guide_to_own_images_works_as_it_stands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    guide = ROOT / "docs/own-images.md"
    rng = np.random.default_rng(0)
    make_photos(30, rng)
    make_scans(rng)
    _, done, manifest = blocks(guide, "text")
    assert manifest.startswith("path,label,split\n")
    Path("done.txt").write_text(done)
    Path("ids.txt").write_text("0\n1\n")
    np.save("p.npy", rng.dirichlet(np.ones(2), 60))
    (experiment,) = blocks(guide, "toml")
    Path("photos.toml").write_text(experiment)
    ran = 0
    for words in commands(guide):
        if words[1] == "run" and "--plan" not in words:
            continue  # the lab's own tests train
        assert main(words[1:]) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        if words[1] == "select":
            chosen = out.split()
            assert len(set(chosen)) == 10
            assert not {"cats/0003.png", "dogs/0017.png", "0", "1"} & set(chosen)
            named = "--probabilities" not in words or "medal" in words
            assert all(Path("photos", c).is_file() for c in chosen) or not named
        ran += 1
    assert ran == 9


def anchors(text):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("guide", GUIDES, ids=name)
def test_links_lead_somewhere(guide):
    for link in re.findall(r"\]\(([^)]+)\)", TEXT[guide]):
        target, _, anchor = link.partition("#")
        if target.startswith("http"):
            continue
        path = guide.parent / target if target else guide
        assert path.exists(), f"{name(guide)} links to {target}"
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{name(guide)}: {link}"


def test_files_that_the_guides_name_exist():
    for guide in GUIDES:
        for path in re.findall(r"`((?:src|tests|benchmarks|experiments)/[\w./-]*)`", TEXT[guide]):
            assert (ROOT / path).exists(), f"{name(guide)} names {path}"


def test_contributing_names_every_group_of_entry_points():
    sources = "".join(path.read_text() for path in (ROOT / "src").glob("**/*.py"))
    groups = set(re.findall(r'Registry\([^()]*"(nextlabel\.\w+)"\s*\)', sources))
    assert len(groups) >= 4
    assert groups == set(re.findall(r"\| `(nextlabel\.\w+)` \|", TEXT[ROOT / "CONTRIBUTING.md"]))


def test_the_citation_is_valid():
    import yaml

    found = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert found["cff-version"] == "1.2.0"
    assert found["type"] == "software"
    names = [author["family-names"] for author in found["references"][0]["authors"]]
    assert names == ["Godwin", "Zain", "Safir", "Humphrey", "Quinn"]
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert str(found["version"]) == version.group(1)


@pytest.mark.slow
def test_the_guide_to_a_classifier_works_as_it_stands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    guide = ROOT / "docs/classifier.md"
    make_photos(30, np.random.default_rng(0))
    (labels,) = blocks(guide, "text")
    Path("labels.csv").write_text(labels)
    for words in commands(guide):
        if words[0] == "nextlabel":
            quick = () if words[1] == "predict" else ("--features", "pca=1")
            assert main([*words[1:], *quick]) == 0, capsys.readouterr().err
    assert Path("gallery.html").read_text().count("<img") == 60
    assert len(Path("predictions.csv").read_text().splitlines()) == 61
