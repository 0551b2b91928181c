from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nextlabel.project.labelling.models import Model
from nextlabel.project.labels import KnownLabels
from nextlabel.project.loop.near_copies import near_copies
from nextlabel.project.loop.pages.gallery import Filters, class_counts, gallery
from nextlabel.project.loop.pages.predictions import NONE, Predicted, first_labels, predictions
from nextlabel.project.loop.pages.progress import curve, outlook, pace
from nextlabel.project.loop.pages.review import doubts
from nextlabel.project.loop.pages.why import neighbours
from nextlabel.project.loop.space import Space
from nextlabel.project.pipeline import Pipeline
from simulated_project import answer, images_of, state_of

P = np.array(
    [[0.9, 0.06, 0.04], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.3, 0.3, 0.4]],
    np.float32,
)


def model_of(probabilities, there=None, classes=(0, 1, 2), version=4, **more):
    count = len(probabilities)
    model = Model(version, 0.0, 9, "a space", "margin", {}, None, Path("none"), **more)
    model.__dict__["arrays"] = {
        "probabilities": probabilities,
        "there": np.ones(count, bool) if there is None else np.array(there),
        "classes": np.array(classes),
    }
    return model


def shown(filters, labels=(), images=None, groups=None, there=None):
    state = state_of(labels)
    predicted = predictions(model_of(P, there), state.classes, 5, "multiclass")
    rows = gallery(filters, images or images_of(5), state, predicted, groups)
    return rows.ids.tolist()


def test_images_of_a_class_come_least_or_most_sure_first():
    assert shown(Filters(class_id=0)) == [1, 0]
    assert shown(Filters(class_id=0, order="most")) == [0, 1]
    assert shown(Filters()) == [4, 1, 3, 2, 0]
    assert shown(Filters(order="path")) == [0, 1, 2, 3, 4]
    assert shown(Filters(above=0.6)) == [3, 2, 0]
    assert shown(Filters(below=0.6)) == [4, 1]
    assert shown(Filters(), there=[True, False, True, True, False]) == [3, 2, 0, 1, 4]
    assert shown(Filters(below=1.1), there=[False] * 5) == []


def test_a_label_counts_before_a_prediction():
    labels = [answer(1, 0, classes=(2,)), answer(2, 4, classes=(0,)), answer(3, 3, kind="flag")]
    assert shown(Filters(class_id=0), labels) == [4, 1]
    assert shown(Filters(class_id=0, by="label"), labels) == [4]
    assert shown(Filters(class_id=0, by="prediction"), labels) == [1, 0]
    assert shown(Filters(class_id=NONE, by="label"), labels) == [1, 3, 2]
    assert shown(Filters(labelled=False), labels) == [1, 3, 2]
    assert shown(Filters(disagree=True), labels) == [4, 0]
    assert shown(Filters(flagged=True), labels) == [3]
    assert shown(Filters(order="new"), labels)[:2] == [4, 0]


def test_people_conflicts_folders_gone_and_broken_images():
    labels = [answer(1, 1), answer(2, 1, person="you", classes=(1,)), answer(3, 2, classes=(1,))]
    assert shown(Filters(person="you"), labels) == [1]
    assert shown(Filters(disagree=True), labels) == [1]
    images = images_of(5, gone={0}, problems={3})
    assert shown(Filters(order="path"), images=images) == [1, 2, 3, 4]
    assert shown(Filters(problem=True), images=images) == [3]
    below = replace(images, names=("a/0.png", "a/1.png", "ab/2.png", "3.png", "a/b/4.png"))
    assert shown(Filters(folder="a", order="path"), images=below) == [1, 4]


def test_several_findings_of_an_image_are_all_of_its_classes():
    labels = [answer(1, 0, classes=(0, 2)), answer(2, 1, classes=())]
    assert shown(Filters(class_id=2, by="label"), labels) == [0]
    predicted = predictions(model_of(P), state_of(labels).classes, 5, "multilabel")
    assert predicted.classes.tolist() == [0, NONE, 1, 2, NONE]
    assert predicted.confidence == pytest.approx([0.9, 0.5, 0.8, 0.6, 0.6])
    assert first_labels(state_of(labels), 3).tolist() == [0, NONE, NONE]


