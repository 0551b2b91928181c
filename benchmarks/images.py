"""Reading of image files: images per second, the plain way and ours, on one core and on all.

`python benchmarks/images.py` makes three folders of files in a temporary folder: JPEG photographs
of 12 megapixels, PNG of 300 x 300 and 16-bit TIFF of 1,000 x 1,000 pixels. The plain way decodes
each file whole and then resizes it to 64 x 64, one file after the other. Ours also takes the
digest of each file, and of 16 bit the spread of the values. Both ways take turns; figures are
medians. For one core they are per second of processor time, so that other work on the machine
hardly counts; for all cores, per second that passed.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import tifffile
from PIL import Image, ImageOps

from nextlabel.data.decoding.base import Wanted
from nextlabel.data.pixels.small_images import read_small_images

SIZE = 64


def texture(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Return float values (height, width) of detail at every scale, as photographs have it."""
    values = np.zeros((height, width), np.float32)
    for octave in range(2, 12):
        side = 2**octave
        if side > 2 * max(width, height):
            break
        coarse = Image.fromarray(rng.normal(size=(side, side)).astype(np.float32))
        values += np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)) / octave**1.5
    return values


def photograph(rng: np.random.Generator) -> bytes:
    """Return a JPEG of 4,000 x 3,000 pixels, quality 90."""
    light = texture(4000, 3000, rng)
    rgb = np.dstack([light + 0.3 * texture(4000, 3000, rng) for _ in range(3)])
    out = BytesIO()
    pixels = np.clip(128 + 60 * rgb, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(out, "JPEG", quality=90)
    return out.getvalue()


def small_png(rng: np.random.Generator) -> bytes:
    out = BytesIO()
    pixels = np.clip(128 + 60 * texture(300, 300, rng), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def deep_tiff(rng: np.random.Generator) -> bytes:
    out = BytesIO()
    pixels = np.clip(2000 + 900 * texture(1000, 1000, rng), 0, 4095).astype(np.uint16)
    tifffile.imwrite(out, pixels)
    return out.getvalue()


KINDS: dict[str, tuple[str, Callable[[np.random.Generator], bytes], int]] = {
    "JPEG, 12 megapixels": (".jpg", photograph, 40),
    "PNG, 300 x 300": (".png", small_png, 400),
    "TIFF, 16 bit, 1,000 x 1,000": (".tif", deep_tiff, 100),
}


def plain(paths: list[Path]) -> None:
    """Decode each file whole, turn it upright and resize it."""
    for path in paths:
        if path.suffix == ".tif":
            values = Image.fromarray(tifffile.imread(path).astype(np.float32))
            np.asarray(values.resize((SIZE, SIZE), Image.Resampling.BICUBIC))
            continue
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            np.asarray(upright.resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def ours(paths: list[Path], threads: int | None) -> None:
    for image in read_small_images(paths, SIZE, Wanted(), threads=threads):
        assert image.failure is None, image.failure


def rates(paths: list[Path], repeats: int) -> tuple[float, float, float]:
    """Return images per second: the plain way and ours on one core, and ours on all."""
    before, one, many = [], [], []
    for _ in range(repeats):
        start = time.process_time()
        plain(paths)
        before.append(len(paths) / (time.process_time() - start))
        start = time.process_time()
        ours(paths, 1)
        one.append(len(paths) / (time.process_time() - start))
        start = time.perf_counter()
        ours(paths, None)
        many.append(len(paths) / (time.perf_counter() - start))
    return statistics.median(before), statistics.median(one), statistics.median(many)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    rng = np.random.default_rng(0)
    cores = len(os.sched_getaffinity(0))
    print(f"images per second, resized to {SIZE} x {SIZE}; {cores} cores")
    print(f"{'':30}{'plain, 1 core':>15}{'ours, 1 core':>15}{'ratio':>8}{'ours, all':>12}")
    for name, (suffix, make, count) in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            made = [make(rng) for _ in range(4)]
            paths = [Path(folder) / f"{k}{suffix}" for k in range(count)]
            for k, path in enumerate(paths):
                path.write_bytes(made[k % len(made)])
            before, one, many = rates(paths, repeats)
        print(f"{name:30}{before:15.1f}{one:15.1f}{one / before:8.1f}{many:12.1f}")


if __name__ == "__main__":
    main()
