import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from nextlabel.core.errors import UsageError
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.models import linear
from nextlabel.models.classical import ClassicalModel
from nextlabel.models.linear import STRENGTHS, fit_linear
from nextlabel.models.task_models import create_model
from refusals import refused


@pytest.fixture(scope="module")
def rows(digits):
    images, _ = digits
    pixels = images.reshape(len(images), -1).numpy().astype(np.float32)
    return ScaledBlocks(
        {"left": pixels[:, :40], "right": pixels[:, 40:]}, {"left": 600, "right": 900}
    )


@pytest.fixture(scope="module")
def labels(digits):
    return digits[1]


def concatenated(rows, labelled, labels, **options):
    return LogisticRegression(max_iter=1000, **options).fit(rows.rows()[labelled], labels)


@pytest.mark.parametrize("classes", [range(10), (3, 8)])
@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_blocks_give_what_scikit_learn_gives_on_joined_rows(classes, class_weight, rows, labels):
    labelled = np.flatnonzero(np.isin(labels, list(classes)))[:120]
    weight = None if class_weight == "none" else "balanced"
    ours = fit_linear(rows, labelled, labels[labelled], 3.0, class_weight)
    theirs = concatenated(rows, labelled, labels[labelled], C=3.0, class_weight=weight)
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    found = ours.probabilities(rows)
    np.testing.assert_allclose(found, theirs.predict_proba(rows.rows()), atol=1e-12)


def test_balanced_classes_find_more_of_the_rare_one(rows, labels):
    rare, common = np.flatnonzero(labels == 9)[:5], np.flatnonzero(labels == 4)[:100]
    labelled = np.concatenate([rare, common])
    rest = np.setdiff1d(np.flatnonzero(np.isin(labels, (4, 9))), labelled)
    nines = {}
    for weight in ("none", "balanced"):
        fitted = fit_linear(rows, labelled, labels[labelled], 0.01, weight)
        found = fitted.classes_[fitted.probabilities(rows.take(rest)).argmax(1)]
        nines[weight] = (found == 9)[labels[rest] == 9].mean()
    assert nines["balanced"] > nines["none"] + 0.2


def test_cv_takes_the_strength_of_the_least_held_out_loss(rows, labels, monkeypatch):
    labelled = np.arange(60)
    seen = []

    def losses(fit, rows, labelled, known):
        fitted = fit(labelled, known)
        strength = next(
            s
            for s in STRENGTHS
            if np.allclose(fitted.coefficients, fit_linear(rows, labelled, known, s).coefficients)
        )
        seen.append(strength)
        right = 0.9 if strength == 1.0 else 0.5
        p = np.full((len(known), 10), (1 - right) / 9)
        p[np.arange(len(known)), known] = right
        return np.arange(len(known)), p

    with monkeypatch.context() as patch:
        patch.setattr(linear, "held_out_probabilities", losses)
        chosen = fit_linear(rows, labelled, labels[labelled], "cv")
    assert seen == list(STRENGTHS)
    expected = fit_linear(rows, labelled, labels[labelled], 1.0)
    np.testing.assert_array_equal(chosen.coefficients, expected.coefficients)


def test_cv_without_a_label_to_hold_out_takes_the_usual_strength(rows, labels):
    labelled = np.array([int(np.flatnonzero(labels == c)[0]) for c in range(10)])
    chosen = fit_linear(rows, labelled, labels[labelled], "cv")
    usual = fit_linear(rows, labelled, labels[labelled])
    np.testing.assert_array_equal(chosen.coefficients, usual.coefficients)


def test_nothing_joins_the_rows_of_the_pool(rows, labels, monkeypatch):
    settings = create_model(name="linear", blocks={"left": 1.0, "right": 1.0}, temperature="cv")
    model, joined = ClassicalModel(settings, "multiclass", 10), []
    plain = ScaledBlocks.rows

    def counted(blocks, ids=slice(None)):
        found = plain(blocks, ids)
        joined.append(len(found))
        return found

    monkeypatch.setattr(ScaledBlocks, "rows", counted)
    seen = model.train(rows, np.arange(50), labels[:50]).infer(rows)
    assert max(joined) == 50
    assert seen.probabilities.shape == (1797, 10) and max(joined) == 50
    assert seen.features.shape == (1797, 64) and joined[-1] == 1797
    assert seen.features is seen.features and len(joined) < 20


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        ({}, "invalid-setting", 'model linear needs a block to see; set block = "pca"'),
        (
            {"block": "a", "blocks": {"b": 1.0}},
            "invalid-setting",
            "block 'a' and blocks are both set",
        ),
        ({"blocks": {"b": 0.0}}, "weights-all-zero", "every block has weight 0"),
        (
            {"blocks": {"b": -1.0}},
            "bad-block-weight",
            "weight -1.0 of block 'b' is not a finite number of at least 0",
        ),
        (
            {"block": "a", "regularisation": "auto"},
            "invalid-setting",
            "'auto' must be a number above 0 or \"cv\"",
        ),
        (
            {"block": "a", "regularisation": 0},
            "invalid-setting",
            '0 must be a number above 0 or "cv"',
        ),
        (
            {"block": "a", "regularisation": True},
            "invalid-setting",
            'True must be a number above 0 or "cv"',
        ),
        ({"block": "a", "class_weight": "even"}, "invalid-setting", "must be 'none' or 'balanced'"),
    ],
)
def test_settings_that_do_not_fit_say_what_to_do(options, code, says):
    with refused(UsageError, code, match=says):
        create_model(name="linear", **options)


def test_networks_read_no_blocks():
    for name in ("small_cnn", "encoder"):
        with refused(UsageError, "invalid-setting", match=f"model {name} reads no blocks"):
            create_model(name=name, blocks={"vae": 1.0})


def test_row_blocks_are_sorted_and_above_zero():
    model = create_model(name="linear", blocks={"vae": 0.5, "none": 0.0, "pca": 1})
    assert list(model.row_blocks.items()) == [("pca", 1.0), ("vae", 0.5)]
    assert model.used_blocks == ("pca", "vae")
    assert create_model(name="encoder", block="vae").used_blocks == ("vae",)
    assert create_model(name="encoder", block="vae").row_blocks == {}


def test_many_classes_of_few_labels_are_nothing_to_warn_of(rows):
    some, classes = np.arange(30), np.arange(30) % 20
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert len(fit_linear(rows, some, classes, 0.01).classes_) == 20
