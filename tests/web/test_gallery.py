"""The gallery over HTTP: many images are labelled as predicted, and only those that were seen."""

import numpy as np
import pytest

from nextlabel.project.labelling.models import NewModel
from nextlabel.project.scanning.image_facts import ImageFacts


@pytest.fixture
def model(project, ids):
    """Publishes a model that calls all images "cell", surer from image to image."""

    def publish():
        count = len(project.images())
        sure = np.linspace(0.5, 1, count, dtype=np.float32)
        chances = np.stack([sure, 1 - sure], axis=1)
        arrays = {"probabilities": chances, "classes": np.arange(2), "there": np.ones(count, bool)}
        return project.publish(NewModel(0, "PCA", "x", arrays=arrays), [])

    return publish


def confirm(client, **fields):
    return client.post("/api/confirm", json={"class": 0, "above": 0.8, "key": "k"} | fields)


def test_all_that_are_sure_enough_are_labelled_once(client, project, model):
    version = model()
    sure = np.linspace(0.5, 1, len(project.images())) >= 0.8
    asked = confirm(client, dry=True).json()
    assert asked == {"count": int(sure.sum()), "model": version}
    reply = confirm(client, model=version).json()
    assert sorted(one["image"] for one in reply["saved"]) == np.flatnonzero(sure).tolist()
    assert set(project.state().labels) == set(np.flatnonzero(sure).tolist())
    again = confirm(client, model=version).json()
    assert again["saved"] == [] and len(project.answers()) == int(sure.sum())


def test_the_predictions_of_a_later_model_are_not_confirmed_unseen(client, project, model):
    seen = confirm(client, dry=True, model=None).json()["model"]
    assert seen is None
    version = model()
    model()
    reply = confirm(client, model=version)
    assert reply.status_code == 409
    assert reply.json()["error"]["code"] == "model-changed"
    assert not project.answers()


def test_an_image_that_cannot_be_shown_is_not_confirmed(client, project, model):
    version, last = model(), len(project.images()) - 1
    project.note_images({last: ImageFacts(problem="cut off")})
    saved = confirm(client, model=version).json()["saved"]
    assert saved and last not in [one["image"] for one in saved]


def test_findings_are_confirmed_together(client, project, model, ids):
    project.configure(task="multilabel")
    count = len(project.images())
    chances = np.tile(np.array([0.95, 0.9], np.float32), (count, 1))
    chances[0] = 0.95, 0.1
    arrays = {"probabilities": chances, "classes": np.arange(2), "there": np.ones(count, bool)}
    project.publish(NewModel(0, "PCA", "x", arrays=arrays), [])
    assert confirm(client, above=0.92, dry=True).json()["count"] == 0  # the other finding is less
    assert confirm(client, above=0.85).json()["refused"] == []
    labels = dict(project.state().labels)
    assert labels.pop(0) == (0,) and set(labels.values()) == {(0, 1)}
