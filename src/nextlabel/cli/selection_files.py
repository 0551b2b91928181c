"""Files of `nextlabel select`: the rows and names that it reads, and the lists that it writes."""

import csv
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nextlabel.core.errors import StoreError, UsageError
from nextlabel.files.progress_bar import progress_bar

if TYPE_CHECKING:
    from nextlabel.core.progress import ProgressCallback
    from nextlabel.core.types import Array
    from nextlabel.selection.rows import Rows

TASK = "task"


@dataclass(frozen=True, eq=False)
class Inputs:
    """Rows by block, those of `probabilities` too, and the names of all rows, if they have some.

    `file` is the file that has the rows, for messages.
    """

    rows: "Mapping[str, Rows]"
    names: tuple[str, ...] | None
    file: Path | None

    @property
    def probabilities(self) -> "Array | None":
        """The probabilities as they were read."""
        return self.rows["probabilities"].array if "probabilities" in self.rows else None


def named_files(given: Sequence[str]) -> dict[str, Path]:
    """Return files by block name; a file without a name is the block "task"."""
    files: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or Path(text).exists():
            name, path = TASK, text
        if not name or not path:
            raise UsageError(
                f"features {text!r} are not [NAME=]FILE; write vae=vae.npz", code="not-a-named-file"
            )
        if name in files:
            raise UsageError(
                f"block {name!r} is given twice; name each: --features vae={path}",
                code="block-twice",
            )
        files[name] = Path(path)
    return files


def read_inputs(
    files: Mapping[str, Path], probabilities: Path | None, names: Path | None
) -> Inputs:
    """Return what the files of features, probabilities and names hold.

    Raises
    ------
    UsageError
        Probabilities are given with a name, or names are given twice.
    DataError
        A file cannot be read, or two have other images.
    """
    from nextlabel.data.lists.name_list import read_names
    from nextlabel.selection.rows import common_labels, common_length, rows_of

    rows = {name: rows_of(path, name) for name, path in files.items()}
    if probabilities is not None:
        path = str(probabilities).partition("=")[2]
        if path and not probabilities.exists():
            raise UsageError(
                f"probabilities {str(probabilities)!r} have a name, and belong to no block; write "
                f"--probabilities {path}",
                code="probabilities-with-a-name",
            )
        rows["probabilities"] = rows_of(probabilities, "probabilities")
    first = next(iter([*files.values(), *filter(None, [probabilities])]), None)
    labels = common_labels(rows)
    if names is None:
        return Inputs(rows, None if labels is None else tuple(map(str, labels.labels)), first)
    if labels is not None:
        raise UsageError(
            f"names are given by {names}, but the rows of {first} have names already; leave out "
            "--names",
            code="names-twice",
        )
    return Inputs(rows, read_names(names, common_length(rows)), first)


@contextmanager
def choosing_bar(
    total: int,
) -> "Iterator[tuple[ProgressCallback | None, Callable[[float], None] | None]]":
    """Yield listeners that draw bars with the time left on stderr; None away from a terminal.

    The first is for the images picked, the second for the work before the first of them. A bar
    appears after a second, so that short work shows none.
    """
    if not sys.stderr.isatty():
        yield None, None
        return
    shape = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with (
        progress_bar(total=1.0, desc="measuring", delay=1, leave=False, bar_format=shape) as work,
        progress_bar(total=total, desc="choosing", unit="image", delay=1, leave=False) as bar,
    ):

        def show(done: int, total: int) -> None:
            if not bar.n and done:
                work.close()
                bar.unpause()  # the time of the work before is not that of an image
            bar.update(done - bar.n)

        def before(share: float) -> None:
            if not bar.n:
                if share and not work.n:
                    work.unpause()  # reading is not the time of a share
                work.update(share - work.n)

        yield show, before


def is_csv(path: Path | None) -> bool:
    """Return whether a file is to be written as a table."""
    return path is not None and path.suffix.lower() == ".csv"


def as_numbers(scores: "Array | None") -> list[float | None] | None:
    """Return scores as numbers, None for one that does not exist."""
    if scores is None:
        return None
    return [None if score != score else score for score in scores.tolist()]


def csv_text(head: str, words: Sequence[str], scores: Sequence[float | None] | None) -> str:
    """Return a table of ids or names, and of scores if there are some."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow([head] if scores is None else [head, "score"])
    for row, word in enumerate(words):
        table.writerow([word] if scores is None else [word, scores[row]])
    return stream.getvalue()


def write_file(path: Path, text: str) -> None:
    """Write a file, all or nothing; StoreError if it fails."""
    from nextlabel.files.atomic import replacing

    try:
        with replacing(path) as partial:
            partial.write_bytes(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise StoreError(
            f"cannot write {path} ({error.strerror or error}); choose another place",
            code="file-not-writable",
        ) from error
