"""Scores of picks, against the literal formulas, and progress while they are made."""

import numpy as np
import pytest

from nextlabel import select
from nextlabel.core.errors import UsageError
from nextlabel.core.strategy import Scored
from nextlabel.kernels import reference
from nextlabel.kernels.coverage.max_herding import max_herding
from nextlabel.strategies import STRATEGIES, create
from refusals import refused

RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 3))
P = RNG.dirichlet(np.ones(4), 60)
LOSS = RNG.normal(size=60)
SAMPLES = RNG.dirichlet(np.ones(4), (60, 5))
LABELLED = [3, 17, 40]
EXCLUDED = [5, 6]
SIGNALS = {
    "predicted_loss": LOSS,
    "samples": SAMPLES,
    "dropped": SAMPLES,
    "discriminator": RNG.uniform(size=len(X)),
    "ranked_discriminator": RNG.uniform(size=len(X)),
}
SCORED = [name for name in STRATEGIES if isinstance(create(name), Scored)]


def scored(name, labelled=LABELLED, budget=8, **settings):
    return select(
        X,
        budget,
        strategy=name,
        probabilities=P,
        signals=SIGNALS,
        labelled=labelled,
        excluded=EXCLUDED,
        return_scores=True,
        **settings,
    )


def rms(rows):
    differences = rows[:, None] - rows[None]
    return np.sqrt((differences**2).sum(-1).sum() / (len(rows) * (len(rows) - 1)))


def squared(rows, image):
    return ((rows - rows[image]) ** 2).sum(axis=1)


@pytest.mark.parametrize("scale", ["none", "rms"])
def test_core_set_gives_the_distance_to_the_nearest_and_medal_the_mean_square(scale):
    rows = X / (rms(X) if scale == "rms" else 1)
    for name, of in (("core_set", lambda d: np.sqrt(d.min())), ("medal", np.mean)):
        chosen, scores = scored(name, scale=scale)
        known = list(LABELLED)
        for pick, score in zip(chosen.tolist(), scores.tolist(), strict=True):
            assert score == pytest.approx(of(squared(rows, pick)[known]), rel=1e-12)
            known.append(pick)
        assert np.isnan(scored(name, [])[1]).tolist() == [True] + 7 * [False]


@pytest.mark.parametrize("name", ["max_herding", "uherding"])
def test_herding_gives_the_rise_in_coverage(name):
    chosen, scores = scored(name, options={"bandwidth": 0.7})
    rows, keep = X / rms(X), np.setdiff1d(np.arange(60), EXCLUDED)
    ordered = np.sort(P, axis=1)
    weights = 1 - (ordered[:, -1] - ordered[:, -2]) if name == "uherding" else np.ones(60)
    known = list(LABELLED)

    def coverage():
        similar = np.array([np.exp(-squared(rows, image) / 0.49) for image in known])
        return (similar.max(axis=0) * weights)[keep].sum()

    for pick, score in zip(chosen.tolist(), scores.tolist(), strict=True):
        before = coverage()
        known.append(pick)
        assert score == pytest.approx(coverage() - before, rel=1e-9)
    assert (np.diff(scores) <= 1e-12).all()
    if name == "uherding":  # with nothing labelled all weights are 1
        cold = scored(name, [], options={"bandwidth": 0.7})
        np.testing.assert_array_equal(
            cold[1], scored("max_herding", [], options={"bandwidth": 0.7})[1]
        )


def test_prob_cover_gives_the_number_of_images_covered_first():
    chosen, scores = scored("prob_cover", options={"radius": 0.4}, budget=30)
    rows = X / rms(X)
    balls = np.zeros(60, int)
    for image in LABELLED:
        balls += squared(rows, image) <= 0.16
    left = np.setdiff1d(np.arange(60), [*LABELLED, *EXCLUDED])
    for pick, score in zip(chosen.tolist(), scores.tolist(), strict=True):
        least = left[balls[left] == balls[left].min()]
        inside = squared(rows, pick) <= 0.16
        assert score == inside[least].sum()
        balls += inside
        left = left[left != pick]
    derived = scored("prob_cover", seed=4)
    assert derived[1][0] >= derived[1][1:].max()


