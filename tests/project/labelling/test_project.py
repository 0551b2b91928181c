"""Projects: images, answers, models and leases, in one process."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nextlabel.core.errors import UsageError
from nextlabel.core.types import Task
from nextlabel.project.exchange.content import Content
from nextlabel.project.labelling.answer import NewAnswer
from nextlabel.project.labelling.classes import COLOURS, NewClassChange
from nextlabel.project.labelling.models import NewModel, QueueItem
from nextlabel.project.labelling.project import Project
from nextlabel.web.workspace import Workspace, guess
from refusals import refused


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(6):
        pixels = rng.integers(0, 255, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def project(photos: Path) -> Project:
    made = Project.create(photos, classes=["cell", "debris"])
    made.scan()
    return made


def test_answers_are_recorded_once_and_give_the_labels(project: Project) -> None:
    first = project.record([NewAnswer("a", 3, "label", (0,)), NewAnswer("b", 4, "label", (1,))])
    again = project.record(
        [NewAnswer("a", 3, "label", (1,)), NewAnswer("c", 3, "undo", undoes="a")]
    )
    assert [saved.seq for saved in first] == [1, 2]
    assert [saved.seq for saved in again] == [1, 3]
    assert dict(project.state().labels) == {4: (1,)}
    with Project.open(project.folder) as other:
        assert other.state() == project.state()


def test_a_batch_with_a_wrong_answer_is_not_recorded(project: Project) -> None:
    with refused(UsageError, "unknown-image", match="no image 9; the project has 6"):
        project.record([NewAnswer("a", 3, "label", (0,)), NewAnswer("b", 9, "label", (0,))])
    assert project.answers() == []


def test_an_undo_counts_wherever_it_is_in_its_batch(project: Project) -> None:
    a, b = NewAnswer("a", 3, "label", (1,)), NewAnswer("b", 3, "undo", undoes="a")
    c, d = NewAnswer("c", 3, "undo", undoes="b"), NewAnswer("d", 3, "undo", undoes="c")
    project.record([d, b, c, a])
    assert [answer.key for answer in project.answers()] == ["a", "b", "c", "d"]
    assert dict(project.state().labels) == {}
    circle = [NewAnswer("e", 3, "undo", undoes="f"), NewAnswer("f", 3, "undo", undoes="e")]
    wrong = NewAnswer("g", 99, "skip")
    of_a_wrong_one = [NewAnswer("h", 3, "undo", undoes="g"), wrong]
    for batch, code in ((circle, "nothing-to-undo"), (of_a_wrong_one, "unknown-image")):
        assert project.faults(batch).keys() == {one.key for one in batch}
        with refused(UsageError, code):
            project.record(batch)
    assert len(project.answers()) == 4


def test_labels_of_people_stand_in_the_order_of_their_answers(project: Project) -> None:
    """An order by hashes of names would differ from one process to the next."""
    people = [f"p{number}" for number in range(8)]
    for person in [*people, people[0]]:
        project.record([NewAnswer(f"{person} {len(project.answers())}", 0, "label", (0,))], person)
    assert list(project.state().image(0).by_person) == [*people[1:], people[0]]


def test_a_model_and_its_queue_appear_together(project: Project) -> None:
    chances = np.full((6, 2), 0.5, np.float32)
    model = NewModel(
        0, "PCA", "typiclust", estimate={"value": 0.5}, arrays={"probabilities": chances}
    )
    version = project.publish(model, [QueueItem(0, 5, "audit", audit=True), QueueItem(1, 2, "x")])
    assert [item.image for item in project.queue()] == [5, 2]
    newest = project.model()
    assert newest is not None and newest.version == version == 1
    assert np.array_equal(newest.arrays["probabilities"], chances)
    project.record([NewAnswer("a", 5, "label", (0,), model=1), NewAnswer("b", 2, "skip", model=1)])
    assert [answer.audit for answer in project.answers()] == [True, False]


def test_an_answer_to_the_queue_of_a_former_model_is_of_the_audit(project: Project) -> None:
    for image in range(5):
        project.publish(NewModel(0, "PCA", "x"), [QueueItem(0, image, "audit", audit=True)])
    project.record([NewAnswer("a", 0, "label", (0,), model=1)])
    assert [answer.audit for answer in project.answers()] == [True]
    assert len(list(project.cache.glob("model-*.npz"))) == 3


def test_a_class_that_comes_back_leaves_its_key_to_the_one_that_has_it(project: Project) -> None:
    changes = [
        NewClassChange("a", "remove", 0),
        NewClassChange("b", "add", value="dust"),
        NewClassChange("c", "add", value="cell"),
    ]
    keys = {one.name: one.key for one in project.change_classes(changes)}
    assert keys == {"dust": "1", "debris": "2", "cell": "3"}


def test_an_image_without_features_is_exported_without_a_prediction(project: Project) -> None:
    arrays = {
        "probabilities": np.full((6, 2), (0.9, 0.1), np.float32),
        "classes": np.arange(2),
        "there": np.arange(6) != 3,
    }
    project.publish(NewModel(0, "PCA", "x", arrays=arrays), [])
    rows = Content.of(project).rows
    assert [row.image for row in rows if row.prediction is None] == [3]


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
def test_an_export_predicts_what_the_gallery_shows(photos: Path, task: Task) -> None:
    chances = np.array([[0.4, 0.3, 0.3], [0.1, 0.7, 0.2], [0.2, 0.2, 0.6]] * 2, np.float32)
    with Project.create(photos, classes=["cell", "debris", "dust"], task=task) as project:
        project.scan()
        arrays = {"probabilities": chances, "classes": np.arange(3), "there": np.arange(6) != 5}
        project.publish(NewModel(0, "PCA", "x", arrays=arrays), [])
        project.change_classes([NewClassChange("a", "merge", 1, "2")])
        content, workspace = Content.of(project), Workspace(project)
        names = {one.id: one.name for one in workspace.state.classes}
        shown = {image: guess(workspace.predictions(), image) for image in range(6)}
    assert shown[5] is None and any(one["classes"] for one in shown.values() if one)
    for row in content.rows:
        of_page = shown[row.image]
        if of_page is None:
            assert row.prediction is row.confidence is None
            continue
        assert row.prediction == tuple(names[one] for one in of_page["classes"])
        assert row.confidence == pytest.approx(of_page["confidence"], abs=1e-4)
    assert content.classes == ("cell", "dust") and content.probabilities is not None
    merged = 0.6 if task == "multiclass" else 0.3  # of an image with 0.3 of either
    assert content.probabilities[0] == pytest.approx([0.4, merged])


def test_a_class_named_by_one_character_gets_it_as_key(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    names = ["cell", "0", "2", "d", "1", "S", "9"]
    with Project.create(tmp_path / "photos", classes=names) as project:
        keys = {one.name: one.key for one in project.state().classes}
    # "1" has gone to the first class, and s is left to skipping.
    assert keys == {"cell": "1", "0": "0", "2": "2", "d": "d", "1": "3", "S": "4", "9": "9"}


def light(colour: str) -> np.ndarray:
    """Return the linear light of #rrggbb."""
    shares = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def lab(colour: str) -> np.ndarray:
    """Return #rrggbb in CIE Lab, in which distances are about as people see them."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(to_xyz @ light(colour) / (0.9505, 1.0, 1.089))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_no_two_classes_look_alike_and_all_are_seen_on_light_and_dark_paper() -> None:
    for one, other in combinations(COLOURS, 2):
        assert np.linalg.norm(lab(one) - lab(other)) > 20, (one, other)
    for colour in COLOURS:
        bright = float(light(colour) @ (0.2126, 0.7152, 0.0722))
        assert 1.05 / (bright + 0.05) > 2 and (bright + 0.05) / 0.06 > 2.5, colour
