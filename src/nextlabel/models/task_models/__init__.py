'''Registry of task models: one file per model, or one entry point of another package.

A task model is a class of settings, which `[model]` of an experiment sets; it makes the model that
is fitted. A network gives its module, and a classifier on the rows of a block is fitted to them. A
new file in this package adds a model, for example

    """The task model `forest`: a random forest on the rows of a block."""

    from typing import Any, Literal

    from pydantic import Field

    from nextlabel.core.types import Array, Ids, Labels
    from nextlabel.models.task_models import register
    from nextlabel.models.task_models.base import ClassicalSettings

    @register("forest")
    class Forest(ClassicalSettings):
        """Random forest."""

        name: Literal["forest"] = "forest"
        trees: int = Field(100, ge=1)

        def classifier(self, rows: Array, labelled: Ids, labels: Labels) -> Any:
            from sklearn.ensemble import RandomForestClassifier

            return RandomForestClassifier(self.trees, random_state=0).fit(rows[labelled], labels)

A network derives from `NetworkSettings` and has `network(self, outputs)` instead, which returns a
`models.networks.base.TaskNetwork`. Any other model derives from `ModelSettings` and has `create`,
which returns a `core.task_model.TaskModel`. Another package leaves out the decorator and names the
class in its `pyproject.toml`:

    [project.entry-points."nextlabel.models"]
    forest = "my_package:Forest"

Modules here import torch inside functions, so that a TOML file is parsed without it.
'''

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from nextlabel.core.errors import UsageError, nearest
from nextlabel.core.registry import Registry
from nextlabel.core.settings import check_keys, refusal, refusal_code
from nextlabel.models.settings import ModelSettings

TASK_MODELS: Registry[type[ModelSettings]] = Registry("task model", __name__, "nextlabel.models")
register = TASK_MODELS.register

DEFAULT = "resnet18"


def create_model(name: str = DEFAULT, **options: Any) -> ModelSettings:
    """Return the settings of the task model `name` with its options.

    Raises
    ------
    UsageError
        For an unknown name, an unknown option or a value that the model refuses.
    """
    if not isinstance(name, str):
        raise UsageError(f"model.name: {name!r} must be text; put it in quotes", code="not-text")
    if name not in TASK_MODELS:
        raise UsageError(
            f"model.name: unknown task model {name!r}; {nearest(name, TASK_MODELS)}",
            code="unknown-name",
        )
    model_class = TASK_MODELS[name]
    values = {"name": name, **options}
    check_keys(model_class, values, "model.")
    try:
        return model_class(**values)
    except ValidationError as error:
        raise UsageError(refusal(error, "model"), code=refusal_code(error)) from error


def model_with(model: ModelSettings, changes: Mapping[str, Any], prefix: str) -> ModelSettings:
    """Return a task model's settings with some keys changed.

    Parameters
    ----------
    model
        The settings to start from.
    changes
        Keys of `[model]`. `block` and `blocks` replace each other. Another `name` keeps only the
        image size, and the blocks if both models use them alike.
    prefix
        The beginning of the message of an error.

    Raises
    ------
    UsageError
        For an image size, which all arms share, and as `create_model` does.
    """
    if "image_size" in changes:
        raise UsageError(
            f"{prefix}model.image_size {changes['image_size']} cannot be an arm's own, since all "
            "arms see the same images; set it in [model]",
            code="image-size-of-an-arm",
        )
    kept = model.model_dump(exclude_unset=True)
    name = changes.get("name", model.name)
    if name != model.name:
        other = TASK_MODELS[name] if name in TASK_MODELS else None
        alike = other is not None and other.block_use == model.block_use
        shared = {"image_size", "block", "blocks"} if alike else {"image_size"}
        kept = {key: value for key, value in kept.items() if key in shared}
    if {"block", "blocks"} & set(changes):
        kept = {key: value for key, value in kept.items() if key not in ("block", "blocks")}
    try:
        return create_model(**{**kept, **changes, "name": name})
    except UsageError as error:
        raise UsageError(f"{prefix}{error}", code=error.code) from error
