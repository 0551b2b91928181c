import json
import shutil

import numpy as np
import pytest
from PIL import Image

from nextlabel import suggest
from nextlabel.cli import main
from nextlabel.core.errors import DataError, UsageError
from nextlabel.project.classifier import Classifier
from nextlabel.project.classifier_folder.card import estimate_words
from refusals import refused

pytestmark = pytest.mark.filterwarnings("ignore:.*1 label only")


@pytest.fixture
def fitted(digits_folder, write_labels, quick, project_cache):
    folder, truth = digits_folder
    answers = dict(list(truth.items())[:40])
    return Classifier.fit(folder, write_labels(answers), pipeline=quick, cache_dir=project_cache)


def test_it_predicts_the_images_without_a_label(fitted, digits_folder, project_cache):
    folder, truth = digits_folder
    made = fitted.predict(folder, cache_dir=project_cache)
    assert made.names == tuple(truth)
    right = [label == truth[name] for name, label in zip(made.names, made.labels, strict=True)]
    assert np.mean(right[40:]) > 0.9
    assert np.allclose(made.probabilities.sum(axis=1), 1)
    assert sum(made.counts.values()) == len(truth)


def test_another_machine_gets_the_same_predictions(fitted, digits_folder, tmp_path):
    folder, _ = digits_folder
    fitted.save(tmp_path / "classifier")
    shutil.move(tmp_path / "classifier", tmp_path / "moved")
    made = fitted.predict(folder, cache_dir=tmp_path / "one")
    again = Classifier.load(tmp_path / "moved").predict(folder, cache_dir=tmp_path / "two")
    assert np.array_equal(again.probabilities, made.probabilities)
    assert np.array_equal(again.unlike, made.unlike)
    assert again.to_csv() == made.to_csv()


def test_images_of_another_kind_are_called_unlike(fitted, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (3, 20, 20, 3), np.uint8)
    for number, pixels in enumerate(noise):
        Image.fromarray(pixels).save(other / f"{number}.png")
    assert fitted.predict(other, cache_dir=tmp_path / "cache").unlike.all()


def test_one_image_is_predicted_as_among_others(fitted, digits_folder, tmp_path, project_cache):
    folder, truth = digits_folder
    name = next(iter(truth))
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(folder / name, alone)
    made = fitted.predict(alone, cache_dir=project_cache)
    assert made.names == (name,)
    among = fitted.predict(folder, cache_dir=project_cache)
    at = among.names.index(name)
    np.testing.assert_allclose(made.probabilities[0], among.probabilities[at], atol=1e-5)
    assert made.unlike[0] == among.unlike[at]
    with refused(DataError, "too-few-images", match="1 image that can be read; give at least 2"):
        suggest(alone, cache_dir=project_cache)


def test_the_table_has_a_column_per_class(fitted, digits_folder, project_cache):
    folder, _ = digits_folder
    made = fitted.predict(folder, cache_dir=project_cache)
    head, first, *_ = made.to_csv().splitlines()
    assert head == "path,label,confidence,unlike,p_one,p_two,p_zero"
    name, label, confidence, _, *chances = first.split(",")
    assert (name, label) == (made.names[0], made.labels[0])
    assert float(confidence) == max(map(float, chances))
    frame = made.to_frame()
    assert list(frame.columns) == head.split(",")
    assert frame["p_one"].tolist() == made.probabilities[:, 0].tolist()


def test_the_card_says_what_it_rests_on(fitted, tmp_path):
    fitted.save(tmp_path / "classifier")
    text = (tmp_path / "classifier" / "README.md").read_text()
    for fact in ("zero", "| labelled | 40 |", "| folder | digits |", "16 × 16 pixels, grey", "pca"):
        assert fact in text


