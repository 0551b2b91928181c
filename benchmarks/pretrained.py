"""Images per second of the block `pretrained`, from PNG files to rows on the disk, and its parts.

`python benchmarks/pretrained.py` writes 512 colour photographs of 300 pixels (pieces of
scikit-learn's two) into a temporary folder and computes their features with EfficientNet-Lite0 at
224 pixels, on one core. Times are seconds of the processor, which other programs disturb less than
those of the clock. --precision fp32 multiplies in float32, --size sets another size.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from nextlabel.data import load
from nextlabel.data.folder.settings import FolderSettings
from nextlabel.features.blocks import BLOCKS
from nextlabel.features.cache import Cache
from nextlabel.features.image_contents import contents_of, digest_of
from nextlabel.features.network_rows import BATCH
from nextlabel.features.reduction import Reduction
from nextlabel.features.row_cache import RowCache

SIDE = 300


def photographs(folder, count):
    """Write `count` pieces of two photographs, turned and mirrored."""
    rng = np.random.default_rng(0)
    whole = load_sample_images().images
    for number in range(count):
        photograph = whole[number % 2]
        top, left = (int(rng.integers(n - SIDE + 1)) for n in photograph.shape[:2])
        piece = np.rot90(photograph[top : top + SIDE, left : left + SIDE], rng.integers(4))
        Image.fromarray(piece[:, :: rng.choice([-1, 1])]).save(folder / f"{number:05d}.png")


class Clock:
    """Seconds of the processor by part."""

    def __init__(self):
        self.seconds = {}

    def of(self, part, work):
        """Return what `work` returns, and add its time to `part`."""
        start = time.process_time()
        result = work()
        self.seconds[part] = self.seconds.get(part, 0) + time.process_time() - start
        return result


def parts(block, data, cache):
    """Return the seconds of each part, one after the other in one thread."""
    clock, images = Clock(), contents_of(data, data.train)
    source = block._source
    size = source.size_for(block.size, None)
    precision = block.identity["precision"]
    network = clock.of("load the network", lambda: source.load(size, "cpu", precision))
    network.features(np.zeros((BATCH, size, size, 3), np.uint8))  # the first batch is slower
    prepared, keys = [], []
    for row in range(len(images)):
        content = clock.of("read files, twice", lambda row=row: images.content(row))
        key = clock.of("sha256, twice", lambda content=content: digest_of(content))
        clock.of("read files, twice", lambda row=row: images.content(row))
        clock.of("sha256, twice", lambda content=content: digest_of(content))
        pixels = clock.of(
            "decode", lambda row=row, content=content: images.pixels(row, content, size)
        )
        prepared.append(clock.of("resize", lambda pixels=pixels: network.prepare(pixels)))
        keys.append(key)
    kept = RowCache(cache.path("parts", {}))
    kept.path.parent.mkdir()
    rows = []
    for start in range(0, len(prepared), BATCH):
        batch = np.stack(prepared[start : start + BATCH])
        features = clock.of("network", lambda batch=batch: network.features(batch))
        some = keys[start : start + BATCH]
        half = features.astype(np.float16)
        clock.of("write rows", lambda some=some, half=half: kept.append(some, half))
        rows.append(features)
    clock.of("reduce to 64", lambda: Reduction.fit(np.concatenate(rows), 64))
    return clock.seconds


def main():
    """Print the rate of the whole, and a table of its parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--size", type=int)
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    given = parser.parse_args()
    torch.set_num_threads(1)
    block = BLOCKS["pretrained"](size=given.size, precision=given.precision, device="cpu")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photographs"
        folder.mkdir()
        photographs(folder, given.images)
        options = {"validation_fraction": 0, "test_fraction": 0}
        data = load(FolderSettings(path=folder, **options), image_size=8)
        cache = Cache.open(Path(scratch) / "cache")
        warm = data.subset(train=np.arange(BATCH))
        block.fit_kept(warm, Cache.open(Path(scratch) / "warm"))
        runs = {}
        for name in ("first", "again"):
            wall, start = time.perf_counter(), time.process_time()
            fitted = block.fit_kept(data, cache)
            runs[name] = time.process_time() - start, time.perf_counter() - wall
        seconds = parts(block, data, Cache.open(Path(scratch) / "apart"))
    count = len(fitted.rows("train"))
    print(f"{count} PNG images of {SIDE} pixels, {block.identity['precision']}, one core")
    used, wall = runs["first"]
    print(f"first time: {count / used:.0f} images per second of the processor; {wall:.1f} s in all")
    print(f"again: {runs['again'][0]:.2f} s of the processor")
    whole = sum(seconds.values())
    print(f"\n{'part':<20}{'ms per image':>13}{'share':>8}")
    for part, spent in seconds.items():
        print(f"{part:<20}{1000 * spent / count:>12.2f}{spent / whole:>8.0%}")


if __name__ == "__main__":
    main()
