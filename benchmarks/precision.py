"""The cost of speed in accuracy: core-set of tenth-scale MNIST, five paired seeds, both ways.

`python benchmarks/precision.py` trains in float32 and in bfloat16, and prints the difference of the
areas under the curves with its interval. `--of arithmetic` compares plain with fast arithmetic, in
the precision that the machine takes by itself. Either takes hours on a processor or GPU that has
bfloat16, days on another; what it has run is kept in --folder, and the same command continues.
MNIST is read from the folder NEXTLABEL_DATA; without that, digits are used.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from end_to_end import pair, task

from nextlabel.core.seeds import Seeds
from nextlabel.engine.events import RoundDone, TrialFailed
from nextlabel.engine.executors.process_pool import share_imports
from nextlabel.engine.run import run
from nextlabel.statistics import aubc, compare
from nextlabel.store.store import Store

ARM = "core-set"
WAYS = {"precision": ("fp32", "bf16"), "arithmetic": ("plain", "fast")}
"""The two values of a setting of training that are compared."""


def curves(experiment, folder, jobs):
    """Run what is not there yet; return the label counts (T) and accuracies (seeds, T) of ARM."""
    with Store.open(folder / "store.db") as store:
        for event in run(experiment, store, cache_dir=folder / "cache", jobs=jobs):
            if isinstance(event, TrialFailed):
                raise SystemExit(f"{event.arm}, seed {event.seed}: {event.error}")
            if isinstance(event, RoundDone):
                print(f"  seed {event.seed}: {event.round.labelled_count} labels", flush=True)
        trials = [t for t in store.trials(experiment.name) if t.record.arm == ARM]
        histories = [store.history(trial.record.key) for trial in trials]
    counts = [entry.labelled_count for entry in histories[0]]
    return counts, [[r.metrics["validation/accuracy"] for r in rounds] for rounds in histories]


def main():
    """Print both mean curves, and the paired difference of their areas."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", choices=sorted(WAYS), default="precision")
    parser.add_argument("--folder", type=Path, default=Path("runs/precision"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--target", type=int, help="by default the experiment's")
    given = parser.parse_args()
    share_imports()
    changes = {"seeds": list(range(given.seeds))} | (
        {"target": given.target} if given.target else {}
    )
    values = {}
    for way in WAYS[given.of]:
        print(f"{way}:", flush=True)
        experiment = pair(task(), (ARM,), training={given.of: way}, **changes)
        counts, values[way] = curves(experiment, given.folder / way, given.jobs)
    first, second = WAYS[given.of]
    print(f"\n{'labels':>8}{first:>10}{second:>10}")
    means = (np.mean(values[way], axis=0) for way in (first, second))
    for count, one, other in zip(counts, *means, strict=True):
        print(f"{count:>8}{one:>10.4f}{other:>10.4f}")
    areas = [aubc(counts, values[way]) for way in (second, first)]
    area = compare(*areas, Seeds(0).rng("subsets precision"))
    inside = area.low <= 0 <= area.high
    print(
        f"area under the curve, {second} - {first}, {area.n} seeds: {area.mean:+.4f}, "
        f"{100 * area.confidence:g}% from {area.low:+.4f} to {area.high:+.4f}, "
        f"which {'contains' if inside else 'EXCLUDES'} 0; "
        f"sign flip p = {area.test.p:.2f}"
    )


if __name__ == "__main__":
    main()
