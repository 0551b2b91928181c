"""Pictures: thumbnails, full size, windows and channels, and placeholders with the reason."""

import io

import numpy as np
import pytest
from PIL import Image


def opened(response):
    assert response.is_success, response.text
    return Image.open(io.BytesIO(response.content))


def test_a_small_image_is_its_own_thumbnail(client, ids, folder):
    picture = opened(client.get(f"/thumb/{ids['image-03.png']}"))
    assert np.array_equal(np.asarray(picture), np.asarray(Image.open(folder / "image-03.png")))


def test_a_large_image_becomes_small_and_is_kept(client, project, folder):
    pixels = np.random.default_rng(0).integers(0, 255, (90, 400), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "wide.png")
    project.scan()
    image = project.images().names.index("wide.png")
    picture = opened(client.get(f"/thumb/{image}"))
    assert picture.size == (160, 36)
    (folder / "wide.png").unlink()
    assert opened(client.get(f"/thumb/{image}")).size == (160, 36)


def test_a_plain_png_is_sent_as_it_is(client, ids, folder):
    response = client.get(f"/pixels/{ids['image-01.png']}")
    assert response.content == (folder / "image-01.png").read_bytes()
    assert response.headers["content-type"] == "image/png"


def test_pictures_are_kept_by_the_browser_when_their_address_has_the_digest(client, project):
    digest = project.images().digests[1]
    for version, kept in ((digest[:8], True), ("00000000", False), ("", False), ("0", False)):
        header = client.get("/thumb/1", params={"v": version}).headers["cache-control"]
        assert ("immutable" in header) is kept
        assert kept or header == "no-store"


def test_sixteen_bits_are_shown_in_a_window(client, ids, folder):
    image = ids["deep.tif"]
    facts = client.get(f"/pixels/{image}/facts").json()
    deep = np.asarray(Image.open(folder / "deep.tif")).astype(float)
    assert (facts["bits"], facts["channels"], facts["max"]) == (16, 1, deep.max())
    assert 0 < facts["low"] < 1000 < 64000 < facts["high"] < 65535
    assert sum(facts["histogram"]) == 1200 and len(facts["histogram"]) == 256
    shown = np.asarray(opened(client.get(f"/pixels/{image}", params={"low": 1000, "high": 2000})))
    assert np.array_equal(shown, np.rint(np.clip((deep - 1000) * 0.255, 0, 255)))
    auto = np.asarray(opened(client.get(f"/pixels/{image}")))
    assert auto.dtype == np.uint8 and auto.min() == 0 and auto.max() == 255


def test_channels_are_chosen(client, ids, folder):
    image = ids["image-02.png"]
    whole = np.asarray(Image.open(folder / "image-02.png"))
    one = np.asarray(opened(client.get(f"/pixels/{image}", params={"channels": "2"})))
    assert np.array_equal(one, whole[..., 2])
    two = np.asarray(opened(client.get(f"/pixels/{image}", params={"channels": "2,0"})))
    assert np.array_equal(two[..., :2], whole[..., [2, 0]]) and not two[..., 2].any()


def test_many_channels_show_the_first_three(client, project, folder):
    import tifffile

    pixels = np.random.default_rng(0).integers(0, 255, (5, 16, 18), dtype=np.uint8)
    tifffile.imwrite(folder / "five.tif", pixels, metadata={"axes": "CYX"})
    project.scan()
    image = project.images().names.index("five.tif")
    shown = np.asarray(opened(client.get(f"/pixels/{image}")))
    assert np.array_equal(shown, np.moveaxis(pixels[:3], 0, -1))
    last = np.asarray(opened(client.get(f"/pixels/{image}", params={"channels": "4"})))
    assert np.array_equal(last, pixels[4])


@pytest.mark.parametrize(
    "query",
    [
        {"low": 1},
        {"low": 2, "high": 1},
        {"low": "nan", "high": 1},
        {"channels": ""},
        {"channels": "a"},
        {"channels": "0,1,2,3"},
        {"channels": "-1"},
        {"channels": "7"},
    ],
)
def test_views_that_do_not_fit_are_refused(client, ids, query):
    response = client.get(f"/pixels/{ids['image-02.png']}", params=query)
    assert response.status_code == 422
    assert set(response.json()) == {"error"}


@pytest.mark.parametrize("what", ["thumb", "pixels"])
def test_a_broken_image_shows_its_reason_and_is_not_asked(client, project, ids, what):
    image = ids["broken.png"]
    response = client.get(f"/{what}/{image}")
    assert response.is_success
    assert response.headers["content-type"] == "image/svg+xml"
    assert response.headers["x-problem"] == "image-broken"
    assert "Cannot be shown" in response.text
    assert project.images().problems[image]
    items = client.get("/api/next", params={"tab": "t", "count": 50}).json()["items"]
    assert image not in [item["image"] for item in items]
    assert client.get("/api/project").json()["counts"]["problems"] == 1


def test_a_vanished_and_a_changed_image_show_their_reason(client, project, folder, ids):
    (folder / "image-04.png").unlink()
    (folder / "image-05.png").write_bytes((folder / "image-06.png").read_bytes())
    for name, code in (
        ("image-04.png", "image-gone"),
        ("image-05.png", "image-changed-since-scan"),
    ):
        response = client.get(f"/pixels/{ids[name]}")
        assert response.headers["x-problem"] == code
        assert response.headers["cache-control"] == "no-store"
        assert project.images().problems[ids[name]] is None  # it is asked when it is back


def test_a_huge_image_is_refused_before_it_is_decoded(client, project, folder):
    import struct
    import zlib

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 16, 0, 0, 0, 0)
    chunk = b"IHDR" + head
    content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    content += struct.pack(">I", zlib.crc32(chunk)) + b"\0\0\0\0IEND\xaeB`\x82"
    (folder / "huge.png").write_bytes(content)
    project.scan()
    image = project.images().names.index("huge.png")
    assert client.get(f"/thumb/{image}").headers["x-problem"] == "image-too-large"


def test_reasons_are_escaped():
    from nextlabel.web.pictures.placeholder import placeholder

    drawn = placeholder('<script>alert("1")</script>\x00\n' * 40)
    assert "<script" not in drawn and "&lt;script" in drawn
    assert drawn.count("<text") <= 7


def test_strange_names_are_served(client, project, folder):
    import os

    names = [b'"quoted".png', b"two\nlines.png", b"<script>.png", b"\xff\xfe.png"]
    for number, name in enumerate(names):
        pixels = np.full((8, 9), number * 40, np.uint8)
        with open(os.path.join(os.fsencode(folder), name), "wb") as stream:  # noqa: PTH118, PTH123
            Image.fromarray(pixels).save(stream, "PNG")
    project.scan()
    reply = client.get("/api/images", params={"order": "path", "limit": 500})
    fresh = [item for item in reply.json()["items"] if item["width"] == 9]
    assert {item["name"] for item in fresh} == {
        '"quoted".png', "two\nlines.png", "<script>.png", "\\xff\\xfe.png"
    }  # fmt: skip
    for item in fresh:
        assert opened(client.get(item["url"]["pixels"])).size == (9, 8)


def test_the_size_of_an_image_that_cannot_be_decoded_stays_known(client, project, folder):
    (folder / "half.png").write_bytes((folder / "image-00.png").read_bytes()[:200])
    project.scan()
    image = project.images().names.index("half.png")
    assert client.get(f"/thumb/{image}").headers["x-problem"] == "image-broken"
    images = project.images()
    assert images.problems[image] and (images.widths[image], images.heights[image]) == (24, 20)
