"""The speed of the labelling page: requests under load, opening a large project, thumbnails.

    python benchmarks/label_latency.py --images 100000
    python benchmarks/label_latency.py --new 100000
    python benchmarks/label_latency.py --new 10000 --side 300

The large folder has tiny PNG files. Ten clients send 50 answers per second in all, each
followed by a request for the next image, while the trainer works. Thumbnails are made of
300-pixel PNG files in one process. They are also given per second of processor time, since other
programs may use the machine.

`--new` starts the command on a folder that has no project yet. It prints when the first image is
there, when the first answer is saved, when the first model asks, and how long answers take while
the folder is scanned. With `--side`, files of colour photographs of that many pixels are written:
twenty pictures, each file with a text of its own, so that all contents differ.
"""

import argparse
import struct
import tempfile
import threading
import time
import uuid
import zlib
from pathlib import Path

import numpy as np
import psutil

from nextlabel.project.labelling.project import Project
from nextlabel.web.pictures.thumbnails import small
from nextlabel.web.simulation.client import PageClient
from nextlabel.web.simulation.server_process import ServerProcess
from nextlabel.web.workspace import Workspace

CLASSES = ("cell", "debris", "empty")


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def write_tiny(folder, count):
    """Write 8 x 8 grey PNG files, all different, as quickly as the disk takes them."""
    folder.mkdir()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    rng = np.random.default_rng(0)
    for number in range(count):
        rows = rng.integers(0, 256, (8, 9), dtype=np.uint8)
        rows[:, 0] = 0  # no filter
        data = chunk(b"IDAT", zlib.compress(rows.tobytes(), 1))
        content = b"\x89PNG\r\n\x1a\n" + head + data + chunk(b"IEND", b"")
        (folder / f"{number:06}.png").write_bytes(content)


def write_photos(folder, count, side):
    """Write PNG files of colour, twenty pictures by turns, all files different by a text."""
    import io

    from PIL import Image
    from scipy.ndimage import gaussian_filter

    folder.mkdir()
    rng = np.random.default_rng(0)
    heads = []
    for _ in range(20):
        soft = gaussian_filter(rng.normal(size=(side, side, 3)), (8, 8, 0)) * 1500 + 128
        stream = io.BytesIO()
        noisy = soft + rng.integers(0, 4, soft.shape)
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(stream, "PNG")
        heads.append(stream.getvalue()[:-12])  # without the last chunk
    for number in range(count):
        text = chunk(b"tEXt", b"number\0%d" % number)
        content = heads[number % 20] + text + chunk(b"IEND", b"")
        (folder / f"{number:06}.png").write_bytes(content)


def begin(work, count, side):
    """Print when a new project is of use, by the clock and by processor time."""
    folder = work / "new"
    if side is None:
        write_tiny(folder, count)
    else:
        write_photos(folder, count, side)
    begun, times = time.perf_counter(), []
    arguments = [str(folder), "--classes", ",".join(CLASSES)]
    with ServerProcess(arguments) as server, PageClient(server.address, "new") as client:

        def say(what):
            processes = [psutil.Process(server.pid)]
            processes += processes[0].children(recursive=True)
            used = [processor_seconds(process.pid) for process in processes]
            clock = time.perf_counter() - begun
            print(f"{what}: {clock:.1f} s; processor time: {used[0]:.1f} s of the server, "
                  f"{sum(used[1:]):.1f} s of the trainer", flush=True)  # fmt: skip

        say("address")
        items, waiting = [], {"first image", "first answer", "first model"}
        while True:
            items = items or client.get("/api/next", tab="new", count=6)["items"]
            if items:
                if "first image" in waiting:
                    client.content(items[0]["url"]["pixels"])
                item = items.pop(0)
                answer = {"key": uuid.uuid4().hex, "image": item["image"], "kind": "label",
                          "classes": [item["image"] % len(CLASSES)]}  # fmt: skip
                sent = time.perf_counter()
                client.post("/api/answers", tab="new", answers=[answer])
                times.append(time.perf_counter() - sent)
                for what in sorted(waiting & {"first image", "first answer"}, reverse=True):
                    waiting.remove(what)
                    say(what)
            project = client.get("/api/project")
            if project["model"] is not None and "first model" in waiting:
                waiting.remove("first model")
                say("first model")
            states = {one["name"]: one["state"] for one in project["activities"]}
            if not waiting and states.get("scan") == "done":
                break
            time.sleep(0.2)
        say(f"all {count} images known")
    p50, p95 = np.percentile(times, [50, 95]) * 1000
    print(f"answers meanwhile: median {p50:.0f} ms, 95% within {p95:.0f} ms, the slowest "
          f"{1000 * max(times):.0f} ms, {len(times)} answers")  # fmt: skip


