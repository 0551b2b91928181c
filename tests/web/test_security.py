"""The guard: sessions, hosts, origins, headers, and paths that lead out."""

import asyncio
import os
import re

import pytest

from nextlabel.project.people.people import Person
from nextlabel.web.attempts import Attempts
from nextlabel.web.routes.pages import VIEWS
from nextlabel.web.security import HEADERS, OPEN, OPEN_FOLDER, Access
from web.conftest import BASE, TOKEN


def code(response):
    return response.json()["error"]["code"]


def every_route(page):
    for path, methods in page.app.openapi()["paths"].items():
        for method in methods:
            yield method.upper(), re.sub("{.*?}", "0", path)
    for view in ("", "openapi.json", *VIEWS):
        yield "GET", f"/{view}"


def test_every_route_needs_a_session(page, visitor):
    routes = list(every_route(page))
    assert len(routes) > 15
    for method, path in routes:
        if path == OPEN or path.startswith(OPEN_FOLDER):
            continue
        response = visitor().request(method, path, content=b"")
        assert (path, response.status_code, code(response)) == (path, 401, "no-session")


def test_a_browser_without_a_session_is_led_to_the_form(visitor):
    response = visitor(Accept="text/html").get("/gallery")
    assert response.status_code == 303
    assert response.headers["location"] == "/login?next=/gallery"


def test_a_person_without_a_session_reads_what_to_do(visitor):
    for asks in ({"Accept": "text/html"}, {"Accept": "*/*", "Sec-Fetch-Mode": "navigate"}):
        response = visitor(**asks).get("/", params={"token": "mistyped"})
        assert (response.status_code, response.headers["location"]) == (303, "/login")
        assert visitor(**asks).get("/label").headers["location"] == "/login?next=/label"
    page = visitor(Accept="text/html").get("/login").text
    assert "up to the end of" in page and "password" not in page


def test_the_token_becomes_a_cookie_at_once(visitor):
    client = visitor()
    response = client.get("/grid", params={"token": TOKEN, "view": "a b"})
    assert (response.status_code, response.headers["location"]) == (303, "/grid?view=a+b")
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert TOKEN.lower() not in cookie
    assert client.get("/api/project").status_code == 200


def test_the_token_leads_to_no_other_server(visitor):
    response = visitor().get(f"{BASE}//evil.example?token={TOKEN}")
    assert response.headers["location"] == "/evil.example"


@pytest.mark.parametrize("token", ["", "x", TOKEN + "x", "ü"])
def test_another_token_is_refused(visitor, token):
    response = visitor().get("/", params={"token": token})
    assert (response.status_code, code(response)) == (401, "token-unknown")
    assert "set-cookie" not in response.headers


def test_the_token_counts_on_this_machine_only(visitor):
    response = visitor("192.168.0.7").get("/", params={"token": TOKEN})
    assert code(response) == "token-unknown"


def test_a_wrong_cookie_is_no_session(page, visitor):
    client = visitor()
    for value in ("", "x", TOKEN, "%C3%BC", '"'):
        response = client.get("/api/project", headers={"Cookie": f"{page.access.cookie}={value}"})
        assert code(response) == "no-session"


def test_the_session_outlives_the_server(client, page):
    again = Access(TOKEN, page.access.cookie, Person("anna", "owner"))
    (secret,) = client.cookies.values()
    assert asyncio.run(again.person(secret)) == Person("anna", "owner")
    other = Access("another", "c", Person("anna", "owner"))
    assert asyncio.run(other.person(secret)) is None


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8640", "", "a@b", "[x"])
def test_other_host_names_are_refused(client, host):
    response = client.get("/api/project", headers={"Host": host})
    assert (response.status_code, code(response)) == (403, "host-unknown")


@pytest.mark.parametrize("host", ["localhost:8640", "127.0.0.1", "[::1]:8640", "10.0.0.3:80"])
def test_names_and_addresses_of_this_machine_pass(client, host):
    assert client.get("/api/project", headers={"Host": host, "Cookie": cookie(client)}).is_success


def test_a_name_that_is_given_passes(project):
    from nextlabel.web.server import ServerOptions, access_of

    access = access_of(project, TOKEN, ServerOptions(names=("Label.example",)))
    assert access.is_this_server("label.example:443")
    assert not access.is_this_server("other.example")


def cookie(client):
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:8641"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": ""},
    ],
)
def test_writes_from_other_sites_are_refused(client, project, headers):
    body = {"tab": "t", "answers": [{"key": "k", "image": 0, "kind": "skip"}]}
    response = client.post("/api/answers", json=body, headers=headers)
    assert (response.status_code, code(response)) == (403, "cross-site")
    assert project.answers() == []


