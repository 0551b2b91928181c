import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nextlabel.store.store import Store

sys.path.insert(0, str(Path(__file__).parent))  # for studies.py, next to the tests


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.db") as opened:
        yield opened


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A whole experiment: five arms, three seeds; not to be written to."""
    from studies import fill, spec_of

    with Store.open(tmp_path_factory.mktemp("digits") / "store.db") as opened:
        fill(opened, spec_of(primary="core-set + VAE"))
        yield opened


@pytest.fixture(scope="session")
def report(digits: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the report of `digits`."""
    from nextlabel.report.page import build_report

    return build_report(digits, None, tmp_path_factory.mktemp("report"), ()).html.parent
