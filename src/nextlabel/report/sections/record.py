"""The record of the run: arms, settings, machines and trials."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nextlabel.report.formatting import MISSING, metric_name, show
from nextlabel.report.frame import Table
from nextlabel.report.results import Results
from nextlabel.report.sections.facts import flatten, merge
from nextlabel.report.sections.section import (
    Download,
    Facts,
    Heading,
    Section,
    TableView,
    view,
)

if TYPE_CHECKING:
    from pandas import DataFrame

HASH_LENGTH = 12
"""The first digits of a hash, which identify it well enough for a reader."""


def build(results: Results) -> Section:
    """Return the section."""
    facts = {
        "Experiment": _experiment(results),
        "Data": flatten(_mapping(results.spec.get("data"))),
        "Model": flatten(_mapping(results.spec.get("model"))),
        "Training": flatten(_mapping(results.spec.get("training"))),
        "Feature blocks": flatten(_mapping(results.spec.get("blocks"))),
        "Where it ran": _environments(results),
    }
    rounds, trials = results.rounds(), results.trials_table()
    shortened = _shorten(_shorten(trials, "initial_hash"), "key")
    return Section(
        "What was run",
        tables=(_arms(results),),
        subsections=(
            *(Section(title, facts=values) for title, values in facts.items() if values),
            Section(
                f"All {len(results.trials)} trials",
                tables=(view(shortened),),
                downloads=(
                    Download(Table("trials", trials), "CSV of trials"),
                    Download(Table("rounds", rounds), "CSV of rounds"),
                ),
                folded=True,
            ),
            Section(
                "The resolved experiment",
                code=json.dumps(results.spec, indent=2, ensure_ascii=False),
                folded=True,
            ),
        ),
        folded=True,
        name="record",
    )


def _experiment(results: Results) -> Facts:
    spec = results.spec
    return flatten(
        {
            "seeds": spec["seeds"],
            "labels": f"{spec['initial']} at first, {spec['batch']} per round, up to "
            f"{spec['target']}",
            "metric of curves and tests": metric_name(results.headline),
            "primary test": _primary(results),
            "weights that training started from": sorted(
                {r.training.weights for t in results.trials for r in t.rounds}
            ),
            "trained on": sorted(_devices(results)),
            "initial labels": _starts(results),
        }
    )


def _primary(results: Results) -> str | None:
    name = results.spec.get("primary")
    if name is None:
        return None
    return f"{name} against {results.arms[name].get('baseline') if name in results.arms else None}"


def _devices(results: Results) -> set[str]:
    """Return the device and precision of the trials; "auto" is resolved in their settings."""
    settings = [_mapping(trial.state.record.spec.get("training")) for trial in results.trials]
    return {
        f"{s['device']} in {s['precision']}" for s in settings if {"device", "precision"} <= set(s)
    }


def _starts(results: Results) -> dict[str, str]:
    """Return for each seed, and each kind of start if there are several, if labels are shared."""
    several = len({results.beginning(arm) for arm in results.arms}) > 1
    hashes: dict[str, set[str | None]] = {}
    for trial in results.trials:
        if trial.rounds:
            start, space = results.beginning(trial.arm)
            suffix = f", {start}{f' ({space})' * bool(space)}" if several else ""
            hashes.setdefault(f"seed {trial.seed}{suffix}", set()).add(trial.state.initial_hash)
    return {name: _shared(of_start, several) for name, of_start in hashes.items()}


def _shared(hashes: set[str | None], several: bool) -> str:
    arms = "all arms that start so" if several else "all arms"
    if len(hashes) > 1 or None in hashes:
        return f"not the same for {arms}"
    return f"the same for {arms}, {str(next(iter(hashes)))[:16]}…"


def _environments(results: Results) -> Facts:
    return merge(
        environment
        for trial in results.trials
        for environment in trial.environments or (trial.state.environment,)
        if environment
    )


def _shorten(frame: "DataFrame", name: str) -> "DataFrame":
    heads: Any = [_head(text) for text in frame[name]]
    return frame.assign(**{name: heads})


def _arms(results: Results) -> TableView:
    """Return the settings of each arm, without a column for side features that no arm has."""
    has_side = any(arm.get("side") or arm.get("loss_head") for arm in results.arms.values())
    names = ("scale", "baseline", "start")
    rows = []
    for arm in results.arms.values():
        options = ", ".join(f"{k} = {v}" for k, v in (arm.get("options") or {}).items())
        strategy = f"{arm['strategy']} ({options})" if options else str(arm["strategy"])
        side = [_weighted(arm["side"])] if arm.get("side") else []
        side += ["loss head"] if arm.get("loss_head") else []
        rows.append(
            (
                str(arm["name"]),
                strategy,
                _weighted(arm["features"]),
                *([", ".join(side) or MISSING] if has_side else []),
                *(show(arm.get(name)) for name in names),
            )
        )
    headings = ("arm", "strategy", "features", *(["in the training"] * has_side), *names)
    return TableView(tuple(Heading(name, False) for name in headings), tuple(rows))


def _weighted(blocks: Mapping[str, float]) -> str:
    return " ".join(f"{block} × {weight:g}" for block, weight in blocks.items())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _head(text: object) -> str | None:
    """Return the first digits of a hash; None for a trial that has none yet, which pandas marks."""
    return text[:HASH_LENGTH] if isinstance(text, str) else None
