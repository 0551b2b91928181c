"""The simulated person of `nextlabel label --simulate`: its results, in tables."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import mean, quantiles
from typing import TYPE_CHECKING, Any

from nextlabel.cli.output import note, put_json, put_table

if TYPE_CHECKING:
    from nextlabel.web.simulation.person import Measured, SimulationResult
    from nextlabel.web.simulation.trial import Simulation


def simulate(simulation: "Simulation", seeds: Sequence[int], json: bool) -> None:
    """Run a simulation with some seeds, and print the curves and the seconds per answer."""
    results = {}
    for seed in seeds:
        note(f"seed {seed}: the features of {simulation.folder} are made or read")
        results[seed] = simulation.run(seed, lambda measured: note(f"  {_line(measured)}"))
    if json:
        put_json({str(seed): asdict(result) for seed, result in results.items()})
        return
    put_table(
        ("seed", "labels", "accuracy", "estimate", "interval", "space"),
        [
            (seed, of.labelled, f"{of.accuracy:.3f}", *_estimate(of), of.space)
            for seed, result in results.items()
            for of in result.curve
        ],
    )
    if len(results) > 1:
        put_table(("labels", "accuracy", "seeds"), _means(list(results.values())))
    seconds = [value for result in results.values() for value in result.answered]
    renewed = [value for result in results.values() for value in result.renewed]
    note(f"seconds per answer: {_spread(seconds)}; until the queue is renewed: {_spread(renewed)}")


def _line(measured: "Measured") -> str:
    value, interval = _estimate(measured)
    return (
        f"{measured.labelled} labels: accuracy {measured.accuracy:.3f}, estimate {value} {interval}"
    )


def _estimate(measured: "Measured") -> tuple[str, str]:
    if measured.estimate is None:
        return "–", "–"
    interval = "–" if measured.low is None else f"{measured.low:.3f} to {measured.high:.3f}"
    return f"{measured.estimate:.3f}", interval


def _means(results: "Sequence[SimulationResult]") -> list[tuple[Any, ...]]:
    curves = [{of.labelled: of.accuracy for of in result.curve} for result in results]
    shared = sorted(set.intersection(*(set(curve) for curve in curves)))
    return [(at, f"{mean(curve[at] for curve in curves):.3f}", len(curves)) for at in shared]


def _spread(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "–"
    steps = quantiles(seconds, n=20, method="inclusive")
    return f"median {steps[9]:.3f}, 95% within {steps[18]:.3f}"
