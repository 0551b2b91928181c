import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nextlabel.data import download

REAL = os.environ.get("NEXTLABEL_DATA")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No data folder, an empty cache and an empty home."""
    monkeypatch.delenv("NEXTLABEL_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(download, "user_cache", lambda kind: cache)
    monkeypatch.setattr(Path, "home", lambda: tmp_path_factory.getbasetemp() / "no home")
    return cache


@pytest.fixture
def real() -> Callable[[str], Path]:
    """Return the real data folder, or skip when it lacks `name`."""

    def folder(name: str) -> Path:
        if REAL is None or not (Path(REAL) / name).exists():
            pytest.skip(f"needs {name} in the folder NEXTLABEL_DATA")
        return Path(REAL)

    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
