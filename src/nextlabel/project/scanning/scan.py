"""The scan of a folder: which images are new, gone, renamed or copies, and which cannot be read."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, insert, select, update

from nextlabel.data.folder.index import SETTLED
from nextlabel.data.folder.walk import walk
from nextlabel.data.formats.kinds import kind_of
from nextlabel.files.digest import content_digest
from nextlabel.project.scanning.image_facts import ImageFacts, image_facts
from nextlabel.project.scanning.images import images_changed
from nextlabel.project.store.database import Database
from nextlabel.project.store.schema import FILES, IMAGES

AT_A_TIME = 1000
"""Files that are read before they are stored together; the first time an eighth of them."""
GROWTH = 1.5
"""New images appear when all of them are this many times those that are visible, and at the end:
all that follows from the images is renewed then, which takes time for many."""
UNSETTLED = -1
"""The time that is stored of a file that has just been changed, so that it is read again."""


@dataclass(frozen=True)
class Scanned:
    """The changes that a scan has found.

    Parameters
    ----------
    new : int
        Images that were not known.
    gone : int
        Images of which no file is there any more.
    moved : int
        Files with a new name and a known content, whose former name is gone.
    copies : int
        Files that are there, beyond one per image.
    problems : int
        Files that cannot be read as images.
    total : int
        All images that are there.
    read : int
        Files that were read in this scan, since they are new or have changed.
    """

    new: int
    gone: int
    moved: int
    copies: int
    problems: int
    total: int
    read: int


class _File(NamedTuple):
    """A row of the table of files."""

    image: int | None
    size: int
    modified: int
    gone: bool
    problem: str | None


class _Content(NamedTuple):
    """A file that was read: its digest, or why it cannot be read."""

    path: str
    size: int
    modified: int
    digest: str | None
    facts: ImageFacts
    problem: str | None = None


def scan(
    folder: Path, database: Database, progress: Callable[[int, int], None] | None = None
) -> Scanned:
    """Bring the images of a project up to date with its folder, and return what has changed.

    Files whose size and time are as before are not read. New images become visible in ever larger
    steps during the scan, the first of them soon. `progress` is called with the number of files
    that were read and of those to read.

    Raises
    ------
    DataError
        A folder cannot be read.
    StoreError
        The database cannot be written.
    """
    names = walk(folder, lambda path: kind_of(path).reason).names
    with database.reading() as connection:
        rows = connection.execute(
            select(FILES.c.path, FILES.c.image, FILES.c.size, FILES.c.modified, FILES.c.gone,
                   FILES.c.problem)
        )  # fmt: skip
        before = {path: _File(*row) for path, *row in rows}
        usable = set(connection.execute(select(FILES.c.image).where(~FILES.c.gone)).scalars())
    to_read, back = _changed(folder, names, before)
    gone = [path for path in before.keys() - set(names) if not before[path].gone]
    _mark(database, back, gone)
    new = moved = 0
    vanished = {before[path].image for path in gone}
    steps = _Steps(len(usable))
    try:
        for done, contents in _read(folder, to_read):
            fresh, images = _store(database, contents, before, steps)
            new += fresh
            moved += sum(image in vanished for image in images)
            if progress is not None:
                progress(done, len(to_read))
    finally:
        if steps.hidden:
            with database.writing(brief=True) as connection:
                images_changed(connection, renewed=steps.renewed)
    with database.reading() as connection:
        there = select(FILES.c.image).where(~FILES.c.gone, FILES.c.image.is_not(None))
        now = set(connection.execute(there).scalars())
        files = connection.execute(select(func.count()).select_from(there.subquery())).scalar_one()
        problems = connection.execute(
            select(func.count())
            .select_from(FILES)
            .where(~FILES.c.gone, FILES.c.problem.is_not(None))
        ).scalar_one()
    lost = len({image for image in usable if image is not None} - now)
    return Scanned(new, lost, moved, files - len(now), problems, len(now), len(to_read))


@dataclass
class _Steps:
    """The images that are visible, those that are not yet, and whether these are not all new."""

    visible: int
    hidden: int = 0
    renewed: bool = False

    def add(self, images: int, renewed: bool) -> bool:
        """Note images that were stored; return whether they should appear now."""
        self.hidden, self.renewed = self.hidden + images, self.renewed or renewed
        return self.visible + self.hidden >= GROWTH * self.visible

    def appeared(self) -> None:
        """Note that all images are visible."""
        self.visible, self.hidden, self.renewed = self.visible + self.hidden, 0, False


def _changed(
    folder: Path, names: Sequence[str], before: Mapping[str, _File]
) -> tuple[list[str], list[str]]:
    """Return the files to read, and those that are back unchanged."""
    to_read, back = [], []
    root = str(folder)
    for name in names:
        row = before.get(name)
        if row is None:
            to_read.append(name)
            continue
        try:
            status = os.stat(f"{root}/{name}")  # noqa: PTH116 - thrice as fast as Path.stat
        except OSError:
            to_read.append(name)
            continue
        if (status.st_size, status.st_mtime_ns) != (row.size, row.modified):
            to_read.append(name)
        elif row.gone:
            back.append(name)
    return to_read, back


def _mark(database: Database, back: Sequence[str], gone: Sequence[str]) -> None:
    """Store which files are there again, and which are gone."""
    if not back and not gone:
        return
    statement = update(FILES).where(FILES.c.path == bindparam("at")).values(gone=bindparam("is"))
    with database.writing() as connection:
        rows = [{"at": p, "is": False} for p in back] + [{"at": p, "is": True} for p in gone]
        connection.execute(statement, rows)
        images_changed(connection, renewed=True)


def _read(folder: Path, names: Sequence[str]) -> Iterator[tuple[int, list[_Content]]]:
    """Yield the contents of files, some at a time, and how many files are read by then."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        start, end = 0, max(1, AT_A_TIME // 8)
        while start < len(names):
            batch = names[start:end]
            contents = list(pool.map(lambda name: _content(folder, name), batch))
            yield start + len(batch), contents
            start, end = end, end + AT_A_TIME


