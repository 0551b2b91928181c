"""Sweeps over α: arms that differ only in the weight of one block."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nextlabel.core.seeds import Seeds
from nextlabel.report.experiment_record import ExperimentRecord, common
from nextlabel.statistics import Comparison, aubc, compare

FEWEST = 3
"""The fewest weights that make a sweep."""
USES = ("features", "side")
"""The settings of an arm in which a block has a weight."""


@dataclass(frozen=True)
class Point:
    """The area under the curve at one weight, and its paired difference to α = 0.

    `mean` and `deviation` (s.d.) are over seeds. `against_zero` is None at α = 0, and where the
    experiment has no arm at α = 0.
    """

    alpha: float
    arm: str
    mean: float
    deviation: float | None
    against_zero: Comparison | None


@dataclass(frozen=True, eq=False)
class Sweep:
    """Points by increasing weight of `block`, all over the same `seeds`."""

    strategy: str
    block: str
    use: str
    seeds: tuple[int, ...]
    points: tuple[Point, ...]

    @property
    def title(self) -> str:
        """The varied weight, in words."""
        where = "in the training of" if self.use == "side" else "in the space of"
        return f"α, the weight of {self.block} {where} {self.strategy}"


def find_sweeps(record: ExperimentRecord) -> tuple[Sweep, ...]:
    """Return every sweep of three weights or more that have a seed complete in common."""
    specs = [record.arms[arm] for arm in record.drawn]
    blocks = dict.fromkeys(
        (use, block) for spec in specs for use in USES for block in _weights(spec, use)
    )
    groups: dict[tuple[str, ...], dict[float, str]] = {}
    for use, block in blocks:
        for spec in specs:
            weight = _weights(spec, use).get(block, 0.0)
            key = (use, block, _rest(spec, use, block))
            groups.setdefault(key, {}).setdefault(weight, spec["name"])
    sweeps = (
        _sweep(record, key[0], key[1], arms) for key, arms in groups.items() if len(arms) >= FEWEST
    )
    return tuple(sweep for sweep in sweeps if sweep.seeds)


def _sweep(record: ExperimentRecord, use: str, block: str, arms: Mapping[float, str]) -> Sweep:
    seeds = common(record.complete(arm) for arm in arms.values())
    strategy = str(record.arms[next(iter(arms.values()))]["strategy"])
    if not seeds:
        return Sweep(strategy, block, use, (), ())
    areas = {
        alpha: aubc(record.counts, record.curve(arm, seeds).values) for alpha, arm in arms.items()
    }
    points = []
    for alpha in sorted(arms):
        alpha_areas = areas[alpha]
        against = None
        if alpha > 0 and 0.0 in areas:
            rng = Seeds(0).rng(f"subsets {arms[alpha]} against {arms[0.0]}")
            against = compare(alpha_areas, areas[0.0], rng)
        deviation = float(alpha_areas.std(ddof=1)) if len(seeds) > 1 else None
        points.append(Point(alpha, arms[alpha], float(alpha_areas.mean()), deviation, against))
    return Sweep(strategy, block, use, seeds, tuple(points))


def _weights(spec: Mapping[str, Any], use: str) -> Mapping[str, float]:
    return {name: float(w) for name, w in (spec.get(use) or {}).items()}


def _rest(spec: Mapping[str, Any], use: str, block: str) -> str:
    """Return an arm's settings as text, without its names and the weight of `block`."""
    rest = {k: v for k, v in spec.items() if k not in ("name", "baseline", *USES)}
    for p in USES:
        weights = _weights(spec, p)
        rest[p] = {n: w for n, w in weights.items() if w and (p, n) != (use, block)}
    return json.dumps(rest, sort_keys=True, default=str)
