"""`strategies`, `datasets`, `cache` and `embed`, for real and small."""

import json
import re
import shlex
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nextlabel.cli import main
from nextlabel.data import SOURCES
from nextlabel.features.blocks import BLOCKS
from nextlabel.features.embedding_file import EmbeddingFile
from nextlabel.strategies import STRATEGIES
from nextlabel.strategies.descriptions import attribute_docstrings, describe, first_sentence


def test_every_strategy_is_listed_with_its_needs(capsys):
    assert main(["strategies", "--json"]) == 0
    found = {s["name"]: s for s in json.loads(capsys.readouterr().out)}
    assert list(found) == list(STRATEGIES)
    assert all(s["summary"].endswith(".") for s in found.values())
    assert found["core_set"]["needs"] == ["features"]
    assert found["random"]["needs"] == []
    (option,) = found["medal"]["options"]
    assert (option["name"], option["default"]) == ("entropy_top", None)
    assert "at least 1" in option["meaning"]
    assert [name for name, s in found.items() if not s["multi_label"]] == ["oracle_balanced"]
    assert main(["strategies"]) == 0
    out = capsys.readouterr().out
    listed, options = out.split("\nOptions")
    assert [line.split()[0] for line in listed.splitlines()[2:] if line] == list(STRATEGIES)
    assert "Highest predicted loss (needs a loss-prediction model)." in listed
    assert re.search(r"typiclust +neighbours +20 +Number of nearest images", options)
    assert re.search(r"prob_cover +radius +not set +Distance in the feature space", options)


def test_every_option_says_its_meaning_and_no_summary_has_a_symbol():
    for name in STRATEGIES:
        strategy = describe(name)
        assert all(option.meaning.endswith(".") for option in strategy.options), name
        assert not re.search(r"[σδΣα|²=]|\bP\b|\bp\b", strategy.summary), strategy.summary


def test_a_class_without_source_has_options_without_meaning():
    assert attribute_docstrings(type("Made", (), {})) == {}


def test_the_first_sentence_of_a_docstring():
    assert first_sentence("One.\n\nTwo.") == "One."
    assert first_sentence("Lowest p, e.g. 0.1,\n  of all. More.") == "Lowest p, e.g. 0.1, of all."
    assert first_sentence("") == ""


def test_every_data_set_is_listed(capsys):
    assert main(["datasets", "--json"]) == 0
    found = {s["name"]: s for s in json.loads(capsys.readouterr().out)}
    assert list(found) == list(SOURCES)
    assert found["digits"]["where"] == "embedded"
    assert sum(found["digits"]["images"].values()) == 1797
    assert found["chestmnist"]["task"] == "multilabel"
    assert main(["datasets"]) == 0
    assert "digits" in capsys.readouterr().out


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    Path("photos").mkdir()
    for i in range(7):
        pixels = rng.integers(0, 256, (12, 10 + i)).astype(np.uint8)
        Image.fromarray(pixels).save(f"photos/{i}.png")
    return tmp_path


def test_a_folder_has_its_next_batch_in_two_commands(photos, capsys):
    embed = ["embed", "photos", "--block", "pixels", "-o", "out/photos.npz", "--image-size", "8"]
    assert main([*embed, "--cache-dir", "cache"]) == 0
    out, err = capsys.readouterr()
    assert out == "out/photos.npz\n"
    assert "7 images" in err
    made = EmbeddingFile.load(Path("out/photos.npz"))
    rows, names = made.features, made.names
    assert len(rows) == 7
    Path("done.txt").write_text(f"{names[2]}\n")
    select = ["select", "--features", "out/photos.npz", "--labelled", "done.txt", "--budget", "6"]
    assert main(select) == 0
    assert set(capsys.readouterr().out.split()) == set(names) - {names[2]}