def ask(address, rate, ends, seconds):
    """Answer images at a steady rate until `ends`, and note the seconds of each request."""
    with PageClient(address, uuid.uuid4().hex) as client:
        rng = np.random.default_rng()
        due = time.monotonic() + rng.uniform(0, 1 / rate)
        items = []
        while (now := time.monotonic()) < ends:
            time.sleep(max(0, due - now))
            due += 1 / rate
            if not items:
                items = client.get("/api/next", count=6, tab=client.tab)["items"]
            item = items.pop()
            answer = {
                "key": uuid.uuid4().hex,
                "image": item["image"],
                "kind": "label",
                "classes": [item["image"] % len(CLASSES)],
                "model": item["model"],
            }
            begun = time.perf_counter()
            client.post("/api/answers", tab=client.tab, answers=[answer])
            answered = time.perf_counter()
            held = ",".join(str(one["image"]) for one in items)
            reply = client.get("/api/next", count=6 - len(items), held=held, tab=client.tab)
            items += reply["items"]
            seconds["answers"].append(answered - begun)
            seconds["next"].append(time.perf_counter() - answered)
            begun = time.perf_counter()
            client.content(items[0]["url"]["pixels"])
            seconds["pixels"].append(time.perf_counter() - begun)


def load(address, clients=10, answers=50, duration=20):
    """Return the seconds of requests of some clients who answer that many images per second."""
    seconds = {"answers": [], "next": [], "pixels": []}
    ends = time.monotonic() + duration
    rate = answers / clients
    threads = [
        threading.Thread(target=ask, args=(address, rate, ends, seconds)) for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds


def processor_seconds(pid):
    """Return the processor time that a process has used so far."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def until_an_image(arguments):
    """Start a server; return it and the seconds until it answers with an image."""
    begun = time.perf_counter()
    server = ServerProcess(arguments)
    with PageClient(server.address, "first") as client:
        while not (items := client.get("/api/next", tab="first", count=1)["items"]):
            time.sleep(0.05)
        client.content(items[0]["url"]["pixels"])
    return server, time.perf_counter() - begun


def thumbnails(work, count=200):
    """Return thumbnails per second of one process, by the clock and by processor time."""
    from PIL import Image
    from scipy.ndimage import gaussian_filter

    folder = work / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        noise = gaussian_filter(rng.normal(size=(300, 300, 3)), (3, 3, 0))
        pixels = np.clip(noise * 800 + 128, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    with Project.create(folder, directory=work / "p") as project:
        project.scan()
        workspace = Workspace(project)
        small(workspace.files, 0)
        clock, processor = time.perf_counter(), time.process_time()
        for image in range(count):
            small(workspace.files, image)
        return count / (time.perf_counter() - clock), count / (time.process_time() - processor)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--new", type=int, help="images of a folder without a project")
    parser.add_argument("--side", type=int, help="pixels of a side of these; tiny if not given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        if options.new:
            begin(work, options.new, options.side)
            return
        by_clock, by_processor = thumbnails(work)
        print(f"thumbnails of 300-pixel PNG: {by_clock:.0f} per second, {by_processor:.0f} per "
              "second of processor time", flush=True)  # fmt: skip
        write_tiny(work / "images", options.images)
        directory = work / "project"
        begun = time.perf_counter()
        with Project.create(work / "images", directory=directory, classes=CLASSES) as project:
            project.scan()
            project.configure(features={"pca": 1.0})
        print(f"first scan of {options.images} images: {time.perf_counter() - begun:.1f} s")
        arguments = [str(work / "images"), "--project", str(directory)]
        server, took = until_an_image(arguments)
        processor = processor_seconds(server.pid)
        print(f"start to the first image: {took:.1f} s, {processor:.1f} s of processor time of "
              "the server", flush=True)  # fmt: skip
        with server:
            before = processor_seconds(server.pid)
            seconds = load(server.address, duration=options.seconds)
            used = processor_seconds(server.pid) - before
        for name, values in seconds.items():
            p50, p95 = np.percentile(values, [50, 95]) * 1000
            print(f"{name}: median {p50:.0f} ms, 95% within {p95:.0f} ms, {len(values)} requests")
        requests = sum(map(len, seconds.values()))
        print(f"processor time of the server: {1000 * used / requests:.1f} ms per request")


if __name__ == "__main__":
    main()
