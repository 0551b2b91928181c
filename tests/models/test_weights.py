import re

import pytest
import requests
import torch

from nextlabel.core.errors import DataError
from nextlabel.core.seeds import Seeds
from nextlabel.models.network_model import NetworkModel
from nextlabel.models.networks.base import build, generator
from nextlabel.models.networks.resnet import ResNet18
from nextlabel.models.settings import TrainingSettings
from nextlabel.models.task_models import create_model
from nextlabel.models.weights import IMAGENET_SHA256, IMAGENET_URL, insert, load_weights
from refusals import refused


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A file of the published layout: 1,000 classes, all 122 entries."""
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(build(lambda: ResNet18(1000), generator(5)).state_dict(), path)
    return path


def test_published_weights_load_and_the_head_is_our_own(published):
    weights = load_weights(str(published))
    network = build(lambda: ResNet18(10), generator(0))
    head = network.fc.weight.detach().clone()
    insert(network, weights)
    assert torch.equal(network.conv1.weight, torch.load(published)["conv1.weight"])
    assert torch.equal(network.fc.weight, head)
    assert re.fullmatch(r"resnet18.pth sha256:[0-9a-f]{16}", weights.name)


def test_the_task_model_starts_from_them_and_says_so(published):
    model = NetworkModel(create_model(weights=str(published)), TrainingSettings(), "multiclass", 4)
    network, name = model.initial(Seeds(0))
    assert torch.equal(network.conv1.weight, torch.load(published)["conv1.weight"])
    assert name.startswith("resnet18.pth")


def test_files_of_old_torch_without_batch_counters_load(published):
    state = {k: v for k, v in torch.load(published).items() if "num_batches" not in k}
    old = published.with_name("old.pth")
    torch.save(state, old)
    insert(build(lambda: ResNet18(10), generator(0)), load_weights(str(old)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("layer1.0.conv1.weight"), "lack 'layer1.0.conv1.weight'"),
        (lambda s: s.update({"extra.weight": torch.zeros(1)}), "have 'extra.weight'"),
        (
            lambda s: s.update({"conv1.weight": torch.zeros(64, 3, 3, 3)}),
            r"'conv1.weight' has shape \(64, 3, 3, 3\), the network needs \(64, 3, 7, 7\)",
        ),
    ],
)
def test_a_wrong_file_is_refused_by_its_first_bad_key(published, change, message):
    state = torch.load(published)
    change(state)
    bad = published.with_name("bad.pth")
    torch.save(state, bad)
    with refused(DataError, "weights-of-another-network", match=message):
        insert(build(lambda: ResNet18(10), generator(0)), load_weights(str(bad)))


def test_what_is_no_state_dict_is_refused(tmp_path):
    text = tmp_path / "weights.pth"
    text.write_text("not a checkpoint")
    with refused(DataError, "not-a-state-dict"):
        load_weights(str(text))
    torch.save([1, 2], text)
    with refused(DataError, "not-a-state-dict", match="holds no state dict"):
        load_weights(str(text))
    with refused(DataError, "no-weights-file", match="no weights at"):
        load_weights(str(tmp_path / "absent.pth"))


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return exec, ("raise SystemExit('ran')",)

    path = tmp_path / "trap.pth"
    torch.save({"conv1.weight": Trap()}, path)
    with refused(DataError, "not-a-state-dict", match="is not a state dict of tensors"):
        load_weights(str(path))


@pytest.fixture
def asked(published, monkeypatch):
    """The downloads that are asked for, as (url, digest, path); each gives the published file."""
    calls = []

    def fetch(urls, path, digest, *, remedy, progress):
        calls.append((*urls, digest, path))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(published.read_bytes())

    monkeypatch.setattr("nextlabel.models.weights.fetch", fetch)
    return calls


def test_imagenet_is_downloaded_checked_and_named(asked, tmp_path):
    weights = load_weights("imagenet", tmp_path)
    place = tmp_path / "resnet18-f37072fd.pth"
    assert asked == [(IMAGENET_URL, f"sha256:{IMAGENET_SHA256}", place)]
    assert IMAGENET_SHA256.startswith("f37072fd")
    assert weights.name.startswith("imagenet sha256:")


def test_two_urls_that_end_alike_are_two_files(asked, tmp_path):
    for host in ("one.example", "two.example", "one.example"):
        load_weights(f"https://{host}/resnet18.pth", tmp_path)
    places = [place for *_, place in asked]
    assert places[0] != places[1] and places[0] == places[2]
    assert {place.name for place in places} == {"resnet18.pth"}


def test_no_network_is_one_clear_sentence(tmp_path, monkeypatch):
    def get(*args, **options):
        raise requests.ConnectionError("HTTPSConnectionPool(host=…, port=443): Max retries …")

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", get)
    with refused(DataError, "download-failed", match=r'ConnectionError\); .* weights = "random"'):
        load_weights("imagenet", tmp_path)


def test_a_url_may_bring_its_checksum(asked, tmp_path):
    load_weights("https://example.org/mine.pth#sha256=ab12", tmp_path)
    load_weights("https://example.org/mine.pth", tmp_path)
    url = "https://example.org/mine.pth"
    assert [call[:2] for call in asked] == [(url, "sha256:ab12"), (url, None)]


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_a_checkpoint_of_parallel_training_is_unwrapped_and_said(published, key, tmp_path):
    state = torch.load(published)
    path = tmp_path / "checkpoint.pth"
    torch.save({"epoch": 3, key: {f"module.{k}": v for k, v in state.items()}}, path)
    with pytest.warns(UserWarning, match=f"its '{key}' and keys without their prefix 'module.'"):
        weights = load_weights(str(path))
    assert set(weights.state) == set(state)


def test_a_weight_that_is_not_a_number_is_refused_by_name(published, tmp_path):
    state = torch.load(published)
    state["layer2.0.conv1.weight"][0, 0, 0, 0] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    with refused(DataError, "weights-not-finite", match=r"'layer2\.0\.conv1\.weight' holds NaN"):
        load_weights(str(tmp_path / "nan.pth"))


def test_for_features_the_last_layer_may_be_missing(published, tmp_path):
    state = {k: v for k, v in torch.load(published).items() if not k.startswith("fc.")}
    torch.save(state, tmp_path / "body.pth")
    weights, network = load_weights(str(tmp_path / "body.pth")), ResNet18(10)
    insert(network, weights, head="fc")
    assert torch.equal(network.conv1.weight, state["conv1.weight"])
    with refused(DataError, "weights-of-another-network"):
        insert(network, weights)
