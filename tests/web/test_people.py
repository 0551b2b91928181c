"""People with passwords: roles, sessions, and the images that two of them are asked."""

import asyncio
import dataclasses

import pytest

from nextlabel.project.loop.serving import shared
from nextlabel.project.people import people as module
from nextlabel.project.people.people import People
from nextlabel.web.people import PeopleSessions
from nextlabel.web.server import ServerOptions, access_of
from web.conftest import BASE, TOKEN


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    from argon2 import PasswordHasher

    hasher = PasswordHasher(1, 8, 1)
    monkeypatch.setattr(module, "_hasher", lambda: hasher)


@pytest.fixture
def page(project):
    from nextlabel.web.app import create_app
    from nextlabel.web.workspace import Workspace

    access = access_of(project, TOKEN, ServerOptions(users=True))
    return create_app(Workspace(project), access)


@pytest.fixture
def anna(client, visitor):
    body = {"name": "anna", "password": "correct horse", "role": "owner"}
    assert client.post("/api/people", json=body).is_success
    made = visitor("192.168.0.5")
    assert made.post("/login", json={"name": "anna", "password": "correct horse"}).is_success
    return made


@pytest.fixture
def ben(client, anna, visitor):
    body = {"name": "ben", "password": "battery staple"}
    assert anna.post("/api/people", json=body).is_success
    made = visitor("192.168.0.6")
    assert made.post("/login", json={"name": "ben", "password": "battery staple"}).is_success
    return made


def code(response):
    return response.json()["error"]["code"]


def test_a_person_logs_in_and_answers_under_the_own_name(ben, project):
    assert ben.get("/api/project").json()["person"] == "ben"
    body = {"tab": "t", "answers": [{"key": "a", "image": 1, "kind": "skip"}]}
    assert ben.post("/api/answers", json=body).is_success
    assert [answer.person for answer in project.answers()] == ["ben"]


def test_a_labeller_changes_nothing_but_labels(ben):
    for path, body in (
        ("/api/people", {"name": "eve", "password": "long enough"}),
        ("/api/settings", {"audit": 0}),
        ("/api/people", {"name": "ben", "role": "owner"}),
        ("/api/classes", {"action": "remove", "class": 0, "key": "k"}),
    ):
        response = ben.post(path, json=body)
        assert (response.status_code, code(response)) == (403, "owners-only")
    assert code(ben.get("/api/people")) == "owners-only"
    body = {"action": "add", "value": "new", "key": "n"}
    assert ben.post("/api/classes", json=body).json()["classes"][-1]["name"] == "new"


def test_wrong_passwords_are_refused_then_wait(anna, visitor):
    stranger = visitor("10.0.0.1")
    for _ in range(5):
        response = stranger.post("/login", json={"name": "anna", "password": "wrong"})
        assert (response.status_code, code(response)) == (401, "wrong-password")
    other = visitor("10.0.0.2")
    assert other.post("/login", json={"name": "anna", "password": "x"}).status_code == 429
    assert stranger.post("/login", json={"name": "zoe", "password": "x"}).status_code == 429


def test_a_session_ends_at_once_by_logging_out_or_being_shut_out(anna, ben, page):
    assert ben.get("/api/project").is_success
    assert anna.post("/api/people", json={"name": "ben", "active": False}).is_success
    assert code(ben.get("/api/project")) == "no-session"
    (secret,) = anna.cookies.values()
    anna.post("/logout", json={})
    anna.cookies.set(page.access.cookie, secret)
    assert code(anna.get("/api/project")) == "no-session"


def test_sessions_outlive_the_server(ben, project, page):
    (secret,) = ben.cookies.values()
    again = dataclasses.replace(page.access, sessions=PeopleSessions(People(project.database)))
    assert asyncio.run(again.person(secret)).name == "ben"
    assert secret not in (project.directory / "project.db").read_bytes().decode("latin-1")


