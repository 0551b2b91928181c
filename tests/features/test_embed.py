import gzip
import hashlib
import struct
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from nextlabel.core.errors import DataError, StoreError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.data import ArraysSettings, DataSettings, load
from nextlabel.data.sources.idx import FAMILIES
from nextlabel.features.blocks import BLOCKS
from nextlabel.features.cache import Cache
from nextlabel.features.embed import embed
from nextlabel.features.embedding_file import EmbeddingFile
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec
from nextlabel.trial.trial import learner_of, run_trial
from refusals import refused


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    place = tmp_path / "images"
    place.mkdir()
    for i in range(12):
        pixels = rng.integers(0, 255, (20, 24), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"cell_{i:02d}.png")
    return place


def test_a_folder_gives_features_with_names(folder, tmp_path):
    options = {"latent": 3, "epochs": 1}
    found = embed(str(folder), "vae", options=options, image_size=16, cache_dir=tmp_path / "cache")
    assert found.features.shape == (12, 3) and found.features.dtype == np.float32
    assert found.names == tuple(f"cell_{i:02d}.png" for i in range(12))
    found.save(tmp_path / "vae.npz")
    with np.load(tmp_path / "vae.npz") as file:
        assert np.array_equal(file["features"], found.features)
        assert file["names"].tolist() == list(found.names)
        assert sorted(file.files) == ["features", "names"]
    assert not list(tmp_path.glob("*.partial"))


def test_a_kept_vae_that_learned_little_is_warned_of_again(folder, tmp_path):
    for image in folder.iterdir():
        Image.new("L", (24, 20), 90).save(image)
    settings = {"options": {"latent": 3, "epochs": 1}, "image_size": 16}
    for _ in range(3):  # fitted, kept, and kept for one image more
        with pytest.warns(UserWarning, match="the block vae learned little: 0 of 3 latent"):
            made = embed(str(folder), "vae", cache_dir=tmp_path / "cache", **settings)
        Image.new("L", (24, 20), 91).save(folder / "other.png")
    assert len(made.names) == 13


def test_a_folder_that_grows_keeps_its_rows_until_a_refit(folder, tmp_path):
    changes = []

    def rows(**more):
        made = embed(
            str(folder),
            "vae",
            options={"latent": 3, "epochs": 1},
            image_size=16,
            cache_dir=tmp_path / "cache",
            on_changes=changes.append,
            **more,
        )
        return dict(zip(made.names, made.features, strict=True))

    before = rows()
    (folder / "cell_03.png").unlink()
    Image.new("L", (24, 20), 40).save(folder / "cell_05.png")
    Image.new("L", (24, 20), 200).save(folder / "more.png")
    after = rows()
    assert [c.first for c in changes] == [True, False]
    assert changes[1].gone == ("cell_03.png",) and changes[1].added == ("more.png",)
    assert changes[1].changed == ("cell_05.png",) and not changes[1].refitted
    stayed = set(after) - {"cell_05.png", "more.png"}
    assert len(stayed) == 10
    assert all(np.array_equal(after[name], before[name]) for name in stayed)
    assert not np.array_equal(after["cell_05.png"], before["cell_05.png"])
    assert not np.array_equal(after["cell_05.png"], after["more.png"])
    again = rows(refit=True)
    assert changes[2].refitted
    for number, image in enumerate(sorted(folder.iterdir())):
        Image.new("L", (24, 20), 3 * number).save(image)
    rows()
    assert changes[3].refitted and len(changes[3].changed) == 12  # none is as it was
    assert not any(np.array_equal(again[name], before[name]) for name in stayed)


def test_settings_that_decide_the_rows_fit_anew(folder, tmp_path):
    def rows(latent, **more):
        return embed(
            str(folder),
            "vae",
            options={"latent": latent, "epochs": 1},
            image_size=16,
            cache_dir=tmp_path,
            **more,
        ).features

    first = rows(3)
    assert rows(2).shape == (12, 2)
    assert not np.array_equal(rows(3, seed=1), first)
    assert not np.array_equal(rows(3, reading={"channels": 3}), first)
    assert np.array_equal(rows(3), first)


