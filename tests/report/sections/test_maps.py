"""Maps in the report: what is drawn is what the store has."""

import base64
import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from studies import ARMS, ENVIRONMENT, fill, png, spec_of
from test_page import Words

from nextlabel.core.types import as_ids
from nextlabel.report import figures
from nextlabel.report.figures.space_map import GROUPS, draw_map
from nextlabel.report.page import build_report
from nextlabel.report.sections.maps import changed_settings
from nextlabel.statistics.point_cloud import Shape
from nextlabel.store.maps import Map, MappedSpace
from nextlabel.store.store import Store

LABELLED, CANDIDATES = 20, 30


def a_map(spec: dict[str, Any], **more: Any) -> Map:
    rng = np.random.default_rng(0)
    spaces = tuple(
        MappedSpace(
            name,
            weights,
            "rms",
            512,
            as_ids(picked),
            rng.normal(size=(LABELLED + CANDIDATES, 2)) * 20,
            Shape(kurtosis, 1.25, None, 0.75, 0.5),
            Shape(-0.3, 1.0, 1.0, 0.1, 0.0),
            png(number),
        )
        for number, name, weights, picked, kurtosis in (
            (901, "task", {"task": 1.0}, [40, 25, 21], 0.13),
            (902, "task + vae", {"task": 1.0, "vae": 1.0}, [30, 25, 44], 2.5),
        )
    )
    made = Map(
        "core-set + VAE",
        0,
        as_ids(range(LABELLED + CANDIDATES)),
        LABELLED,
        spaces,
        spec,
        {"picked": 3, "perplexity": 30.0},
        seconds={"train": 61.0},
    )
    return replace(made, **more)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


@pytest.fixture
def spec() -> dict[str, Any]:
    return spec_of(ARMS[1:3], seeds=2)


def test_the_report_has_a_section_of_maps(
    store: Store, spec: dict[str, Any], tmp_path: Path
) -> None:
    fill(store, spec)
    build_report(store, None, tmp_path / "without", ())
    assert "<h2>Maps" not in (tmp_path / "without/report.html").read_text()
    store.keep_map(a_map(spec, notes=("only 30 images are left",)), ENVIRONMENT)
    out = build_report(store, None, tmp_path / "out", ("svg",)).html.parent
    html = (out / "report.html").read_text()
    text = Words(html).text
    assert "core-set + VAE, seed 0" in text and "only 30 images are left." in text
    assert "20 labelled images, 30 unlabelled ones, and the 3 of them that core_set picks" in text
    assert re.search(r"task space \+0\.13 1\.2500 – 0\.7500 0\.5000", text)
    assert re.search(r"task \+ vae map −0\.30 1\.0000 1\.0000 0\.1000 0\.0000", text)
    for sheet in (png(901), png(902)):
        assert html.count(base64.b64encode(sheet).decode()) == 1
    details = re.findall(r"<details>\s*<summary>(.*?)</summary>", html)
    assert "3 picked in task + vae, in the order of choice" in details  # on demand
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    points = rows(out / "map-1.csv")
    assert len(points) == 2 * (LABELLED + CANDIDATES)
    assert [p["id"] for p in points if p["group"] == "picked"] == [*"21 25 40 25 30 44".split()]
    assert [p["pick"] for p in points if p["pick"]] == [*"3 2 1 2 1 3".split()]
    assert {p["group"] for p in points[:LABELLED]} == {"labelled"}
    numbers = rows(out / "map-1-numbers.csv")
    assert [(r["space"], r["measured_in"], r["kurtosis"]) for r in numbers][2] == (
        "task + vae", "space", "2.5"
    )  # fmt: skip
    assert numbers[0]["spread"] == "" and (out / "map-1.svg").exists()
    for table in ("map-1", "map-1-numbers", "map-1-seconds"):
        data = base64.b64encode((out / f"{table}.csv").read_bytes()).decode()
        assert html.count(data) == 1


def test_a_store_with_a_map_and_no_trial_has_a_page(
    store: Store, spec: dict[str, Any], tmp_path: Path
) -> None:
    store.keep_map(a_map(spec), ENVIRONMENT)
    text = Words(build_report(store, None, tmp_path, ()).html.read_text()).text
    assert "No trial has reached the target" in text and "core-set + VAE, seed 0" in text
    assert "Curves" not in text


def test_what_differs_from_the_experiment_is_said(spec: dict[str, Any]) -> None:
    other = spec_of(ARMS[1:3], seeds=9, training={"learning_rate": 0.5}, blocks={})
    assert list(changed_settings(a_map(spec), spec)) == []
    notes = list(changed_settings(a_map(other), spec))
    assert "training.learning_rate is 0.5 here, and 0.01 in the experiment" in notes
    assert "blocks.vae.latent is not set here, and 32 in the experiment" in notes
    assert len(notes) == 4


def test_the_groups_have_colours_shapes_and_one_size(spec: dict[str, Any]) -> None:
    with figures.plot_style():
        figure = draw_map(a_map(spec))
        svg = figures.render(figure, "svg").decode()
    left, right = figure.axes
    titles = ["task · 512 dimensions", "task + vae · 512 dimensions"]
    assert [axes.get_title() for axes in figure.axes] == titles
    sides = {"o": np.sqrt(4 / np.pi), "s": 1.0, "^": np.sqrt(2)}  # of a marker of area 1
    for axes in (left, right):
        look = {str(line.get_label()).split()[0]: line for line in axes.lines}
        assert list(look) == list(GROUPS)
        assert [len(line.get_xdata()) for line in look.values()] == [27, 20, 3]
        assert len({line.get_color() for line in look.values()}) == 3
        assert len({line.get_marker() for line in look.values()}) == 3
        areas = [line.get_markersize() / sides[str(line.get_marker())] for line in look.values()]
        assert areas == pytest.approx([areas[0]] * 3, rel=0.01)
        assert axes.get_aspect() == 1
    picked = right.lines[2].get_xydata()
    assert picked == pytest.approx(a_map(spec).spaces[1].points[[25, 30, 44]])
    ET.fromstring(svg)
    assert svg.count("<use ") >= 2 * (LABELLED + CANDIDATES)


def test_one_space_is_one_panel(spec: dict[str, Any]) -> None:
    found = a_map(spec)
    with figures.plot_style():
        assert len(draw_map(replace(found, spaces=found.spaces[:1])).axes) == 1


def test_many_points_become_a_picture(
    spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "nextlabel.report.figures.space_map.MOST_VECTORS", LABELLED + CANDIDATES - 1
    )
    with figures.plot_style():
        svg = figures.render(draw_map(a_map(spec)), "svg").decode()
    assert svg.count("<use ") < 20 and "data:image/png" in svg
