from pathlib import Path

import pytest

from nextlabel.project.labelling.project import Project
from postgresql import postgresql_server, postgresql_url  # noqa: F401 - fixtures
from projects import photos_in


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str | None:
    """The URL of a database for a project, or None for a file of its own; once on each."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def project(tmp_path: Path, store: str | None):
    """A project of six images and two classes, on each database."""
    folder = photos_in(tmp_path / "photos", [f"{n}.png" for n in range(6)])
    made = Project.create(folder, store=store, classes=["cell", "debris"])
    made.scan()
    yield made
    made.close()