def test_a_block_that_labels_shape_is_refused(folder, tmp_path):
    with refused(
        UsageError, "block-needs-labels", match=r"block 'ccvae' needs labels, and embed uses none; "
    ):
        embed(str(folder), "ccvae", image_size=16, cache_dir=tmp_path)


def test_class_folders_are_one_pool(folder, tmp_path):
    for i, image in enumerate(sorted(folder.iterdir())):
        (folder / "ab"[i % 2]).mkdir(exist_ok=True)
        image.rename(folder / "ab"[i % 2] / image.name)
    found = embed(str(folder), "pixels", image_size=8, cache_dir=tmp_path / "cache")
    assert found.features.shape == (12, 64) and len(set(found.names)) == 12


def test_images_beside_folders_are_all_taken(folder, tmp_path):
    (folder / "more").mkdir()
    (folder / "cell_03.png").rename(folder / "more" / "x.png")
    found = embed(str(folder), "pixels", image_size=8, cache_dir=tmp_path / "cache")
    assert len(found.names) == 12 and found.names[-1] == "more/x.png"


def test_links_and_copies_of_a_folder(folder, tmp_path):
    outside = tmp_path / "outside.png"
    (folder / "cell_03.png").rename(outside)
    (folder / "link.png").symlink_to(outside)
    (folder / "copy.png").write_bytes((folder / "cell_00.png").read_bytes())
    cache = tmp_path / "cache"
    with pytest.warns(UserWarning, match=r"link.png first\) lead out of the folder"):
        assert len(embed(str(folder), "pixels", image_size=8, cache_dir=cache).names) == 12
    found = embed(str(folder), "pixels", image_size=8, cache_dir=cache, follow_links=True)
    assert "link.png" in found.names and len(found.names) == 13
    with pytest.warns(UserWarning, match="1 file.s. are exact copies"):
        found = embed(
            str(folder), "pixels", image_size=8, cache_dir=cache, follow_links=True, unique=True
        )
    assert len(found.names) == 12 and "copy.png" not in found.names[1:]


