from typing import Any

import pytest
from studies import ARMS, curves, spec_of

from nextlabel.report.figures import DASHES, HUES, NEUTRAL, styles
from nextlabel.report.results import Study, read_study
from nextlabel.store.store import Store


def study_of(*arms: dict[str, Any]) -> Study:
    return Study("s", spec_of(arms), ())


BASE = {"name": "base", "strategy": "core_set"}


@pytest.mark.parametrize(
    ("change", "twin"),
    [
        ({"features": {"task": 1.0, "vae": 0.5}}, True),
        ({"side": {"vae": 1.0}}, True),
        ({"features": {"task": 1.0, "vae": 0.0}}, False),
        ({"features": {"vae": 1.0}}, False),
        ({"features": {"task": 1.0, "vae": 1.0}, "strategy": "medal"}, False),
        ({"features": {"task": 1.0, "vae": 1.0}, "options": {"x": 1}}, False),
        ({}, False),
    ],
)
def test_a_twin_is_its_baseline_with_more_blocks(change: dict[str, Any], twin: bool) -> None:
    other = {"name": "other", "strategy": "core_set", "baseline": "base", **change}
    study = study_of(BASE, other)
    assert study.is_twin("other") is twin
    assert study.family("other") == ("base" if twin else "other")


def test_twins_share_a_colour_and_differ_in_dashes() -> None:
    more = {"task": 1.0, "vae": 1.0, "pca": 1.0}
    third = {
        "name": "third",
        "strategy": "core_set",
        "features": more,
        "baseline": "core-set + VAE",
    }
    look = styles(study_of(*ARMS, third))
    assert look["random"].colour == NEUTRAL
    assert [look[a].colour for a in ("core-set", "core-set + VAE", "third")] == [HUES[0]] * 3
    assert [look[a].dashes for a in ("core-set", "core-set + VAE", "third")] == list(DASHES[:3])
    assert look["MedAL"].colour == look["MedAL + VAE"].colour == HUES[1]
    assert look["MedAL"].marker != look["core-set"].marker
    assert look["core-set + VAE"].marker != look["core-set"].marker  # where curves overlap


def test_a_curve_is_what_the_rounds_say(digits: Store) -> None:
    study = read_study(digits, "digits")
    curve = study.curve("MedAL")
    assert (curve.values == curves("MedAL")).all() and curve.seeds == (0, 1, 2)
    assert curve.counts.tolist() == [50, 100, 150, 200, 250]
    beside = study.curve("MedAL", metric="test/accuracy")
    assert beside.values == pytest.approx(curves("MedAL") - 0.02)
    assert study.metrics == (
        "validation/accuracy",
        "validation/balanced_accuracy",
        "test/accuracy",
    )
