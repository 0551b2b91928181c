"""The table `[data]` of an experiment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from nextlabel.core.errors import UsageError
from nextlabel.core.settings import Settings
from nextlabel.data.messy import MessySettings

Size = Field(default=None, ge=0)
File = Field(default=None, strict=False)

FORMER: Mapping[str, Any] = {
    "path": None,
    "manifest": None,
    "labels": None,
    "unreadable": "refuse",
    "validation_fraction": 0.2,
    "test_fraction": 0.2,
    "max_pixels": 100_000_000,
}
"""Keys with their defaults that were once written out for every source, and are now its own."""


class DataSettings(Settings):
    """The source of the images, the number of images per part, and the seed of all draws.

    `name` is a registered source. `train`, `validation` and `test` are numbers of images; None
    is all of a part that the source has, and the source's default of a part that must be drawn.
    `seed` decides every draw: one for the whole experiment. `channels` makes all images grey (1)
    or colour (3); None leaves them as they are. Some sources have more options of their own.
    """

    name: str
    """Name of a source, as `nextlabel datasets` lists it."""
    train: int | None = Field(default=None, ge=1)
    """Number of images of the pool; all if not set."""
    validation: int | None = Size
    """Number of validation images; the source's default if not set."""
    test: int | None = Size
    """Number of test images; the source's default if not set."""
    seed: int = Field(default=0, ge=0)
    """Seed of the draws of all parts, one draw for the whole experiment."""
    channels: Literal[1, 3] | None = None
    """Make all images grey (1) or colour (3); as they are if not set."""
    messy: MessySettings | None = None
    """Make the pool messy: classes of unequal size, and near-copies; as it is if not set."""
    later: ClassVar[frozenset[str]] = frozenset({"messy"})

    @field_validator("channels", mode="before")
    @classmethod
    def _whole(cls, channels: object) -> object:
        """Refuse true and 1.0, which a literal takes for 1."""
        if isinstance(channels, bool | float):
            raise ValueError(f"{str(channels).lower()} must be 1 or 3; choose one of them")
        return channels

    @property
    def channel_count(self) -> Literal[1, 3] | None:
        """The number of channels to convert all images to."""
        return self.channels


class FileSettings(DataSettings):
    """The settings of a source that reads the user's files.

    The fractions are the shares of the labelled images drawn for a part that the files do not
    have.
    """

    path: Path | None = File
    """Folder or file of the images."""
    validation_fraction: float = Field(default=0.2, ge=0, lt=1)
    """Share of the labelled images drawn for validation if the files have no such part."""
    test_fraction: float = Field(default=0.2, ge=0, lt=1)
    """Share of the labelled images drawn for test if the files have no such part."""

    @model_validator(mode="after")
    def _leave_some_to_train(self) -> Self:
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError(
                f"validation_fraction {self.validation_fraction} and test_fraction "
                f"{self.test_fraction} leave nothing to train on; keep their sum below 1"
            )
        return self

    def need_path(self) -> Path:
        """Return the path; UsageError when it is not set or does not exist."""
        if self.path is None:
            raise UsageError(
                f"data set {self.name!r} needs a path; set data.path", code="path-missing"
            )
        if not self.path.exists():
            places = f" next to the experiment file or in {Path.cwd()}"
            raise UsageError(
                f"there is no such file or folder {self.path}"
                f"{'' if self.path.is_absolute() else places}; correct data.path",
                code="no-such-folder",
            )
        return self.path
