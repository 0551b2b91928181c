"""A cache at an fsspec URL: machines with folders of their own, and what is shared between them."""

from uuid import uuid4

import pytest

from nextlabel.core.errors import StoreError
from nextlabel.features.cache import Cache
from nextlabel.features.shared_files import DIGEST, SharedFiles
from refusals import refused


def save(value, path):
    path.write_text(value)


def load(path):
    return path.read_text()


@pytest.fixture(params=["memory", "file"])
def url(request, tmp_path):
    """A new place of each file system that can be written without a network."""
    root = f"/{uuid4().hex}" if request.param == "memory" else str(tmp_path / "shared")
    return f"{request.param}://{root}"


@pytest.fixture
def machine(tmp_path, monkeypatch, url):
    """Return the cache at the URL as a machine of that name has it."""

    def on(name):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
        return Cache.open(url)

    return on


def never():
    raise AssertionError("made a second time")


def test_what_one_machine_makes_another_one_takes(machine, url):
    assert machine("first").get("kind", {"a": 1}, lambda: "made", save, load) == ("made", False)
    second = machine("second")
    assert (second.location, second.size().entries) == (url, 0)
    assert second.get("kind", {"a": 1}, never, save, load) == ("made", True)
    assert second.size().entries == 1  # from now on it has a file of its own


@pytest.mark.parametrize("length", [0, DIGEST // 2, DIGEST, DIGEST + 2])
def test_a_file_that_is_being_written_is_not_taken(machine, length):
    first = machine("first")
    first.get("kind", {}, lambda: "made", save, load)
    system, root = first.shared._root()
    (at,) = system.find(root)
    content = system.cat_file(at)
    system.pipe_file(at, content[:length])
    second = machine("second")
    assert second.get("kind", {}, lambda: "again", save, load) == ("again", False)
    assert machine("third").get("kind", {}, never, save, load) == ("again", True)


def test_decoded_images_stay_on_the_machine(machine):
    machine("first").get("images", {}, lambda: "pixels", save, load, reload=True)
    second = machine("second")
    made = second.get("images", {}, lambda: "pixels", save, load, reload=True)
    assert made == ("pixels", False)


def test_a_url_that_cannot_be_written_costs_time_and_not_the_run(machine, monkeypatch, url):
    cache = machine("first")

    def unreachable(self):
        raise OSError(f"no route to {self.url}")

    monkeypatch.setattr(SharedFiles, "_root", unreachable)
    with pytest.warns(UserWarning, match="cannot be (read|written) .*no route to"):
        assert cache.get("kind", {}, lambda: "made", save, load) == ("made", False)
    with refused(StoreError, "cache-url-unusable", match="no route to"):
        Cache.open(url)


def test_no_message_has_the_password_of_a_url(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with refused(StoreError, "cache-url-unusable") as failure:
        Cache.open("nothing://me:secret@host/cache")
    assert "secret" not in str(failure.value) and "me:***@host" in str(failure.value)
