"""The paired differences of each arm to its baseline: the main result."""

from typing import TYPE_CHECKING

from nextlabel.report.figures import arm_styles
from nextlabel.report.figures.differences import draw_differences
from nextlabel.report.frame import Table
from nextlabel.report.results import Results
from nextlabel.report.sections.section import (
    Download,
    Drawing,
    Section,
    interval_heading,
    interval_note,
    view,
    with_interval,
)
from nextlabel.report.tables import difference_frame
from nextlabel.report.verdict import FEWEST_PAIRS

if TYPE_CHECKING:
    from pandas import DataFrame


def build(results: Results) -> Section | None:
    """Return the section; None without a complete trial."""
    if not results.drawn:
        return None
    areas = results.areas()
    levels = Section(
        "The areas under the curves themselves",
        text=(
            "The mean height of a curve, over the number of labels and over its logarithm, which "
            "gives the first labels more weight.",
        ),
        tables=(view(areas, ("arm", "seeds", "aubc", "aubc_sd", "aubc_log2")),),
        folded=True,
    )
    downloads = (Download(Table("statistics", areas)),)
    first, last = results.spec["initial"], results.spec["target"]
    if not results.pairs:
        return Section(
            "Areas under the curves",
            text=("No arm has a baseline with a seed in common, so there are no differences.",),
            downloads=downloads,
            subsections=(levels,),
            name="differences",
        )
    compared = _compared(results, areas)
    headings = {**HEADINGS, "interval": interval_heading(compared)}
    return Section(
        "Paired differences",
        text=(
            f"The area under the curve, which is its mean height between {first} and {last} "
            "labels, of each arm minus that of its baseline, on the same seeds."
            + interval_note(compared),
        ),
        figures=(_drawing(results),),
        tables=(view(compared, ("comparison", "difference", "interval", "p"), headings=headings),),
        downloads=downloads,
        subsections=(_details(compared), levels),
        name="differences",
    )


HEADINGS = {"comparison": "arm − baseline"}


def _compared(results: Results, areas: "DataFrame") -> "DataFrame":
    """Return the rows of arms with a baseline, and a name of each comparison."""
    compared = areas[areas["difference"].notna()]
    compared = with_interval(compared, "low", "high", "interval")
    names = [
        f"{pair.arm} − {pair.baseline}{' (primary)' if pair.primary else ''}"
        for pair in results.pairs
    ]
    return compared.assign(comparison=names)


def _drawing(results: Results) -> Drawing:
    caption = (
        "A dot is a seed; a bar is the interval of the mean, and the tick on it is the "
        "mean. Right of the line the arm is better than its baseline."
    )
    figure = draw_differences(results.pairs, arm_styles(results.arms))
    table = Table("differences", difference_frame(results.pairs))
    return Drawing("differences", caption, figure, table)


def _details(compared: "DataFrame") -> Section:
    columns = ["comparison", "pairs", "p", "p_holm", "smallest_p", "effect_dz"]
    text = (
        "p is from sign flips of the paired differences; Holm’s correction is over the secondary "
        "comparisons. The standardised effect is the mean difference in units of its standard "
        "deviation over seeds (Cohen’s d_z). The intervals hold every mean that the two-sided test "
        "does not reject. Their ends are means of some of the seeds, so n pairs cover at most 1 − "
        "2¹⁻ⁿ. Test and interval assume that differences scatter symmetrically around their mean; "
        "with exponential differences, 10 pairs err in 9% of experiments and not in 5%."
    )
    if (compared["pairs"] >= FEWEST_PAIRS).all():
        columns.append("detectable")
        text += (
            " “Detectable” is the true difference that a paired t test on that many pairs finds in "
            "80% of runs."
        )
    else:
        text += (
            f" With fewer than {FEWEST_PAIRS} pairs the smallest detectable difference cannot be "
            "estimated and is left out."
        )
    table = view(compared, columns, headings=HEADINGS)
    return Section("Tests in detail", text=(text,), tables=(table,), folded=True)
