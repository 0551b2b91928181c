import io

import numpy as np
import pytest
from PIL import Image

from nextlabel.files.contact_sheet import contact_sheet


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize("channels", [1, 3])
def test_cells_without_an_image_are_transparent(channels: int) -> None:
    images = np.full((3, channels, 4, 5), 128, np.uint8)
    images[2, -1] = 7
    sheet = pixels(contact_sheet(images, columns=2, size=10))  # enlarged twice: 8 x 10 pixels
    assert sheet.shape == (2 * 10 + 2, 2 * 12 + 2, channels + 1)
    alpha = sheet[..., -1]
    shown = np.zeros(alpha.shape, bool)
    for top, left in ((2, 2), (2, 14), (12, 2)):
        shown[top : top + 8, left : left + 10] = True
    assert np.array_equal(alpha, np.where(shown, 255, 0))
    assert (sheet[2:10, 2:12, :-1] == 128).all()
    assert (sheet[12:20, 2:12, -2] == 7).all()


def test_a_sheet_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        contact_sheet(np.zeros((0, 1, 4, 4), np.uint8))
