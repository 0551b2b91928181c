"""The simulated person and the outbox: real processes, and a client like any other."""

import csv
import socket

import pytest

from nextlabel.cli import main
from nextlabel.data.sources.digits import CLASSES
from nextlabel.project.labelling.project import Project
from nextlabel.web.demo_images import give_digit_keys, write_digits
from nextlabel.web.simulation.client import PageClient, PageError
from nextlabel.web.simulation.outbox import Outbox
from nextlabel.web.simulation.person import SimulatedPerson
from refusals import refused


@pytest.fixture(scope="module")
def digits_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits") / "digits"
    write_digits(folder)
    return folder


def test_the_digits_are_written_once_with_their_labels(digits_folder):
    with digits_folder.with_name("digits.csv").open() as stream:
        truth = {row["path"]: row["label"] for row in csv.DictReader(stream)}
    assert len(truth) == 1797 == len(list(digits_folder.glob("*.png")))
    assert set(truth.values()) == set(CLASSES)
    first = digits_folder / "digit-0000.png"
    before = first.stat().st_mtime_ns
    write_digits(digits_folder)
    assert first.stat().st_mtime_ns == before


def test_each_digit_has_its_own_key(digits_folder, tmp_path):
    with Project.create(digits_folder, directory=tmp_path / "p", classes=CLASSES) as project:
        give_digit_keys(project)
        give_digit_keys(project)
        assert all(one.key == one.name for one in project.state().classes)


class FakeClient:
    """A page with one class too few, or one that is offline for some requests."""

    def __init__(self, failures=()):
        self.failures, self.sent, self.tab = list(failures), [], "t"

    def get(self, path, **query):
        return {"classes": [{"id": 0, "name": "cell", "removed": False}], "items": [], "total": 0}

    def post(self, path, **fields):
        self.sent.append(fields["answers"])
        if self.failures:
            raise PageError("no answer", code=self.failures.pop(0))
        return {"saved": [{"key": one["key"], "seq": 5} for one in fields["answers"]]}

    def close(self):
        pass


def test_a_class_that_the_project_lacks_is_refused():
    from nextlabel.core.errors import UsageError

    person = SimulatedPerson(FakeClient(), {"a.png": ("debris",)})
    item = {"path": "a.png", "image": 0, "model": None, "position": None}
    with refused(UsageError, "unknown-class", match="debris"):
        person._answer(item, 0.0)


def test_the_outbox_sends_again_with_the_same_keys(monkeypatch):
    client = FakeClient(["page-offline", "disk-full", "page-offline"])
    monkeypatch.setattr("nextlabel.web.simulation.outbox.PageClient", lambda *_, **__: client)
    outbox = Outbox(lambda: "http://127.0.0.1:1", "t")
    saved = outbox.send([{"image": 0, "kind": "skip"}, {"image": 1, "kind": "skip"}])
    assert list(saved.values()) == [5, 5]
    assert len(client.sent) == 4
    assert all(sent == client.sent[0] for sent in client.sent)


@pytest.mark.parametrize("code", ["token-unknown", "no-session"])
def test_the_outbox_asks_another_server_once_and_waits_for_its_own(monkeypatch, code):
    client, opened = FakeClient([code]), []
    monkeypatch.setattr(
        "nextlabel.web.simulation.outbox.PageClient",
        lambda address, *_, **__: opened.append(address) or client,
    )
    old, new = "http://127.0.0.1:1", "http://127.0.0.1:2"
    addresses = iter([old, old, old, new])
    outbox = Outbox(lambda: next(addresses, new), "t")
    assert outbox.send([{"key": "a", "image": 0, "kind": "skip"}]) == {"a": 5}
    assert opened == [old, new]


@pytest.mark.parametrize(("refusals", "ends"), [(2, "saved"), (1000, "token-unknown")])
def test_the_outbox_asks_again_where_the_address_stays_until_its_patience_ends(
    monkeypatch, refusals, ends
):
    client = FakeClient(["token-unknown"] * refusals)
    monkeypatch.setattr("nextlabel.web.simulation.outbox.PageClient", lambda *_, **__: client)
    monkeypatch.setattr("nextlabel.web.simulation.outbox.PAUSE_OF_ANOTHER", 0.1)
    outbox = Outbox(lambda: "http://127.0.0.1:1", "t", patience=120.0 if refusals == 2 else 0.3)
    if ends == "saved":
        assert len(outbox.send([{"image": 0, "kind": "skip"}])) == 1
        assert outbox.attempts == 3
    else:
        with refused(PageError, ends):
            outbox.send([{"image": 0, "kind": "skip"}])


def test_the_outbox_gives_up_what_is_wrong(monkeypatch):
    client = FakeClient(["malformed"])
    monkeypatch.setattr("nextlabel.web.simulation.outbox.PageClient", lambda *_, **__: client)
    with pytest.raises(PageError):
        Outbox(lambda: "http://127.0.0.1:1", "t").send([{"image": 0, "kind": "skip"}])


def test_a_page_that_is_not_there_is_offline():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nothing listens, and no other server gets the port
        with refused(PageError, "page-offline"):
            PageClient(f"http://127.0.0.1:{silent.getsockname()[1]}/?token=x", "t")


def test_a_missing_truth_is_refused_before_anything_starts(folder, tmp_path, capsys):
    code = main(["label", str(folder), "--simulate", str(tmp_path / "missing.csv")])
    assert code == 2
    assert "missing.csv" in capsys.readouterr().err


@pytest.mark.slow
def test_a_simulation_prints_the_curve(made_once, tmp_path, capsys):
    import json

    truth = tmp_path / "truth.csv"
    lines = [f"image-{n:02}.png,{'ab'[n % 2]}" for n in range(12)]
    truth.write_text("path,label\n" + "\n".join(lines) + "\n")
    words = ["label", str(made_once), "--simulate", str(truth), "--answers", "10", "--json"]
    assert main([*words, "--order", "random"]) == 0
    (course,) = json.loads(capsys.readouterr().out).values()
    assert course["curve"][-1]["labelled"] >= 8
    assert len(course["answered"]) >= 10
