"""Decodings and memory of a run on a folder of images, driver and workers together.

Draws 3,000 PNG images of 64 x 64 pixels into a temporary folder, runs an experiment on them with
one and two jobs, and prints how often an image was decoded, and the most memory that the
processes held at once: PSS counts a page shared by n processes as 1/n in each of them, USS counts
pages of one process alone. `python benchmarks/mapped_images.py`
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

COUNT = """
import os, sys

if os.environ.get("DECODINGS"):
    import PIL.Image

    original = PIL.Image.open

    def counted(*arguments, **options):
        with open(os.environ["DECODINGS"], "ab", buffering=0) as file:
            file.write(b".")
        return original(*arguments, **options)

    PIL.Image.open = counted
"""
EXPERIMENT = """
name = "mapped"
seeds = 2
initial = 10
batch = 10
target = 20
[data]
name = "folder"
path = "{path}"
[model]
name = "small_cnn"
image_size = 64
[training.epochs]
initial = 1
step = 0
[[arms]]
name = "random"
strategy = "random"
"""


def draw_folder(folder: Path, count: int) -> None:
    """Write `count` coloured images of two classes."""
    rng = np.random.default_rng(0)
    for i in range(count):
        class_folder = folder / "ab"[i % 2]
        class_folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(class_folder / f"{i:05}.png", compress_level=1)


def memory(process: psutil.Process) -> tuple[int, int, int]:
    """Return PSS and USS in bytes, and the number of processes of the whole tree."""
    pss = uss = count = 0
    for one in (process, *process.children(recursive=True)):
        try:
            info = one.memory_full_info()
        except psutil.Error:
            continue
        pss, uss, count = pss + info.pss, uss + info.uss, count + 1
    return pss, uss, count


def main() -> None:
    """Print one line per number of jobs."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        draw_folder(root / "images", 3000)
        (root / "sitecustomize.py").write_text(COUNT)
        (root / "x.toml").write_text(EXPERIMENT.format(path=root / "images"))
        for jobs in (1, 2):
            counter = root / f"decodings{jobs}"
            counter.touch()
            path = os.pathsep.join([name, *filter(None, [os.environ.get("PYTHONPATH")])])
            start = time.perf_counter()
            process = psutil.Popen(
                [
                    *(sys.executable, "-m", "nextlabel", "run", str(root / "x.toml")),
                    *("--jobs", str(jobs), "--store", str(root / f"{jobs}.db")),
                    *("--cache-dir", str(root / f"cache{jobs}")),
                ],
                env=os.environ | {"PYTHONPATH": path, "DECODINGS": str(counter)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            most = (0, 0, 0)
            while process.poll() is None:
                most = max(most, memory(process))
                time.sleep(0.05)
            print(
                f"jobs {jobs}: exit {process.returncode}, {counter.stat().st_size} decodings, "
                f"PSS {most[0] / 2**20:.0f} MB and USS {most[1] / 2**20:.0f} MB "
                f"in {most[2]} processes, {time.perf_counter() - start:.0f} s"
            )


if __name__ == "__main__":
    main()
