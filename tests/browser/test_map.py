"""The map: a lasso leads to the grid."""

import base64
import threading
from urllib.parse import urljoin

import numpy as np
import pytest
from PIL import Image

from browser.conftest import publish, saved, truth_of, until


def encoded(values, dtype):
    return base64.b64encode(np.asarray(values, dtype).tobytes()).decode()


@pytest.fixture
def mapped(project, serve, visit):
    """The view of a map with 30 images at the left and 6 at the right."""
    page = visit(serve(project).url, "map")
    rng = np.random.default_rng(0)
    xy = rng.integers(4000, 12000, (36, 2)) + np.array([[0, 26000]])
    xy[30:, 0] += 46000
    reply = {
        "version": "1",
        "count": 36,
        "ids": encoded(range(36), "<i4"),
        "xy": encoded(xy, "<u2"),
        "label": encoded([-1] * 34 + [-2] * 2, "<i2"),
        "predicted": encoded([0] * 30 + [1] * 6, "<i2"),
        "digest": encoded([0] * 36, "<u4"),
    }
    page.route("**/api/map", lambda route: route.fulfill(json=reply))
    page.reload()
    page.locator("#about", has_text="36 of 36 images in sight").wait_for()
    return page


def test_a_lasso_leads_to_the_grid_of_what_is_inside(mapped, project):
    box = mapped.locator("#canvas").bounding_box()
    x, y = box["x"] + 0.62 * box["width"], box["y"] + 0.2 * box["height"]
    mapped.keyboard.press("o")
    mapped.mouse.move(x, y)
    mapped.mouse.down()
    width, height = 0.36 * box["width"], 0.7 * box["height"]
    for right, down in ((1, 0), (1, 1), (0, 1), (0, 0.1)):
        mapped.mouse.move(x + right * width, y + down * height, steps=4)
    mapped.mouse.up()
    mapped.locator("#heading", has_text="6 of the map").wait_for()
    mapped.locator(".card").nth(5).wait_for()
    mapped.keyboard.press("Control+a")
    mapped.keyboard.press("2")
    saved(mapped)
    assert {i: c[0] for i, c in project.state().labels.items()} == dict.fromkeys(range(30, 36), 1)
    assert {answer.view for answer in project.answers()} == {"map"}  # next to predictions


def test_the_map_of_real_features_leads_to_images_alike(project, serve, visit, truth):
    """t-SNE of the pixels: what a lasso is drawn around is what the grid shows, small and large."""
    from nextlabel.project.loop.cache_files import MAP
    from nextlabel.project.loop.map import make_map

    images = project.images()
    rows = np.stack(
        [
            np.asarray(Image.open(project.folder / name).convert("L")).ravel()
            for name in images.names
        ]
    )
    ids = np.arange(len(rows))
    made = make_map(
        rows / 255, ids, "pixels", project.cache / "part.npz", lambda *_: None, threading.Event()
    )
    made.save(project.cache / MAP)
    publish(project, truth)
    page = visit(serve(project).url, "map")
    page.locator("#about", has_text="36 of 36 images in sight").wait_for()
    box = page.locator("#canvas").bounding_box()
    scale = 0.92 * min(box["width"], box["height"]) / 65536
    corner = np.array([box["x"], box["y"]], float)
    corner += (np.array([box["width"], box["height"]]) - 65536 * scale) / 2
    places = made.xy * scale + corner
    centre = places[np.abs(places - np.median(places, axis=0)).sum(axis=1).argmin()]
    page.mouse.move(*centre)
    page.locator("#tip").wait_for()
    tip = page.locator("#tip-image")
    until(page, "() => document.getElementById('tip-image').naturalWidth > 0")
    thumb = page.request.get(urljoin(page.url, tip.get_attribute("src")))
    assert thumb.ok and "immutable" in thumb.headers["cache-control"]
    # The edge is amid a gap, so that a rounded place of a corner puts no image on the other side.
    x = np.sort(places[:, 0])
    gap = 8 + np.diff(x)[8:28].argmax()
    edge = x[gap : gap + 2].mean()
    page.keyboard.press("o")
    page.mouse.move(edge, box["y"] + 3)
    page.mouse.down()
    for x, y in ((3, 3), (3, -3), (None, -3)):
        right = edge if x is None else box["x"] + x
        page.mouse.move(right, box["y"] + (y % box["height"]), steps=3)
    page.mouse.up()
    inside = np.flatnonzero(places[:, 0] < edge).tolist()
    page.locator("#heading", has_text=f"{len(inside)} of the map").wait_for()
    page.locator(".card").nth(len(inside) - 1).wait_for()
    shown = page.locator(".card").evaluate_all("(all) => all.map((one) => +one.dataset.image)")
    assert sorted(shown) == inside
    near = np.linalg.norm(made.xy[:, None] - made.xy[None], axis=2) + 1e9 * np.eye(len(rows))
    classes = np.array([truth_of(name, truth) for name in images.names])
    assert (classes[near.argmin(axis=1)] == classes).mean() > 0.5  # by chance: a third


def test_the_keyboard_alone_chooses_what_is_in_sight(mapped):
    for _ in range(3):
        mapped.keyboard.press("+")
    for _ in range(9):
        mapped.keyboard.press("ArrowRight")
    mapped.locator("#about", has_text="6 of 36").wait_for()
    mapped.keyboard.press("Enter")
    mapped.locator("#heading", has_text="6 of the map").wait_for()


def test_classes_are_switched_off(mapped):
    mapped.get_by_role("checkbox", name="zero").uncheck()
    mapped.locator("#about", has_text="6 of 36").wait_for()


def test_labels_of_none_of_the_classes_are_not_without_a_label(mapped):
    mapped.locator("#by").select_option("label")
    mapped.locator("#classes li", has_text="not labelled").get_by_text("34").wait_for()
    none = mapped.locator("#classes li", has_text="none of the classes")
    none.get_by_text("2").wait_for()
    none.get_by_role("checkbox").uncheck()
    mapped.locator("#about", has_text="34 of 36").wait_for()


def test_a_map_that_failed_is_made_again_when_a_person_asks(project, serve, visit):
    project.set_activity("map", "running", 300, 750)
    page = visit(serve(project).url, "map")
    page.locator("#empty", has_text="made in the background: 40%").wait_for()
    project.set_activity("map", "failed", message="the work ended with 1")
    page.get_by_role("heading", name="The map could not be made").wait_for()
    page.locator("#empty", has_text="The work ended with 1.").wait_for()
    page.get_by_role("button", name="Try again").click()
    page.locator("#empty", has_text="it begins again").wait_for()
    assert project.activity()["map"].state == "waiting"
    project.set_activity("map", "failed", message="no memory")
    page.locator("#views a", has_text="Progress").click()
    page.locator("#activities .failed", has_text="no memory").get_by_role("button").click()
    page.locator("#activities li", has_text="it begins again").wait_for()


def test_a_map_that_is_not_there_yet_says_so(project, serve, visit):
    page = visit(serve(project).url, "map")
    page.get_by_role("heading", name="The map is not there yet").wait_for()
