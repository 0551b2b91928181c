"""Active dimensions of the VAEs behind stored results, found by fitting them again.

    python benchmarks/active_units.py docs/results/low_budget/store.db --seeds 0-1

Stores written before this was recorded do not have these numbers. Each block is fitted with the
stored settings and seed, and the KL of its last epoch is printed next to the stored one.
"""

import argparse
import os
import shutil
import tempfile
import warnings
from pathlib import Path

from nextlabel.cli.values import parse_seeds
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.data import load
from nextlabel.data.registry import SOURCES
from nextlabel.features.block_creation import make_block
from nextlabel.models.settings import TrainingSettings
from nextlabel.report.results import Results, read_results
from nextlabel.statistics.latent_activity import logged_activity
from nextlabel.store.store import Store


def stored_kl(results: Results, block: str, seed: int) -> float | None:
    """Return the KL of the last epoch that the store has, in nats; None where it has none."""
    logs = (t.block_logs.get(block) for t in results.trials if t.seed == seed)
    return next((log[-1]["kl"] for log in logs if log), None)


def look_up(results: Results, seeds: list[int], data_dir: Path | None) -> None:
    """Fit the experiment's VAE blocks again and print a line for each block and seed."""
    spec = results.spec
    settings = {k: v for k, v in spec["data"].items() if v is not None}
    settings_class = SOURCES[settings["name"]].settings_class
    kept = {k: v for k, v in settings.items() if k in settings_class.model_fields}
    data = load(
        settings_class(**kept), image_size=spec["model"].get("image_size"), data_dir=data_dir
    )
    training = TrainingSettings(
        device=spec["training"]["device"], precision=spec["training"]["precision"]
    )
    for name in (name for name in spec["blocks"] if name.startswith(("vae", "ccvae"))):
        block = make_block(name, spec["blocks"][name], training)
        for seed in seeds:
            fitted = block.fit(data, Pool(len(data.train)), None, 0, Seeds(seed))
            before = stored_kl(results, name, seed)
            shown = "not stored" if before is None else f"{before:.2f}"
            print(
                f"{results.name}, {name}, seed {seed}: {logged_activity(fitted.log)}; "
                f"KL {fitted.log[-1]['kl']:.2f} nats, stored {shown}",
                flush=True,
            )


def main() -> None:
    """Look up the stores named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", nargs="+", type=Path)
    parser.add_argument("--seeds", default="0")
    chosen = parser.parse_args()
    folder = os.environ.get("NEXTLABEL_DATA")
    for store in chosen.stores:
        with tempfile.TemporaryDirectory() as scratch:
            copy = shutil.copy(store, scratch)
            with Store.open(str(copy)) as opened:
                seeds = list(parse_seeds(chosen.seeds))
                look_up(read_results(opened), seeds, Path(folder) if folder else None)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
