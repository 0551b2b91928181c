"""Published files: downloaded once, checked against their digest, whole or not there."""

from collections.abc import Sequence
from pathlib import Path

from nextlabel.core.errors import DataError
from nextlabel.files.atomic import replacing
from nextlabel.files.digest import file_digests

TIMEOUT = 30
"""Seconds without an answer after which a mirror is given up."""


def user_cache(kind: str) -> Path:
    """Return the folder for one kind of file in the user's cache; it may not exist yet."""
    from platformdirs import user_cache_path

    return user_cache_path("nextlabel") / kind


def verify(path: Path, published: str | None) -> str:
    """Return the sha256 of a file whose published digest is right.

    Parameters
    ----------
    path : Path
        The file.
    published : str or None
        Its digest as "algorithm:digits", such as "md5:…"; None when none is published.

    Raises
    ------
    DataError
        When the file cannot be read, or has another digest.
    """
    try:
        sha256, fault = _check(path, published)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}); make it readable", code="file-unreadable"
        ) from error
    if fault is not None:
        raise DataError(
            f"{path} is truncated or altered: {fault}; delete it to have it downloaded again",
            code="checksum-mismatch",
        )
    return sha256


def fetch(
    urls: Sequence[str],
    path: Path,
    published: str | None,
    *,
    remedy: str,
    progress: bool = False,
) -> str:
    """Return the sha256 of the verified file at `path`; download it when it is not there.

    Several processes may ask for one file at once: the first downloads it, the others wait.

    Parameters
    ----------
    urls : sequence of str
        The mirrors, in the order in which they are tried.
    path : Path
        The place of the file; its folder is made.
    published : str or None
        The digest as "algorithm:digits"; None when none is published.
    remedy : str
        The way out for a person when the file cannot be downloaded or written.
    progress : bool
        Draw a progress bar on stderr.

    Raises
    ------
    DataError
        When no mirror gives the file, when it cannot be written, or when it has another digest.
    """
    from filelock import FileLock

    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_name(f".{path.name}.lock")):
                if not path.exists():
                    _try_mirrors(urls, path, published, remedy, progress)
    except OSError as error:
        raise DataError(
            f"{path.name} cannot be written to {path.parent} ({error.strerror or error}); "
            f"make room there, or {remedy}",
            code="download-not-writable",
        ) from error
    return verify(path, published)


def _try_mirrors(
    urls: Sequence[str], path: Path, published: str | None, remedy: str, progress: bool
) -> None:
    failures = []
    for url in urls:
        failure = _try(url, path, published, progress)
        if failure is None:
            return
        failures.append(f"{url}: {failure}")
    raise DataError(
        f"{path.name} could not be downloaded ({'; '.join(failures)}); check the network, or "
        f"{remedy}",
        code="download-failed",
    )


class _Refused(Exception):
    """A mirror gave another file."""


def _try(url: str, path: Path, published: str | None, progress: bool) -> str | None:
    """Download from one mirror; return why not, or None when the file is in place."""
    import pooch
    import requests

    # A server that unpacks .gz on the way would change the file.
    get = pooch.HTTPDownloader(
        progressbar=progress,
        chunk_size=1 << 16,
        timeout=TIMEOUT,
        headers={"Accept-Encoding": "identity"},
    )
    try:
        with replacing(path) as partial:
            get(url, str(partial), None)
            _, fault = _check(partial, published)
            if fault is not None:
                raise _Refused(fault)
    except _Refused as refused:
        return str(refused)
    except requests.RequestException as error:
        response = getattr(error, "response", None)
        return type(error).__name__ if response is None else f"HTTP status {response.status_code}"
    return None


def _check(path: Path, published: str | None) -> tuple[str, str | None]:
    """Return the sha256 of a file, and what is wrong with its published digest, if anything."""
    algorithm, _, expected = (published or "sha256:").partition(":")
    digests = file_digests(path, {"sha256", algorithm})
    if published is None or digests[algorithm] == expected.lower():
        return digests["sha256"], None
    return digests["sha256"], (
        f"expected {algorithm} {expected}, found {digests[algorithm]} in "
        f"{path.stat().st_size} bytes"
    )
