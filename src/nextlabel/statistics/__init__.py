"""Comparisons of paired numbers: pure functions of arrays, on scipy and statsmodels.

Rows are pairs (seeds), columns are label counts. Equal numbers give p = 1 and effect 0; a number
that cannot be computed is `None`, never NaN. Bad input raises UsageError.
"""

from nextlabel.statistics.curves import (
    Interval,
    Saving,
    aubc,
    label_saving,
    labels_to_reach,
    need_interval,
    saving_intervals,
)
from nextlabel.statistics.effects import (
    ALPHA,
    CONFIDENCE,
    POWER,
    Comparison,
    attainable,
    compare,
    detectable_effect,
    effect_size,
    sign_flip_interval,
)
from nextlabel.statistics.holm_correction import holm
from nextlabel.statistics.paired import (
    Alternative,
    PairedTest,
    paired_t,
    paired_t_by_count,
    sign_flip,
    smallest_p,
)
from nextlabel.statistics.pairs_needed import least_corrected, pairs_needed
from nextlabel.statistics.subsets import EXACT_PAIRS, RESAMPLES

__all__ = [
    "ALPHA",
    "CONFIDENCE",
    "EXACT_PAIRS",
    "POWER",
    "RESAMPLES",
    "Alternative",
    "Comparison",
    "Interval",
    "PairedTest",
    "Saving",
    "attainable",
    "aubc",
    "compare",
    "detectable_effect",
    "effect_size",
    "holm",
    "label_saving",
    "labels_to_reach",
    "least_corrected",
    "need_interval",
    "paired_t",
    "paired_t_by_count",
    "pairs_needed",
    "saving_intervals",
    "sign_flip",
    "sign_flip_interval",
    "smallest_p",
]
