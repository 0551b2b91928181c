'''Registry of image formats: one file per family, and one entry point per format of other packages.

A format says how its files are recognised, and decodes one. A new file in this package adds a
format, for example

    """Grey maps of a camera of our own, 8 bit."""

    from typing import BinaryIO

    import numpy as np

    from nextlabel.data.formats import register
    from nextlabel.data.decoding.base import Picture, Wanted

    @register("grey")
    class GreyMap:
        """Grey map of a camera."""

        suffixes = frozenset({".grey"})
        needs, install = (), None

        def recognises(self, head: bytes) -> bool:
            return head.startswith(b"GREY")

        def decode(self, file: BinaryIO, wanted: Wanted) -> Picture:
            width, height = map(int, file.readline().split()[1:])
            wanted.check_size(width, height)
            pixels = np.frombuffer(file.read(width * height), np.uint8)
            return Picture(pixels.reshape(height, width, 1))

Another package leaves out the decorator and names the class in its `pyproject.toml`:

    [project.entry-points."nextlabel.formats"]
    grey = "my_package:GreyMap"

Modules here import decoders inside functions, so that a folder is walked without them.
'''

from nextlabel.core.registry import Registry
from nextlabel.data.decoding.base import Format

FORMATS: Registry[type[Format]] = Registry("image format", __name__, "nextlabel.formats")
register = FORMATS.register
