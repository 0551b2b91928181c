"""A project in the place of a folder with a file of labels."""

from pathlib import Path

import numpy as np
import pytest

from nextlabel.cli import main
from nextlabel.core.errors import BudgetError, DataError, UsageError
from nextlabel.project.classifier import Classifier
from nextlabel.project.labelling.answer import NewAnswer
from nextlabel.project.labelling.project import Project
from nextlabel.project.loop.serving import order_of
from nextlabel.project.suggestion import suggest
from projects import photos_in
from refusals import refused

CLASSES = ["zero", "one", "two"]


@pytest.fixture
def project(digits_folder, tmp_path):
    folder, truth = digits_folder
    made = Project.create(folder, directory=tmp_path / "digits.nextlabel", classes=CLASSES)
    made.scan()
    names = made.images().names
    made.record(
        [NewAnswer(n, i, "label", (CLASSES.index(truth[n]),)) for i, n in enumerate(names[:30])]
    )
    return made


def test_a_classifier_is_the_same_as_of_the_file(
    project, digits_folder, write_labels, quick, project_cache
):
    folder, truth = digits_folder
    file = write_labels(dict(list(truth.items())[:30]))
    of_file = Classifier.fit(folder, file, pipeline=quick, cache_dir=project_cache)
    expected = of_file.predict(folder, cache_dir=project_cache).to_csv()
    for words in [(project.directory,), (folder, project.directory), (folder, [project.directory])]:
        made = Classifier.fit(*words, pipeline=quick, cache_dir=project_cache)
        assert made.predict(project.directory, cache_dir=project_cache).to_csv() == expected


def test_images_of_a_project_are_suggested(project, quick, project_cache):
    made = suggest(project.directory, 5, pipeline=quick, cache_dir=project_cache)
    assert (made.images, made.labelled, len(made.items)) == (90, 30, 5)
    labelled = {project.images().names[image] for image in project.state().labels}
    assert not labelled & set(made.paths)


def test_images_that_were_passed_over_are_counted_and_not_suggested(
    project, digits_folder, write_labels, quick, project_cache, capsys
):
    project.record([NewAnswer(f"s{n}", n, "skip") for n in range(30, 50)])
    project.record([NewAnswer("u", 50, "unsure"), NewAnswer("f", 51, "flag")])
    project.record([NewAnswer("g", 0, "flag")])  # its label stays
    project.record([NewAnswer("back", 49, "undo", undoes="s49")])
    names = project.images().names
    made = suggest(project.directory, 90, pipeline=quick, cache_dir=project_cache)
    assert (made.labelled, made.passed_over) == (30, 21)
    assert set(made.paths) == {names[49], *names[52:]}
    labels = write_labels({names[30]: "one"})
    more = suggest(project.directory, 1, labels=labels, pipeline=quick, cache_dir=project_cache)
    assert (more.labelled, more.passed_over) == (31, 20)
    words = ["suggest", str(project.directory), "--budget", "60", "--features", "pca=1"]
    assert main([*words, "--cache-dir", str(project_cache)]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 39
    assert "21 images skipped, unsure or flagged, and left out" in err
    assert "only 39 images without a label" in err
    project.record([NewAnswer(f"t{n}", n, "skip") for n in (49, *range(52, 90))])
    with refused(BudgetError, "all-labelled", match="60 that were skipped"):
        suggest(project.directory, 5, pipeline=quick, cache_dir=project_cache)


def test_the_audit_goes_on_after_images_that_were_passed_over(
    digits_folder, tmp_path, quick, project_cache
):
    """It is drawn by the project's seed, by which the page asked the images."""
    folder, truth = digits_folder
    made = Project.create(folder, directory=tmp_path / "audit.nextlabel", classes=CLASSES)
    made.configure(seed=3)
    made.scan()
    names = made.images().names
    order = order_of(made.images(), 3).rows.tolist()
    for place, image in enumerate(order[:40]):
        kind = "skip" if place in (4, 9) else "label"
        classes = (CLASSES.index(truth[names[image]]),) if kind == "label" else ()
        made.record([NewAnswer(str(place), image, kind, classes)])
    fitted = Classifier.fit(made.directory, pipeline=quick, cache_dir=project_cache)
    assert fitted.features.facts["estimate"]["audited"] == 38


def test_what_does_not_fit_is_refused(project, digits_folder, tmp_path, quick, project_cache):
    folder, _ = digits_folder
    with refused(UsageError, "labels-not-given", match="--labels"):
        Classifier.fit(folder, pipeline=quick, cache_dir=project_cache)
    other = photos_in(tmp_path / "photos", ["a.png", "b.png"])
    with refused(DataError, "project-of-other-images"):
        suggest(other, 1, labels=project.directory, pipeline=quick, cache_dir=project_cache)


def test_an_experiment_runs_on_the_labels_of_a_project(project, tmp_path: Path) -> None:
    from nextlabel.data.loading import load
    from nextlabel.experiment.parse import load_experiment
    from nextlabel.project.exchange.experiment_data import with_project_data

    file = tmp_path / "mine.toml"
    file.write_text(
        'name = "mine"\nseeds = [0]\ninitial = 5\nbatch = 5\ntarget = 10\n'
        '[data]\nname = "project"\npath = "digits.nextlabel"\nvalidation = 6\ntest = 4\n'
        '[model]\nname = "small_cnn"\nweights = "random"\n'
        '[[arms]]\nname = "chance"\nstrategy = "random"\n'
    )
    first = load_experiment(file, prepare=with_project_data)
    assert first == load_experiment(file, prepare=with_project_data)
    unlabelled = r"60 image\(s\) of \w+ \(.* first\) have no label in the project and are left out"
    with pytest.warns(UserWarning, match=unlabelled):
        data = load(first.data, image_size=8)
    assert data.classes == ("one", "two", "zero")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [20, 6, 4]
    labels = np.concatenate([data.train.labels, data.validation.labels, data.test.labels])
    counts = dict(zip(data.classes, np.bincount(labels).tolist(), strict=True))
    assert counts == {
        project.state().classes[one].name: n for one, n in project.state().class_counts.items()
    }
    project.record([NewAnswer("more", 40, "label", (0,))])
    assert load_experiment(file, prepare=with_project_data).data != first.data


def test_an_experiment_without_labels_is_refused(project, tmp_path: Path) -> None:
    from nextlabel.project.exchange.experiment_data import with_project_data

    empty = Project.create(project.folder, directory=tmp_path / "empty.nextlabel")
    data = {"data": {"name": "project", "path": str(empty.directory)}}
    with refused(DataError, "no-labels"):
        with_project_data(data, tmp_path / "x.toml")
    with refused(UsageError, "path-missing"):
        with_project_data({"data": {"name": "project"}}, tmp_path / "x.toml")
    with refused(UsageError, "no-project"):
        with_project_data({"data": {"name": "project", "path": "none"}}, tmp_path / "x.toml")
