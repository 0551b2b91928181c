"""Export and import: the format is that of the name, unless one is named."""

from os import PathLike
from pathlib import Path
from shutil import rmtree

from nextlabel.core.errors import StoreError, UsageError
from nextlabel.files.atomic import replacing
from nextlabel.project.exchange.content import Content
from nextlabel.project.exchange.exported_files import check_replaced, note_written
from nextlabel.project.exchange.formats import FORMATS, ReadableFormat
from nextlabel.project.exchange.given_answers import TakenIn, take_in
from nextlabel.project.labelling.answer_log import ME
from nextlabel.project.labelling.project import Project


def export(
    project: Project,
    out: str | PathLike[str],
    *,
    format: str | None = None,
    link: bool = False,
) -> int:
    """Write labels and predictions to a file or a folder, and return the number of rows.

    Parameters
    ----------
    project : Project
        The project.
    out
        The file, which must be new or of an earlier export; or the folder of class folders, which
        must be new or empty.
    format : str, optional
        A name of `FORMATS`; by default the one with the suffix of `out`.
    link : bool
        Make links to the images instead of copies.

    Raises
    ------
    UsageError
        There is no such format, the file is not of an export, or the folder holds something.
    StoreError
        The file cannot be written.
    """
    target = Path(out)
    name = format_of(target) if format is None else format
    chosen = FORMATS[name]()
    content = Content.of(project)
    try:
        if chosen.suffix == "":
            _write_folder(chosen, content, target, link)
        else:
            if target.is_dir():
                raise UsageError(
                    f"{target} is a folder; give a file such as {target / 'labels'}{chosen.suffix}",
                    code="output-is-a-folder",
                )
            check_replaced(project.directory, target)
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as partial:
                chosen.write(content, partial, link)
                note_written(project.directory, partial)
    except OSError as error:
        raise StoreError(
            f"{target} cannot be written ({error.strerror or error}); free some space there, or "
            "give another place by -o",
            code="export-not-written",
        ) from error
    return len(content.rows)


def format_of(target: Path) -> str:
    """Return the name of the format of a file to write; UsageError for another suffix."""
    suffixes = {FORMATS[name].suffix: name for name in FORMATS}
    fitting = [s for s in suffixes if s and target.name.lower().endswith(s)]
    if fitting:
        return suffixes[max(fitting, key=len)]
    if not target.suffix:
        return suffixes[""]
    raise UsageError(
        f"{target.name} has the suffix of none of the formats; give one of "
        f"{', '.join(sorted(filter(None, suffixes)))}, or --format",
        code="unknown-format",
    )


def import_file(
    project: Project,
    path: str | PathLike[str],
    *,
    format: str | None = None,
    person: str = ME,
    replace: bool = False,
) -> TakenIn:
    """Record the labels of a file, of class folders or of another project.

    Parameters
    ----------
    project : Project
        The project.
    path
        The file or folder.
    format : str, optional
        A name of `FORMATS`; by default the one that fits.
    person : str
        The person for answers of which the file does not name one.
    replace : bool
        Record a label also for an image to which the same person gave another one here.

    Raises
    ------
    UsageError
        There is no such format, or none that fits.
    DataError
        The file cannot be read, or does not fit the project.
    """
    source = Path(path)
    if not source.exists():
        raise UsageError(
            f"there is no file or folder {source}; correct the path", code="no-such-file"
        )
    name = format or _fitting(source)
    chosen = FORMATS[name]()
    if not isinstance(chosen, ReadableFormat):
        raise UsageError(f"{name} is only written; give another format", code="format-not-read")
    return take_in(project, chosen.read(source, project), person=person, replace=replace)


def _fitting(source: Path) -> str:
    fitting = [
        n for n in FORMATS if isinstance(made := FORMATS[n](), ReadableFormat) and made.fits(source)
    ]
    if not fitting:
        raise UsageError(
            f"{source.name} has the suffix of none of the formats ({', '.join(FORMATS)}); give "
            "--format",
            code="unknown-format",
        )
    # A log is JSON lines too, and a project is a folder: the more particular one is meant.
    return max(fitting, key=lambda name: len(FORMATS[name].suffix))


def _write_folder(chosen: object, content: Content, target: Path, link: bool) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            f"{target} is there and holds something; give a new folder", code="output-not-empty"
        )
    if target.resolve().is_relative_to(content.folder.resolve()):
        raise UsageError(
            f"{target} is within the folder of the images, where copies would be taken for more of "
            "them; give a folder elsewhere",
            code="output-among-images",
        )
    partial = target.with_name(f"{target.name}.partial")
    rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        chosen.write(content, partial, link)  # type: ignore[attr-defined]
        if target.exists():
            target.rmdir()
        partial.replace(target)
    except BaseException:
        rmtree(partial, ignore_errors=True)
        raise
