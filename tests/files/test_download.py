import hashlib
from pathlib import Path

import pytest

from nextlabel.core.errors import DataError
from nextlabel.files.download import fetch, verify
from refusals import refused

GOOD = b"the file as published"
MD5, SHA256 = hashlib.md5(GOOD).hexdigest(), hashlib.sha256(GOOD).hexdigest()


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The content that each URL gives."""
    content = {"https://one.example/f": b"altered", "https://two.example/f": GOOD}

    def get(self: object, url: str, output: str, pooch: None) -> None:
        Path(output).write_bytes(content[url])

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", get)
    return content


@pytest.mark.parametrize(
    "published", [f"md5:{MD5}", f"sha256:{SHA256}", "sha256:" + SHA256.upper()]
)
def test_the_first_mirror_with_the_published_digest_is_taken(
    mirrors: dict[str, bytes], tmp_path: Path, published: str
) -> None:
    path = tmp_path / "new" / "f"
    assert fetch(list(mirrors), path, published, remedy="…") == SHA256
    assert path.read_bytes() == GOOD
    mirrors.clear()
    assert fetch([], path, published, remedy="…") == SHA256


def test_without_a_published_digest_the_first_mirror_is_taken(
    mirrors: dict[str, bytes], tmp_path: Path
) -> None:
    found = fetch(list(mirrors), tmp_path / "f", None, remedy="…")
    assert found == hashlib.sha256(b"altered").hexdigest()


def test_what_no_mirror_gives_is_said_with_the_remedy(
    mirrors: dict[str, bytes], tmp_path: Path
) -> None:
    with refused(DataError, "download-failed", match=r"f could not .* expected md5 0+, .*ask Ann"):
        fetch(list(mirrors), tmp_path / "f", "md5:" + "0" * 32, remedy="ask Ann")
    assert [path.name for path in tmp_path.iterdir()] in ([], [".f.lock"])


def test_a_file_that_is_there_is_verified(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(GOOD[:-1])
    with refused(DataError, "checksum-mismatch", match=f"expected sha256 {SHA256}.*20 bytes"):
        fetch([], tmp_path / "f", f"sha256:{SHA256}", remedy="…")
    with refused(DataError, "file-unreadable"):
        verify(tmp_path / "absent", None)
