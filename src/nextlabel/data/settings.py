"""The table `[data]` of an experiment."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from nextlabel.core.errors import UsageError
from nextlabel.core.settings import Settings

Size = Field(default=None, ge=0)
File = Field(default=None, strict=False)
SPECIFIC = (
    "path",
    "manifest",
    "labels",
    "unreadable",
    "validation_fraction",
    "test_fraction",
    "max_pixels",
)


class DataSettings(Settings):
    """The source of the images, the number of images per part, and the seed of all draws.

    `name` is a registered source. `train`, `validation` and `test` are numbers of images; None
    is all of a part that the source has, and the source's default of a part that must be drawn.
    `seed` decides every draw: one for the whole experiment. `channels` makes all images grey (1)
    or colour (3); None leaves them as they are.

    For "folder" and "arrays": `path` is the folder or file; `manifest` a CSV file, relative to
    the folder, the experiment file or the working directory; `labels` a second .npy file;
    `unreadable` says what becomes of images that cannot be decoded; the fractions are the shares
    of the labelled images drawn for a part that the source does not have; an image of more than
    `max_pixels` is never decoded.
    """

    name: str
    """Name of a source, as `nextlabel datasets` lists it."""
    path: Path | None = File
    """Folder or file of the images, for sources that read the user's files."""
    manifest: Path | None = File
    """CSV file of paths, labels and splits, relative to the folder or the working directory."""
    labels: Path | None = File
    """Second .npy file with the labels of the images."""
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
    unreadable: Literal["refuse", "skip"] = "refuse"
    """Stop at an image that cannot be decoded, or leave it out with a warning."""
    validation_fraction: float = Field(default=0.2, ge=0, lt=1)
    """Share of the labelled images drawn for validation if the source has no such part."""
    test_fraction: float = Field(default=0.2, ge=0, lt=1)
    """Share of the labelled images drawn for test if the source has no such part."""
    max_pixels: int = Field(default=100_000_000, ge=1, le=178_956_970)
    """An image of more pixels is not decoded."""

    @field_validator("channels", mode="before")
    @classmethod
    def _whole(cls, channels: object) -> object:
        """Refuse true and 1.0, which a literal takes for 1."""
        if isinstance(channels, bool | float):
            raise ValueError(f"{str(channels).lower()} must be 1 or 3; choose one of them")
        return channels

    @model_validator(mode="after")
    def _leave_some_to_train(self) -> Self:
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError(
                f"validation_fraction {self.validation_fraction} and test_fraction "
                f"{self.test_fraction} leave nothing to train on; keep their sum below 1"
            )
        return self

    def allow(self, *used: str) -> None:
        """Raise UsageError when an option is set that the source does not know."""
        for name in SPECIFIC:
            if name not in used and getattr(self, name) != type(self).model_fields[name].default:
                raise UsageError(
                    f"data set {self.name!r} takes no {name} ({getattr(self, name)}); leave it out",
                    code="option-not-of-source",
                )

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
