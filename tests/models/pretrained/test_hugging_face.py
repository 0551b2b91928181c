"""Networks of transformers: tiny ones with random weights, in folders as the hub has them."""

import numpy as np
import pytest
import torch

from nextlabel.core.errors import DataError, UsageError
from nextlabel.models.pretrained import source_of
from refusals import refused

transformers = pytest.importorskip("transformers", reason="needs nextlabel[transformers]")
SIZE = 32
pytestmark = pytest.mark.slow  # transformers takes seconds to import
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
VIT = {**SMALL, "intermediate_size": 16, "image_size": SIZE, "patch_size": 16}


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (2, 40, 30, 3), dtype=np.uint8)


def saved(folder, model, processor):
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def vit(folder, **options):
    torch.manual_seed(0)
    model = transformers.ViTModel(transformers.ViTConfig(**VIT), **options)
    processor = transformers.ViTImageProcessorPil(size={"height": SIZE, "width": SIZE})
    return saved(folder, model, processor), model.eval(), processor


def rows(folder, pixels, precision="fp32"):
    source = source_of(f"hf:{folder}")
    loaded = source.load(source.size_for(None, None), "cpu", precision)
    return loaded.features(np.stack([loaded.prepare(image) for image in pixels]))


@torch.no_grad()
def test_a_vision_transformer_gives_its_pooled_output(tmp_path, pixels, capfd):
    folder, model, processor = vit(tmp_path)
    capfd.readouterr()
    found = rows(folder, pixels)
    assert capfd.readouterr() == ("", "")
    images = torch.from_numpy(processor(images=list(pixels), return_tensors="np")["pixel_values"])
    np.testing.assert_allclose(found, model(images).pooler_output, atol=1e-5)
    half = rows(folder, pixels, "bf16")
    np.testing.assert_allclose(half, found, atol=0.05)


@torch.no_grad()
def test_a_pooler_that_was_never_trained_is_not_used(tmp_path, pixels):
    folder, model, processor = vit(tmp_path, add_pooling_layer=False)
    images = torch.from_numpy(processor(images=list(pixels), return_tensors="np")["pixel_values"])
    expected = model(images).last_hidden_state[:, 0]
    np.testing.assert_allclose(rows(folder, pixels), expected, atol=1e-5)


@torch.no_grad()
def test_the_picture_half_of_clip_is_used(tmp_path, pixels):
    torch.manual_seed(0)
    config = transformers.CLIPVisionConfig(**VIT)
    model = transformers.CLIPVisionModel(config)
    edge = {"shortest_edge": SIZE}
    crop = {"height": SIZE, "width": SIZE}
    processor = transformers.CLIPImageProcessorPil(size=edge, crop_size=crop)
    folder = saved(tmp_path, model, processor)
    found = rows(folder, pixels)
    images = torch.from_numpy(processor(images=list(pixels), return_tensors="np")["pixel_values"])
    np.testing.assert_allclose(found, model.eval()(images).pooler_output, atol=1e-5)


@torch.no_grad()
def test_maps_of_a_convolutional_network_are_pooled(tmp_path, pixels):
    torch.manual_seed(0)
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"
    )
    model = transformers.ResNetModel(config).eval()
    processor = transformers.ViTImageProcessorPil(size={"height": SIZE, "width": SIZE})
    found = rows(saved(tmp_path, model, processor), pixels)
    images = torch.from_numpy(processor(images=list(pixels), return_tensors="np")["pixel_values"])
    np.testing.assert_allclose(found, model(images).pooler_output[:, :, 0, 0], atol=1e-4)


def test_grey_images_are_given_three_channels(tmp_path, pixels):
    folder, _, _ = vit(tmp_path)
    grey = pixels[..., 0]
    repeated = np.repeat(grey[..., None], 3, axis=3)
    np.testing.assert_array_equal(rows(folder, grey), rows(folder, repeated))


def test_weights_and_preprocessing_decide_the_identity(tmp_path):
    folder, model, processor = vit(tmp_path / "a")
    first = source_of(f"hf:{folder}").identity()
    copied = saved(tmp_path / "b", model, processor)
    assert source_of(f"hf:{copied}").identity() == first
    with torch.no_grad():
        model.layernorm.bias[0] += 1
    assert source_of(f"hf:{saved(copied, model, processor)}").identity() != first
    model.save_pretrained(folder)
    processor.do_normalize = False
    other = source_of(f"hf:{saved(copied, model, processor)}").identity()
    assert other["weights"] == source_of(f"hf:{folder}").identity()["weights"]
    assert other["inputs"] != first["inputs"]


def test_broken_and_absent_models_are_refused(tmp_path):
    folder, model, processor = vit(tmp_path)
    with refused(UsageError, "network-size-fixed", match="takes 32 pixels only"):
        source_of(f"hf:{folder}").size_for(64, None)
    with torch.no_grad():
        model.layernorm.bias[0] = torch.nan
    saved(folder, model, processor)
    with refused(DataError, "weights-not-finite", match=r"'layernorm\.bias'"):
        source_of(f"hf:{folder}").load(SIZE, "cpu", "fp32")
    (folder / "model.safetensors").unlink()
    with refused(DataError, "network-not-loaded"):
        source_of(f"hf:{folder}").identity()


def test_files_of_another_network_are_refused(tmp_path):
    folder, _, _ = vit(tmp_path)
    deeper = transformers.ViTConfig(**{**VIT, "num_hidden_layers": 2})
    deeper.save_pretrained(folder)
    with refused(DataError, "weights-of-another-network", match=r"lacks '.*1\."):
        source_of(f"hf:{folder}").identity()


def test_values_of_pixels_cannot_be_set(tmp_path):
    with refused(UsageError, "inputs-not-taken"):
        source_of("hf:any", None, "unit")


def test_without_transformers_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr("nextlabel.models.pretrained.hugging_face.find_spec", lambda name: None)
    with refused(UsageError, "extra-missing", match=r"pip install 'nextlabel\[transformers\]'"):
        source_of("hf:any").identity()
