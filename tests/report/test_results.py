from typing import Any

import pytest
from sqlalchemy import event
from studies import ARMS, curves, fill, spec_of

from nextlabel.report.experiment_record import ExperimentRecord
from nextlabel.report.figures.style import DASHES, NEUTRAL, arm_styles
from nextlabel.report.results import read_results
from nextlabel.report.sections import picks
from nextlabel.store.store import Store


def record_of(*arms: dict[str, Any]) -> ExperimentRecord:
    return ExperimentRecord("s", spec_of(arms), ())


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
    results = record_of(BASE, other)
    assert results.is_twin("other") is twin
    assert results.family("other") == ("base" if twin else "other")


def test_every_arm_has_a_colour_and_twins_differ_in_dashes_too() -> None:
    more = {"task": 1.0, "vae": 1.0, "pca": 1.0}
    third = {
        "name": "third",
        "strategy": "core_set",
        "features": more,
        "baseline": "core-set + VAE",
    }
    styles = arm_styles(record_of(*ARMS, third).arms)
    assert styles["random"].colour == NEUTRAL
    assert len({style.colour for style in styles.values()}) == len(styles)
    twins = ("core-set", "core-set + VAE", "third")
    assert [styles[arm].dashes for arm in twins] == list(DASHES[:3])
    assert styles["core-set + VAE"].marker != styles["core-set"].marker  # where curves overlap


def test_a_curve_is_what_the_rounds_say(digits: Store) -> None:
    results = read_results(digits, "digits")
    curve = results.curve("MedAL")
    assert (curve.values == curves("MedAL")).all() and curve.seeds == (0, 1, 2)
    assert curve.counts.tolist() == [50, 100, 150, 200, 250]
    assert results.curve("MedAL", (0, 1, 2)) is curve  # made once
    assert results.curve("MedAL", (2, 0)).values.tolist() == curve.values[[2, 0]].tolist()
    beside = results.curve("MedAL", metric="test/accuracy")
    assert beside.values == pytest.approx(curves("MedAL") - 0.02)
    assert results.metrics == (
        "validation/accuracy",
        "validation/balanced_accuracy",
        "test/accuracy",
    )


def test_details_of_more_trials_take_no_more_statements(store: Store) -> None:
    counts = []
    for seeds in (1, 3):
        fill(store, spec_of(ARMS[:2], seeds=seeds) | {"name": f"of {seeds}"})
        statements: list[str] = []
        event.listen(
            store._engine, "before_cursor_execute", lambda *of, to=statements: to.append(of[2])
        )
        trials = read_results(store, f"of {seeds}").trials
        assert len(trials) == 2 * seeds
        for trial in trials:
            assert trial.environments == tuple(store_environments(store, trial.key, statements))
            assert trial.block_logs is not None and trial.next_picks is None
        counts.append(len(statements))
    assert counts[0] == counts[1]


def store_environments(store: Store, key: str, statements: list[str]) -> list[Any]:
    """Return the environments of one trial, read without being counted."""
    before = len(statements)
    environments = store.environments(key)
    del statements[before:]
    assert environments
    return environments


def test_contact_sheets_are_those_of_the_first_seeds(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, spec_of(ARMS[:2], seeds=3))
    results = read_results(store)
    whole = picks._contact_sheets(results)
    monkeypatch.setattr(picks, "PICTURED", 2)
    few = picks._contact_sheets(results)
    assert whole is not None and few is not None
    assert (whole.text, few.text) == ((), ("The first 2 seeds.",))
    for section, seeds in ((whole, 3), (few, 2)):
        assert {len(one.subsections) for one in section.subsections} == {seeds}
