"""Answers over HTTP: recorded once, refused one at a time, and each image asked in one tab."""

import sqlite3
import threading
import time

import pytest
from sqlalchemy.exc import OperationalError

from nextlabel.project.labelling.answer import NewAnswer
from web.conftest import BASE


def send(client, *answers, tab="t", **fields):
    return client.post("/api/answers", json={"tab": tab, "answers": list(answers), **fields})


def label(key, image, class_id=0, **fields):
    return {"key": key, "image": image, "kind": "label", "classes": [class_id], **fields}


def test_an_answer_is_recorded_with_what_was_on_the_screen(client, project):
    fields = {"shown_at": 1.5, "answered_at": 2.5, "model": 3, "position": 7, "view": "grid"}
    reply = send(client, label("a", 2, 1, **fields)).json()
    assert reply["saved"] == [{"key": "a", "seq": 1}]
    assert reply["counts"]["labelled"] == 1
    (answer,) = project.answers()
    for name, value in fields.items():
        assert getattr(answer, name) == value
    assert (answer.image, answer.classes, answer.kind) == (2, (1,), "label")


def test_an_answer_that_is_sent_again_is_recorded_once(client, project):
    first = send(client, label("a", 2, 1)).json()
    again = send(client, label("b", 3), label("a", 2, 0)).json()
    assert {"key": "a", "seq": 1} in again["saved"] and first["saved"][0]["seq"] == 1
    assert project.state().labels[2] == (1,)
    assert len(project.answers()) == 2


def test_a_wrong_answer_is_refused_alone(client, project):
    reply = send(client, label("a", 1), label("b", 999), label("c", 2, 55), label("d", 3)).json()
    assert [one["key"] for one in reply["saved"]] == ["a", "d"]
    codes = {one["key"]: one["code"] for one in reply["refused"]}
    assert codes == {"b": "unknown-image", "c": "unknown-class"}
    assert set(project.state().labels) == {1, 3}


def test_answers_of_another_project_are_refused(client, project):
    response = send(client, label("a", 1), project="another")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "other-project")
    assert send(client, label("a", 1), project=client.get("/api/project").json()["id"]).is_success


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"tab": "t"},
        {"tab": "t", "answers": [{"key": "a"}]},
        {"tab": "t", "answers": [{"key": "a", "image": -1, "kind": "skip"}]},
        {"tab": "t", "answers": [{"key": "a", "image": 1, "kind": "delete"}]},
        {"tab": "t", "answers": [{"key": "", "image": 1, "kind": "skip"}]},
        {"tab": "t", "answers": [{"key": "a", "image": 1, "kind": "skip", "person": "eve"}]},
        {"tab": "t", "answers": [{"key": "a", "image": 1, "kind": "skip", "shown_at": "x"}]},
    ],
)
def test_malformed_answers_are_refused(client, project, body):
    response = client.post("/api/answers", json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "malformed")
    assert project.answers() == []


def test_a_full_disk_refuses_visibly_and_loses_nothing(client, project, monkeypatch):
    send(client, label("a", 1))
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def fails(*_, **__):
        raise OperationalError("INSERT", {}, full)

    with monkeypatch.context() as patch:
        patch.setattr("nextlabel.project.labelling.recording.answers.insert", fails)
        response = send(client, label("b", 2))
    assert (response.status_code, response.json()["error"]["code"]) == (507, "disk-full")
    assert send(client, label("b", 2)).json()["saved"] == [{"key": "b", "seq": 2}]
    assert set(project.state().labels) == {1, 2}


def test_two_tabs_are_never_asked_the_same_image(client, visitor, project):
    first = client.get("/api/next", params={"tab": "one", "count": 5}).json()["items"]
    second = client.get("/api/next", params={"tab": "two", "count": 50}).json()
    seen = {item["image"] for item in first}
    assert len(seen) == 5
    assert not seen & {item["image"] for item in second["items"]}
    assert second["left"] == 14
    client.post("/api/release", json={"tab": "one", "images": sorted(seen)})
    third = client.get("/api/next", params={"tab": "three", "count": 50}).json()["items"]
    assert {item["image"] for item in third} == seen


def test_the_images_of_a_page_that_is_closed_are_free_at_once(client):
    def ask(tab, **query):
        reply = client.get("/api/next", params={"tab": tab, "count": 50} | query).json()
        return len(reply["items"])

    everything = ask("one")
    assert everything and ask("two") == 0
    assert client.post("/api/release", json={"tab": "one"}).json() == {"released": everything}
    assert ask("two") == everything
    assert ask("three", closed="two") == everything
    assert ask("two") == ask("three", closed="three") == 0  # late requests of pages that are gone


