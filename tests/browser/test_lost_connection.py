"""Answers when the page is loaded again, or when the server is gone or refuses them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress

from browser.conftest import (
    CLASSES,
    fetched,
    image_of,
    next_image,
    on_screen,
    ready,
    saved,
    waiting,
)


def test_a_reload_before_an_answer_is_sent_loses_nothing(project, serve, visit):
    page = visit(serve(project).url)
    page.route("**/api/answers", lambda route: route.abort())
    with next_image(page) as first:
        page.keyboard.press("1")
    with next_image(page) as second:
        page.keyboard.press("2")
    here = on_screen(page)
    page.locator("#banner", has_text="2 answers are kept in this browser").wait_for()
    assert waiting(page) == 2
    page.reload()
    ready(page)
    assert on_screen(page) == here  # the image that was open comes back, and no answered one
    page.unroute("**/api/answers")
    saved(page)
    assert {i: c[0] for i, c in project.state().labels.items()} == {first: 0, second: 1}
    assert waiting(page) == 0


def test_an_answer_and_its_undo_that_wait_together_arrive_in_one_request(project, serve, visit):
    page = visit(serve(project).url)
    sent = []
    page.route("**/api/answers", lambda route: route.abort())
    with next_image(page) as image:
        page.keyboard.press("1")
    with next_image(page) as following:
        page.keyboard.press("z")
    assert image_of(on_screen(page)) == image
    with next_image(page):
        page.keyboard.press("2")
    with next_image(page):
        page.keyboard.press("3")
    page.keyboard.press("z")
    page.locator("#banner", has_text="5 answers are kept in this browser").wait_for()
    page.reload()
    ready(page)
    page.on("request", lambda one: sent.append(one) if one.url.endswith("/api/answers") else None)
    page.unroute("**/api/answers")
    saved(page)
    kinds = [answer["kind"] for answer in sent[-1].post_data_json["answers"]]
    assert kinds == ["label", "undo", "label", "label", "undo"]
    assert dict(project.state().labels) == {image: (1,)}
    assert following not in project.state().settled


def test_answers_are_sent_once_however_often_the_reply_is_lost(project, serve, visit):
    page = visit(serve(project).url)
    lost = []

    def lose(route):
        route.fetch()  # the server has it, and the browser never learns of it
        lost.append(route.request.post_data_json)
        route.abort()

    page.route("**/api/answers", lose)
    with next_image(page):
        page.keyboard.press("1")
    page.locator("#saving[data-state=offline]").wait_for()
    page.unroute("**/api/answers")
    saved(page)
    assert len(lost) >= 1
    assert len(project.answers()) == 1


def free_port():
    """Return a port that is free, and below those that the system gives to others by itself."""
    for port in range(10_000 + os.getpid() % 10_000, 30_000):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


def test_a_killed_server_is_waited_for(folder, visit):
    def start(port):
        command = [sys.executable, "-m", "nextlabel", "label", str(folder), "--no-browser"]
        options = ["--classes", ",".join(CLASSES), "--port", str(port)]
        server = subprocess.Popen(
            command + options,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"COLUMNS": "200"},
        )
        return server, server.stdout.readline().strip()

    from nextlabel.project.labelling.project import Project

    server, address = start(free_port())
    try:
        url, token = address.split("/?token=")
        port = int(url.rsplit(":", 1)[1])
        page = visit(url, token=token)
        given = {}
        with next_image(page) as image:
            given[image] = 0
            page.keyboard.press("1")
        saved(page)
        fetched(page, 5)
        server.send_signal(signal.SIGKILL)
        server.wait()
        for _ in range(3):  # images that are decoded already can be labelled without a server
            with next_image(page) as image:
                given[image] = 2
                page.keyboard.press("3")
        page.locator("#saving[data-state=offline]").wait_for()
        server, again = start(port)
        assert again == address
        saved(page)
        with Project.open(folder) as project:
            assert {i: c[0] for i, c in project.state().labels.items()} == given
            assert len(project.answers()) == 4
    finally:
        server.kill()
        server.wait()


def test_nothing_can_be_answered_before_the_project_is_there(project, serve, visit):
    page = visit(serve(project).url)
    on_screen(page)
    page.route("**/api/project", lambda route: route.fulfill(status=500, body="{}"))
    page.reload()
    page.get_by_role("heading", name="The project cannot be loaded").wait_for()
    page.keyboard.press("1")
    page.unroute("**/api/project")
    page.get_by_role("button", name="Try again").click()
    on_screen(page)
    assert not project.answers()


def test_another_project_at_the_address_gets_no_answer(project, serve, visit, tmp_path, pictures):
    from nextlabel.project.labelling.project import Project

    site = serve(project)
    page = visit(site.url)
    page.route("**/api/answers", lambda route: route.abort())
    with next_image(page):
        page.keyboard.press("1")
    page.locator("#saving[data-state=offline]").wait_for()
    with Project.create(shutil.copytree(pictures, tmp_path / "others"), classes=CLASSES) as other:
        other.scan()
        site.app.app.state.workspace.__init__(other)
        page.unroute("**/api/answers")
        # Either the next attempt to send notices it first, or the page, which then loads again.
        notice = page.locator("#banner", has_text="Another project is open at this address now")
        notice.or_(page.locator("#project-name", has_text="others")).first.wait_for()
        page.goto(f"{site.url}/progress")  # a view that loads itself again for no reason any more
        page.locator("#project-name", has_text="others").wait_for()
        assert waiting(page) == 1
        assert not other.answers()


def test_what_the_server_refuses_is_shown(project, serve, visit):
    page = visit(serve(project).url)

    def refuse(route):
        answers = route.request.post_data_json["answers"]
        refused = [{"key": one["key"], "code": "no-such-class", "message": "no"} for one in answers]
        route.fulfill(body=json.dumps({"saved": [], "refused": refused}))

    page.route("**/api/answers", refuse)
    with next_image(page):
        page.keyboard.press("1")
    page.locator("#banner", has_text="1 answer was refused: no").wait_for()
    page.locator("#banner button", has_text="Discard").click()
    page.locator("#banner").wait_for(state="hidden")
    assert waiting(page) == 0


def test_an_answer_that_cannot_be_read_does_not_hold_back_others(project, serve, visit):
    page = visit(serve(project).url)
    error = {"error": {"code": "malformed", "message": "a flag is not an answer"}}

    def choose(route):
        kinds = [one["kind"] for one in route.request.post_data_json["answers"]]
        if "flag" in kinds:
            route.fulfill(status=422, body=json.dumps(error))
        else:
            route.continue_()

    page.route("**/api/answers", lambda route: route.abort())
    on_screen(page)
    page.keyboard.press("f")
    with next_image(page) as image:
        page.keyboard.press("2")
    page.locator("#saving[data-state=offline]").wait_for()
    page.route("**/api/answers", choose)  # the newest route counts
    page.locator("#banner", has_text="1 answer was refused: a flag is not an answer").wait_for()
    saved(page)
    assert dict(project.state().labels) == {image: (1,)}
