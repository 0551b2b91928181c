"""The time from a key to the next image on the screen, in Chromium, while the trainer works.

Images are written as PNG, `nextlabel label` serves them with its trainer, and Chromium presses a
class key at a steady pace. The page's own clock measures from the key event to the first frame
after the next image was put on the screen. A key that comes before the next image is decoded
waits for it, and the wait counts.

    python benchmarks/key_to_image.py --images 100000 --keys 200
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from nextlabel.web.simulation.server_process import ServerProcess

CLASSES = "zero,one,two"
MEASURE = """() => {
  window.times = [];
  let pressed = null;
  document.addEventListener("keydown", (event) => (pressed ??= event.timeStamp), true);
  document.addEventListener("nextlabel:shown", () => {
    if (pressed === null) return;
    const from = pressed;
    pressed = null;
    requestAnimationFrame(() => {
      // A message is handled after the frame has been drawn.
      const channel = new MessageChannel();
      channel.port1.onmessage = () => window.times.push(performance.now() - from);
      channel.port2.postMessage(null);
    });
  });
}"""


def write_images(folder, count, side):
    """Write grey images of digits, shifted and dimmed at random, so that all are different."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits().images
    rng = np.random.default_rng(0)
    folder.mkdir()
    scale = -(-side // 8)
    for number in range(count):
        pixels = np.kron(digits[number % len(digits)], np.ones((scale, scale)))[:side, :side]
        pixels = pixels * rng.uniform(8, 15) + rng.integers(0, 9, (side, side))
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:06}.png", compress_level=1)


def state(page):
    """Return what runs in the background of the server."""
    return page.evaluate("fetch('/api/project').then((reply) => reply.json())")["activities"]


def measure(address, options):
    """Return the milliseconds from each key to the next image."""
    from playwright.sync_api import sync_playwright

    path = shutil.which(options.chromium)
    if path is None:
        sys.exit("there is no Chromium: apt-get install chromium, or give --chromium PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        clock = time.perf_counter()
        page.goto(address)
        page.locator("#stage > img").wait_for(timeout=300_000)
        print(f"first image after {time.perf_counter() - clock:.1f} s", flush=True)
        while any(one["name"] == "scan" and one["state"] != "done" for one in state(page)):
            page.wait_for_timeout(500)
        print(f"all images known after {time.perf_counter() - clock:.1f} s", flush=True)
        page.wait_for_timeout(3000)
        page.evaluate(MEASURE)
        for number in range(options.keys):
            page.keyboard.press("123"[number % 3])
            page.wait_for_timeout(1000 / options.pace)
        times = page.evaluate("window.times")
        print(f"{len(times)} of {options.keys} keys showed an image", flush=True)
        page.locator("#saving[data-state=saved]").wait_for(timeout=60_000)
        print(f"all answers saved after {time.perf_counter() - clock:.1f} s", flush=True)
        browser.close()
    return np.array(times)


def main():
    """Print the median and other percentiles."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--side", type=int, default=64, help="pixels of a side")
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--pace", type=float, default=4, help="keys per second")
    parser.add_argument("--chromium", default="chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos"
        write_images(folder, options.images, options.side)
        with ServerProcess([str(folder), "--classes", CLASSES]) as server:
            times = measure(server.address, options)
    for name, value in (("median", 50), ("p95", 95), ("p99", 99)):
        print(f"{name:<8}{np.percentile(times, value):7.1f} ms")


if __name__ == "__main__":
    main()
