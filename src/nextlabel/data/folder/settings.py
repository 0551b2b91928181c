"""The options of a folder of images."""

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from nextlabel.core.types import Task
from nextlabel.data.folder.class_folders import Classes
from nextlabel.data.pixels.grey_range import GreyRange
from nextlabel.data.settings import File, FileSettings

MOST_CHANNELS = 3


class FolderSettings(FileSettings):
    """The settings of a folder of images."""

    later: ClassVar[frozenset[str]] = frozenset(
        {"classes", "follow_links", "page", "project", "range", "task", "unique"}
    )

    with_own_manifest: ClassVar[bool] = True
    """True when a manifest.csv in the folder says which images count."""

    name: str = "folder"
    manifest: Path | None = File
    """CSV file of paths, labels and splits, relative to the folder, the experiment file or the
    working directory.
    """
    task: Task | None = None
    """Labels of a manifest: one for each image ("multiclass") or several ("multilabel"). If not
    set, the manifest decides.
    """
    unreadable: Literal["refuse", "skip"] = "refuse"
    """Stop at an image that cannot be decoded, or leave it out with a warning."""
    max_pixels: int = Field(default=100_000_000, ge=1, le=178_956_970)
    """An image of more pixels is not decoded."""
    classes: Classes | None = None
    """Take labels from the names of sub-folders ("folders"), or read all images without labels
    ("none"). As "folders" if not set, but images next to class folders are refused.
    """
    follow_links: bool = False
    """Follow links that lead out of the folder."""
    unique: bool = False
    """Of files with equal bytes read the first by name alone."""
    channels: Literal[1, 3] | tuple[int, ...] | None = None  # type: ignore[assignment]
    """Make all images grey (1) or colour (3), or take channels of the files by a list of their
    numbers from 0: [2] becomes grey, [0, 2] red and green, [2, 0, 1] red, green and blue.
    """
    page: int | Literal["middle"] | None = None
    """The page of files of several (TIFF, DICOM frames, NIfTI slices), from 0, or "middle"."""
    project: Literal["max", "min", "mean"] | None = None
    """Join all pages of a file to one by the maximum, minimum or mean of each pixel."""
    range: str | None = None
    """The values of more than 8 bits that become black and white: percentiles of all images, as
    "p0.5-p99.5"; values, as "0-4095"; or "min-max". If not set, "p0.1-p99.9", and for DICOM the
    window that a file names.
    """

    @field_validator("channels", mode="before")
    @classmethod
    def _whole(cls, channels: object) -> object:
        """Return a list of channel numbers as a tuple; refuse true and 1.0, which 1 equals."""
        if channels is None or (type(channels) is int and channels in (1, 3)):
            return channels
        if isinstance(channels, list | tuple) and 1 <= len(channels) <= MOST_CHANNELS:
            if all(type(number) is int and number >= 0 for number in channels):
                return tuple(channels)
        shown = str(channels).lower() if isinstance(channels, bool | int | float) else "the value"
        raise ValueError(
            f"{shown} must be 1, 3, or a list of one to three channel numbers from 0; "
            "choose one of them"
        )

    @field_validator("page", mode="before")
    @classmethod
    def _page(cls, page: object) -> object:
        """Refuse what is neither a whole number from 0 nor "middle"."""
        if page is None or page == "middle" or (type(page) is int and page >= 0):
            return page
        raise ValueError(f'{page!r} must be a whole number from 0, or "middle"; give one of them')

    @field_validator("range")
    @classmethod
    def _rule(cls, rule: str | None) -> str | None:
        if rule is not None:
            GreyRange.parse(rule)
        return rule

    @model_validator(mode="after")
    def _one_page(self) -> Self:
        if self.page is not None and self.project is not None:
            raise ValueError(
                f"page {self.page} and project {self.project} exclude each other; give one"
            )
        return self

    @property
    def channel_count(self) -> Literal[1, 3] | None:
        """The number of channels to convert to; None as well when channels are chosen."""
        return None if isinstance(self.channels, tuple) else self.channels
