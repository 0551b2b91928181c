import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for stores.py, next to the tests

from postgresql import postgresql_server, postgresql_url  # noqa: F401 - fixtures


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """The place of a new store, once on each database."""
    if request.param == "sqlite":
        return tmp_path / "store.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url