def _content(folder: Path, name: str) -> _Content:
    path = folder / name
    try:
        seen = time.time()
        status = path.stat()
        content = path.read_bytes()
    except OSError as error:
        return _Content(name, 0, UNSETTLED, None, ImageFacts(), f"{error.strerror or error}")
    settled = status.st_mtime_ns / 1e9 + SETTLED <= seen
    modified = status.st_mtime_ns if settled else UNSETTLED
    facts = image_facts(content)
    if facts.problem is not None:
        return _Content(name, status.st_size, modified, None, facts, facts.problem)
    digest = content_digest(content)
    return _Content(name, status.st_size, modified, digest, facts)


def _store(
    database: Database,
    contents: Sequence[_Content],
    before: Mapping[str, _File],
    steps: _Steps,
) -> tuple[int, list[int]]:
    """Store what was read; return the number of new images, and the images of new files.

    A power cut may undo it, and then it is read again. It does not wait for the disk, so that
    answers hardly wait for it; an answer that is on the disk has its image there before it.
    """
    with database.writing(brief=True) as connection:
        digests = [one.digest for one in contents if one.digest is not None]
        query = select(IMAGES.c.digest, IMAGES.c.id).where(IMAGES.c.digest.in_(digests))
        image_of: dict[str | None, int] = {d: image for d, image in connection.execute(query)}
        next_id = connection.execute(select(func.count()).select_from(IMAGES)).scalar_one()
        images: list[dict[str, Any]] = []
        now = time.time()
        for one in contents:
            if one.digest is not None and one.digest not in image_of:
                image_of[one.digest] = next_id + len(images)
                row = {"id": image_of[one.digest], "digest": one.digest, "added_at": now}
                images.append(row | one.facts._asdict())
        if images:
            connection.execute(insert(IMAGES), images)
        files = {one.path: _row(one, image_of.get(one.digest)) for one in contents}
        added = [row for path, row in files.items() if path not in before]
        if added:
            connection.execute(insert(FILES), added)
        renewed = [row | {"at": path} for path, row in files.items() if path in before]
        if renewed:
            statement = update(FILES).where(FILES.c.path == bindparam("at"))
            connection.execute(statement.values(_RENEWED), renewed)
        of_added = [row["image"] for row in added if row["image"] is not None]
        older = bool(renewed) or any(image < next_id for image in of_added)
        appear = steps.add(len(contents), older)
        if appear:
            images_changed(connection, renewed=steps.renewed)
    if appear:
        steps.appeared()
    return len(images), of_added


_RENEWED: dict[str, Any] = {
    name: bindparam(name) for name in ("image", "size", "modified", "gone", "problem")
}


def _row(content: _Content, image: int | None) -> dict[str, Any]:
    return {
        "path": content.path,
        "image": image,
        "size": content.size,
        "modified": content.modified,
        "gone": False,
        "problem": content.problem,
    }
