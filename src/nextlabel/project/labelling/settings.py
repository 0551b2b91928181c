"""The settings of a project, in `project.toml`."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import Field, ValidationError

from nextlabel.core.errors import DataError, StoreError
from nextlabel.core.settings import Settings, check_keys, refusal, refusal_code
from nextlabel.core.types import Task
from nextlabel.files.atomic import replacing
from nextlabel.project.pipeline import DEFAULT, Pipeline

FILE = "project.toml"


class ProjectSettings(Settings):
    """The settings of a project; `Project.configure` changes them."""

    name: str = Field(min_length=1)
    """Name of the project, which the page shows."""
    folder: str
    """Folder of the images, relative to that of the project, or absolute."""
    task: Task = "multiclass"
    """"multiclass" is one class per image, "multilabel" any number of findings."""
    store: str | None = None
    """URL of the database without its password; a file of the project if not set."""
    audit: float = Field(0.2, ge=0, le=1)
    """Share of the images asked that are drawn at random, to estimate the accuracy by."""
    overlap: float = Field(0.0, ge=0, le=1)
    """Share of the images that a second person is asked as well, to measure agreement."""
    hide_predictions: bool = True
    """Hide the prediction of an image until it is labelled."""
    users: bool = False
    """Let people log in by name and password."""
    strategy: str | None = None
    """Strategy that chooses the next images; those of the default pipeline if not set."""
    options: Mapping[str, Any] = Field(default_factory=dict)
    """Options of that strategy."""
    features: Mapping[str, float] | None = None
    """Weight of each feature block; those of the default pipeline if not set."""
    seed: int = Field(0, ge=0)
    """Number that decides everything random."""

    @property
    def pipeline(self) -> Pipeline:
        """The feature space, the strategy and the model."""
        changes: dict[str, Any] = {"audit": self.audit, "seed": self.seed}
        if self.strategy is not None:
            changes |= {"strategy": self.strategy, "options": dict(self.options)}
        if self.features is not None:
            changes["features"] = dict(self.features)
        return DEFAULT.model_copy(update=changes)


def read_settings(directory: Path) -> ProjectSettings:
    """Return the settings of the project in a folder.

    Raises
    ------
    DataError
        The file cannot be read, or a setting is wrong.
    """
    path = directory / FILE
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}); check the path",
            code="project-unreadable",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise DataError(
            f"{path} is not valid TOML ({error}); correct it", code="project-not-toml"
        ) from error
    check_keys(ProjectSettings, raw, "", file=path)
    return _checked(raw, path)


def changed_settings(settings: ProjectSettings, changes: Mapping[str, Any]) -> ProjectSettings:
    """Return settings with some changes; UsageError or DataError when one is wrong."""
    check_keys(ProjectSettings, changes, "")
    return _checked(settings.model_dump(mode="python") | dict(changes), Path(FILE))


def _checked(values: Mapping[str, Any], path: Path) -> ProjectSettings:
    try:
        return ProjectSettings.model_validate(values)
    except ValidationError as error:
        raise DataError(f"{path}: {refusal(error)}", code=refusal_code(error)) from error


def write_settings(directory: Path, settings: ProjectSettings) -> None:
    """Write the settings of a project, complete or not at all; StoreError if that fails."""
    path = directory / FILE
    values = {k: v for k, v in settings.model_dump(mode="json").items() if v is not None}
    try:
        with replacing(path) as partial:
            partial.write_text(tomli_w.dumps(values), encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}); free some space there, or make the "
            "folder writable",
            code="project-not-writable",
        ) from error