@pytest.mark.parametrize(
    ("audited", "words"),
    [
        (0, "by the model's own confidence"),
        (1, "95% interval 40 to 90%, by 1 image that was drawn at random"),
        (7, "by 7 images that were drawn at random"),
    ],
)
def test_an_estimate_says_what_it_rests_on(audited, words):
    estimate = {"value": 0.7, "low": 0.4, "high": 0.9, "audited": audited, "confidence": 0.95}
    said = estimate_words({"estimate": estimate, "labelled": 7, "images": 9})
    assert said.startswith("Accuracy on the images without a label: about 70%")
    assert words in said


def test_where_all_are_labelled_the_estimate_is_about_others(
    digits_folder, write_labels, quick, project_cache, tmp_path
):
    folder, truth = digits_folder
    for count, of in ((len(truth) - 1, "the images without a label"), (len(truth), "other images")):
        file = write_labels(dict(list(truth.items())[:count]))
        made = Classifier.fit(folder, file, pipeline=quick, cache_dir=project_cache)
        made.save(tmp_path / "model")
        assert f"Accuracy on {of}" in (tmp_path / "model" / "README.md").read_text()
    assert not made.predict(folder, cache_dir=project_cache).unlike.any()


def test_the_command_says_so_as_well(digits_folder, write_labels, project_cache, tmp_path, capsys):
    folder, truth = digits_folder
    words = ["fit", folder, "--labels", write_labels(truth), "-o", tmp_path / "model"]
    options = ["--features", "pixels=1", "--cache-dir", project_cache]
    assert main([*map(str, words), *map(str, options)]) == 0
    assert "Accuracy on other images of this kind: about" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["classifier.json", "arrays.safetensors"])
@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "gone"])
def test_damaged_files_are_refused(name, damage, fitted, tmp_path):
    folder = tmp_path / "classifier"
    fitted.save(folder)
    file = folder / name
    content = bytearray(file.read_bytes())
    if damage == "changed":
        spot = content.index(b"temperature") + 16 if name.endswith("json") else len(content) - 9
        content[spot] ^= 1
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes({"cut": content[:-40], "changed": content, "empty": b""}[damage])
    gone = name == "classifier.json" and damage == "gone"
    expected = (UsageError, "no-classifier") if gone else (DataError, "classifier-damaged")
    with refused(*expected):
        Classifier.load(folder)


def test_a_newer_version_is_refused(fitted, tmp_path):
    folder = tmp_path / "classifier"
    fitted.save(folder)
    settings = json.loads((folder / "classifier.json").read_text())
    (folder / "classifier.json").write_text(json.dumps(settings | {"version": 99}))
    with refused(DataError, "classifier-too-new"):
        Classifier.load(folder)


def test_a_folder_of_other_files_is_not_written_to(fitted, tmp_path):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    with refused(UsageError, "output-not-empty", match=r"README\.md first"):
        fitted.save(folder)
    assert [path.name for path in folder.iterdir()] == ["README.md"]
    assert (folder / "README.md").read_text() == "mine"
    with refused(UsageError, "output-is-file"):
        fitted.save(folder / "README.md")


@pytest.mark.parametrize("lost", [None, "classifier.json"])
def test_an_earlier_classifier_is_replaced(lost, fitted, tmp_path):
    folder = tmp_path / "classifier"
    fitted.save(folder)
    if lost is not None:  # as after an interruption
        (folder / lost).unlink()
    fitted.save(folder)
    assert Classifier.load(folder).classes == fitted.classes


def test_other_weights_of_a_network_are_refused(fitted, digits_folder, project_cache):
    from dataclasses import replace

    folder, _ = digits_folder
    block = fitted.features.blocks["pca"]
    identity = {**block.identity, "weights_sha256": "0" * 64}
    stored = replace(fitted.features, blocks={"pca": replace(block, identity=identity)})
    with refused(DataError, "other-weights"):
        Classifier(fitted.model, stored).predict(folder, cache_dir=project_cache)


def test_one_class_is_refused(digits_folder, write_labels, quick, project_cache):
    folder, truth = digits_folder
    answers = {name: label for name, label in truth.items() if label == "one"}
    with refused(DataError, "one-class-only", match="one 3"):
        Classifier.fit(folder, write_labels(answers), pipeline=quick, cache_dir=project_cache)
