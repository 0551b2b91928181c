import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from nextlabel.cli import main

pytestmark = pytest.mark.filterwarnings("ignore:.*1 label only")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of 60 digits, and lines of their labels."""
    folder = tmp_path_factory.mktemp("photos") / "digits"
    folder.mkdir()
    digits = load_digits()
    lines = {}
    for row in np.flatnonzero(digits.target < 2)[:60]:
        Image.fromarray((digits.images[row] * 15).astype(np.uint8)).save(folder / f"{row:03}.png")
        lines[f"{row:03}.png"] = ("round", "thin")[digits.target[row]]
    return folder, lines


@pytest.fixture
def call(capsys, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")

    def run(*words):
        code = main([*map(str, words), "--cache-dir", str(cache)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def labels_file(path, answers):
    path.write_text("path,label\n" + "".join(f"{n},{c}\n" for n, c in answers.items()))
    return path


FEATURES = ("--features", "pca=1")


def test_from_suggestions_to_predictions(photos, call, tmp_path):
    folder, truth = photos
    code, out, err = call("suggest", folder, "--budget", 4, *FEATURES)
    chosen = out.splitlines()
    assert code == 0
    assert set(chosen) <= set(truth)
    assert "60 images, 0 labelled" in err
    file = labels_file(tmp_path / "labels.csv", {name: truth[name] for name in chosen})
    code, out, err = call(
        "suggest", folder, "--labels", file, "--budget", 12, *FEATURES, "--json", "--audit", 0
    )
    made = json.loads(out)
    assert code == 0
    assert (made["labelled"], len(made["suggestions"])) == (4, 12)
    assert sum(made["classes"].values()) == 4
    assert made["changes"] == {"added": [], "changed": [], "gone": []}
    first = made["suggestions"][0]
    assert first["reason"] == "typiclust"
    assert first["prediction"] in ("round", "thin")
    assert 0.5 <= first["confidence"] <= 1
    more = {item["path"]: truth[item["path"]] for item in made["suggestions"]}
    second = labels_file(tmp_path / "more.csv", more)
    code, out, err = call(
        "fit", folder, "--labels", file, "--labels", second, "-o", tmp_path / "model", *FEATURES
    )
    assert code == 0
    assert "60 images, 16 labelled" in err
    predictions, page = tmp_path / "out" / "predictions.csv", tmp_path / "out" / "page.html"
    code, out, err = call(
        "predict", tmp_path / "model", folder, "-o", predictions, "--gallery", page
    )
    assert (code, out.strip()) == (0, str(predictions))
    rows = [line.split(",") for line in predictions.read_text().splitlines()]
    assert rows[0][:3] == ["path", "label", "confidence"]
    assert np.mean([truth[name] == label for name, label, *_ in rows[1:]]) > 0.9
    assert page.read_text().count("<img") == 60


def test_predictions_go_to_stdout_without_a_file(photos, call, tmp_path):
    folder, truth = photos
    file = labels_file(tmp_path / "labels.csv", dict(list(truth.items())[:20]))
    call("fit", folder, "--labels", file, "-o", tmp_path / "model", *FEATURES)
    code, out, _ = call("predict", tmp_path / "model", folder)
    assert code == 0
    assert len(out.splitlines()) == 61


def test_changed_images_are_named(photos, call, tmp_path):
    folder, _ = photos
    own = tmp_path / "own"
    shutil.copytree(folder, own)
    call("suggest", own, *FEATURES)
    names = sorted(path.name for path in own.iterdir())
    (own / names[0]).unlink()
    Image.new("L", (8, 8), 3).save(own / "new.png")
    code, _, err = call("suggest", own, *FEATURES)
    assert code == 0
    assert "1 image new since the time before: new.png" in err
    assert f"1 image gone since the time before: {names[0]}" in err


def test_a_later_call_imports_no_torch_and_no_database(photos, tmp_path):
    """Importing them takes more than a second, and an unchanged folder needs none of it."""
    folder, truth = photos
    file = labels_file(tmp_path / "labels.csv", dict(list(truth.items())[:8]))
    words = ["suggest", str(folder), "--labels", str(file), *FEATURES]
    words += ["--cache-dir", str(tmp_path / "cache")]
    assert main(words) == 0
    code = (
        "import sys; from nextlabel.cli import main; "
        f"assert main({words!r}) == 0; assert not {{'torch', 'sqlalchemy'}} & {{*sys.modules}}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_another_strategy_can_be_chosen(photos, call):
    folder, _ = photos
    code, out, _ = call(
        "suggest", folder, "--strategy", "random", "--audit", 0, "--json", *FEATURES
    )
    assert code == 0
    assert {item["reason"] for item in json.loads(out)["suggestions"]} == {"random"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["suggest", "missing"], "not a folder"),
        (["suggest", "{photos}", "--labels", "missing.csv"], "missing.csv"),
        (["suggest", "{photos}", "--classes", "one"], "two or more different names"),
        (["suggest", "{photos}", "--features", "clip=1"], "clip"),
        (["suggest", "{photos}", "--strategy", "nonsense", "--features", "pca=1"], "nonsense"),
        (["suggest", "{photos}", "--classes", "one, one"], "'one,one' must be"),
        (["fit", "{photos}", "-o", "model"], "--labels"),
        (["fit", "{photos}", "--labels", "missing.csv", "-o", "{photos}"], "other files"),
        (["predict", "{photos}", "{photos}"], "does not hold a classifier"),
    ],
)
def test_bad_input_is_one_line(words, message, photos, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*(word.format(photos=photos[0]) for word in words))
    assert code == 2 if "missing.csv" not in words else code in (1, 2)
    assert out == ""
    errors = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert message in errors[0]
    assert "Traceback" not in err


def test_predictions_replace_no_other_table(photos, call, tmp_path, monkeypatch):
    folder, truth = photos
    monkeypatch.chdir(tmp_path)
    file = labels_file(tmp_path / "labels.csv", dict(list(truth.items())[:20]))
    before = file.read_bytes()
    call("fit", folder, "--labels", file, "-o", tmp_path / "model", *FEATURES)
    for target, message in (
        ("labels.csv", "holds another table"),
        (".", "does not end in .csv"),
        ("out.txt.tsv", "does not end in .csv; call it out.txt.csv"),
        ("out.txt", "does not end in .csv; call it out.csv"),
    ):
        code, _, err = call("predict", "model", folder, "-o", target)
        assert code == 2
        assert message in err
    assert file.read_bytes() == before
    for _ in range(2):  # its own table is replaced
        assert call("predict", "model", folder, "-o", "predictions.csv")[0] == 0
