"""Scans: images are known by content, and what has not changed is not read."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nextlabel.project.labelling.answer import NewAnswer
from nextlabel.project.labelling.project import Project
from nextlabel.project.scanning import images as images_module
from nextlabel.project.scanning import scan as module
from nextlabel.project.scanning.image_facts import ImageFacts
from nextlabel.project.scanning.images import ProjectImages
from projects import named_labels, photos_in


def settled(folder: Path) -> None:
    """Set the times of all files back, as of a folder without recent changes."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (1_000_000_000, 1_000_000_000))


@pytest.fixture
def project(tmp_path: Path):
    folder = photos_in(tmp_path / "photos", ["a.png", "b.png", "sub/c.png"])
    settled(folder)
    with Project.create(folder, classes=["cell", "debris"]) as made:
        made.scan()
        yield made


def test_unchanged_files_are_not_read(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    content = module._content
    monkeypatch.setattr(module, "_content", lambda f, name: read.append(name) or content(f, name))
    version = project.images().version
    assert project.scan().read == 0 and read == []
    assert project.images().version == version
    (project.folder / "a.png").write_bytes((project.folder / "a.png").read_bytes() + b" ")
    assert project.scan().new == 1 and read == ["a.png"]
    again = project.scan()  # it was written a moment ago, and so may change again unnoticed
    assert read == ["a.png", "a.png"] and again.new == 0


def test_a_renamed_file_keeps_its_label_and_its_id(project: Project) -> None:
    project.record([NewAnswer("k", 0, "label", (1,))])
    (project.folder / "a.png").rename(project.folder / "sub" / "renamed.png")
    scanned = project.scan()
    assert (scanned.new, scanned.moved, scanned.gone, scanned.total) == (0, 1, 0, 3)
    assert named_labels(project) == {"sub/renamed.png": ("debris",)}


def test_copies_are_one_image(project: Project) -> None:
    (project.folder / "copy.png").write_bytes((project.folder / "b.png").read_bytes())
    scanned = project.scan()
    assert (scanned.new, scanned.copies, scanned.total) == (0, 1, 3)
    images = project.images()
    assert images.copies.tolist() == [1, 2, 1] and images.names[1] == "b.png"
    (project.folder / "b.png").unlink()
    assert project.scan().gone == 0
    assert project.images().names[1] == "copy.png"
    assert project.files() == {"a.png": 0, "copy.png": 1, "sub/c.png": 2}
    assert project.files(gone=True)["b.png"] == 1


def test_a_file_that_is_gone_comes_back_with_its_label(project: Project) -> None:
    project.record([NewAnswer("k", 2, "label", (0,))])
    kept = (project.folder / "sub/c.png").read_bytes()
    (project.folder / "sub/c.png").unlink()
    assert project.scan().gone == 1
    assert project.images().gone.tolist() == [False, False, True]
    (project.folder / "sub/c.png").write_bytes(kept)
    assert project.scan().new == 0
    assert not project.images().gone.any()
    assert named_labels(project) == {"sub/c.png": ("cell",)}


def test_a_file_with_another_content_is_another_image(project: Project) -> None:
    project.record([NewAnswer("k", 0, "label", (0,))])
    Image.new("L", (5, 5), 9).save(project.folder / "a.png")
    scanned = project.scan()
    assert (scanned.new, scanned.gone, scanned.total) == (1, 1, 3)
    images = project.images()
    assert images.gone.tolist() == [True, False, False, False]
    assert project.files()["a.png"] == 3 and 3 not in project.state().labels


def test_files_that_cannot_be_read_are_listed_with_the_reason(project: Project) -> None:
    (project.folder / "empty.png").write_bytes(b"")
    (project.folder / "text.png").write_text("no image")
    (project.folder / "lost.png").symlink_to(project.folder / "nowhere.png")
    scanned = project.scan()
    assert (scanned.new, scanned.problems, scanned.total) == (0, 3, 3)
    problems = project.problems()
    assert "empty" in problems["empty.png"] and "not an image" in problems["text.png"]
    assert "No such file" in problems["lost.png"]
    (project.folder / "empty.png").unlink()
    photos_in(project.folder, ["text.png"])
    Image.new("L", (4, 4), 3).save(project.folder / "text.png")
    assert project.scan().new == 1
    assert set(project.problems()) == {"lost.png"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all files")
def test_a_file_without_permission_is_listed(project: Project) -> None:
    (project.folder / "a.png").chmod(0)
    os.utime(project.folder / "a.png")
    project.scan()
    assert "Permission" in project.problems()["a.png"]


def test_facts_of_the_head_and_of_the_decoder(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("L", (7, 5)).save(folder / "a.png")
    Image.new("RGB", (6, 4)).save(folder / "b.jpg")
    Image.new("I;16", (3, 2)).save(folder / "c.png")
    Image.new("I;16", (9, 8), 7).save(folder / "d.tif")
    with Project.create(folder) as project:
        project.scan()
        images = project.images()
        assert images.names == ("a.png", "b.jpg", "c.png", "d.tif")
        assert images.widths.tolist() == [7, 6, 3, 9] and images.heights.tolist() == [5, 4, 2, 8]
        assert images.bits.tolist() == [8, 8, 16, 16]
        assert images.channels.tolist() == [1, 3, 1, 1]
        project.note_images({1: ImageFacts(problem="it is damaged")})
        assert project.images().problems == (None, "it is damaged", None, None)


@pytest.mark.skipif(sys.platform != "linux", reason="only there are names any bytes")
def test_any_name_is_kept(tmp_path: Path) -> None:
    names = [
        os.fsdecode(b"\xff\xfe.png"),
        "a\nb.png",
        'it\'s "q".png',
        "<script>alert(1)</script>.png",
    ]
    names = [name.replace("/", "_") for name in names]
    folder = photos_in(tmp_path / "pho'tos", names)
    with Project.create(folder) as project:
        assert project.scan().total == 4
        assert set(project.images().names) == set(names)
    odd = photos_in(tmp_path / os.fsdecode(b"bad\xff"), ["a.png"])
    with Project.create(odd) as project:
        assert project.scan().total == 1
    with Project.open(odd) as project:
        assert project.folder == odd and project.settings.name == "bad\\xff"


def test_new_images_appear_during_the_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_A_TIME", 2)
    folder = photos_in(tmp_path / "photos", [f"{n}.png" for n in range(12)])
    with Project.create(folder) as project:
        seen = []
        project.scan(lambda done, total: seen.append((done, total, len(project.images()))))
        assert seen == [(1, 12, 1), (3, 12, 3), (5, 12, 5), (7, 12, 5), (9, 12, 9), (11, 12, 9),
                        (12, 12, 9)]  # fmt: skip
        assert len(project.images()) == 12


def test_images_that_are_there_are_not_read_again_when_others_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = photos_in(tmp_path / "others", [f"{n}.png" for n in "abcdeg"])
    folder = tmp_path / "photos"
    folder.mkdir()

    def add(*names: str) -> None:
        for name in names:
            shutil.copy(others / name, folder / name)
        settled(folder)

    add("a.png", "b.png")
    with Project.create(folder) as project:
        project.scan()
        first = project.images()
        add("c.png", "d.png", "e.png")
        shutil.copy2(folder / "c.png", folder / "f.png")
        read = []
        joined = images_module._joined

        def counted(before: ProjectImages, new: ProjectImages) -> ProjectImages:
            read.append(len(new))
            return joined(before, new)

        monkeypatch.setattr(images_module, "_joined", counted)
        project.scan()
        second = project.images()
        assert read == [3] and len(second) == 5
        assert second.names[:2] == first.names and second.copies.tolist() == [1, 1, 2, 1, 1]
        shutil.copy2(folder / "a.png", folder / "A.png")  # an image that is there gets another file
        (folder / "b.png").unlink()
        add("g.png")
        project.scan()
        third = project.images()
        assert read == [3] and len(third) == 6
        assert third.copies.tolist() == [2, 0, 2, 1, 1, 1] and third.names[0] == "A.png"
        with Project.open(folder) as fresh:
            same = vars(fresh.images())
            assert all(np.array_equal(value, same[name]) for name, value in vars(third).items())
