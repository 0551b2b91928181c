"""Exceptions as one sentence and an exit code."""

import errno
import os

import typer

from nextlabel.cli.interruption import INTERRUPTED
from nextlabel.core.errors import NextlabelError, out_of_memory

DEBUG = "NEXTLABEL_DEBUG"
REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EACCES: "permission denied; choose another folder",
    errno.EPERM: "not permitted; choose another folder",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOENT: "there is no such file or folder; correct the path",
    errno.EISDIR: "this is a folder; give a file",
    errno.ENOTDIR: "a part of the path is a file, not a folder; choose another path",
    errno.EEXIST: "a file of that name exists; choose another path",
    errno.EMFILE: "too many files are open; lower --jobs or raise `ulimit -n`",
}


def explain(error: BaseException) -> tuple[str, int]:
    """Return the message for the user, in one line and possibly empty, and the exit code.

    When NEXTLABEL_DEBUG is set, an unexpected error is raised again, for its traceback.
    """
    message, code = _known(error)
    if code < 0:
        if os.environ.get(DEBUG):
            raise error
        name = type(error).__name__
        message = f"unexpected {name}: {error}; {DEBUG}=1 shows the traceback, please report it"
        code = 1
    return " ".join(message.splitlines()), code


def _known(error: BaseException) -> tuple[str, int]:
    match error:
        case NextlabelError():
            return str(error), error.exit_code
        case typer.TyperException():
            return f"{_usage(error)}; see {_path(error)} --help", error.exit_code
        case KeyboardInterrupt() | typer.Abort():
            return "stopped", INTERRUPTED
        case BrokenPipeError():
            return "", 1
        case OSError():
            return _system(error), 1
        case _ if out_of_memory(error):
            return "there is not enough memory; use fewer images, smaller ones or fewer --jobs", 1
        case _:
            return "", -1


def _usage(error: typer.TyperException) -> str:
    text = error.format_message().strip().rstrip(".")
    return text[:1].lower() + text[1:]


def _path(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return "nextlabel" if context is None else str(context.command_path)


def _system(error: OSError) -> str:
    prefix = f"{error.filename}: " if error.filename is not None else ""
    remedy = REMEDIES.get(error.errno or 0)
    return prefix + (remedy or f"{error.strerror or error}; check the path and the disk")
