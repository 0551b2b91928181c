"""The curves: the headline metric against the number of labels."""

from collections.abc import Sequence

from nextlabel.report.comparisons import Pair
from nextlabel.report.experiment_record import Curve
from nextlabel.report.figures import arm_styles
from nextlabel.report.figures.curves import MOST_WITH_SEEDS, draw_curves, shows_seeds
from nextlabel.report.formatting import metric_name
from nextlabel.report.frame import Table
from nextlabel.report.results import Results
from nextlabel.report.sections.section import Drawing, Section
from nextlabel.report.tables import curve_frame


def build(results: Results) -> Section | None:
    """Return the section: one figure first, the others folded; None without a complete trial."""
    if not results.drawn:
        return None
    every = _drawing(results, "curves", "All arms", [results.curve(arm) for arm in results.drawn])
    twins = {
        pair.arm: _drawing(results, f"twin-{number}", pair.title, pair.curves[::-1])
        for number, pair in enumerate((p for p in results.pairs if p.twin), 1)
    }
    main = _main(results.pairs, twins) if len(results.drawn) > 2 else None
    first = every if main is None else twins[main]
    others = [drawing for drawing in (every, *twins.values()) if drawing is not first]
    folded = Section("More curves", figures=tuple(others), folded=True)
    lines = results.drawn if first is every else ("arm", "baseline")
    text = (
        "The lines of different seeds lie apart, but seeds are paired: the differences above, and "
        "not the distance of the lines, show which arm is better.",
    )
    return Section(
        "Curves",
        text=text if len(lines) <= MOST_WITH_SEEDS and len(results.paired_seeds) > 1 else (),
        figures=(first,),
        subsections=(folded,) if others else (),
        name="curves",
    )


def _main(pairs: Sequence[Pair], twins: dict[str, Drawing]) -> str | None:
    """Return the arm of the primary comparison, or of the only one, where it is an arm's twin."""
    main = [pair for pair in pairs if pair.primary] or (list(pairs) if len(pairs) == 1 else [])
    return next((pair.arm for pair in main if pair.arm in twins), None)


def _drawing(results: Results, name: str, title: str, curves: Sequence[Curve]) -> Drawing:
    seeds = len(curves[0].seeds)
    lines = f"mean over {seeds} paired seeds" if seeds > 1 else "a single seed"
    if shows_seeds(curves):
        lines += ", and a thin line per seed"
    metric = metric_name(results.headline)
    return Drawing(
        name,
        f"{title}: {metric}, against labelled images; {lines}.",
        draw_curves(curves, arm_styles(results.arms), metric),
        Table(name, curve_frame(curves)),
    )
