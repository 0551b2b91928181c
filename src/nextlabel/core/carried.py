"""A value in which one round of a selection leaves its results for the next."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class Carried:
    """Results that a strategy keeps from one round to the next; a new one is empty.

    Each is kept with a digest of all that it was computed from, and given out for the same content
    only. So picks are the same with it as without it, but for what is drawn at random, such as the
    sample of `references`: that stays the one of the first round. It refers to the features of the
    last selection, and holds at most about 300 MB of its own. It is for one thread at a time, and
    is not written to disk.

    Examples
    --------
    >>> import numpy as np
    >>> from nextlabel import Carried, select
    >>> features, carried = np.random.default_rng(0).normal(size=(500, 8)), Carried()
    >>> labelled = select(features, 5, strategy="max_herding", carried=carried)
    >>> more = select(features, 5, strategy="max_herding", labelled=labelled, carried=carried)
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, Any]] = {}

    def get(self, name: str, content: bytes) -> Any:
        """Return what is kept under a name for this content; None when it is for another.

        Parameters
        ----------
        name : str
            What it is, such as "max_herding".
        content : bytes
            The digest of all that it depends on.
        """
        of, value = self._kept.get(name, (None, None))
        return value if of == content else None

    def keep(self, name: str, content: bytes, value: Any) -> None:
        """Keep a value, in the place of what was kept under its name.

        Parameters
        ----------
        name : str
            What it is.
        content : bytes
            The digest of all that it depends on.
        value : object
            Anything but None.
        """
        self._kept[name] = content, value


def once(carried: Carried | None, name: str, content: bytes, make: Callable[[], T]) -> T:
    """Return what is carried under a name for this content, or make it and have it carried."""
    if carried is None:
        return make()
    value: T | None = carried.get(name, content)
    if value is None:
        value = make()
        carried.keep(name, content, value)
    return value


def digest(*values: object) -> bytes:
    """Return a digest of arrays, by their type, shape and bytes, and of other things, by `repr`."""
    whole = hashlib.blake2b(digest_size=32)
    for value in values:
        if isinstance(value, np.ndarray):
            whole.update(repr((value.dtype.str, value.shape)).encode())
            step = max(1, 2**22 // max(value[:1].nbytes, 1))
            for start in range(0, len(value), step):
                whole.update(value[start : start + step].tobytes())
        else:
            whole.update(repr(value).encode() + b"\n")
    return whole.digest()