@pytest.mark.parametrize(
    ("name", "options"),
    [("prob_cover", {"radius": 0.5}), ("max_herding", {"bandwidth": 0.5})],
)
@pytest.mark.parametrize("scale", ["none", "rms"])
def test_options_that_are_distances_count_after_scaling(name, options, scale):
    (distance,) = options.values()
    literal = reference.ball_cover if name == "prob_cover" else reference.max_herding
    expected = literal(X / rms(X), LABELLED, 9, distance)
    chosen = select(X, 9, strategy=name, options=options, labelled=LABELLED, scale=scale)
    assert (chosen.tolist() == expected.tolist()) is (scale == "rms")
    options = {key: np.float32(value) for key, value in options.items()}
    again = select(X, 9, strategy=name, options=options, labelled=LABELLED, scale="rms")
    assert again.tolist() == expected.tolist()


def test_uncertainty_gives_its_values():
    ordered = np.sort(P, axis=1)
    values = {
        "entropy": -(P * np.log(P)).sum(axis=1),
        "margin": ordered[:, -1] - ordered[:, -2],
        "least_confidence": ordered[:, -1],
        "predicted_loss": LOSS,
    }
    for name, of_all in values.items():
        chosen, scores = scored(name)
        np.testing.assert_allclose(scores, of_all[chosen], rtol=1e-12)
        low = name in ("margin", "least_confidence")
        assert scores.tolist() == sorted(scores.tolist(), reverse=not low)
    for name in ("bald", "epig"):
        scores = scored(name)[1]
        assert scores.tolist() == sorted(scores.tolist(), reverse=True) and scores[0] > 0


@pytest.mark.parametrize("name", SCORED)
def test_every_score_has_words_and_one_number_per_pick(name):
    chosen, scores = scored(name)
    assert create(name).score
    assert scores.shape == chosen.shape
    assert np.isfinite(scores).all() or name == "tcm"  # its first strategy has no score
    assert (
        chosen.tolist()
        == select(
            X,
            8,
            strategy=name,
            probabilities=P,
            signals=SIGNALS,
            labelled=LABELLED,
            excluded=EXCLUDED,
        ).tolist()
    )
    assert scored(name, budget=0)[1].shape == (0,)


def test_strategies_without_a_score_say_so():
    assert {"random", "typiclust", "badge"} <= set(STRATEGIES) - set(SCORED)
    for name in set(STRATEGIES) - set(SCORED):
        with refused(UsageError, "no-score"):
            scored(name)


def test_copies_left_out_have_no_score():
    rows = np.array([[0.0], [0.0], [3.0], [0.0]])
    with pytest.warns(UserWarning, match="are copies"):
        chosen, scores = select(rows, 3, labelled=[0], scale="none", return_scores=True)
    assert chosen.tolist() == [2] and scores.tolist() == [3]


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"oracle_balanced"}))
def test_progress_ends_at_the_budget_and_may_stop_the_choice(name):
    steps = []
    scored_or_not = {"probabilities": P, "signals": SIGNALS, "labelled": LABELLED}
    chosen = select(X, 8, strategy=name, progress=lambda *step: steps.append(step), **scored_or_not)
    assert len(chosen) == 8
    assert steps[-1] == (8, 8)
    counts = [count for count, _ in steps]
    assert counts == sorted(counts) and {budget for _, budget in steps} == {8}
    if name in ("medal", "max_herding", "uherding", "prob_cover", "badge", "bait"):
        assert len(set(counts)) > 5

    def stop(count, budget):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        select(X, 8, strategy=name, progress=stop, **scored_or_not)
    assert len(max_herding(X, LABELLED, 3, 0.5)) == 3  # the callback is gone
    assert select(X, 8, strategy=name, **scored_or_not).tolist() == chosen.tolist()


def test_core_set_reports_its_steps():
    steps = []
    rows = RNG.normal(size=(3000, 8))
    select(rows, 300, progress=lambda *step: steps.append(step))
    assert len(set(steps)) > 2 and steps[-1] == (300, 300)
