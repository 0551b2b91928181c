import resource
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nextlabel.core.errors import BudgetError, UsageError
from nextlabel.project.classifier import Classifier
from nextlabel.project.folder_features import folder_features
from nextlabel.project.pipeline import Pipeline
from nextlabel.project.suggestion import suggest
from nextlabel.statistics.accuracy_estimate import from_audit
from refusals import refused


@pytest.fixture
def own_folder(digits_folder, tmp_path):
    folder, truth = digits_folder
    shutil.copytree(folder, tmp_path / "digits")
    return tmp_path / "digits", truth


def test_without_labels_typical_images_of_every_kind_come_first(
    digits_folder, quick, project_cache
):
    folder, truth = digits_folder
    made = suggest(folder, 6, pipeline=quick, cache_dir=project_cache)
    assert len(set(made.paths)) == 6
    assert {truth[path] for path in made.paths} == {"zero", "one", "two"}
    assert (made.images, made.labelled, made.items[0].prediction) == (90, 0, None)
    assert {item.reason for item in made.items} == {"typiclust"}
    again = suggest(folder, 6, labels=None, pipeline=quick, cache_dir=project_cache)
    assert again.paths == made.paths


def test_the_second_strategy_takes_over(digits_folder, write_labels, quick, project_cache):
    folder, truth = digits_folder
    answers = dict(list(truth.items())[:7])
    made = suggest(folder, 5, labels=write_labels(answers), pipeline=quick, cache_dir=project_cache)
    assert [item.reason for item in made.items] == ["typiclust"] * 3 + ["uherding"] * 2
    assert not set(made.paths) & set(answers)
    right = [item.prediction == truth[item.path] for item in made.items]
    assert np.mean(right) >= 0.6
    assert all(0 < item.confidence <= 1 for item in made.items)


def test_one_class_so_far_is_enough_to_go_on(digits_folder, write_labels, quick, project_cache):
    folder, truth = digits_folder
    ones = {name: label for name, label in truth.items() if label == "one"}
    made = suggest(folder, 3, labels=write_labels(ones), pipeline=quick, cache_dir=project_cache)
    assert [item.prediction for item in made.items] == [None] * 3
    assert dict(made.classes) == {"one": len(ones)}


def test_the_last_images_are_all_suggested(digits_folder, write_labels, quick, project_cache):
    folder, truth = digits_folder
    answers = dict(list(truth.items())[:-2])
    file = write_labels(answers)
    made = suggest(folder, 20, labels=file, pipeline=quick, cache_dir=project_cache)
    assert set(made.paths) == set(truth) - set(answers)
    with refused(BudgetError, "all-labelled"):
        suggest(folder, labels=write_labels(truth), pipeline=quick, cache_dir=project_cache)


def test_images_that_come_and_go_leave_the_other_rows_as_they_were(
    own_folder, quick, tmp_path, monkeypatch
):
    from nextlabel.features.cache import Cache
    from nextlabel.project.folder_images import folder_images

    folder, truth = own_folder
    cache = Cache.open(tmp_path / "cache")

    def read(refit=False):
        data = folder_images(folder, quick.image_size, cache)
        return folder_features(folder, data, quick, cache, refit=refit)

    before = read()
    assert before.changes.first
    assert read().changes == type(before.changes)(first=False)
    first, second, third, *rest = truth
    (folder / first).unlink()
    shutil.copy(folder / second, folder / "copy.png")
    Image.new("L", (8, 8), 99).save(folder / third)
    after = read()
    assert after.changes.added == ("copy.png",)
    assert after.changes.changed == (third,)
    assert after.changes.gone == (first,)
    for name in rest:
        assert np.array_equal(
            after.rows["pca"][after.row_of[name]], before.rows["pca"][before.row_of[name]]
        )
    copy, original = (after.rows["pca"][after.row_of[name]] for name in ("copy.png", second))
    assert np.array_equal(copy, original)
    moved = after.rows["pca"][after.row_of[third]] - before.rows["pca"][before.row_of[third]]
    assert np.abs(moved).max() > 0.1
    refitted = read(refit=True)
    assert not np.allclose(refitted.rows["pca"], after.rows["pca"])


def test_an_unchanged_folder_is_fitted_once(own_folder, quick, tmp_path, monkeypatch):
    folder, _ = own_folder
    once = suggest(folder, 4, pipeline=quick, cache_dir=tmp_path / "cache")

    def refuse(*_, **__):
        raise AssertionError("fitted again")

    monkeypatch.setattr("nextlabel.features.kept_features.fitted_block", refuse)
    again = suggest(folder, 4, pipeline=quick, cache_dir=tmp_path / "cache")
    assert again.paths == once.paths


