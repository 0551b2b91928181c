'''Registry of image formats: one file per family, and one entry point per format of other packages.

A format says how its files are recognised, and decodes one. A new file in this package adds a
format, for example

    """Portable grey maps of 8 bit."""

    from typing import BinaryIO

    import numpy as np

    from nextlabel.data.formats import register
    from nextlabel.data.decoding.base import Picture, Wanted

    @register("pgm")
    class GreyMap:
        """Portable grey map."""

        suffixes = frozenset({".pgm"})
        needs, install = (), None

        def recognises(self, head: bytes) -> bool:
            return head.startswith(b"P5")

        def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
            _, width, height, _ = (int(word.strip(b"P")) for word in file.read().split()[:4])
            wanted.check_size(width, height)
            file.seek(-width * height, 2)
            pixels = np.frombuffer(file.read(), np.uint8)
            return Picture(pixels.reshape(height, width, 1))

Another package leaves out the decorator and names the class in its `pyproject.toml`:

    [project.entry-points."nextlabel.formats"]
    pgm = "my_package:GreyMap"

Modules here import decoders inside functions, so that a folder is walked without them.
'''

from nextlabel.core.registry import Registry
from nextlabel.data.decoding.base import Format

FORMATS: Registry[type[Format]] = Registry("image format", __name__, "nextlabel.formats")
register = FORMATS.register
