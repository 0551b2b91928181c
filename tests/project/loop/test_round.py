from dataclasses import replace

import numpy as np
import pytest

from nextlabel.project.audit import AuditOrder
from nextlabel.project.labels import KnownLabels
from nextlabel.project.loop.round import Labelled, next_round
from nextlabel.project.loop.serving import labelled_as_shown
from nextlabel.project.loop.space import Space
from nextlabel.project.pipeline import Pipeline
from simulated_project import answer, state_of

COUNT = 400
PIPELINE = Pipeline()


@pytest.fixture(scope="module")
def groups():
    """Three groups of images in a space of two blocks, and the class of each."""
    rng = np.random.default_rng(0)
    classes = rng.integers(3, size=COUNT)
    rows = rng.normal(size=(3, 8))[classes] * 4 + rng.normal(size=(COUNT, 8))
    blocks = {"pretrained": rows[:, :6].astype(np.float32), "vae": rows[:, 6:].astype(np.float32)}
    return Space.placed("a test", blocks, np.arange(COUNT), COUNT), classes


def order_of(count=COUNT):
    return AuditOrder.of([f"{i:064x}" for i in range(count)])


def labelled(classes, ids, excluded=(), count=COUNT):
    ids = np.array(ids, np.int64)
    labels = KnownLabels("multiclass", ("a", "b", "c"), ids, classes[ids])
    return Labelled(labels, (5, 6, 8), np.array(excluded, np.int64), order_of(count), 17)


@pytest.fixture(scope="module")
def sixty(groups):
    """The round after sixty answers, twenty of each queue, and the images that were answered."""
    space, classes = groups
    ids = []
    for _ in range(3):
        made = next_round(space, labelled(classes, ids), PIPELINE, length=20)
        ids += [item.image for item in made.queue]
    return next_round(space, labelled(classes, ids), PIPELINE), ids


def test_a_cold_start_covers_the_groups_and_has_no_predictions(groups):
    space, classes = groups
    made = next_round(space, labelled(classes, []), PIPELINE, length=12)
    assert [item.position for item in made.queue] == list(range(12))
    assert len({item.image for item in made.queue}) == 12
    assert set(classes[[item.image for item in made.queue]]) == {0, 1, 2}
    assert made.model.estimate is None and "probabilities" not in made.model.arrays
    one = labelled(np.zeros(COUNT, np.int64), range(6))
    assert next_round(space, one, PIPELINE).model.estimate is None  # one class so far


def test_one_image_in_five_is_of_the_audit_and_the_strategy_asks_none_that_is_reserved(sixty):
    made, ids = sixty
    reserved = set(order_of().reserved(PIPELINE.audit).tolist())
    drawn = [i for i in ids if i in reserved]
    assert len(drawn) == 12
    assert drawn == order_of().rows[:12].tolist()  # in the order of the audit
    for item in made.queue:
        assert item.audit == (item.reason == "audit") == (item.image in reserved)
    assert sum(item.audit for item in made.queue) == 20
    assert made.model.estimate["audited"] == 12
    assert made.model.estimate["low"] <= made.model.estimate["value"] <= made.model.estimate["high"]


def test_the_model_predicts_all_images_and_names_the_classes(groups, sixty):
    _, classes = groups
    made, ids = sixty
    assert made.model.arrays["classes"].tolist() == [5, 6, 8]
    predicted = made.model.arrays["probabilities"].argmax(axis=1)
    assert (predicted == classes).mean() > 0.9
    assert (made.model.after_answer, made.model.strategy) == (17, "uherding")
    assert not {item.image for item in made.queue} & set(ids)


def test_what_is_excluded_is_never_asked_and_does_not_end_the_audit(groups):
    space, classes = groups
    first = order_of().rows[:3]
    made = next_round(space, labelled(classes, [], excluded=first), PIPELINE, length=COUNT)
    asked = [item.image for item in made.queue]
    assert len(asked) == COUNT - 3 and not set(asked) & set(first.tolist())
    ids = order_of().rows[3:30]
    made = next_round(space, labelled(classes, ids, excluded=first), PIPELINE)
    assert made.model.estimate["audited"] == 27


def test_labels_given_next_to_their_prediction_are_not_audited(groups):
    space, classes = groups
    first = order_of().rows[:40]
    both = labelled(classes, first)
    assert next_round(space, both, PIPELINE).model.estimate["audited"] == 40
    some = replace(both, shown=first[10:25])
    assert next_round(space, some, PIPELINE).model.estimate["audited"] == 25
    state = state_of(
        [
            answer(1, 7, view="gallery"),
            answer(2, 8),
            answer(3, 8, view="gallery"),
            answer(4, 9, view="gallery"),
            answer(5, 9, view="grid"),
            answer(6, 10, view="map"),
        ]
    )
    assert labelled_as_shown(state).tolist() == [7, 10]


def test_the_last_images_are_asked_and_then_none(groups):
    space, classes = groups
    made = next_round(space, labelled(classes, range(COUNT - 3)), PIPELINE)
    assert {item.image for item in made.queue} == set(range(COUNT - 3, COUNT))
    assert next_round(space, labelled(classes, range(COUNT)), PIPELINE).queue == []


def test_images_without_features_are_asked_by_the_audit_alone_and_teach_nothing(groups):
    space, classes = groups
    half = Space.placed("half", {"pca": space.rows["pretrained"][:200]}, np.arange(200), 200)
    half = half.grown(COUNT)
    ids = list(range(150, 250))
    made = next_round(half, labelled(classes, ids), PIPELINE, length=60)
    assert all(item.image < 150 or item.audit for item in made.queue)
    assert made.model.arrays["there"].sum() == 200
    alone = next_round(half, labelled(classes, range(150, 200)), PIPELINE)
    of_both = (made.model.arrays["probabilities"], alone.model.arrays["probabilities"])
    np.testing.assert_array_equal(of_both[0][:200], of_both[1][:200])


def test_above_a_number_of_images_the_strategy_considers_a_sample_of_that_many(groups, sixty):
    space, classes = groups
    ids = sixty[1]
    made = next_round(space, labelled(classes, ids), PIPELINE, most=100)
    free = order_of().rows[len(order_of().reserved(PIPELINE.audit)) :]
    free = free[~np.isin(free, ids)][:100]
    asked = [item.image for item in made.queue if not item.audit]
    assert set(asked) <= set(free.tolist())
    assert made.model.facts["considered"] == 100
    assert made.model.facts["without a label"] == COUNT - len(ids)


def test_a_strategy_that_cannot_choose_here_is_replaced_and_the_reason_is_told(groups):
    space, classes = groups
    pipeline = Pipeline(strategy="predicted_loss", options={})
    made = next_round(space, labelled(classes, []), pipeline, length=10)
    assert len(made.queue) == 10 and "predicted_loss" in made.problem
    assert next_round(space, labelled(classes, []), PIPELINE).problem is None


def test_the_same_labels_give_the_same_round(groups, sixty):
    space, classes = groups
    first, ids = sixty
    again = next_round(space, labelled(classes, ids), PIPELINE)
    assert first.queue == again.queue and first.model.estimate == again.model.estimate