def test_tabs_at_the_same_time_share_nothing(page, client):
    from starlette.testclient import TestClient

    given = {}

    def ask(tab):
        one = TestClient(page, BASE, cookies=client.cookies, client=("127.0.0.1", 1))
        given[tab] = [
            i["image"]
            for i in one.get("/api/next?count=3", params={"tab": tab, "count": 3}).json()["items"]
        ]

    threads = [threading.Thread(target=ask, args=(f"tab {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    images = [image for part in given.values() for image in part]
    assert len(images) == len(set(images)) == 12


def test_held_images_and_answered_ones_are_not_asked(client, ids):
    asked = client.get("/api/next", params={"tab": "t", "count": 4}).json()["items"]
    first, second, *_ = (item["image"] for item in asked)
    send(client, label("a", first))
    more = client.get("/api/next", params={"tab": "t", "count": 50, "held": second}).json()["items"]
    images = {item["image"] for item in more}
    assert first not in images and second not in images
    assert len(images) == 12
    assert all(item.keys() >= {"url", "path", "model", "position", "problem"} for item in more)
    assert not any("audit" in item or "reason" in item for item in more)


def test_predictions_stay_hidden_while_labelling(client, project):
    item = client.get("/api/next", params={"tab": "t"}).json()["items"][0]
    assert "predicted" not in item
    client.post("/api/settings", json={"hide_predictions": False})
    assert "predicted" in client.get("/api/next", params={"tab": "t"}).json()["items"][0]


def test_twenty_keys_in_a_moment_write_twenty_right_labels(client, project):
    """Answers in flight overtake each other; each has the image that was on the screen."""
    from starlette.testclient import TestClient

    items = client.get("/api/next", params={"tab": "t", "count": 14}).json()["items"]
    sent = {item["image"]: number % 2 for number, item in enumerate(items)}

    def late(image, class_id, delay):
        one = TestClient(client.app, BASE, cookies=client.cookies, client=("127.0.0.1", 1))
        one.headers["Origin"] = BASE
        time.sleep(delay)
        send(one, label(f"key {image}", image, class_id))

    threads = [
        threading.Thread(target=late, args=(image, class_id, (7 * image % 5) * 0.03))
        for image, class_id in sent.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {image: of[0] for image, of in project.state().labels.items()} == sent


def test_an_answer_and_its_undo_in_one_request_leave_nothing_however_often_it_is_sent(
    client, project
):
    label = {"key": "a", "image": 3, "kind": "label", "classes": [0]}
    undo = {"key": "b", "image": 3, "kind": "undo", "undoes": "a"}
    again = {"key": "c", "image": 3, "kind": "label", "classes": [1]}
    for _ in range(2):
        body = {"tab": "t", "answers": [undo, label]}
        reply = client.post("/api/answers", json=body).json()
        assert (len(reply["saved"]), reply["refused"]) == (2, [])
        assert reply["counts"]["labelled"] == 0 and not project.state().labels
    body = {"tab": "t", "answers": [label, undo, again]}
    assert client.post("/api/answers", json=body).json()["counts"]["labelled"] == 1
    assert dict(project.state().labels) == {3: (1,)}
    assert [answer.key for answer in project.answers()] == ["a", "b", "c"]


def test_work_that_failed_is_asked_for_again(client, project):
    project.set_activity("map", "failed", message="no memory")
    project.set_activity("scan", "failed", message="no folder")
    shown = {one["name"]: one["again"] for one in client.get("/api/project").json()["activities"]}
    assert shown == {"map": True, "scan": False}
    assert client.post("/api/activities/map/again").is_success
    assert project.activity()["map"].state == "waiting"
    for name in ("map", "scan", "none"):
        reply = client.post(f"/api/activities/{name}/again")
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not-failed")


def test_the_history_has_a_persons_effective_events(client, project):
    send(
        client, label("a", 1), label("b", 2), {"key": "n", "image": 2, "kind": "note", "note": "x"}
    )
    send(client, {"key": "u", "image": 2, "kind": "undo", "undoes": "b"})
    project.record([NewAnswer("other", 3, "label", (0,))], "somebody")
    items = client.get("/api/history").json()["items"]
    assert [item["key"] for item in items] == ["n", "a"]
    assert items[0]["url"]["pixels"].startswith("/pixels/2?v=")
    assert not any("audit" in item for item in items)
    of_image = client.get("/api/image/2").json()
    assert [event["key"] for event in of_image["history"]] == ["n"]
    assert of_image["note"] == "x"
