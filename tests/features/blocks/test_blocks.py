import io
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from nextlabel.core.dataset import Dataset, Images
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import EncodingBlock, FittedBlock
from nextlabel.features.blocks import BLOCKS
from nextlabel.features.fitted import load_block, save_block
from nextlabel.models.generative.vae import VAE, VAESettings
from nextlabel.models.generative.vae_pictures import reconstructions
from nextlabel.statistics.latent_activity import LOGGED, Activity, activity, logged_activity
from refusals import refused

pytestmark = pytest.mark.usefixtures("no_bfloat16")


@pytest.fixture(scope="module")
def data(digits):
    images, labels = digits[0].numpy(), digits[1]
    cuts = [slice(0, 60), slice(60, 80), slice(80, 90)]
    parts = [Images(images[c], labels[c]) for c in cuts]
    return Dataset("digits", "multiclass", tuple("0123456789"), *parts)


def fit(name, data, **options):
    return BLOCKS[name](**options).fit(data, Pool(len(data.train)), None, 0, Seeds(0))


@pytest.mark.parametrize(
    ("name", "options", "width"),
    [
        ("vae", {"latent": 6, "epochs": 1}, 6),
        ("vae_mixture", {"latent": 6, "epochs": 1}, 6),
        ("vae_vamp", {"latent": 6, "epochs": 1}, 6),
        ("ccvae", {"latent": 12, "epochs": 1}, 12),
        ("pca", {"components": 5}, 5),
        ("pixels", {}, 64),
    ],
)
def test_every_part_gets_its_rows(name, options, width, data):
    block = fit(name, data, **options)
    for part in ("train", "validation", "test"):
        assert block.rows(part).shape == (len(data.part(part)), width)
        assert np.isfinite(block.rows(part)).all()
    assert block.rows("train", np.array([3, 1])).shape == (2, width)
    again = fit(name, data, **options)
    assert np.array_equal(block.rows("train"), again.rows("train"))


def test_the_vae_sees_the_pool_alone_and_no_label(data):
    bare = Dataset(
        "digits",
        data.task,
        data.classes,
        Images(data.train.images),
        Images(data.validation.images[:1]),
        Images(data.test.images[:0]),
    )
    full, without = (fit("vae", d, latent=4, epochs=1) for d in (data, bare))
    assert np.array_equal(full.rows("train"), without.rows("train"))
    with refused(DataError, "no-rows-for-part"):
        without.rows("test")


def test_the_vae_leaves_pictures_and_a_log(data):
    block = fit("vae", data, latent=4, epochs=2)
    keys = {"elbo", "reconstruction", "kl"}
    assert [set(epoch) for epoch in block.log] == [keys, keys | set(LOGGED)]
    for picture in ("reconstructions", "traversal"):
        assert Image.open(io.BytesIO(block.pictures[picture])).format == "PNG"


def test_the_log_ends_with_the_activity_of_the_features(data):
    block = fit("vae", data, latent=6, epochs=3, weight_decay=0.0)
    brightness = data.train.images.reshape(len(data.train), -1).mean(1)
    learned = activity(block.rows("train"), brightness)
    assert logged_activity(block.log) == learned and learned.latent == 6
    conditional = fit("ccvae", data, latent=12, epochs=1)
    assert logged_activity(conditional.log) == activity(conditional.rows("train"), brightness)


def test_a_vae_that_learned_little_is_warned_of():
    block = BLOCKS["vae"](epochs=20)
    kept = FittedBlock({}, ({"kl": 0.1, **Activity(1, 32, 0.99).numbers()},))
    (said,) = block.warnings(kept)
    assert said == (
        "the block vae learned little: 1 of 32 latent dimensions varies from image to image, and "
        "brightness explains 99% of what they tell; give larger images, set "
        "its weight_decay, now 0.005, to 0, raise its epochs, now 20, set its free_bits to 0.1, or "
        "use the block pca"
    )
    awake = FittedBlock({}, ({"kl": 9.0, **Activity(20, 32, 0.2).numbers()},))
    assert not block.warnings(awake) and not block.warnings(FittedBlock({}, ({"kl": 9.0},)))
    both = {"components": 4.0, "distinct": 1.0, **Activity(0, 32, 0.0).numbers()}
    assert len(BLOCKS["vae_mixture"]().warnings(FittedBlock({}, (both,)))) == 2


def test_new_options_of_a_vae_leave_the_keys_of_older_fits():
    for name in ("vae", "ccvae", "vae_mixture", "vae_vamp"):
        assert not {"warm_up", "free_bits"} & set(BLOCKS[name]().identity)
    assert BLOCKS["vae"](warm_up=2, free_bits=0.1).identity["free_bits"] == 0.1


