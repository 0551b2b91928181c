"""AUBC against α: arms that differ in nothing but one block's weight."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nextlabel.core.seeds import Seeds
from nextlabel.report.columns import Column
from nextlabel.report.results import Study, common
from nextlabel.report.tables import Table
from nextlabel.statistics import Comparison, aubc, compare

LEAST = 3
"""So many weights make a sweep."""
PLACES = ("features", "side")


@dataclass(frozen=True)
class Point:
    """The AUBC at one weight, mean and s.d. over seeds, and its paired difference to α = 0.

    `against_zero` is None at α = 0, and where no arm has it.
    """

    alpha: float
    arm: str
    mean: float
    deviation: float | None
    against_zero: Comparison | None


@dataclass(frozen=True, eq=False)
class Sweep:
    """Points by rising weight of `block`, all over the same `seeds`."""

    strategy: str
    block: str
    place: str
    seeds: tuple[int, ...]
    points: tuple[Point, ...]

    @property
    def title(self) -> str:
        """What is varied, in words."""
        where = "beside the training of" if self.place == "side" else "in the space of"
        return f"α, the weight of {self.block} {where} {self.strategy}"


def find_sweeps(study: Study) -> tuple[Sweep, ...]:
    """Return every sweep of three weights or more that have a seed complete in common."""
    specs = [study.arms[arm] for arm in study.drawn]
    blocks = dict.fromkeys(
        (place, block) for spec in specs for place in PLACES for block in _weights(spec, place)
    )
    groups: dict[tuple[str, ...], dict[float, str]] = {}
    for place, block in blocks:
        for spec in specs:
            weight = _weights(spec, place).get(block, 0.0)
            key = (place, block, _rest(spec, place, block))
            groups.setdefault(key, {}).setdefault(weight, spec["name"])
    found = (
        _sweep(study, key[0], key[1], arms) for key, arms in groups.items() if len(arms) >= LEAST
    )
    return tuple(sweep for sweep in found if sweep.seeds)


def _sweep(study: Study, place: str, block: str, arms: Mapping[float, str]) -> Sweep:
    seeds = common(study.complete(arm) for arm in arms.values())
    strategy = str(study.arms[next(iter(arms.values()))]["strategy"])
    if not seeds:
        return Sweep(strategy, block, place, (), ())
    areas = {
        alpha: aubc(study.counts, study.curve(arm, seeds).values) for alpha, arm in arms.items()
    }
    points = []
    for alpha in sorted(arms):
        mine, spread = areas[alpha], len(seeds) > 1
        against = None
        if alpha > 0 and 0.0 in areas:
            rng = Seeds(0).rng(f"bootstrap {arms[alpha]} against {arms[0.0]}")
            against = compare(mine, areas[0.0], rng)
        deviation = float(mine.std(ddof=1)) if spread else None
        points.append(Point(alpha, arms[alpha], float(mine.mean()), deviation, against))
    return Sweep(strategy, block, place, seeds, tuple(points))


def _weights(spec: Mapping[str, Any], place: str) -> Mapping[str, float]:
    return {name: float(w) for name, w in (spec.get(place) or {}).items()}


def _rest(spec: Mapping[str, Any], place: str, block: str) -> str:
    """Return all that an arm is but its names and the weight in question."""
    rest = {k: v for k, v in spec.items() if k not in ("name", "baseline", *PLACES)}
    for p in PLACES:
        weights = _weights(spec, p)
        rest[p] = {n: w for n, w in weights.items() if w and (p, n) != (place, block)}
    return json.dumps(rest, sort_keys=True, default=str)


def sweep_table(number: int, sweep: Sweep) -> Table:
    """Return what a picture of a sweep shows."""
    columns = (
        Column("block", "block"),
        Column("alpha", "α", "plain"),
        Column("arm", "arm"),
        Column("seeds", "seeds", "count"),
        Column("aubc", "AUBC", "number"),
        Column("aubc_sd", "s.d.", "spread"),
        Column("difference", "minus α = 0", "signed"),
        Column("low", "95% from", "signed"),
        Column("high", "to", "signed"),
        Column("p", "p", "p"),
    )
    rows = []
    for point in sweep.points:
        zero = point.against_zero
        rest = (None,) * 4 if zero is None else (zero.mean, zero.low, zero.high, zero.test.p)
        head = (sweep.block, point.alpha, point.arm, len(sweep.seeds))
        rows.append((*head, point.mean, point.deviation, *rest))
    return Table(f"alpha-{number}", columns, tuple(rows))
