import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from nextlabel.project.gallery import SIDE, gallery_page, thumbnail

CLASSES = ("cell", "debris", "<empty>")
PROBABILITIES = np.array([[0.9, 0.1, 0], [0.5, 0.4, 0.1], [0.2, 0.8, 0], [0.7, 0.2, 0.1]])
NAMES = ("a.png", "b & c.png", "d.png", "e.png")


def page(**options):
    images = np.random.default_rng(0).integers(0, 256, (4, 1, 20, 20), np.uint8)
    return gallery_page("photos", CLASSES, NAMES, images, PROBABILITIES, **options)


class Sections(HTMLParser):
    """The file names of each section of the page, and each element's attributes."""

    def __init__(self, html):
        super().__init__()
        self.sections, self.links, self.heading = {}, [], False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.heading = tag == "h2"
        if tag == "img":
            self.sections[self.last].append(values["alt"])
        self.links += [v for k, v in attributes if k in ("src", "href")]

    def handle_data(self, data):
        if self.heading:
            self.last = data
            self.sections[data] = []
            self.heading = False


def test_images_stand_under_their_predicted_class_the_least_sure_first():
    sections = Sections(page()).sections
    assert sections == {"cell": ["b & c.png", "e.png", "a.png"], "debris": ["d.png"], "<empty>": []}


def test_the_page_needs_no_other_file():
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in Sections(page()).links)


def test_only_so_many_are_shown_and_all_are_counted():
    html = page(shown=2)
    assert Sections(html).sections["cell"] == ["b & c.png", "e.png"]
    assert "3 images; the 2 least sure are shown" in re.sub(r"\s+", " ", html)


def test_unlike_images_are_marked():
    html = page(unlike=np.array([0, 0, 1, 0], bool))
    assert html.count("unlike all labelled") == 1


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
@pytest.mark.parametrize("side", [8, 200])
def test_thumbnails_are_small_and_keep_their_colours(channels, mode, side):
    image = np.full((channels, side, side), 90, np.uint8)
    image[0] = 200
    picture = Image.open(io.BytesIO(thumbnail(image)))
    assert picture.mode == mode
    assert picture.size == (min(side, SIDE),) * 2
    first = picture.getpixel((0, 0))
    assert first == (200 if channels == 1 else (200, 90, 90))
