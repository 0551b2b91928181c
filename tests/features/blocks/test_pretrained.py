"""The block `pretrained`, on files and arrays, by a network that keeps the pixels."""

from types import SimpleNamespace

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from nextlabel import embed
from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock
from nextlabel.data import load
from nextlabel.data.sources.folder import FolderSettings
from nextlabel.features.blocks import BLOCKS
from nextlabel.features.cache import Cache
from nextlabel.features.fitted import encoded_rows, fitted_block
from nextlabel.features.image_contents import FileContents
from nextlabel.features.reduction import Reduction
from nextlabel.models.settings import TrainingSettings
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec
from nextlabel.trial.trial import run_trial
from refusals import refused

SHAPES = {"a.png": (40, 40, 3), "b.png": (24, 16), "c.png": (8, 8, 3)}


@pytest.fixture
def cache(tmp_path):
    return Cache.open(tmp_path / "cache")


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    return {
        name: rng.integers(0, 256, shape, dtype=np.uint8) for name, shape in sorted(SHAPES.items())
    }


@pytest.fixture
def folder(tmp_path, pictures):
    root = tmp_path / "photos"
    root.mkdir()
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(root / name)
    return root


def block(**options):
    return BLOCKS["pretrained"](network="flat", **{"reduce": 0, **options})


def read(folder, **options):
    whole = {"validation_fraction": 0, "test_fraction": 0}
    return load(FolderSettings(path=folder, **whole, **options), image_size=4)


def shrunk(pixels):
    small = Image.fromarray(pixels).resize((8, 8), Image.Resampling.BILINEAR).convert("RGB")
    return np.asarray(small, np.float32).reshape(-1)


def test_files_are_read_at_the_networks_size_whatever_the_datas(folder, pictures, flat, cache):
    fitted = block().fit_kept(read(folder), cache)
    np.testing.assert_array_equal(fitted.rows("train"), [shrunk(p) for p in pictures.values()])


def test_a_folder_that_gained_images_computes_those(folder, flat, cache):
    first = block().fit_kept(read(folder), cache).rows("train")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "new.png")
    flat.seen = 0
    again = block().fit_kept(read(folder), cache).rows("train")
    assert flat.seen == 1
    np.testing.assert_array_equal(again[:3], first)


def test_a_renamed_or_copied_file_computes_nothing(folder, flat, cache):
    block().fit_kept(read(folder), cache)
    (folder / "a.png").rename(folder / "z.png")
    (folder / "copy.png").write_bytes((folder / "b.png").read_bytes())
    flat.seen = 0
    assert len(block().fit_kept(read(folder), cache).rows("train")) == 4
    assert flat.seen == 0


def test_grey_data_have_grey_originals(folder, flat, cache):
    rows = block().fit_kept(read(folder, channels=1), cache).rows("train").reshape(3, -1, 3)
    assert (rows == rows[..., :1]).all()
    colour = block().fit_kept(read(folder), cache).rows("train").reshape(3, -1, 3)
    assert not (colour == colour[..., :1]).all()


def test_deep_files_are_scaled_as_the_datas_own(tmp_path, flat, cache):
    root = tmp_path / "deep"
    root.mkdir()
    for name, low, high in (("a.png", 1000, 2000), ("b.png", 1500, 3000)):
        ramp = np.linspace(low, high, 64).reshape(8, 8).astype(np.uint16)
        (root / name).write_bytes(imagecodecs.png_encode(ramp))
    data = load(FolderSettings(path=root, validation_fraction=0, test_fraction=0), image_size=8)
    rows = block().fit_kept(data, cache).rows("train").reshape(2, 64, 3)
    np.testing.assert_array_equal(rows[..., 0], data.train.images.reshape(2, 64))
    assert (rows.min(), rows.max()) == (0, 255)


def test_a_file_that_is_gone_is_named(folder, flat, cache):
    data = read(folder)
    (folder / "b.png").unlink()
    with refused(DataError, "images-changed", match=r"b\.png was read before .*No such file"):
        block().fit_kept(data, cache)


def test_a_file_that_has_changed_since_it_was_read_is_refused(folder, flat, cache):
    data = read(folder)
    (folder / "b.png").write_bytes(b"nonsense")
    with refused(DataError, "images-changed", match="an image changed while"):
        block().fit_kept(data, cache)


def test_files_of_other_channels_are_refused_by_name():
    five = SimpleNamespace(pixels=lambda content, size: np.zeros((4, 4, 5), np.uint8))
    with refused(DataError, "wrong-channels", match=r"d\.tif has 5 channels"):
        FileContents(five, ("d.tif",)).pixels(0, b"", None)


@pytest.fixture
def arrays():
    pixels = np.random.default_rng(1).integers(0, 256, (30, 1, 8, 8), dtype=np.uint8)
    parts = [Images(pixels[cut]) for cut in (slice(0, 20), slice(20, 26), slice(26, 30))]
    return Dataset("noise", "multiclass", (), *parts)


def test_reduced_features_are_fitted_to_the_pool(arrays, flat, cache):
    whole = block().fit_kept(arrays, cache)
    fitted = block(reduce=4).fit_kept(arrays, cache)
    reduction = Reduction.fit(whole.rows("train"), 4)
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(fitted.rows(part), reduction.apply(whole.rows(part)))
    again = Reduction.of(fitted.state).apply(whole.rows("test"))
    np.testing.assert_array_equal(again, fitted.rows("test"))


