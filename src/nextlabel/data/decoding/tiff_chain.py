"""The chain of pages in a TIFF, followed before anything is read."""

import struct
from typing import BinaryIO

from nextlabel.data.decoding.base import Undecodable

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MOST_PAGES = 100_000


def check_chain(file: BinaryIO) -> None:
    """Raise Undecodable unless the chain of pages ends; leave the file at its start.

    A chain that comes back to a page would be followed for ever.
    """
    head = file.read(16)
    order = "<" if head[:1] == b"I" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    number, width, entry = ("Q", 8, 20) if big else ("I", 4, 12)
    (offset,) = struct.unpack(order + number, head[8:16] if big else head[4:8])
    seen: set[int] = set()
    while offset:
        if offset in seen or len(seen) == MOST_PAGES:
            raise Undecodable(
                "its pages lead back to one another, or are more than "
                f"{MOST_PAGES}; export it again",
                code="pages-without-end",
            )
        seen.add(offset)
        file.seek(offset)
        count = file.read(8 if big else 2)
        if len(count) < (8 if big else 2):
            break  # cut short; the decoder says where
        (tags,) = struct.unpack(order + ("Q" if big else "H"), count)
        file.seek(min(offset + len(count) + tags * entry, 2**62))
        after = file.read(width)
        if len(after) < width:
            break
        (offset,) = struct.unpack(order + number, after)
        offset = min(offset, 2**62)
    file.seek(0)