@pytest.mark.filterwarnings("error")
def test_pictures_of_a_memory_map_are_drawn_without_a_warning():
    images = np.zeros((2, 1, 8, 8), np.uint8)
    images.flags.writeable = False
    same = SimpleNamespace(means=lambda tensor: tensor, decode=lambda tensor: tensor.numpy())
    torch.set_warn_always(True)
    try:
        assert reconstructions(same, images)
    finally:
        torch.set_warn_always(False)


@pytest.mark.parametrize("name", ["vae_mixture", "vae_vamp"])
def test_priors_of_several_components_leave_draws_too(name, data):
    block = fit(name, data, latent=4, epochs=2)
    keys = {"elbo", "reconstruction", "kl", "components", "distinct"}
    assert [set(epoch) for epoch in block.log] == [keys, keys | set(LOGGED)]
    assert set(block.pictures) == {"reconstructions", "traversal", "draws"}
    for picture in block.pictures.values():
        assert Image.open(io.BytesIO(picture)).format == "PNG"


def test_the_vae_leaves_its_encoder_for_task_models(data):
    block = fit("vae", data, latent=4, epochs=1)
    encoder = VAE((1, 8, 8), VAESettings(latent=4))
    missing = encoder.load_state_dict(
        {k: torch.from_numpy(a) for k, a in block.state.items()}, strict=False
    ).missing_keys
    assert {name.split(".")[0] for name in missing} == {"up", "decoder"}
    assert all(a.dtype == np.float32 and a.flags.c_contiguous for a in block.state.values())
    with torch.no_grad():
        means, _ = encoder.encode(torch.from_numpy(data.test.images).float() / 255)
    np.testing.assert_allclose(means, block.rows("test"), atol=1e-5)


def test_more_pseudo_inputs_than_images_are_refused(data):
    with refused(
        UsageError,
        "too-many-pseudo-inputs",
        match=r"pseudo_inputs 61 exceeds the 60 images .* it to 60",
    ):
        fit("vae_vamp", data, pseudo_inputs=61, epochs=1)


def test_what_fitted_blocks_are_known_by_stays_as_it_was():
    """Caches and stores hold these; a setting added later has to stay out at its default."""
    vae = {
        "latent": 32,
        "epochs": 20,
        "learning_rate": 0.001,
        "weight_decay": 0.005,
        "batch_size": 64,
        "likelihood": "bernoulli",
        "deviation": 0.1,
        "beta": 1.0,
        "upsample": "last",
        "device": "cpu",
        "precision": "fp32",
    }
    known = {"vae": vae, "pca": {"components": 32, "whiten": False}, "pixels": {}}
    for name, identity in known.items():
        options = {"device": "cpu"} if name == "vae" else {}
        assert BLOCKS[name](**options).identity == identity
    assert BLOCKS["vae_mixture"](device="cpu").identity == {**vae, "components": 10}
    assert BLOCKS["vae_vamp"](device="cpu").identity == {**vae, "pseudo_inputs": 50}
    assert [BLOCKS[n].__name__ for n in ("vae", "pca")] == ["VAEBlock", "PCABlock"]


def test_blocks_say_whether_they_use_labels_and_are_worth_keeping():
    assert {n: (BLOCKS[n].supervised, BLOCKS[n].cached) for n in BLOCKS} == {
        "ccvae": (True, True),
        "vaal": (True, True),
        "ta_vaal": (True, True),
        "file": (False, False),
        "pca": (False, True),
        "pretrained": (False, False),
        "pixels": (False, False),
        "vae": (False, True),
        "vae_mixture": (False, True),
        "vae_vamp": (False, True),
    }


def test_pca_is_the_textbooks(data):
    rows = data.train.images.reshape(60, -1) / 255
    centred = rows - rows.mean(0)
    _, s, _ = np.linalg.svd(centred)
    found = fit("pca", data, components=5).rows("train")
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), s[:5], rtol=1e-4)


def test_by_default_pca_has_as_many_components_as_there_can_be(data):
    few = data.subset(train=np.arange(9))
    assert fit("pca", few).rows("train").shape == (9, 9)
    assert fit("pca", data).rows("train").shape == (60, 32)
    with refused(UsageError, "too-many-components"):
        fit("pca", few, components=32)


def test_more_components_than_there_are_is_refused(data):
    with refused(
        UsageError, "too-many-components", match=r"components 61 exceeds the 60 .* lower it to 60"
    ):
        fit("pca", data, components=61)


def test_files_give_the_pool_or_all_parts(data, tmp_path):
    rows = np.arange(90 * 2.0).reshape(90, 2)
    np.save(tmp_path / "pool.npy", rows[:60])
    pool = fit("file", data, path=tmp_path / "pool.npy")
    assert np.array_equal(pool.rows("train"), rows[:60])
    with refused(DataError, "no-rows-for-part", match="no rows for validation"):
        pool.rows("validation")
    np.save(tmp_path / "all.npy", rows)
    assert np.array_equal(fit("file", data, path=tmp_path / "all.npy").rows("test"), rows[80:])
    np.savez(tmp_path / "parts.npz", train=rows[:60], validation=rows[60:80])
    parts = fit("file", data, path=tmp_path / "parts.npz")
    assert np.array_equal(parts.rows("validation"), rows[60:80])
    np.savez(tmp_path / "embed.npz", features=rows)
    assert np.array_equal(fit("file", data, path=tmp_path / "embed.npz").rows("train"), rows[:60])


