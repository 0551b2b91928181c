"""Export and import: each format that is read gives the same labels in another project."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nextlabel.core.errors import UsageError
from nextlabel.data.lists.manifest import read_labels
from nextlabel.project.exchange.formats import FORMATS, ReadableFormat
from nextlabel.project.exchange.transfer import export, import_file
from nextlabel.project.labelling.answer import NewAnswer
from nextlabel.project.labelling.classes import NewClassChange
from nextlabel.project.labelling.models import NewModel
from nextlabel.project.labelling.project import Project
from projects import named_labels, photos_in
from refusals import refused

WRITTEN = {name: FORMATS[name].suffix for name in FORMATS if name != "project"}
NAMES = [
    "a.png",
    "b c.png",
    "sub/'quoted\" d.png",
    "=e.png",
    "-f.png",
    "ü.png",
    "g;h|i.png",
    "j,k.png",
]
CLASSES = ["cell", "no cell", "-", "Zelle ü", "CON", "a/b", "50%"]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return photos_in(tmp_path / "photos", NAMES)


def filled(folder: Path, directory: Path, task: str) -> Project:
    project = Project.create(folder, directory=directory, classes=CLASSES, task=task)  # type: ignore[arg-type]
    project.scan()
    labels = [(0,), (1,), (2,), (3,), (4,), (5,), (6,)]
    if task == "multilabel":
        labels = [(0,), (), (1, 2), (3, 4, 5, 6), (5,), (2,), (6,)]
    project.record([NewAnswer(f"l{i}", i, "label", label) for i, label in enumerate(labels)], "ann")
    project.record([NewAnswer("s", 7, "skip")], "ann")
    return project


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_what_is_exported_is_imported(made: Path, tmp_path: Path, name: str, task: str) -> None:
    first = filled(made, tmp_path / "one", task)
    out = tmp_path / f"labels{WRITTEN[name]}"
    export(first, out)
    second = Project.create(made, directory=tmp_path / "two", task=task)  # type: ignore[arg-type]
    second.scan()
    assert isinstance(FORMATS[name](), ReadableFormat)
    taken = import_file(second, out, person="ben")
    assert named_labels(second) == named_labels(first)
    assert taken.unknown == () and taken.recorded >= 7
    before = second.state().seq
    again = import_file(second, out, person="ben")
    assert again.recorded == again.kept == 0 and second.state().seq == before
    export(second, tmp_path / f"again{WRITTEN[name]}")


def test_an_image_keeps_its_label_unless_it_is_to_be_replaced(made: Path, tmp_path: Path) -> None:
    project = filled(made, tmp_path / "one", "multiclass")
    file = tmp_path / "other.csv"
    file.write_text("path,label\na.png,cell\nb c.png,dust\ng;h|i.png,cell\n")
    before = named_labels(project)
    taken = import_file(project, file, person="ann")
    assert taken.kept + taken.unchanged == 3 and taken.recorded == 0
    assert named_labels(project) == before
    taken = import_file(project, file, person="ann", replace=True)
    assert taken.kept == 0 and taken.recorded + taken.unchanged == 3
    assert named_labels(project)["b c.png"] == ("dust",)
    again = import_file(project, file, person="ann", replace=True)
    assert (again.recorded, again.unchanged) == (0, 3)
    other = import_file(project, file, person="ben")  # another person's label changes nothing
    assert other.recorded == 3 and other.kept == 0


def test_another_project_gives_its_labels_people_and_keys(made: Path, tmp_path: Path) -> None:
    first = filled(made, tmp_path / "one", "multiclass")
    first.record([NewAnswer("u", 0, "undo", undoes="l0")], "ann")
    first.change_classes([NewClassChange("m", "merge", 1, "2"), NewClassChange("r", "remove", 3)])
    second = Project.create(made, directory=tmp_path / "two")
    second.scan()
    for source in (tmp_path / "one", tmp_path / "one"):
        import_file(second, source)
        assert named_labels(second) == named_labels(first)
    assert [a.key for a in second.answers()] == ["l1", "l2", "l4", "l5", "l6", "s"]
    assert {a.person for a in second.answers()} == {"ann"}


def test_csv_is_what_labels_are_read_from(made: Path, tmp_path: Path) -> None:
    project = filled(made, tmp_path / "one", "multiclass")
    out = tmp_path / "labels.csv"
    assert export(project, out) == len(NAMES)
    task, labels = read_labels(out, sorted(NAMES))
    assert task == "multiclass"
    read = {name: label for name, label in zip(sorted(NAMES), labels, strict=True) if label}
    assert read == named_labels(project)
    cells = out.read_text(encoding="utf-8").splitlines()
    assert not [line for line in cells if line.startswith(("=", "+", "-", "@", '"=', '"-'))]
    assert any(line.startswith("./=e.png,") for line in cells)


def test_a_note_is_not_a_formula(made: Path, tmp_path: Path) -> None:
    project = filled(made, tmp_path / "one", "multiclass")
    project.record([NewAnswer("n", 0, "note", note='=HYPERLINK("http://x")')])
    export(project, tmp_path / "labels.csv")
    assert "'=HYPERLINK" in (tmp_path / "labels.csv").read_text()


def test_predictions_and_probabilities_are_exported(made: Path, tmp_path: Path) -> None:
    project = filled(made, tmp_path / "one", "multiclass")
    chances = np.full((6, 2), 0.25, np.float32)
    chances[:, 1] = 0.75
    arrays = {"probabilities": chances, "classes": np.array([0, 1])}
    project.publish(NewModel(7, "PCA", "typiclust", arrays=arrays), [])
    export(project, tmp_path / "labels.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    predicted = {row["path"]: (row["prediction"], row["confidence"]) for row in rows}
    names = project.images().names
    assert predicted[names[0]] == (["no cell"], 0.75) and predicted[names[7]] == (None, None)
    export(project, tmp_path / "labels.npz")
    with np.load(tmp_path / "labels.npz") as arrays_read:
        assert arrays_read["probabilities"].shape == (8, len(CLASSES))
        assert np.isnan(arrays_read["probabilities"][:, 2:]).all()


def test_class_folders_stay_within_their_folder_and_may_be_links(tmp_path: Path) -> None:
    folder = photos_in(tmp_path / "photos", ["a.png", "b.png", "c.png", "d.png"])
    project = Project.create(folder, classes=["..", "../x", "Cell", "cell"])
    project.scan()
    project.record([NewAnswer(f"k{i}", i, "label", (i,)) for i in range(4)])
    out = tmp_path / "sorted"
    export(project, out, link=True)
    files = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.png"))
    assert len(files) == 4 and len({f.partition("/")[0].casefold() for f in files}) == 4
    assert (out / files[0]).samefile(folder / files[0].rpartition("/")[2])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos", "photos.nextlabel", "sorted"]
    with refused(UsageError, "output-not-empty"):
        export(project, out)
    with refused(UsageError, "output-among-images"):
        export(project, folder / "sorted")


@pytest.mark.skipif(sys.platform != "linux", reason="only there are names any bytes")
def test_names_that_are_not_text_survive(tmp_path: Path) -> None:
    names = [os.fsdecode(b"bad\xff.png"), "two\nlines.png", "<script>.png"]
    folder = photos_in(tmp_path / "photos", names)
    first = Project.create(folder, directory=tmp_path / "one", classes=["cell", "debris"])
    assert first.scan().total == 3
    first.record([NewAnswer(f"k{i}", i, "label", (i % 2,)) for i in range(3)])
    assert set(first.images().names) == set(names)
    for name, suffix in WRITTEN.items():
        out = tmp_path / f"labels{suffix}"
        export(first, out)
        if name == "csv":  # a list of text cannot name the first file
            continue
        second = Project.create(folder, directory=tmp_path / f"of-{name}")
        second.scan()
        import_file(second, out)
        assert named_labels(second) == named_labels(first), name


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.one_of(st.none(), st.frozensets(st.integers(0, 3))), min_size=8, max_size=8),
    st.sampled_from(["csv", "jsonl", "parquet", "npz", "label_studio", "answers"]),
)
def test_any_findings_come_back(
    tmp_path_factory: pytest.TempPathFactory, labels: list[frozenset[int] | None], name: str
) -> None:
    base = tmp_path_factory.mktemp("any")
    folder = photos_in(base / "photos", NAMES)
    first = Project.create(
        folder, directory=base / "one", classes=["a", "b", "c", "d"], task="multilabel"
    )
    first.scan()
    first.record(
        [
            NewAnswer(f"k{i}", i, "label", tuple(sorted(label)))
            for i, label in enumerate(labels)
            if label is not None
        ]
    )
    out = base / f"labels{WRITTEN[name]}"
    export(first, out)
    if name == "csv" and not any(labels):  # without one class name there is nothing to read
        return
    second = Project.create(folder, directory=base / "two", task="multilabel")
    second.scan()
    import_file(second, out)
    assert named_labels(second) == named_labels(first)
    first.close()
    second.close()


@pytest.mark.parametrize("link", [False, True])
def test_a_file_that_has_vanished_is_left_out_of_class_folders(
    made: Path, tmp_path: Path, link: bool
) -> None:
    project = filled(made, tmp_path / "one", "multiclass")
    gone = project.images().names[0]
    (made / gone).unlink()
    with pytest.warns(UserWarning, match=r"1 labelled image.* gone"):
        export(project, tmp_path / "sorted", link=link)
    files = [p for p in (tmp_path / "sorted").rglob("*") if p.is_file() or p.is_symlink()]
    assert {p.name for p in files if p.parent == tmp_path / "sorted"} == {"left-out.txt"}
    assert len(files) == 7 and (tmp_path / "sorted" / "left-out.txt").read_text() == f"{gone}\n"


def test_long_names_of_classes_that_begin_alike_are_all_taken(made: Path, tmp_path: Path) -> None:
    project = Project.create(made, directory=tmp_path / "one")
    project.scan()
    names = [f"{'x' * 198}{n}" for n in range(3)]
    file = tmp_path / "labels.csv"
    rows = zip(["a.png", "ü.png", "j,k.png"], names, strict=True)
    file.write_text("path;label\n" + "".join(f"{path};{name}\n" for path, name in rows))
    assert set(import_file(project, file).classes) == set(names)
    assert set(named_labels(project).values()) == {(name,) for name in names}


def test_paths_of_no_image_are_named(made: Path, tmp_path: Path) -> None:
    project = filled(made, tmp_path / "one", "multiclass")
    file = tmp_path / "labels.csv"
    file.write_text("path,label\na.png,cell\nx/y.png,cell\nz.png,\n")
    assert import_file(project, file).unknown == ("x/y.png", "z.png")


@pytest.mark.parametrize("name", ["project", *sorted(WRITTEN)])
def test_labels_of_images_that_are_not_here_are_counted_and_named(
    made: Path, tmp_path: Path, name: str
) -> None:
    first = filled(made, tmp_path / "one", "multiclass")
    out = tmp_path / "one" if name == "project" else tmp_path / f"labels{WRITTEN[name]}"
    if name != "project":
        export(first, out)
    others = photos_in(tmp_path / "others", NAMES)
    lost = first.images().names[2]
    (others / lost).unlink()
    second = Project.create(others, directory=tmp_path / "two")
    second.scan()
    taken = import_file(second, out)
    assert len(taken.unknown) == 1 and taken.unknown[0].endswith(lost.split("/")[-1])
    there = named_labels(first)
    del there[lost]
    assert named_labels(second) == there


def test_what_cannot_be_exported_or_imported_is_refused(made: Path, tmp_path: Path) -> None:
    project = filled(made, tmp_path / "one", "multiclass")
    with refused(UsageError, "unknown-format", match=r"\.csv"):
        export(project, tmp_path / "labels.xls")
    with refused(UsageError, "unknown-name", match="label_studio"):
        export(project, tmp_path / "labels.json", format="label_stdio")
    with refused(UsageError, "no-such-file"):
        import_file(project, tmp_path / "labels.csv")
    with refused(UsageError, "output-is-a-folder"):
        export(project, tmp_path / "one", format="csv")
    with refused(UsageError, "format-not-written"):
        export(project, tmp_path / "x.nextlabel")