def test_folders_called_as_parts_are_one_pool_too(folder, tmp_path):
    before = embed(str(folder), "pixels", image_size=8, cache_dir=tmp_path / "cache")
    for i, image in enumerate(sorted(folder.iterdir())):
        part = ("test", "train", "val")[i // 4]
        (folder / part).mkdir(exist_ok=True)
        image.rename(folder / part / image.name)
    found = embed(str(folder), "pixels", image_size=8, cache_dir=tmp_path / "cache")
    assert [name.split("/")[1] for name in found.names] == list(before.names)
    assert np.array_equal(found.features, before.features)
    called = {"test": "test", "train": "train", "val": "validation"}
    assert found.part.tolist() == [called[name.split("/")[0]] for name in found.names]
    assert before.part is None


def test_a_data_set_gives_all_its_parts(tmp_path):
    found = embed("digits", "pca", options={"components": 4}, cache_dir=tmp_path)
    assert found.features.shape == (1797, 4) and found.names is None


def test_each_row_of_a_data_set_says_what_it_shows(tmp_path):
    embed("digits", "pixels", cache_dir=tmp_path).save(tmp_path / "digits.npz")
    data = load(DataSettings(name="digits"))
    with np.load(tmp_path / "digits.npz") as file:
        names = ["data", "features", "files", "part", "row", "sha256", "source"]
        assert sorted(file.files) == names
        part, row, features = file["part"], file["row"], file["features"]
        assert file["source"].tolist() == ["train"] * 1797  # all are drawn from one
        assert file["data"].item() == "digits" and file["files"].tolist() == ["digits"]
        assert file["sha256"].tolist() == [data.sources["digits"]]
    assert row.dtype == np.int64 and sorted(row.tolist()) == list(range(1797))
    for name in ("train", "validation", "test"):
        images = data.part(name)
        assert np.array_equal(row[part == name], images.origin)
        pixels = features[part == name] * 255
        np.testing.assert_allclose(pixels, images.images.reshape(len(images), -1), atol=1e-3)


@pytest.mark.parametrize("suffix", [".npy", ".NPZ"])
def test_a_file_of_images_is_one_pool(suffix, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (12, 6, 5), np.uint8)
    path = tmp_path / f"x{suffix}"
    with path.open("wb") as stream:
        if suffix == ".npy":
            np.save(stream, images)
        else:
            np.savez(stream, images=images, labels=np.arange(12) % 2)
    found = embed(str(path), "pixels", cache_dir=tmp_path / "cache")
    np.testing.assert_allclose(found.features, images.reshape(12, 30) / 255, atol=1e-6)
    assert found.part.tolist() == ["train"] * 12 and found.row.tolist() == list(range(12))
    assert found.sources == {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    assert found.names is None


def test_a_file_of_images_keeps_its_split(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (7, 6, 5), np.uint8)
    split = np.array(["test", "train", "val", "train", "test", "train", "train"])
    np.savez(tmp_path / "x.npz", images=images, split=split, labels=np.arange(7) % 2)
    found = embed(str(tmp_path / "x.npz"), "pixels", cache_dir=tmp_path / "cache")
    assert found.part.tolist() == ["train"] * 4 + ["validation"] + ["test"] * 2
    assert found.source.tolist() == found.part.tolist()
    assert found.row.tolist() == [1, 3, 5, 6, 2, 0, 4]
    np.testing.assert_allclose(found.features, images[found.row].reshape(7, 30) / 255, atol=1e-6)


def idx_family(folder, name, monkeypatch):
    """Write 60 images to train and 12 to test, in the official format and under its names."""
    folder.mkdir()
    md5 = {}
    for short, size in (("train", 60), ("t10k", 12)):
        pixels = np.random.default_rng(size).integers(0, 256, (size, 28, 28), np.uint8)
        for what, array in (
            ("images-idx3", pixels),
            ("labels-idx1", np.arange(size, dtype="B") % 3),
        ):
            head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            content = gzip.compress(head + array.tobytes(), mtime=0)
            file = f"{short}-{what}-ubyte.gz"
            (folder / file).write_bytes(content)
            md5[file] = hashlib.md5(content).hexdigest()
    monkeypatch.setitem(FAMILIES, name, replace(FAMILIES[name], md5=md5, mirrors=()))


@pytest.mark.filterwarnings("ignore:AUROC is not defined")
def test_a_file_serves_an_experiment_with_parts_of_other_sizes(tiny, tmp_path, monkeypatch):
    idx_family(tmp_path / "mnist", "mnist", monkeypatch)
    monkeypatch.setattr("nextlabel.data.sources.idx.DRAWN", {"validation": 10})
    file = tmp_path / "mnist.npz"
    embed("mnist", "pixels", data_dir=tmp_path, cache_dir=tmp_path / "cache").save(file)
    for sizes in ({"train": 30, "validation": 20, "test": 7}, {"validation": 5}, {"seed": 1}):
        experiment = tiny(
            data={"name": "mnist", **sizes},
            initial=10,
            batch=5,
            target=15,
            arms=[{"name": "mine", "strategy": "core_set", "features": {str(file): 1.0}}],
            primary=None,
        )
        data = load_data(experiment, tmp_path)
        trial = TrialSpec.of(experiment, "mine", 0)
        block = learner_of(trial, data, Cache(tmp_path / "cache")).block(str(file))
        for part in ("train", "validation", "test"):
            shown = np.rint(block.rows(part) * 255).reshape(-1, 1, 28, 28)
            assert np.array_equal(shown, data.part(part).images)
    found = list(run_trial(trial, data, Cache(tmp_path / "cache")))
    assert found[-1][0].labelled_count == 15


def test_a_file_of_another_data_set_is_refused(tiny, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2000, 8, 8), np.uint8)
    np.save(tmp_path / "other.npy", images)
    file = tmp_path / "f.npz"
    embed(str(tmp_path / "other.npy"), "pixels", cache_dir=tmp_path).save(file)
    arm = {"name": "mine", "strategy": "core_set", "features": {str(file): 1.0}}
    experiment = tiny(arms=[arm], primary=None)
    data = load_data(experiment, None)
    trial = TrialSpec.of(experiment, "mine", 0)
    with refused(
        DataError,
        "embedding-of-other-data",
        match=r"of other read from other.npy .*, but digits is read from",
    ):
        list(run_trial(trial, data, Cache(tmp_path)))


def test_a_file_of_images_serves_them_with_labels_beside(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (12, 6, 5), np.uint8)
    np.save(tmp_path / "x.npy", images)
    np.save(tmp_path / "y.npy", np.arange(12) % 2)
    embed(str(tmp_path / "x.npy"), "pixels", cache_dir=tmp_path).save(tmp_path / "f.npz")
    settings = ArraysSettings(
        path=tmp_path / "x.npy", labels=tmp_path / "y.npy", validation=3, test=2
    )
    data = load(settings)
    block = BLOCKS["file"](path=tmp_path / "f.npz").fit(data, Pool(7), None, 0, Seeds(0))
    for part in ("train", "validation", "test"):
        shown = np.rint(block.rows(part) * 255).reshape(-1, 1, 6, 5)
        assert np.array_equal(shown, data.part(part).images) and len(shown)


@pytest.mark.parametrize(
    ("block", "options", "code"),
    [
        ("nosuch", {}, "unknown-name"),
        ("ccvae", {}, "block-needs-labels"),
        ("pca", {"components": 0}, "invalid-setting"),
        ("pca", {"componets": 3}, "unknown-key"),
    ],
)
def test_a_block_is_refused_before_an_image_is_read(block, options, code, folder, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("images are read")

    monkeypatch.setattr("nextlabel.features.embed.load_from", refuse)
    with refused(UsageError, code):
        embed(folder, block, options=options)


def test_what_cannot_be(folder, tmp_path):
    with refused(UsageError, "unknown-name"):
        embed(str(folder), "vea", image_size=16, cache_dir=tmp_path)
    with refused(UsageError, "unknown-key"):
        embed(str(folder), "vae", options={"latnt": 3}, image_size=16, cache_dir=tmp_path)
    with refused(UsageError, "no-such-folder", match="data set 'no such place'"):
        embed("no such place", cache_dir=tmp_path)
    with refused(UsageError, "no-such-file"):
        embed(str(tmp_path / "none.npz"), cache_dir=tmp_path)
    with refused(UsageError, "no-such-folder", match="did you mean '.*images'"):
        embed(str(tmp_path / "imagse"), cache_dir=tmp_path)
    for file in list(folder.iterdir())[1:]:
        file.unlink()
    with refused(DataError, "too-few-images", match="holds 1 images; give at least 2"):
        embed(str(folder), "pixels", image_size=16, cache_dir=tmp_path)
    with refused(StoreError, "file-not-writable", match="cannot write"):
        EmbeddingFile(np.zeros((1, 1))).save(tmp_path / "absent" / "x.npz")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"block": None}, "block-not-a-name"),
        ({"block": "pca", "options": "x"}, "options-not-a-mapping"),
        ({"block": "pca", "options": {"components": np.float64(4)}}, "invalid-setting"),
    ],
)
def test_arguments_of_other_types_are_refused(arguments, code):
    with refused(UsageError, code):
        embed("digits", **arguments)


def test_options_may_be_numpy_numbers(folder, tmp_path):
    options = {"components": np.int64(4)}
    made = embed(folder, "pca", options=options, image_size=8, cache_dir=tmp_path / "cache")
    assert made.features.shape == (12, 4)
