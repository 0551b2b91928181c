"""Projects with several findings per image, 16 bits, channels, or damaged files."""

import numpy as np
import pytest

from browser.conftest import image_of, next_image, on_screen, said, saved
from nextlabel.project.labelling.models import NewModel


@pytest.fixture
def make(tmp_path):
    """Makes a project of arrays: `make({"a.tif": array}, task="multilabel")`."""
    import tifffile

    from nextlabel.project.labelling.project import Project

    made = []

    def create(arrays, task="multiclass"):
        folder = tmp_path / "images"
        folder.mkdir()
        for name, pixels in arrays.items():
            if isinstance(pixels, bytes):
                (folder / name).write_bytes(pixels)
            else:
                layout = {"planarconfig": "separate"} if pixels.ndim == 3 else {}
                tifffile.imwrite(folder / name, pixels, photometric="minisblack", **layout)
        made.append(Project.create(folder, classes=["round", "long"], task=task))
        made[-1].scan()
        return made[-1]

    yield create
    for project in made:
        project.close()


def gradients(count, dtype=np.uint8, top=200):
    ramp = np.linspace(0, top, 64)
    return {f"{k}.tif": (ramp[None, :] * np.ones((64, 1)) + k).astype(dtype) for k in range(count)}


def test_several_findings_are_toggled_and_saved_by_enter(make, serve, visit):
    project = make(gradients(4), task="multilabel")
    page = visit(serve(project).url)
    with next_image(page) as both:
        page.keyboard.press("1")
        page.keyboard.press("2")
        assert page.locator("#classes [aria-pressed=true]").count() == 2
        page.keyboard.press("Enter")
    with next_image(page) as one:
        page.keyboard.press("1")
        page.keyboard.press("2")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
    with next_image(page) as none:
        page.locator("#save", has_text="None of these").click()
    saved(page)
    assert dict(project.state().labels) == {both: (0, 1), one: (0,), none: ()}
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#classes [aria-pressed=true]").count() == 1


def test_all_findings_that_are_predicted_are_confirmed_also_none(make, serve, visit):
    project = make(gradients(3), task="multilabel")
    chances = np.array([[0.9, 0.8], [0.1, 0.2], [0.7, 0.3]], np.float32)
    arrays = {"probabilities": chances, "classes": np.arange(2), "there": np.ones(3, bool)}
    project.publish(NewModel(0, "PCA", "margin", {"labelled": 0}, arrays=arrays), [])
    page = visit(serve(project).url, "gallery")
    page.locator(".card", has_text="round, long 80%").wait_for()
    page.keyboard.press("p")
    page.get_by_role("button", name="Label 3").click()  # they have several findings
    page.locator(".card.answered").nth(2).wait_for()
    saved(page)
    assert dict(project.state().labels) == {0: (0, 1), 1: (), 2: (0,)}
    page.reload()
    page.locator(".card.answered", has_text="none of the classes").wait_for()
    page.keyboard.press("p")
    said(page, "All of these are labelled.")


def brightness(page):
    """Return the mean of what is on the screen, from 0 to 255."""
    return page.locator("#stage > img").evaluate(
        """(image) => {
          const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
          const context = canvas.getContext("2d");
          context.drawImage(image, 0, 0);
          const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
          let sum = 0;
          for (let i = 0; i < data.length; i += 4) sum += data[i];
          return sum / (data.length / 4);
        }"""
    )


def test_an_image_of_16_bits_has_a_window(make, serve, visit):
    project = make(gradients(3, np.uint16, 4000))
    page = visit(serve(project).url)
    on_screen(page)
    usual = brightness(page)
    assert 100 < usual < 155  # neither black nor white without any setting
    page.keyboard.press("b")
    page.locator("legend", has_text="Window of 16 bits").wait_for()
    before = on_screen(page)
    page.locator("#adjust-white-at").fill("1000")
    page.locator(f'#stage > img:not([data-address="{before}"])').wait_for()
    assert brightness(page) > usual + 40
    assert image_of(on_screen(page)) == image_of(before)
    with next_image(page):
        page.keyboard.press("1")
    assert "high=1000" in on_screen(page)  # the window stays for the images that follow
    page.locator("#adjust-reset").click()
    page.locator('#stage > img:not([data-address*="high"])').wait_for()


def test_channels_are_chosen(make, serve, visit):
    planes = np.zeros((2, 5, 40, 40), np.uint8)
    planes[:, 3] = 200
    planes[1] += 5
    project = make({f"{k}.tif": planes[k] for k in range(2)})
    page = visit(serve(project).url)
    on_screen(page)
    page.keyboard.press("b")
    page.get_by_role("checkbox", name="4").wait_for()
    channels = page.locator("#adjust .channels")
    channels.get_by_label("4").check()
    for name in "1235":
        channels.get_by_label(name).uncheck()
    page.locator('#stage > img[data-address$="channels=3"]').wait_for()
    assert brightness(page) > 100  # the fourth is the one that is not black


def test_a_damaged_file_does_not_stop_the_queue(make, serve, visit):
    project = make(gradients(2) | {"broken.png": b"\x89PNG\r\n\x1a\nnothing", "empty.tif": b""})
    page = visit(serve(project).url)
    shown = page.locator("#stage > img, #stage h1").first
    for answered in range(4):
        text = shown.inner_text()
        if text == "Every image has an answer":
            break
        page.keyboard.press("1")
        if "cannot be shown" in text:
            said(page, "has no label")
            page.keyboard.press("s")
        page.locator("#recent li").nth(answered).wait_for()
    saved(page)
    assert len(project.state().labels) == 2  # the empty file is not an image
