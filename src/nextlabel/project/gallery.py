"""The gallery: one page of small images by predicted class, the least sure first."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array
from nextlabel.files.html import page_environment

TEMPLATES = Path(__file__).parent / "templates"
SIDE = 72
"""The height and width of a small image, in pixels."""


@dataclass(frozen=True)
class GalleryImage:
    """An image of the gallery.

    Parameters
    ----------
    name
        The name of its file.
    png
        The small image.
    confidence
        The probability of the predicted class, from 0 to 1.
    unlike
        True when it resembles nothing that was labelled.
    """

    name: str
    png: bytes
    confidence: float
    unlike: bool = False


@dataclass(frozen=True)
class PredictedClass:
    """The images that are predicted as one class: the least sure, and how many in all.

    Parameters
    ----------
    name
        The name of the class.
    images
        The images shown, the least sure first.
    total
        The number of images predicted as this class.
    """

    name: str
    images: tuple[GalleryImage, ...]
    total: int


def gallery_page(
    title: str,
    classes: Sequence[str],
    names: Sequence[str],
    images: NDArray[np.uint8],
    probabilities: Array,
    *,
    unlike: Array | None = None,
    shown: int = 300,
) -> str:
    """Return the gallery as HTML, one file that needs no other.

    Parameters
    ----------
    title : str
        The heading of the page.
    classes : sequence of str
        The names of the K classes.
    names : sequence of str
        The file name of each of the N images.
    images : uint8 array (N, C, H, W)
        The images, grey or RGB.
    probabilities : array (N, K)
        The probability of each class.
    unlike : bool array (N), optional
        True for an image that resembles nothing that was labelled.
    shown : int
        The most images of a class to show; the others are counted.

    Returns
    -------
    str
        The page. Every class of `classes` has a section, also one without images.
    """
    predicted = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1)
    sections = []
    for number, name in enumerate(classes):
        members = np.flatnonzero(predicted == number)
        least = members[np.argsort(sure[members], kind="stable")][:shown]
        least_sure = tuple(
            GalleryImage(
                names[i],
                thumbnail(images[i]),
                float(sure[i]),
                unlike is not None and bool(unlike[i]),
            )
            for i in least.tolist()
        )
        sections.append(PredictedClass(name, least_sure, len(members)))
    return (
        page_environment(TEMPLATES)
        .get_template("gallery.html")
        .render(title=title, sections=sections, total=len(names), side=SIDE)
    )


def thumbnail(image: NDArray[np.uint8]) -> bytes:
    """Return an image (C, H, W), grey or RGB, as a small PNG of at most `SIDE` pixels a side."""
    from PIL import Image

    pixels = image[0] if len(image) == 1 else image[:3].transpose(1, 2, 0)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if max(picture.size) > SIDE:
        picture.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