def test_a_write_without_an_origin_needs_the_browser_to_vouch(page, visitor, client):
    for site, status in (("same-origin", 200), ("same-site", 403), ("none", 403)):
        client.headers.pop("Origin", None)
        response = client.post(
            "/api/release", json={"tab": "t", "images": []}, headers={"Sec-Fetch-Site": site}
        )
        assert response.status_code == status


def test_headers_are_on_every_response(client, visitor):
    for response in (
        client.get("/api/project"),
        client.get("/nothing"),
        visitor().get("/api/project"),
        client.get("/api/project", headers={"Host": "evil.example"}),
        client.get("/static/nothing.js"),
    ):
        for name in HEADERS.keys() - {"Cache-Control"}:
            assert response.headers[name] == HEADERS[name]
        assert "server" not in response.headers
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy


def test_bodies_have_a_length_and_a_limit(client):
    response = client.post("/api/answers", content=iter([b"{}"]))
    assert (response.status_code, code(response)) == (411, "length-missing")
    response = client.post("/api/answers", content=b" " * (4 * 2**20 + 1))
    assert (response.status_code, code(response)) == (413, "body-too-long")


def test_wrong_log_ins_make_people_wait(visitor):
    client = visitor()
    for _ in range(5):
        assert code(client.post("/login", json={"token": "x"})) == "wrong-password"
    response = client.post("/login", json={"token": TOKEN})
    assert (response.status_code, code(response)) == (429, "too-many-attempts")
    assert int(response.headers["retry-after"]) > 50
    assert visitor("192.168.0.9").post("/login", json={"token": "x"}).status_code == 401


def test_attempts_are_forgotten_after_their_time(monkeypatch):
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    attempts = Attempts(2)
    attempts.failed(["a"])
    now = 30.0
    attempts.failed(["a"])
    assert attempts.wait(["a", "b"]) == 30
    assert attempts.wait(["b"]) == 0
    now = 60.0
    assert attempts.wait(["a"]) == 0


def test_the_form_begins_a_session_and_leads_back(visitor):
    for target, reached in (("/grid", "/grid"), ("//evil.example", "/"), ("http://e.example", "/")):
        client = visitor()
        response = client.post("/login", data={"token": TOKEN, "next": target})
        assert (response.status_code, response.headers["location"]) == (303, reached)
        assert client.get("/api/project").is_success
        assert client.post("/logout", json={}).is_success
        assert code(client.get("/api/project")) == "no-session"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../security.py",
        "/static/%2e%2e/security.py",
        "/static/..%2fsecurity.py",
        "/static//etc/passwd",
        "/static/%00",
        "/thumb/..%2f..%2fetc%2fpasswd",
        "/thumb/0/../../photos",
        "/pixels/-1",
        "/pixels/14",
        "/pixels/99999999999999999999",
        "/pixels/0x1",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/project.toml",
        "/static",
        "/static/",
    ],
)
def test_nothing_else_is_served(client, path):
    response = client.get(path)
    assert response.status_code in (404, 405, 422)
    assert set(response.json()) == {"error"}


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_file_that_becomes_a_link_is_not_followed_out(client, project, folder, ids, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes((folder / "image-00.png").read_bytes())
    (folder / "image-00.png").unlink()
    (folder / "image-00.png").symlink_to(secret)
    response = client.get(f"/pixels/{ids['image-00.png']}")
    assert response.headers["x-problem"] == "image-outside"
    assert response.headers["content-type"] == "image/svg+xml"


def test_beyond_this_machine_people_must_log_in():
    from nextlabel.core.errors import UsageError
    from nextlabel.web.server import ServerOptions
    from refusals import refused

    with refused(UsageError, "users-required"):
        ServerOptions(host="0.0.0.0").check()
    ServerOptions(host="127.0.0.2").check()
    ServerOptions(host="0.0.0.0", users=True).check()