def test_bad_files_are_refused(data, tmp_path):
    np.save(tmp_path / "short.npy", np.zeros((59, 2)))
    with refused(DataError, "embedding-row-count"):
        fit("file", data, path=tmp_path / "short.npy")
    (tmp_path / "text.npy").write_text("no array")
    with refused(DataError, "not-an-array-file"):
        fit("file", data, path=tmp_path / "text.npy")
    np.save(tmp_path / "code.npy", np.array([{}], dtype=object), allow_pickle=True)
    with refused(DataError, "array-of-objects"):
        fit("file", data, path=tmp_path / "code.npy")
    with refused(DataError, "file-unreadable", match="cannot be read"):
        fit("file", data, path=tmp_path / "absent.npy")
    np.savez(tmp_path / "named.npz", a=np.zeros(60), validation=np.zeros(20))
    with refused(
        DataError, "array-missing", match="holds a, validation; store the rows under the name 'feat"
    ):
        fit("file", data, path=tmp_path / "named.npz")
    np.save(tmp_path / "one.npy", np.float32(1))
    with refused(DataError, "embedding-shape", match="a single number; give one row per image"):
        fit("file", data, path=tmp_path / "one.npy")
    np.savez(tmp_path / "uneven.npz", train=np.zeros((60, 2)), validation=np.zeros((20, 3)))
    with refused(
        DataError, "embedding-shape", match=r"shape \(3,\) for validation and of \(2,\) for train"
    ):
        fit("file", data, path=tmp_path / "uneven.npz")


def test_a_file_is_known_by_its_bytes(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 2)))
    np.save(tmp_path / "b.npy", np.zeros((3, 2)))
    one, two = (BLOCKS["file"](path=tmp_path / f"{n}.npy") for n in "ab")
    assert one.identity == two.identity
    np.save(tmp_path / "b.npy", np.ones((3, 2)))
    assert one.identity != two.identity


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vae", {"latent": 6, "epochs": 1}),
        ("vae_mixture", {"latent": 6, "epochs": 1}),
        ("vae_vamp", {"latent": 6, "epochs": 1}),
        ("pca", {"components": 5}),
        ("pca", {"components": 5, "whiten": True}),
        ("pixels", {}),
    ],
)
def test_images_outside_a_fit_get_the_rows_that_they_have_inside_it(name, options, data, tmp_path):
    block = BLOCKS[name](**options)
    assert isinstance(block, EncodingBlock)
    fitted = fit(name, data, **options)
    save_block(fitted, tmp_path / "block")
    stored = load_block(tmp_path / "block")
    alone = FittedBlock({}, state=stored.state)
    for part in ("train", "test"):
        rows = block.encode(alone, data, part)
        assert rows.dtype == np.float32
        assert np.allclose(rows, fitted.rows(part), rtol=1e-4, atol=1e-4)
    shuffled = data.subset(test=np.arange(9, -1, -1))
    assert np.allclose(block.encode(alone, shuffled, "test")[::-1], fitted.rows("test"), atol=1e-4)


@pytest.mark.parametrize("name", ["vae", "pca"])
def test_images_of_another_size_do_not_fit(name, data):
    options = {"epochs": 1} if name == "vae" else {"components": 5}
    fitted = fit(name, data, **options)
    larger = Images(np.zeros((2, 1, 40, 40), np.uint8))
    other = Dataset("other", "multiclass", (), larger, larger, larger)
    with refused(DataError, "images-do-not-fit-encoder"):
        BLOCKS[name](**options).encode(fitted, other)


def test_few_images_of_many_pixels_have_the_same_components(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (12, 1, 10, 10), np.uint8)
    few = Dataset("few", "multiclass", (), Images(images), Images(images[:1]), Images(images[:0]))
    quick = fit("pca", few, components=4).rows("train")
    monkeypatch.setattr("nextlabel.features.blocks.pca.solver_for", lambda *_: "covariance_eigh")
    plain = fit("pca", few, components=4).rows("train")
    assert np.allclose(np.abs(quick), np.abs(plain), atol=1e-4)


def test_components_of_images_that_are_all_alike_are_zero_without_a_warning():
    alike = Images(np.full((12, 1, 4, 4), 100, np.uint8), None)
    data = Dataset("alike", "multiclass", ("a", "b"), alike, alike, alike)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert not fit("pca", data, components=2).rows("train").any()
