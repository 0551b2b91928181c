"""A project of small images, and a client of its page."""

import shutil

import numpy as np
import pytest

TOKEN = "a-token-of-at-least-twenty-letters"
BASE = "http://127.0.0.1:8640"


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A folder of twelve images, a 16-bit and a broken one, and its project."""
    from PIL import Image

    from nextlabel.project.labelling.project import Project

    images = tmp_path_factory.mktemp("once") / "photos"
    images.mkdir()
    rng = np.random.default_rng(0)
    for number in range(12):
        pixels = rng.integers(0, 255, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(images / f"image-{number:02}.png")
    deep = rng.integers(0, 65535, (30, 40), dtype=np.uint16)
    Image.fromarray(deep).save(images / "deep.tif")
    (images / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing of an image")
    with Project.create(images, classes=["cell", "debris"]) as made:
        made.scan()
    return images


@pytest.fixture
def folder(made_once, tmp_path):
    """A copy of the images, with their project next to it."""
    for name in ("photos", "photos.nextlabel"):
        shutil.copytree(made_once.with_name(name), tmp_path / name)
    return tmp_path / "photos"


@pytest.fixture
def project(folder):
    from nextlabel.project.labelling.project import Project

    with Project.open(folder) as opened:
        yield opened


@pytest.fixture
def page(project):
    """The page of the project, with the guard in front."""
    from nextlabel.web.app import create_app
    from nextlabel.web.server import ServerOptions, access_of
    from nextlabel.web.workspace import Workspace

    access = access_of(project, TOKEN, ServerOptions())
    return create_app(Workspace(project), access)


@pytest.fixture
def visitor(page):
    """Makes a client without a session, from an address."""
    from starlette.testclient import TestClient

    def make(address="127.0.0.1", **headers):
        return TestClient(
            page,
            BASE,
            headers={"Origin": BASE} | headers,
            client=(address, 50000),
            follow_redirects=False,
        )

    return make


@pytest.fixture
def client(visitor):
    """A client whose session has begun by the token."""
    with visitor() as made:
        assert made.get("/", params={"token": TOKEN}).status_code == 303
        yield made


@pytest.fixture
def ids(project):
    """The id of an image by its name."""
    names = project.images().names
    return {name: image for image, name in enumerate(names)}
