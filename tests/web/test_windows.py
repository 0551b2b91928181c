"""Windows, as far as it can be tried elsewhere: no module or call that it lacks is needed.

A process loads the packages that nextlabel uses, then takes away the modules and functions that
Windows does not have, and says that it is Windows. It imports every module of nextlabel and labels
images at the page. Processes are not started: how they start cannot be tried here.
"""

import subprocess
import sys

import pytest

SCRIPT = """
import os, pkgutil, signal, sys
from importlib import import_module
from pathlib import Path

# Packages choose their own code by the platform, so they are loaded before it changes.
import alembic.command, anyio._backends._asyncio, argon2, dask, distributed, fastapi, filelock
import fastapi.responses, fastapi.testclient, imagecodecs, jinja2, matplotlib.pyplot
import multiprocessing.forkserver, multiprocessing.resource_sharer, multiprocessing.resource_tracker
import numpy, openTSNE, pandas, PIL.Image, pooch, psutil, psycopg, pyarrow.parquet, pydantic
import requests, rich.live, rich.table, safetensors.numpy, scipy.stats, sklearn.linear_model
import sklearn.metrics, sqlalchemy.dialects.postgresql, sqlalchemy.dialects.sqlite
import starlette.testclient, statsmodels.api, tifffile, tomli_w, torch, torch._dynamo, tqdm, typer
import asyncio, getpass, shutil, tempfile, webbrowser, uvicorn, zipfile, concurrent.futures.process
import typer.completion

ABSENT = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")
for name in ABSENT:
    if name != "posix":
        sys.modules[name] = None
for module, names in (
    (os, "fork forkpty getuid geteuid getgid statvfs posix_fallocate mkfifo chown fchown killpg "
         "setsid sched_getaffinity getloadavg uname wait4 nice getpgid sysconf"),
    (signal, "SIGALRM SIGHUP SIGKILL SIGUSR1 SIGUSR2 SIGPIPE alarm setitimer pthread_sigmask"),
):
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
sys.platform = "win32"
assert not any(name.startswith("nextlabel") for name in sys.modules)

import nextlabel
imported = []
for one in pkgutil.walk_packages(nextlabel.__path__, "nextlabel."):
    if not one.name.endswith((".__main__", ".migrations.env", ".preload")):
        import_module(one.name)
        imported.append(one.name)
assert len(imported) > 300, len(imported)

from nextlabel.engine.executors.process_pool import share_imports
from nextlabel.engine.executors import process_pool
share_imports()
assert process_pool._context({}).get_start_method() == "spawn"

from nextlabel.algorithm1 import _peak_memory
assert _peak_memory() > 10**6

from nextlabel.project.exchange.transfer import export
from nextlabel.project.labelling.project import Project
from nextlabel.web.announcement import Announcement, alone, announced
from nextlabel.web.app import create_app
from nextlabel.web.server import ServerOptions, access_of
from nextlabel.web.workspace import Workspace

work = Path(sys.argv[1])
images = work / "photos"
images.mkdir()
for number in range(6):
    pixels = numpy.full((9, 9), 40 * number, numpy.uint8)
    PIL.Image.fromarray(pixels).save(images / f"{number}.png")
with Project.create(images, classes=["cell", "debris"]) as project, alone(project.directory):
    assert project.scan().total == 6
    here = Announcement("http://127.0.0.1:1", 1, os.getpid(), "t" * 30)
    here.write(project.directory)
    assert announced(project.directory) == here
    page = create_app(Workspace(project), access_of(project, here.token, ServerOptions()))
    base = "http://127.0.0.1:1"
    with starlette.testclient.TestClient(
        page, base, headers={"Origin": base}, client=("127.0.0.1", 1)
    ) as client:
        client.get("/", params={"token": here.token}, follow_redirects=False)
        for number in range(6):
            (item,) = client.get("/api/next", params={"tab": "t", "count": 1}).json()["items"]
            assert client.get(item["url"]["pixels"]).headers["content-type"] == "image/png"
            assert client.get(item["url"]["thumb"]).headers["content-type"] == "image/png"
            answer = {"key": str(number), "image": item["image"], "kind": "label"}
            body = {"tab": "t", "answers": [answer | {"classes": [number % 2]}]}
            assert client.post("/api/answers", json=body).json()["saved"]
        assert client.get("/api/next", params={"tab": "t"}).json()["left"] == 0
        assert client.get("/label").is_success
    export(project, work / "labels.csv")
    assert len((work / "labels.csv").read_text().splitlines()) == 7
print("labelled")
"""


@pytest.mark.slow
def test_the_page_needs_nothing_that_windows_lacks(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True
    )
    assert done.stdout.strip().endswith("labelled"), done.stderr[-3000:]
