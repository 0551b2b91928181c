"""The columns of the report's tables: the heading of each, and the format of its cells."""

from collections.abc import Mapping
from dataclasses import dataclass

from nextlabel.report.formatting import CellFormat, metric_name


@dataclass(frozen=True)
class Column:
    """The heading of a column on the page, and the format of its cells."""

    heading: str
    format: CellFormat = "text"


COLUMNS: Mapping[str, Column] = {
    "arm": Column("arm"),
    "baseline": Column("baseline"),
    "seed": Column("seed", "count"),
    "seeds": Column("seeds", "count"),
    "round": Column("round", "count"),
    "labelled": Column("labels", "count"),
    "mean": Column("mean", "number"),
    "sd": Column("s.d.", "spread"),
    "not_reached": Column("rounds under the train accuracy", "count"),
    "first": Column("first", "number"),
    "last": Column("last", "number"),
    # areas under the curve and their comparison
    "aubc": Column("area under the curve", "number"),
    "aubc_sd": Column("s.d.", "spread"),
    "aubc_log2": Column("area, logarithmic labels", "number"),
    "pairs": Column("pairs", "count"),
    "difference": Column("difference", "signed"),
    "interval": Column("interval", "plain"),
    "low": Column("from", "signed"),
    "high": Column("to", "signed"),
    "confidence": Column("level of the interval", "plain"),
    "effect_dz": Column("standardised effect", "effect"),
    "p": Column("p", "p"),
    "p_holm": Column("p, Holm", "p"),
    "smallest_p": Column("smallest p possible", "p"),
    "detectable": Column("detectable", "spread"),
    "primary": Column("test"),
    # at each label count
    "arm_mean": Column("arm", "number"),
    "baseline_mean": Column("baseline", "number"),
    "note": Column("note"),
    # labels saved
    "level": Column("level", "number"),
    "baseline_needs": Column("baseline needs", "labels"),
    "arm_needs": Column("arm needs", "labels"),
    "saved": Column("labels saved", "labels"),
    "saved_interval": Column("interval", "plain"),
    "random_arm": Column("level of"),
    "needs": Column("labels needed", "labels"),
    "needs_low": Column("from", "labels"),
    "needs_high": Column("to", "labels"),
    # hypotheses
    "hypothesis": Column("hypothesis"),
    "arms": Column("the mean of"),
    "against": Column("against the mean of"),
    "alternative": Column("claimed"),
    "against_needs": Column("others need", "labels"),
    "arms_need": Column("arms need", "labels"),
    # sweeps
    "block": Column("block"),
    "alpha": Column("α", "plain"),
    # metrics, time and trials
    "metric": Column("metric"),
    "data": Column("data"),
    "pair": Column("pair"),
    "trials": Column("trials", "count"),
    "seconds": Column("total", "seconds"),
    "seconds_a_trial": Column("per trial", "seconds"),
    "shared_rounds": Column("shared rounds", "count"),
    "peak_memory": Column("peak memory", "bytes"),
    "status": Column("status"),
    "rounds": Column("rounds", "count"),
    "initial_hash": Column("initial labels"),
    "key": Column("trial"),
    "error": Column("error"),
    # maps
    "space": Column("space"),
    "measured_in": Column("measured in"),
    "kurtosis": Column("kurtosis", "effect"),
    "nearest": Column("nearest neighbour", "number"),
    "spread": Column("spread", "number"),
    "sparse": Column("in the sparsest tenth", "number"),
    "offset": Column("off centre", "number"),
    "part": Column("part"),
    # feature blocks
    "active_units": Column("active dimensions", "count"),
    "latent": Column("latent dimensions", "count"),
    "brightness": Column("explained by brightness", "share"),
    # images
    "order": Column("order", "count"),
    "id": Column("image", "count"),
    "name": Column("file"),
    "true_class": Column("class"),
    "class": Column("class"),
    "images": Column("images", "count"),
    "picked": Column("picked", "count"),
    "share": Column("share of the picks", "share"),
    "pool_share": Column("share of the pool", "share"),
}
"""The columns by name; see `column` for those whose names are made from others."""


def column(name: str) -> Column:
    """Return the column called `name`.

    `seconds_PHASE` is the time of a phase and `part/metric` is a metric; any other unknown name
    is its own heading.
    """
    if name in COLUMNS:
        return COLUMNS[name]
    if name.startswith("seconds_"):
        return Column(name.removeprefix("seconds_"), "seconds")
    return Column(metric_name(name), "number") if "/" in name else Column(name)
