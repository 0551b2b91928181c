"""Label Studio's JSON: its published format of tasks, and what its exports look like."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from nextlabel.core.errors import DataError
from nextlabel.core.types import Task
from nextlabel.project.exchange.formats.label_studio import configuration
from nextlabel.project.exchange.transfer import export, import_file
from nextlabel.project.labelling.answer import NewAnswer
from nextlabel.project.labelling.models import NewModel
from nextlabel.project.labelling.project import Project
from projects import named_labels, photos_in
from refusals import refused

CHOICES = {"from_name": "label", "to_name": "image", "type": "choices"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = photos_in(tmp_path / "photos", ["a.png", "b c.png", "sub/d.png"])
    made = Project.create(folder, classes=["cell", "no <cell>"])
    made.scan()
    return made


def result(*names: str) -> list[dict[str, Any]]:
    return [{"id": "x", **CHOICES, "value": {"choices": list(names)}}]


def test_a_task_has_the_published_form(project: Project, tmp_path: Path) -> None:
    """The fields that Label Studio's documentation names."""
    project.record([NewAnswer("a", 0, "label", (0,), shown_at=1.0, answered_at=2.5)], "ann")
    project.record([NewAnswer("b", 1, "skip")], "ben")
    chances = np.array([[0.25, 0.75]] * 3, np.float32)
    arrays = {"probabilities": chances, "classes": np.array([0, 1])}
    project.publish(NewModel(2, "PCA", "x", arrays=arrays), [])
    export(project, tmp_path / "tasks.json")
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert [task["data"]["image"] for task in tasks] == [
        "/data/local-files/?d=a.png",
        "/data/local-files/?d=b%20c.png",
        "/data/local-files/?d=sub/d.png",
    ]
    (annotation,) = tasks[0]["annotations"]
    assert annotation["completed_by"] == {"email": "ann"} and annotation["lead_time"] == 1.5
    assert annotation["created_at"] == "1970-01-01T00:00:02.500+00:00"
    assert annotation["was_cancelled"] is False
    (region,) = annotation["result"]
    assert {**region, "id": "x"} == result("cell")[0]
    assert tasks[1]["annotations"][0]["was_cancelled"] is True
    assert tasks[2]["annotations"] == []
    prediction = tasks[2]["predictions"][0]
    assert (prediction["model_version"], prediction["score"]) == ("nextlabel 1", 0.75)
    assert prediction["result"][0]["value"] == {"choices": ["no <cell>"]}
    assert len({task["id"] for task in tasks}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
def test_its_own_converter_reads_what_is_written_and_writes_what_is_read(
    tmp_path: Path, task: Task
) -> None:
    from label_studio_converter import Converter

    classes = ["cell", 'no "cell" <x>', "Zelle ü"]
    folder = photos_in(tmp_path / "photos", ["a.png", "b c.png", "sub/d.png", "ü.png"])
    first = Project.create(folder, directory=tmp_path / "one", classes=classes, task=task)
    first.scan()
    labels = [(0,), (1,), (2,)] if task == "multiclass" else [(0, 1), (), (2,)]
    first.record([NewAnswer(f"k{i}", i, "label", label) for i, label in enumerate(labels)], "ann")
    first.record([NewAnswer("s", 3, "skip")], "ann")
    export(first, tmp_path / "tasks.json")
    (tmp_path / "config.xml").write_text(configuration(classes, task), encoding="utf-8")
    made = Converter(str(tmp_path / "config.xml"), None, download_resources=False)
    for form in ("JSON", "JSON_MIN"):
        made.convert(str(tmp_path / "tasks.json"), str(tmp_path / form), form, is_dir=False)
        second = Project.create(folder, directory=tmp_path / f"of-{form}", task=task)
        second.scan()
        taken = import_file(second, tmp_path / form / "result.json")
        assert taken.unknown == () and named_labels(second) == named_labels(first), form
        assert {answer.person for answer in second.answers()} == {"ann"}


@pytest.mark.parametrize(("task", "choice"), [("multiclass", "single"), ("multilabel", "multiple")])
def test_the_configuration_names_what_tasks_refer_to(task: str, choice: str) -> None:
    view = ElementTree.fromstring(configuration(["cell", 'a "b" <c>'], task))  # type: ignore[arg-type]
    image, choices = view
    assert image.attrib == {"name": "image", "value": "$image"}
    assert choices.attrib == {"name": "label", "toName": "image", "choice": choice}
    assert [one.attrib["value"] for one in choices] == ["cell", 'a "b" <c>']


@pytest.mark.parametrize(
    "image",
    [
        "/data/local-files/?d=b%20c.png",
        "/data/local-files/?d=home/ann/photos/b%20c.png",
        "/data/upload/3/1a2b3c4d-b%20c.png",
        "https://example.org/photos/b%20c.png",
    ],
)
def test_tasks_of_others_are_read(project: Project, tmp_path: Path, image: str) -> None:
    file = tmp_path / "export.json"
    annotation = {"id": 1, "completed_by": 7, "result": result("cell"), "was_cancelled": False}
    for task in (
        {"id": 1, "data": {"image": image}, "annotations": [annotation]},
        {"id": 1, "data": {"photo": image}, "completions": [annotation]},
        {"id": 1, "image": image, "label": "cell", "annotator": 7},
        {"id": 1, "image": image, "choice": {"choices": ["cell"]}, "annotator": 7},
    ):
        file.write_text(json.dumps([task]))
        taken = import_file(project, file)
        assert taken.unknown == ()
        assert named_labels(project) == {"b c.png": ("cell",)}
    assert [answer.person for answer in project.answers()] == ["7"]


def test_people_keep_their_own_labels(project: Project, tmp_path: Path) -> None:
    annotations = [
        {"completed_by": {"email": "ann"}, "result": result("cell")},
        {"completed_by": {"email": "ben"}, "result": result("debris")},
    ]
    tasks = [
        {"data": {"image": "a.png"}, "annotations": annotations},
        {"data": {"image": "none.png"}, "annotations": annotations},
        {"data": {"image": "b c.png"}, "annotations": [{"was_cancelled": True, "result": []}]},
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    taken = import_file(project, tmp_path / "export.json")
    assert (taken.recorded, taken.classes, taken.unknown) == (3, ("debris",), ("none.png",))
    state = project.state()
    assert set(state.conflicts) == {0} and set(state.skipped) == {1}
    assert dict(state.image(0).by_person) == {"ann": (0,), "ben": (2,)}


@pytest.mark.parametrize(
    ("text", "code"),
    [("{}", "not-label-studio"), ("[1]", "not-label-studio"), ("[", "not-json"), ("", "not-json"),
     ("[" * 100_000, "not-json")],
)  # fmt: skip
def test_other_files_are_refused(project: Project, tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "export.json").write_text(text)
    with refused(DataError, code):
        import_file(project, tmp_path / "export.json")
    assert project.answers() == []


def test_odd_values_do_not_end_in_a_traceback(project: Project, tmp_path: Path) -> None:
    odd: list[Any] = [None, 3, "x", [], {}, {"choices": "cell"}]
    tasks: list[Any] = [{"data": value, "annotations": [value]} for value in odd]
    tasks += [{"data": {"image": "a.png"}, "annotations": [{"result": [value]}]} for value in odd]
    tasks += [{"data": {"image": "a.png"}, "annotations": value} for value in (None, [])]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    assert import_file(project, tmp_path / "export.json").recorded == 0