def test_reduced_features_come_back_bit_for_bit(arrays, flat, cache, monkeypatch):
    fitted = block(reduce=4).fit_kept(arrays, cache)
    flat.seen = 0
    monkeypatch.delattr(Reduction, "fit")
    again = block(reduce=4).fit_kept(arrays, cache)
    np.testing.assert_array_equal(fitted.rows("test"), again.rows("test"))
    assert flat.seen == 0


def test_without_a_cache_the_rows_are_the_same(arrays, flat, cache):
    kept = block(reduce=4).fit_kept(arrays, cache)
    fitted = block(reduce=4).fit(arrays, Pool(20), None, 0, Seeds(0))
    np.testing.assert_array_equal(kept.rows("test"), fitted.rows("test"))


@pytest.mark.parametrize("reduce", [0, 4])
def test_other_images_get_rows_by_the_state_alone(arrays, flat, cache, reduce):
    fitted = block(reduce=reduce).fit_kept(arrays, cache)
    alone = FittedBlock({}, state=fitted.state)
    np.testing.assert_array_equal(
        block(reduce=reduce).encode(alone, arrays, "test"), fitted.rows("test")
    )
    flat.seen = 0
    kept = block(reduce=reduce).encode_kept(alone, arrays, "test", cache)
    np.testing.assert_array_equal(kept, fitted.rows("test"))
    assert flat.seen == 0
    flat.weights_digest = "1" * 64
    with refused(DataError, "features-of-another-network", match="fit again"):
        block(reduce=reduce).encode(alone, arrays, "test")


def test_other_weights_are_another_identity(arrays, flat, cache):
    first = block().identity
    assert first["weights"] == "0" * 64
    block().fit_kept(arrays, cache)
    flat.weights_digest, flat.seen = "1" * 64, 0
    assert block().identity != first
    block().fit_kept(arrays, cache)
    assert flat.seen == 30


def test_images_that_are_all_alike_are_warned_of(flat, cache):
    alike = Images(np.zeros((5, 1, 8, 8), np.uint8))
    data = Dataset("alike", "multiclass", (), alike, alike, alike)
    for reduce in (0, 4):
        with pytest.warns(UserWarning, match="all 5 images have the same features"):
            fitted = fitted_block(block(reduce=reduce), data, Seeds(0), TrainingSettings(), cache)
        assert np.isfinite(fitted.rows("train")).all()


def test_a_size_that_the_network_does_not_take_is_refused(arrays, flat, cache):
    with refused(UsageError, "network-size-fixed"):
        block(size=64).fit_kept(arrays, cache)


@pytest.mark.parametrize(
    ("network", "options", "code"),
    [
        ("nothing", {}, "unknown-name"),
        ("flat:name", {}, "network-name"),
        ("flat", {"weights": "mine.pth"}, "weights-not-taken"),
    ],
)
def test_networks_that_there_are_not_are_refused(network, options, code, flat):
    with refused(UsageError, code):
        _ = BLOCKS["pretrained"](network=network, **options).identity


def test_small_arrays_are_enlarged_less_than_files_are():
    source = BLOCKS["pretrained"]()._source
    assert source.size_for(None, None) == 224
    assert source.size_for(None, 28) == 128
    assert source.size_for(None, 65) == 224
    assert source.size_for(96, 28) == 96


def test_embed_reads_a_folder(folder, pictures, flat, tmp_path):
    options = {"network": "flat", "reduce": 0}
    made = embed(folder, "pretrained", options=options, cache_dir=tmp_path / "c", image_size=4)
    np.testing.assert_array_equal(made.features, [shrunk(p) for p in pictures.values()])
    assert made.names == tuple(pictures)


@pytest.mark.parametrize("reduce", [0, 2])
def test_images_outside_a_fit_get_the_rows_that_they_have_inside_it(
    reduce, folder, pictures, flat, cache
):
    """Also of another folder, by the state alone; what the cache has is not computed."""
    fitted = block(reduce=reduce).fit_kept(read(folder), cache)
    alone = FittedBlock({}, state=fitted.state)
    other = folder.parent / "other"
    other.mkdir()
    Image.fromarray(pictures["b.png"]).save(other / "copy.png")
    Image.fromarray(pictures["c.png"][::-1]).save(other / "new.png")
    flat.seen = 0
    rows = encoded_rows(block(reduce=reduce), alone.state, read(other), cache)
    np.testing.assert_allclose(rows[0], fitted.rows("train")[1], atol=1e-5)
    assert not np.allclose(rows[1], fitted.rows("train")[2])
    assert flat.seen == 1
    np.testing.assert_allclose(block(reduce=reduce).encode(alone, read(other)), rows, atol=1e-5)


def test_a_trial_records_which_weights_it_used_and_its_key_holds_them(tiny, flat, cache):
    arms = [{"name": "covers", "strategy": "core_set", "features": {"pretrained": 1.0}}]
    experiment = tiny(
        primary=None, arms=arms, blocks={"pretrained": {"network": "flat", "reduce": 4}}, target=30
    )
    trial = TrialSpec.of(experiment, "covers", 0)
    assert trial.outcome("data")["blocks"]["pretrained"]["weights"] == "0" * 64
    rounds = [done for done, _ in run_trial(trial, load_data(experiment, None), cache)]
    assert len(rounds[-1].chosen) == 10
    flat.weights_digest = "1" * 64
    assert TrialSpec.of(experiment, "covers", 0).key("data") != trial.key("data")
