"""A labelling page in a real browser: Debian's Chromium, driven by Playwright."""

import asyncio
import os
import shutil
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

TOKEN = "a-token-of-at-least-twenty-letters"
CLASSES = ["zero", "one", "two"]
PATIENCE = 120_000
"""Milliseconds after which something that does not happen is a failure, also on a slow machine."""


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


PAGES = pytest.StashKey[list]()
"""The pages that a test has opened."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Add what the pages of a test that fails show and wait for."""
    report = yield
    if report.when == "call" and report.failed:
        for page in item.stash.get(PAGES, []):
            report.sections.append(shown(page))
    return report


def shown(page):
    """Return an address with what it waits for, and the text that is shown."""
    from playwright.sync_api import Error

    title = f"{page.url}, waiting for {sorted(one.url for one in page.unanswered)}"
    try:
        return title, page.locator("body").inner_text(timeout=2000)
    except Error as error:  # it has crashed, or another page comes
        return title, str(error)


@pytest.fixture(scope="session")
def browser():
    """Chromium, started once; without it the tests skip."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    path = os.environ.get("NEXTLABEL_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("there is no Chromium: apt-get install chromium, or set NEXTLABEL_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of 36 digits as PNG, one of which has an awkward name."""
    from PIL import Image
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("digits") / "photos"
    folder.mkdir()
    digits = load_digits(n_class=3)
    for number in range(36):
        pixels = np.kron((digits.images[number] * 15.9).astype(np.uint8), np.ones((4, 4), np.uint8))
        name = f"<b id=x>'{number}'&.png" if number == 7 else f"digit-{number:02}.png"
        Image.fromarray(pixels).save(folder / name)
    return folder


@pytest.fixture(scope="session")
def truth():
    """The class of each digit, by its number."""
    from sklearn.datasets import load_digits

    return load_digits(n_class=3).target[:36].tolist()


@pytest.fixture
def folder(pictures, tmp_path):
    """A copy of the pictures that a test may change."""
    return Path(shutil.copytree(pictures, tmp_path / "photos"))


@pytest.fixture
def project(folder):
    """A project of the pictures, without a model."""
    from nextlabel.project.labelling.project import Project

    with Project.create(folder, classes=CLASSES) as made:
        made.scan()
        yield made


class Site:
    """A server in a thread of this process; each of its replies takes `latency` seconds."""

    def __init__(self, project, users=False, latency=0.0):
        import uvicorn

        from nextlabel.web.app import create_app
        from nextlabel.web.server import ServerOptions, access_of
        from nextlabel.web.workspace import Workspace

        self.project = project
        access = access_of(project, TOKEN, ServerOptions(users=users))
        self.app = create_app(Workspace(project), access)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server = uvicorn.Server(
            uvicorn.Config(
                self._late, interface="asgi3", log_level="error", lifespan="off", ws="none"
            )
        )
        self.latency = latency
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],), daemon=True)
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
            time.sleep(0.01)

    async def _late(self, scope, receive, send):
        if self.latency:
            await asyncio.sleep(self.latency)
        await self.app(scope, receive, send)

    def stop(self):
        self.server.should_exit = True
        self.server.force_exit = True
        self.thread.join(PATIENCE / 1000)
        self.socket.close()


@pytest.fixture
def serve():
    """Serves projects: `serve(project)` returns a Site."""
    sites = []

    def start(project, **options):
        sites.append(Site(project, **options))
        return sites[-1]

    yield start
    for site in sites:
        site.stop()


@pytest.fixture
def new_page(browser, request):
    """Opens an empty page in a browser of its own; an error of a script fails the test."""
    pages = request.node.stash[PAGES] = []

    def open_page(**options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.unanswered = set()
        page.on("request", lambda one: page.unanswered.add(one))
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda one: page.unanswered.discard(one))
        pages.append(page)
        return page

    yield open_page
    problems = [problem for page in pages for problem in page.problems]
    for page in pages:
        page.context.close()
    assert not problems


@pytest.fixture
def visit(new_page):
    """Opens a view in a browser of its own: `visit(site.url, "label")` returns a page."""

    def open_view(url, view="label", token=TOKEN, **options):
        page = new_page(**options)
        page.goto(f"{url}/{view}{'&' if '?' in view else '?'}token={token}")
        ready(page)
        return page

    return open_view


def ready(page):
    """Wait until the view has the project."""
    page.locator("#saving[data-state]").wait_for()


def on_screen(page):
    """Wait for an image of the view "label", and return its address."""
    return page.locator("#stage > img").get_attribute("data-address")


def image_of(address):
    """Return the id in the address of an image."""
    return int(address.split("?")[0].rsplit("/", 1)[1])


def saved(page):
    """Wait until all answers are with the server."""
    page.locator("#saving[data-state=saved]").wait_for()


def said(page, text):
    """Wait until the page has said this to screen readers; unlike a toast, it stays."""
    page.locator("#live", has_text=text).wait_for()


def until(page, expression, arg=None):
    """Wait until an expression of JavaScript is true.

    Playwright's own `wait_for_function` evaluates text on the page from its second try on, which
    the page's content security policy forbids.
    """
    end = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, f"not true in {PATIENCE} ms: {expression}"
        page.wait_for_timeout(20)


def fetched(page, count):
    """Wait until this many images are with the browser, so that no server is needed for them."""
    until(
        page,
        """(count) => {
          const addresses = performance.getEntriesByType("resource").map((one) => one.name);
          return new Set(addresses.filter((one) => /\\/pixels\\/\\d+\\?/.test(one))).size >= count;
        }""",
        count,
    )


def waiting(page):
    """Return how many answers are in the storage of the browser."""
    return page.evaluate(
        "Object.keys(localStorage).filter((name) => name.startsWith('nextlabel.outbox/')).length"
    )


@contextmanager
def next_image(page):
    """Wait until another image is on the screen than at the start of the block."""
    before = on_screen(page)
    yield image_of(before)
    page.locator(f'#stage > img:not([data-address="{before}"])').wait_for()


def publish(project, truth, noise=0.25, space="PCA of thumbnails"):
    """Publish a model that predicts by the truth, some images wrongly, with a queue of all."""
    from nextlabel.project.labelling.models import NewModel, QueueItem

    images, state = project.images(), project.state()
    rng = np.random.default_rng(0)
    certain = np.eye(len(CLASSES), dtype=np.float32)[[truth_of(n, truth) for n in images.names]]
    mixed = (1 - noise) * certain + noise * rng.dirichlet(np.ones(len(CLASSES)), len(images))
    free = [image for image in range(len(images)) if image not in state.labels]
    project.publish(
        NewModel(
            state.seq,
            space,
            "margin",
            facts={"labelled": len(state.labels)},
            estimate={"value": 0.9, "low": 0.8, "high": 0.96, "audited": 20},
            arrays={
                "probabilities": mixed.astype(np.float32),
                "classes": np.arange(3),
                "there": np.ones(len(images), bool),
            },
        ),
        [QueueItem(position, image, "margin", 0.5) for position, image in enumerate(free)],
    )


def truth_of(name, truth):
    """Return the class of a picture by its name."""
    return truth[int("".join(letter for letter in name if letter.isdigit()))]
