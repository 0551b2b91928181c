"""Errors by name and code; every message states the value, the limit and the remedy."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

SHORTEST = 3
"""The fewest letters of a word that a message suggests."""


class NextlabelError(Exception):
    """A refusal in one sentence; the CLI exits with `exit_code`.

    `code` names the fault in a few words with hyphens, such as "budget-too-large". It stays the
    same when the sentence is reworded, so programs and tests compare codes.
    """

    exit_code = 1
    code = "error"

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class UsageError(NextlabelError, ValueError):
    """The command, the experiment file or an argument is wrong: exit code 2."""

    exit_code = 2


class DataError(NextlabelError, ValueError):
    """A data set, an image or an embedding cannot be used as it is."""


class AlreadyLabelled(UsageError):
    """An id was chosen that is labelled already, or chosen twice."""


class UnknownId(UsageError):
    """An id lies outside the pool."""


class BudgetError(UsageError):
    """More images were asked for than are unlabelled."""


class OutOfMemory(NextlabelError, MemoryError):
    """A computation needs more memory than the machine has."""


class AnswersPending(NextlabelError):
    """A person has not answered yet; the run stops, and continues once the answers are there."""


class StoreError(NextlabelError):
    """The store cannot be read or written."""


class ClusterError(NextlabelError):
    """The cluster that is to run trials cannot be used."""


def near(word: str, known: Iterable[str], cutoff: float = 0.5) -> str | None:
    """Return the most similar known word, or None when the similarity is below `cutoff`.

    The similarity is 1 for equal words. Words of one or two letters resemble too much by chance,
    and are never returned.
    """
    names = [name for name in sorted(known) if min(len(name), len(word)) >= SHORTEST]
    return next(iter(get_close_matches(word, names, n=1, cutoff=cutoff)), None)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "did you mean …?" for the most similar known word, or else all words, for messages."""
    names = sorted(known)
    if not names:
        return "there is none here, so leave it out"
    close = near(str(word), names)
    return f"did you mean {close!r}?" if close is not None else f"known: {', '.join(names)}"


def out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out; torch raises a RuntimeError that says "allocate"."""
    if isinstance(error, MemoryError):
        return True
    first = (str(error).splitlines() or [""])[0]
    return isinstance(error, RuntimeError) and "allocate" in first


def hide_passwords(text: str) -> str:
    """Return a text with `***` in the place of the passwords of URLs in it, for messages.

    A password may hold "/" and "@": all up to the last "@" of the word is hidden.
    """
    text = re.sub(r"(://[^/@:\s]*):\S*@", r"\1:***@", text)
    return re.sub(r"([?&]\w*(?:pass|secret|token|key)\w*=)[^&\s]*", r"\1***", text)