def test_without_room_on_the_disk_images_are_suggested_all_the_same(own_folder, quick, tmp_path):
    folder, _ = own_folder
    expected = suggest(folder, 4, pipeline=quick, cache_dir=tmp_path / "cache")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.warns(UserWarning, match="make room there"):
            made = suggest(folder, 4, pipeline=quick, cache_dir=tmp_path / "full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert made.paths == expected.paths
    assert not list((tmp_path / "full" / "folder-features").iterdir())


def test_a_file_of_labels_in_the_folder_hides_no_image(own_folder, quick, tmp_path):
    folder, truth = own_folder
    names = list(truth)
    labels = folder / "manifest.csv"
    labels.write_text(f"path,label\n{names[0]},cat\n{names[1]},dog\n")
    made = suggest(folder, 2, labels=labels, pipeline=quick, cache_dir=tmp_path / "cache")
    assert (made.images, made.labelled) == (len(truth), 2)
    fitted = Classifier.fit(folder, labels, pipeline=quick, cache_dir=tmp_path / "cache")
    assert len(fitted.predict(folder, cache_dir=tmp_path / "cache")) == len(truth)


def test_bad_arguments(digits_folder, quick, tmp_path):
    folder, _ = digits_folder
    for budget in (0, -1, True, 2.5):
        with refused(BudgetError, "bad-budget"):
            suggest(folder, budget, pipeline=quick)
    with refused(UsageError, "no-such-folder"):
        suggest(tmp_path / "missing", pipeline=quick)
    with refused(UsageError, "block-cannot-encode"):
        suggest(folder, pipeline=quick.model_copy(update={"features": {"ccvae": 1.0}}))


@pytest.mark.parametrize(
    "labels", [{"0001.png": "cat"}, pd.DataFrame({"path": [], "label": []}), [("a.png", "cat")], 3]
)
def test_labels_that_are_not_files_are_refused(labels, digits_folder, quick):
    folder, _ = digits_folder
    with refused(UsageError, "labels-not-files", match="CSV file"):
        suggest(folder, labels=labels, pipeline=quick)


def test_several_files_of_labels_may_come_from_a_generator(
    digits_folder, write_labels, quick, project_cache, tmp_path
):
    folder, truth = digits_folder
    names = list(truth)
    write_labels({names[0]: "cat"}, "one.csv")
    write_labels({names[1]: "dog"}, "two.csv")
    files = tmp_path.glob("*.csv")
    made = suggest(folder, 1, labels=files, pipeline=quick, cache_dir=project_cache)
    assert made.classes == {"cat": 1, "dog": 1}


@pytest.mark.parametrize("pipeline", [{"strategy": "random"}, "random", None])
def test_what_is_not_a_pipeline_is_refused(pipeline, digits_folder, write_labels):
    folder, truth = digits_folder
    with refused(UsageError, "not-a-pipeline", match=f"type {type(pipeline).__name__}"):
        suggest(folder, pipeline=pipeline)
    with refused(UsageError, "not-a-pipeline"):
        Classifier.fit(folder, write_labels(truth), pipeline=pipeline)


@pytest.mark.parametrize(
    ("update", "code"),
    [
        ({"features": {"nosuch": 1.0}}, "unknown-name"),
        ({"strategy": "nosuch"}, "unknown-name"),
        ({"strategy": "bald", "options": {}}, "strategy-needs-more"),
        (
            {"strategy": "random", "options": {"then": {"after": 9, "strategy": "vaal"}}},
            "strategy-needs-more",
        ),
        ({"strategy": "typiclust", "options": {"nosuch": 1}}, "unknown-option"),
    ],
)
def test_blocks_and_strategies_are_refused_before_images_are_read(
    update, code, digits_folder, quick, monkeypatch
):
    def refuse(*_, **__):
        raise AssertionError("images are read")

    monkeypatch.setattr("nextlabel.project.suggestion.folder_images", refuse)
    with refused(UsageError, code):
        suggest(digits_folder[0], pipeline=quick.model_copy(update=update))


def test_a_small_folder_has_as_many_components_as_there_can_be(own_folder, tmp_path):
    folder, truth = own_folder
    for name in list(truth)[7:]:
        (folder / name).unlink()
    pipeline = Pipeline(features={"pca": 1.0}, blocks={}, image_size=16, audit=0.0)
    assert len(suggest(folder, 3, pipeline=pipeline, cache_dir=tmp_path / "cache").items) == 3


def test_files_of_the_same_pixels_are_asked_once(own_folder, quick, write_labels, tmp_path):
    folder, truth = own_folder
    for name in truth:
        Image.open(folder / name).save(folder / f"again-{name}", compress_level=0)
    pixels = quick.model_copy(update={"features": {"pixels": 1.0}})
    with refused(BudgetError, "all-labelled", match="are copies of others"):
        suggest(folder, labels=write_labels(truth), pipeline=pixels, cache_dir=tmp_path / "cache")


def test_one_in_five_is_drawn_at_random(digits_folder, write_labels, quick, project_cache):
    folder, truth = digits_folder
    audited = quick.model_copy(update={"audit": 0.2})
    known, reasons = {}, []
    for budget in (20, 7, 13):
        made = suggest(
            folder,
            budget,
            labels=write_labels(known) if known else (),
            pipeline=audited,
            cache_dir=project_cache,
        )
        reasons += [item.reason for item in made.items]
        known |= {path: truth[path] for path in made.paths}
    assert len(known) == 40
    assert [place for place, reason in enumerate(reasons) if reason == "audit"] == [
        4, 9, 14, 19, 24, 29, 34, 39,
    ]  # fmt: skip
    classifier = Classifier.fit(
        folder, write_labels(known), pipeline=audited, cache_dir=project_cache
    )
    estimate = classifier.features.facts["estimate"]
    assert estimate["audited"] >= 8  # and those that the strategy chose too
    made = classifier.predict(folder, cache_dir=project_cache)
    right = np.mean([truth[n] == label for n, label in zip(made.names, made.labels, strict=True)])
    assert estimate["low"] <= right <= estimate["high"]
    assert 0 < estimate["low"] < estimate["value"] <= estimate["high"]


def test_random_labels_alone_have_the_interval_of_cross_validation(
    digits_folder, write_labels, quick, project_cache
):
    folder, truth = digits_folder
    audited = quick.model_copy(update={"audit": 1.0})
    made = suggest(folder, 40, pipeline=audited, cache_dir=project_cache)
    labels = write_labels({path: truth[path] for path in made.paths})
    classifier = Classifier.fit(folder, labels, pipeline=audited, cache_dir=project_cache)
    estimate = classifier.features.facts["estimate"]
    assert estimate["audited"] == 40
    right = np.arange(41)[:, None] > np.arange(40)
    possible = [from_audit(some, fitted_to=36) for some in right]
    assert (estimate["low"], estimate["high"]) in [(e.low, e.high) for e in possible]


@pytest.mark.parametrize("share", [0.2, 0.6, 1.0])
def test_every_image_is_asked_once_whatever_the_share(
    share, digits_folder, write_labels, quick, project_cache
):
    folder, truth = digits_folder
    audited = quick.model_copy(update={"audit": share})
    known = {}
    while len(known) < len(truth):
        made = suggest(
            folder,
            35,
            labels=write_labels(known) if known else (),
            pipeline=audited,
            cache_dir=project_cache,
        )
        assert len(made.paths) == min(35, len(truth) - len(known))
        assert not set(made.paths) & set(known)
        known |= {path: truth[path] for path in made.paths}
    assert set(known) == set(truth)


def test_labels_of_the_audit_do_not_change_what_the_strategy_chooses(
    digits_folder, write_labels, quick, project_cache
):
    """Otherwise the audit would lie in gaps of the training set, and the estimate too low."""
    folder, truth = digits_folder
    audited = quick.model_copy(update={"audit": 0.2})

    def chosen(answers):
        made = suggest(
            folder, 10, labels=write_labels(answers), pipeline=audited, cache_dir=project_cache
        )
        return [item.path for item in made.items if item.reason != "audit"]

    first = suggest(folder, 30, pipeline=audited, cache_dir=project_cache)
    answers = {item.path: truth[item.path] for item in first.items}
    wrong = answers | {i.path: "one" for i in first.items if i.reason == "audit"}
    assert chosen(wrong) == chosen(answers)


def test_copies_of_the_audit_never_reach_the_strategy(own_folder, write_labels, quick, tmp_path):
    folder, truth = own_folder
    for name in truth:
        shutil.copy(folder / name, folder / f"copy-{name}")
    audited = quick.model_copy(update={"audit": 0.2})
    known = {}
    for _ in range(4):
        labels = write_labels(known) if known else ()
        made = suggest(folder, 40, labels=labels, pipeline=audited, cache_dir=tmp_path / "cache")
        known |= {path: truth[path.removeprefix("copy-")] for path in made.paths}
        if len(known) == len(truth):
            break
    pictures = [path.removeprefix("copy-") for path in known]
    assert sorted(pictures) == sorted(truth)  # each picture once, and no copy of it
    with refused(BudgetError, "all-labelled"):
        suggest(folder, labels=write_labels(known), pipeline=audited, cache_dir=tmp_path / "cache")