def test_all_predicted_findings_make_the_label_and_the_least_sure_one_the_confidence():
    p = np.array([[0.9, 0.1, 0.7], [0.2, 0.1, 0.3], [0.1, 0.6, 0.95]], np.float32)
    labels = [answer(1, 0, classes=(0,)), answer(2, 1, classes=()), answer(3, 2, classes=(1, 2))]
    state = state_of(labels)
    predicted = predictions(model_of(p), state.classes, 4, "multilabel")
    assert predicted.of(0) == Predicted(0, pytest.approx(0.7), (0, 2))
    assert predicted.of(1) == Predicted(NONE, pytest.approx(0.7), ())
    assert predicted.of(2) == Predicted(2, pytest.approx(0.6), (1, 2))
    facts = images_of(4), state, predicted
    of_last = Filters(class_id=2, by="prediction", order="path")
    assert gallery(of_last, *facts).ids.tolist() == [0, 2]
    assert gallery(replace(of_last, class_id=NONE), *facts).ids.tolist() == [1]
    assert gallery(Filters(disagree=True), *facts).ids.tolist() == [0]
    assert class_counts(Filters(by="prediction"), *facts) == {0: 1, 1: 1, 2: 2}


def test_near_copies_are_one_card():
    groups = np.array([0, 0, 2, 0, 4])
    state = state_of([])
    predicted = predictions(model_of(P), state.classes, 5, "multiclass")
    rows = gallery(Filters(collapse=True), images_of(5), state, predicted, groups)
    assert (rows.ids.tolist(), rows.copies.tolist()) == ([4, 1, 2], [1, 3, 1])


@pytest.mark.parametrize("collapse", [False, True])
@pytest.mark.parametrize("by", ["label", "prediction", "any"])
def test_the_counts_of_classes_are_those_of_the_gallery(by, collapse):
    groups = np.array([0, 0, 2, 0, 4])
    state = state_of([answer(1, 0, classes=(2,)), answer(2, 4, classes=(0,))])
    facts = images_of(5, gone={3}), state, predictions(model_of(P), state.classes, 5, "multiclass")
    filters = Filters(by=by, above=0.1, collapse=collapse)
    shown = {
        of.id: len(gallery(replace(filters, class_id=of.id), *facts, groups))
        for of in state.classes
    }
    assert class_counts(filters, *facts, groups) == shown
    assert any(shown.values())


def test_a_merged_class_is_predicted_as_the_other_and_new_images_are_not():
    state = state_of([])
    merged = (replace(state.classes[0], merged_into=2), *state.classes[1:])
    predicted = predictions(model_of(P), merged, 7, "multiclass")
    assert predicted.of(1) == Predicted(2, pytest.approx(0.7), (2,))
    assert predicted.of(5) is None and predicted.of(99) is None
    assert predictions(None, merged, 2, "multiclass").of(0) is None


def test_near_copies_are_linked_by_distance_alone():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 20))
    rows[7] = rows[3] + 1e-3
    rows[200:220] = rows[100] + 1e-3 * rng.normal(size=(20, 20))
    groups = near_copies(rows)
    assert groups[7] == groups[3] == 3
    assert set(groups[200:220].tolist()) == {100}
    assert len(np.unique(groups)) == 300 - 1 - 20
    wide = rng.normal(size=(300, 12)) * np.array([9.0] * 6 + [1.0] * 6)
    wide[7] = wide[3]
    wide[7, -3:] += 3  # near by the main axes alone
    assert near_copies(wide)[7] == 7
    assert near_copies(np.ones((99, 2))).tolist() == [0] * 99
    rows[40:90] = rows[3]
    assert set(near_copies(rows)[[7, *range(40, 90)]].tolist()) == {3}
    assert near_copies(np.ones((1, 2))).tolist() == [0]


def test_planted_mistakes_lead_the_review():
    rng = np.random.default_rng(1)
    truth = rng.integers(3, size=90)
    rows = (np.eye(3)[truth] * 6 + rng.normal(size=(90, 3))).astype(np.float32)
    space = Space.placed("a test", {"pca": rows}, np.arange(90), 90)
    said = truth.copy()
    planted = rng.choice(90, 6, replace=False)
    said[planted] = (truth[planted] + 1) % 3
    labels = KnownLabels("multiclass", ("a", "b", "c"), np.arange(90), said)
    made = doubts(space.blocks, labels, [4, 5, 9], Pipeline())
    names = np.array([4, 5, 9])
    assert {doubt.image for doubt in made[:6]} == set(planted.tolist())
    assert all(d.suggested == (names[truth[d.image]],) for d in made[:6])
    assert [d.quality for d in made] == sorted(d.quality for d in made)
    findings = KnownLabels("multilabel", ("a", "b", "c"), np.arange(90), np.eye(3, dtype=int)[said])
    several = doubts(space.blocks, findings, [4, 5, 9], Pipeline())
    assert {doubt.image for doubt in several[:6]} == set(planted.tolist())
    one = replace(labels, labels=np.zeros(90, np.int64))
    assert doubts(space.blocks, one, [4, 5, 9], Pipeline()) == []


