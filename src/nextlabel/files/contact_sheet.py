"""Small PNG pictures of images, for reports that need the store alone."""

import io

import numpy as np
from numpy.typing import NDArray

MARGIN = 2


def contact_sheet(images: NDArray[np.uint8], columns: int = 16, size: int = 56) -> bytes:
    """Return a PNG of images (n, C, H, W), uint8, in rows of `columns`, each enlarged to `size`.

    Images are enlarged by whole factors, so that pixels stay pixels. Margins and cells without an
    image are transparent, so that none is taken for a grey image. Raises ValueError when there are
    no images.
    """
    from PIL import Image

    if not len(images):
        raise ValueError("a contact sheet needs at least one image")
    factor = max(1, size // max(images.shape[2:]))
    tiles = images.repeat(factor, axis=2).repeat(factor, axis=3)
    colours = tiles[:, :1].repeat(3, axis=1) if tiles.shape[1] != 3 else tiles
    height, width = tiles.shape[2] + MARGIN, tiles.shape[3] + MARGIN
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = np.zeros((rows * height + MARGIN, columns * width + MARGIN, 4), np.uint8)
    for i, tile in enumerate(colours):
        top, left = MARGIN + i // columns * height, MARGIN + i % columns * width
        cell = sheet[top : top + height - MARGIN, left : left + width - MARGIN]
        cell[..., :3], cell[..., 3] = tile.transpose(1, 2, 0), 255
    picture = Image.fromarray(sheet)
    if images.shape[1] != 3:
        picture = picture.convert("LA")
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()
