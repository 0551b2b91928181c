"""The map: a lasso leads to the grid."""

import base64

import numpy as np
import pytest

from browser.conftest import saved


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
        "label": encoded([-1] * 36, "<i2"),
        "predicted": encoded([0] * 30 + [1] * 6, "<i2"),
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


def test_a_map_that_is_not_there_yet_says_so(project, serve, visit):
    page = visit(serve(project).url, "map")
    page.get_by_role("heading", name="The map is not there yet").wait_for()
