"""The options of a folder of images."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from nextlabel.core.types import Task
from nextlabel.data.class_folders import Classes
from nextlabel.data.settings import File, FileSettings


class FolderSettings(FileSettings):
    """The settings of a folder of images."""

    later: ClassVar[frozenset[str]] = frozenset({"classes", "follow_links", "task", "unique"})

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