def test_the_nearest_labelled_images_explain_an_image():
    rows = {"a": np.array([[0.0], [1], [3], [9]], np.float32)}
    space = Space.placed("a test", rows, np.arange(4), 4).grown(5)
    state = state_of([answer(1, 0), answer(2, 2, classes=(1,)), answer(3, 4), answer(4, 1)])
    near = neighbours(space, state, 1, 2)
    assert [(one.image, one.label) for one in near] == [(0, (0,)), (2, (1,))]
    assert near[1].distance == pytest.approx(2 * near[0].distance)
    assert neighbours(space, state, 4) == []


def test_pauses_and_imports_do_not_count_as_work():
    times = [0, 2, 4, 6, 1000, 1002]
    work = [answer(n, n, answered_at=float(at)) for n, at in enumerate(times)]
    speed = pace(work)
    assert (speed.images, speed.seconds, speed.sessions) == (6, 8.0, 2)
    assert speed.an_hour == 1800
    others = [
        answer(10, 1, kind="flag", answered_at=8.0),
        answer(11, 1, view="import", answered_at=9.0),
        answer(12, 1, view="gallery", answered_at=9.0),
    ]
    assert pace(work + others) == speed
    both = pace([*work, *(answer(n, n, person="you", answered_at=n / 1) for n in range(20, 23))])
    assert (both.images, both.seconds, both.sessions) == (9, 10.0, 3)
    assert pace([]).an_hour is None and pace(work[:1]).an_hour is None


def estimated(version, labelled, value, space="full", audited=30):
    estimate = {"value": value, "low": 0.0, "high": 1.0, "audited": audited}
    return Model(version, 0.0, 0, space, "margin", {"labelled": labelled}, estimate, Path("none"))


def test_the_curve_has_the_newest_estimate_of_each_number_of_labels():
    models = [estimated(1, 20, 0.5), estimated(2, 25, 0.6), estimated(3, 20, 0.4)]
    assert [(p["labelled"], p["value"]) for p in curve(models)] == [(20, 0.4), (25, 0.6)]
    long = curve([estimated(n, n, 0.5) for n in range(1, 1000)])
    assert len(long) <= 200 and (long[0]["labelled"], long[-1]["labelled"]) == (1, 999)


def test_the_hint_says_when_it_is_too_early_when_to_stop_and_when_all_is_done():
    flat = curve([estimated(n, n, 0.95, audited=n // 5) for n in range(100, 2000, 100)])
    steep = curve([estimated(n, n, 1 - 4 / n, audited=n // 5) for n in range(20, 180, 10)])
    assert outlook(flat, 50)["advice"] == "stop"
    assert "the next 50 labels" in outlook(flat, 50)["hint"]
    assert outlook(flat, 0)["advice"] == "done"
    going = outlook(steep, 50)
    assert going["advice"] == "go-on" and going["next"]["labels"] == 50
    assert going["next"]["low"] <= going["next"]["value"] <= going["next"]["high"]
    assert outlook([], 50) == {
        "next": None,
        "advice": "too-early",
        "hint": "it is too early to say what further labels bring: it takes labels of 10 random "
        "images, and there are 0",
    }
    changed = curve([estimated(n, n, 0.9, "quick") for n in range(20, 80, 5)])
    after = [*changed, *curve([estimated(99, 90, 0.95)])]
    assert outlook(after, 50)["advice"] == "too-early"  # one estimate in the new space


def test_a_hint_says_what_is_missing_and_speaks_of_no_more_labels_than_there_are():
    few = curve([estimated(n, n, 0.9, audited=n // 10) for n in range(20, 90, 10)])
    assert outlook(few, 50)["hint"].endswith("it takes labels of 10 random images, and there are 8")
    two = curve([estimated(n, n, 0.9, audited=n // 10) for n in range(20, 120, 10)])
    assert "it takes 4 estimates of the accuracy, from 10 random" in outlook(two, 50)["hint"]
    assert outlook(two, 50)["hint"].endswith("there are 2")
    near = curve([estimated(n, n, 0.9) for n in range(45, 81, 5)])
    assert outlook(near, 50)["hint"].endswith("it can be said from 90 labels on")
    flat = curve([estimated(n, n, 0.95, audited=n // 5) for n in range(100, 2000, 100)])
    steep = curve([estimated(n, n, 1 - 4 / n, audited=n // 5) for n in range(20, 180, 10)])
    assert outlook(flat, 51)["hint"].endswith("of the next 50 labels, so it may be time to stop")
    assert "of the last 12 labels," in outlook(flat, 12)["hint"]
    assert "of the last label," in outlook(flat, 1)["hint"]
    whole, part = outlook(steep, 500)["next"], outlook(steep, 10)["next"]
    assert (whole["labels"], part["labels"]) == (50, 10)
    assert part["value"] < whole["value"] / 2
    assert outlook(steep, 0)["next"] is None