def test_people_share_no_image_unless_an_overlap_is_wanted(anna, ben):
    def images(person, tab, count):
        reply = person.get("/api/next", params={"tab": tab, "count": count}).json()
        return [item["image"] for item in reply["items"]]

    first = images(anna, "a", 7)
    assert not set(first) & set(images(ben, "b", 14))
    answers = [
        {"key": f"a{image}", "image": image, "kind": "label", "classes": [0]} for image in first
    ]
    anna.post("/api/settings", json={"overlap": 1.0})
    anna.post("/api/answers", json={"tab": "a", "answers": answers})
    again = [image for image in images(ben, "b", 14) if image in first]
    assert again
    body = {"key": "b1", "image": again[0], "kind": "label", "classes": [1]}
    ben.post("/api/answers", json={"tab": "b", "answers": [body]})
    assert anna.get("/api/agreement").json()["images"] == 1
    (conflict,) = anna.get("/api/conflicts").json()["items"]
    assert conflict["by_person"] == {"anna": [0], "ben": [1]}
    body = {"key": "r", "image": again[0], "kind": "label", "classes": [1], "view": "resolve"}
    anna.post("/api/answers", json={"tab": "a", "answers": [body]})
    assert anna.get("/api/conflicts").json()["total"] == 0


def test_an_image_of_the_overlap_is_asked_of_two_people_who_never_see_it_at_once(
    anna, ben, visitor, project
):
    anna.post("/api/people", json={"name": "carl", "password": "staple battery"})
    carl = visitor("192.168.0.7")
    carl.post("/login", json={"name": "carl", "password": "staple battery"})
    anna.post("/api/settings", json={"overlap": 0.5})
    people = {"anna": anna, "ben": ben, "carl": carl}
    held = {name: [] for name in people}  # what each tab has, the one on the screen first
    said = {}
    for turn in range(200):
        name = list(people)[turn % 7 % 3]  # not all are as quick
        query = {"tab": name, "count": 3 - len(held[name]), "held": ",".join(map(str, held[name]))}
        if query["count"]:
            items = people[name].get("/api/next", params=query).json()["items"]
            held[name] += [item["image"] for item in items]
        shown = [image for images in held.values() for image in images]
        assert len(shown) == len(set(shown))
        if held[name]:
            image = held[name].pop(0)
            said.setdefault(image, []).append(name)
            answer = {"key": f"{turn}", "image": image, "kind": "label", "classes": [0]}
            people[name].post("/api/answers", json={"tab": name, "answers": [answer]})
    usable = [i for i, problem in enumerate(project.images().problems) if problem is None]
    both = shared(project.images(), 0.5)
    assert sorted(said) == usable and 0 < len(both & set(usable)) < len(usable)
    for image, names in said.items():
        assert len(names) == len(set(names)) == (2 if image in both else 1)


def test_a_password_must_be_long_enough(client):
    response = client.post(
        "/api/people", json={"name": "anna", "password": "short", "role": "owner"}
    )
    assert (response.status_code, code(response)) == (400, "bad-password")
    assert code(client.post("/api/people", json={"name": "anna"})) == "password-missing"


def test_attempts_at_the_same_time_are_counted_as_well(page):
    import asyncio

    import httpx

    async def attempt_all():
        transport = httpx.ASGITransport(page, client=("10.0.0.1", 50000))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as stranger:
            body = {"name": "anna", "password": "wrong"}
            sent = (stranger.post("/login", json=body, headers={"Origin": BASE}) for _ in range(20))
            return [response.status_code for response in await asyncio.gather(*sent)]

    assert sorted(asyncio.run(attempt_all())) == [401] * 5 + [429] * 15


def test_half_a_character_is_refused(visitor):
    with visitor() as client:
        content = b'{"name": "\\ud800", "password": "x"}'
        reply = client.post("/login", content=content, headers={"Content-Type": "application/json"})
        assert reply.status_code == 422
