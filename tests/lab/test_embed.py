import numpy as np
import pytest
from PIL import Image

from nextlabel.core.errors import DataError, StoreError, UsageError
from nextlabel.data import DataSettings, load
from nextlabel.lab.embed import EmbeddingFile, embed


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


def test_class_folders_are_one_pool(folder, tmp_path):
    for i, image in enumerate(sorted(folder.iterdir())):
        (folder / "ab"[i % 2]).mkdir(exist_ok=True)
        image.rename(folder / "ab"[i % 2] / image.name)
    found = embed(str(folder), "pixels", image_size=8, cache_dir=tmp_path / "cache")
    assert found.features.shape == (12, 64) and len(set(found.names)) == 12


def test_folders_called_as_parts_are_one_pool_too(folder, tmp_path):
    before = embed(str(folder), "pixels", image_size=8, cache_dir=tmp_path / "cache")
    for i, image in enumerate(sorted(folder.iterdir())):
        part = ("test", "train", "val")[i // 4]
        (folder / part).mkdir(exist_ok=True)
        image.rename(folder / part / image.name)
    found = embed(str(folder), "pixels", image_size=8, cache_dir=tmp_path / "cache")
    assert [name.split("/")[1] for name in found.names] == list(before.names)
    assert np.array_equal(found.features, before.features)


def test_a_data_set_gives_all_its_parts(tmp_path):
    found = embed("digits", "pca", options={"components": 4}, cache_dir=tmp_path)
    assert found.features.shape == (1797, 4) and found.names is None


def test_each_row_of_a_data_set_says_what_it_shows(tmp_path):
    embed("digits", "pixels", cache_dir=tmp_path).save(tmp_path / "digits.npz")
    data = load(DataSettings(name="digits"))
    with np.load(tmp_path / "digits.npz") as file:
        assert sorted(file.files) == ["features", "part", "row"]
        part, row, features = file["part"], file["row"], file["features"]
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
    assert found.names is None


def test_a_file_of_images_keeps_its_split(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (7, 6, 5), np.uint8)
    split = np.array(["test", "train", "val", "train", "test", "train", "train"])
    np.savez(tmp_path / "x.npz", images=images, split=split, labels=np.arange(7) % 2)
    found = embed(str(tmp_path / "x.npz"), "pixels", cache_dir=tmp_path / "cache")
    assert found.part.tolist() == ["train"] * 4 + ["validation"] + ["test"] * 2
    assert found.row.tolist() == [1, 3, 5, 6, 2, 0, 4]
    np.testing.assert_allclose(found.features, images[found.row].reshape(7, 30) / 255, atol=1e-6)


def test_what_cannot_be(folder, tmp_path):
    with pytest.raises(UsageError, match="unknown feature block 'vea'; did you mean 'vae'"):
        embed(str(folder), "vea", image_size=16, cache_dir=tmp_path)
    with pytest.raises(UsageError, match=r"blocks.vae.latnt; did you mean 'latent'"):
        embed(str(folder), "vae", options={"latnt": 3}, image_size=16, cache_dir=tmp_path)
    with pytest.raises(UsageError, match="unknown data set"):
        embed("no such place", cache_dir=tmp_path)
    with pytest.raises(UsageError, match=r"none\.npz does not exist; give a data set, a folder"):
        embed(str(tmp_path / "none.npz"), cache_dir=tmp_path)
    for file in list(folder.iterdir())[1:]:
        file.unlink()
    with pytest.raises(DataError, match="holds 1 images; give at least 2"):
        embed(str(folder), "pixels", image_size=16, cache_dir=tmp_path)
    with pytest.raises(StoreError, match="cannot write"):
        EmbeddingFile(np.zeros((1, 1))).save(tmp_path / "absent" / "x.npz")
