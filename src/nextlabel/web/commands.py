"""The commands that do on a terminal what the page of progress offers."""

import os
import shlex

from nextlabel.project.labelling.project import Project
from nextlabel.project.pipeline import DEFAULT


def commands_of(project: Project) -> list[str]:
    """Return the commands that export, fit and predict, as they can be pasted into a shell.

    The folders are absolute paths, since the shell may be in any folder. `--features` is
    given where the features of the project, or those that could be made here, are not the usual
    ones.
    """
    directory = os.path.abspath(project.directory)  # noqa: PTH100 - links stay, `..` does not
    images = os.path.abspath(project.folder)  # noqa: PTH100
    features = features_of(project)
    weights = ",".join(f"{name}={weight:g}" for name, weight in features.items())
    options = [] if features == dict(DEFAULT.features) else ["--features", weights]
    return [
        shlex.join(("nextlabel", *words))
        for words in (
            ["export", directory, "-o", "labels.csv"],
            ["fit", directory, "-o", "classifier", *options],
            ["predict", "classifier", images, "-o", "predictions.csv"],
        )
    ]


def features_of(project: Project) -> dict[str, float]:
    """Return the weights of the features of the newest model, or of those that it will have."""
    chosen = dict(project.settings.pipeline.features)
    model = project.model()
    made = {} if model is None else model.facts.get("features", {})
    return {name: chosen[name] for name in made if name in chosen} or chosen