def test_an_image_that_cannot_be_read_is_refused_or_skipped_by_name(photos, capsys):
    Path("photos/torn.png").write_bytes(b"no image")
    embed = ["embed", "photos", "--block", "pixels", "-o", "x.npz", "--cache-dir", "cache"]
    assert main(embed) == 1
    assert "torn.png" in (err := capsys.readouterr().err) and "--unreadable skip" in err
    assert main([*embed, "--unreadable", "skip"]) == 0
    assert "torn.png" in capsys.readouterr().err
    assert EmbeddingFile.load(Path("x.npz")).names == tuple(f"{i}.png" for i in range(7))


def test_the_cache_is_shown_and_pruned_where_a_plug_in_does_not_load(tmp_path, monkeypatch, capsys):
    point = EntryPoint("mist", "nowhere:Mist", "nextlabel.blocks")
    monkeypatch.setattr("nextlabel.core.registry.entry_points", lambda group: [point])
    monkeypatch.setattr(BLOCKS, "_complete", False)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / ("0" * 64)).touch()
    for command in (["cache"], ["cache", "prune", "--all"]):
        assert main([*command, "--cache-dir", str(tmp_path)]) == 0
        assert "decoded images of data sets (images)" in capsys.readouterr().out


def test_embed_as_json_with_settings_of_the_block(photos, capsys):
    arguments = ["embed", "photos", "--block", "pca", "--set", "components=3", "-o", "x.npz"]
    assert main([*arguments, "--image-size", "8", "--cache-dir", "cache", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    expected = {"file": "x.npz", "images": 7, "columns": 3, "block": "pca"}
    assert expected.items() <= found.items()
    assert main(["cache", "size", "--cache-dir", "cache", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["entries"] == 5
    assert main(["cache", "--cache-dir", "cache", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == measured
    Path("cache/other").mkdir()
    Path("cache/other", "0" * 64).touch()
    assert main(["cache", "--cache-dir", "cache"]) == 0
    folders = [line.rpartition(":")[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert folders == [
        "  fits of the block pca (block-pcablock)",
        "  features of folders (folder-features)",
        "  digests of the files of folders (folders)",
        "  decoded images of data sets (images)",
        "  other",
        "  decoded images of folders (small-images)",
    ]
    Path("cache/other", "0" * 64).unlink()
    for before in (["--json"], ["--cache-dir", "cache"]):
        assert main(["cache", *before, "prune", "--all"]) == 2
        assert "options before 'prune' do not reach it" in capsys.readouterr().err
    prune = ["cache", "prune", "--cache-dir", "cache"]
    assert main([*prune, "--older-than", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 0
    assert main([*prune, "--all"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("5 files, ")
    assert err == "removed\n"
    assert main(["cache", "size", "--cache-dir", "cache"]) == 0
    assert capsys.readouterr().out == "0 files, 0 B\n"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ("nonsense -o x.npz", 2, "neither a folder nor a data set 'nonsense'"),
        ("photos -o x.npy", 2, "x.npy does not end in .npz"),
        ("photos -o photos/0.png/x.npz", 1, "photos/0.png"),
        ("photos --block vea -o x.npz", 2, "did you mean 'vae'?"),
        ("photos --block pca --set component=3 -o x.npz", 2, "did you mean 'components'?"),
        ("photos --block pca --set components -o x.npz", 2, "is not KEY=VALUE"),
        ("empty -o x.npz", 1, "empty"),
        ("none.npy -o x.npz", 2, "no such file none.npy"),
        ("images.npz -o photos/../images.npz", 2, "is a file that is read"),
        ("'' -o x.npz", 2, "a data set ''"),
    ],
)
def test_what_cannot_be_embedded_is_one_sentence(arguments, code, says, photos, capsys):
    Path("empty").mkdir()
    np.savez("images.npz", images=np.arange(128, dtype=np.uint8).reshape(2, 8, 8))
    assert main(["embed", *shlex.split(arguments), "--cache-dir", "cache"]) == code
    out, err = capsys.readouterr()
    assert not out
    assert says in err
    assert err.count("\n") == 1
    assert not Path("x.npz").exists()
