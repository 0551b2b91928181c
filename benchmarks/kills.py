"""Kill the server, the trainer or both of a project under load; no saved answer may be lost.

Clients answer without a pause and keep each answer until it is acknowledged. At random moments the
server, its trainer or both are killed (as by a power cut), and the server is started again. At the
end the log must have each answer once, with the label that was sent. Prints the figures.

    python benchmarks/kills.py --kills 100
"""

import argparse
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil

from nextlabel.project.labelling.project import Project
from nextlabel.web.announcement import announced
from nextlabel.web.simulation.outbox import Outbox
from nextlabel.web.simulation.server_process import ServerProcess

CLASSES = ("cell", "debris", "empty")
TARGETS = ("server", "trainer", "both")


def write_images(folder, count):
    from PIL import Image

    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        pixels = rng.integers(0, 255, (12, 12), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:04}.png")


class Clients:
    """Clients that answer images at random until they are told to stop; `sent` has all answers."""

    def __init__(self, address, images, count):
        self.sent, self.acknowledged, self.errors = {}, {}, []
        self.stopping = threading.Event()
        self.address, self.images = address, images
        self.threads = [threading.Thread(target=self.work, args=(n,)) for n in range(count)]
        for thread in self.threads:
            thread.start()

    def work(self, number):
        rng = np.random.default_rng(number)
        outbox = Outbox(self.address, f"tab {number}")
        try:
            count = 0
            while not self.stopping.is_set():
                answers = []
                for _ in range(int(rng.integers(1, 4))):
                    key = f"{number}-{count}"
                    count += 1
                    answer = {
                        "key": key,
                        "image": int(rng.integers(self.images)),
                        "kind": "label",
                        "classes": [int(rng.integers(len(CLASSES)))],
                    }
                    self.sent[key] = answer
                    answers.append(answer)
                self.acknowledged |= outbox.send(answers)
        except Exception as error:  # shown by the main thread
            self.errors.append(error)
        finally:
            outbox.close()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def wait_for_server(directory, clients=None):
    """Wait until answers are saved again."""
    before = len(clients.acknowledged)
    ends = time.monotonic() + 90
    while len(clients.acknowledged) < before + 5:
        if clients.errors or time.monotonic() > ends:
            raise SystemExit(f"no answer is saved any more: {clients.errors}")
        time.sleep(0.05)


def kill_at_random(work, kills, clients=4, images=200, seed=0, targets=TARGETS):
    """Kill the processes of a project under load; return the figures, or fail."""
    folder, directory = work / "images", work / "project"
    write_images(folder, images)
    with Project.create(folder, directory=directory, classes=CLASSES) as project:
        project.scan()
        project.configure(features={"pca": 1.0})
    arguments = [str(folder), "--project", str(directory)]
    rng, killed = np.random.default_rng(seed), Counter()
    server = ServerProcess(arguments)
    load = Clients(lambda: announced(directory).address, images, clients)
    try:
        for _ in range(kills):
            wait_for_server(directory, load)
            time.sleep(rng.uniform(0, 0.5))
            target = str(rng.choice(targets))
            trainers = psutil.Process(server.pid).children(recursive=True)
            if target != "server":
                for process in trainers:
                    process.kill()
            if target != "trainer":
                server.kill()
                server = ServerProcess(arguments)
            killed[target] += 1
        wait_for_server(directory, load)
    finally:
        load.stop()
        server.stop()
    with Project.open(directory) as project:
        log = project.answers()
        state = project.state()
    check(log, state, load)
    return {"kills": dict(killed), "answers": len(log), "sent": len(load.sent)}


def check(log, state, load):
    """Fail unless the log has each acknowledged answer once, as it was sent."""
    assert not load.errors, load.errors
    keys = Counter(answer.key for answer in log)
    assert max(keys.values()) == 1, "an answer is in the log twice"
    recorded = {answer.key: answer for answer in log}
    assert load.acknowledged.keys() <= recorded.keys(), "an acknowledged answer is lost"
    for key, seq in load.acknowledged.items():
        assert recorded[key].seq == seq, "an answer has another number than was said"
    for key, answer in recorded.items():
        sent = load.sent[key]
        assert (answer.image, list(answer.classes)) == (sent["image"], sent["classes"])
    newest = {answer.image: answer.classes for answer in log}
    assert dict(state.labels) == newest, "the state does not follow from the log"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as work:
        figures = kill_at_random(Path(work), options.kills, options.clients)
    print(f"{figures}, none lost, none doubled, in {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
