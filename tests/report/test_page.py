import base64
import csv
import io
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from studies import ARMS, accuracy, fill, png, spec_of

from nextlabel.core.errors import StoreError, UsageError
from nextlabel.files.html import THEME
from nextlabel.report.figures.style import DARK_HUES, DARK_NEUTRAL, HUES, NEUTRAL
from nextlabel.report.page import build_report
from nextlabel.store.store import Store
from refusals import refused


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


class Words(HTMLParser):
    """The words of a page, and the attributes of every element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("style", "script")
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page(store: Store, out: Path) -> tuple[str, str]:
    html = build_report(store, None, out, ()).html.read_text()
    return html, Words(html).text


# -- an arm against itself -----------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [1, 5])
def test_an_arm_against_itself_shows_nothing(store: Store, tmp_path: Path, seeds: int) -> None:
    arms = (
        {"name": "A", "strategy": "margin"},
        {"name": "A again", "strategy": "margin", "baseline": "A"},
    )
    fill(store, spec_of(arms, seeds, primary="A again"), lambda arm, s, n: accuracy("A", s, n))
    html, text = page(store, tmp_path / "out")
    row = rows(tmp_path / "out" / "statistics.csv")[1]
    assert float(row["difference"]) == 0
    if seeds == 1:
        assert row["p"] == row["effect_dz"] == row["low"] == row["high"] == row["confidence"] == ""
        assert "With one pair of seeds no test is possible" in text
        assert "a single seed" in text
        assert {r["sd"] for r in rows(tmp_path / "out" / "curves.csv")} == {""}
    else:
        assert (float(row["p"]), float(row["effect_dz"])) == (1, 0)
        assert (float(row["low"]), float(row["high"]), float(row["confidence"])) == (0, 0, 0.9375)
        assert "at most, 5 pairs 93.75%" in text
        assert {float(r["p_holm"]) for r in rows(tmp_path / "out" / "p_values.csv")} == {1.0}
        assert "A again and A are the same on every seed" in text
    spec = text.index("The resolved experiment")  # where JSON may say null
    contents = [p.read_text() for p in (tmp_path / "out").glob("*.csv")]
    for content in (text[:spec], *contents):
        assert not re.search(r"\b(nan|inf|none|null)\b", content, re.IGNORECASE)
    for figure in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        assert not re.search(r"\b(nan|inf)\b", figure)


def test_it_says_what_auto_stood_for(store: Store, tmp_path: Path) -> None:
    fill(store, spec_of(ARMS[:2], 2))
    assert "trained on cpu in bf16" in page(store, tmp_path / "out")[1]


# -- what is refused -----------------------------------------------------------------------------


def test_the_experiment_must_be_known(store: Store, tmp_path: Path) -> None:
    few = {"arms": ARMS[:2], "seeds": 1}
    with refused(UsageError, "no-experiment", match=r"holds 0 experiments; run one first"):
        build_report(store, None, tmp_path)
    fill(store, spec_of(**few))
    fill(store, spec_of(**few, name="letters", headline="validation/accuracies"))
    with refused(UsageError, "experiment-not-named", match=r"2 experiments \(digits, letters\)"):
        build_report(store, None, tmp_path)
    with refused(UsageError, "experiment-not-in-store", match="did you mean 'letters'"):
        build_report(store, "leters", tmp_path)
    with refused(UsageError, "figure-format-unknown", match="'gif'; known: svg, pdf, png"):
        build_report(store, "digits", tmp_path, ["gif"])
    with refused(UsageError, "metric-unknown", match="did you mean"):
        build_report(store, "letters", tmp_path)
    (tmp_path / "file").touch()
    with refused(
        StoreError, "report-not-writable", match=r"cannot be written to .*; free some space"
    ):
        build_report(store, "digits", tmp_path / "file" / "out", ())


def test_nothing_complete_makes_a_page_without_figures(store: Store, tmp_path: Path) -> None:
    fill(store, spec_of(ARMS[:2], 2, primary="core-set"), rounds=lambda arm, seed: seed)
    html, text = page(store, tmp_path / "out")
    assert "No trial has reached the target" in text and "incomplete (50 labels of 250)" in text
    assert "<svg" not in html and "What was picked" in text


# -- the page itself -----------------------------------------------------------------------------


def test_the_page_needs_no_network_and_fits_any_screen(report: Path) -> None:
    html = (report / "report.html").read_text()
    found = Words(html)
    links = [v for k, v in found.attributes if k in ("src", "href", "xlink:href", "srcset")]
    assert links and all(v.startswith(("data:", "#")) for v in links)
    assert not re.search(r"(@import|url\((?!#))", html)
    assert "<script" not in html and "<link" not in html
    assert ("content", "width=device-width, initial-scale=1") in found.attributes
    assert "prefers-color-scheme: dark" in html
    ids = [v for k, v in found.attributes if k == "id"]
    assert len(ids) == len(set(ids))
    targets = re.findall(r'(?:href="#|url\(#)([^")]+)', html)
    assert targets and set(targets) <= set(ids)


def test_figures_are_drawn_in_the_pages_own_colour(report: Path) -> None:
    figures = re.findall(r"<svg.*?</svg>", (report / "report.html").read_text(), re.DOTALL)
    assert len(figures) == 6  # all arms, two twins, labels needed, differences, the VAE
    for figure in figures:
        ET.fromstring(figure)
        assert "currentColor" in figure and "#ffffff" not in figure
        assert not any(hue in figure for hue in (*HUES, NEUTRAL))  # dark pages have others
    (twin,) = (figure for figure in figures if 'id="twin-1-' in figure)
    line = r'style="(fill: none; [^"]*stroke: var\(--hue-([01])\); stroke-width: 1.8[^"]*)"'
    means = re.findall(line, twin)
    assert [(hue, "stroke-dasharray" in style) for style, hue in means[:2]] == [
        ("0", False),
        ("1", True),
    ]


def test_colours_contrast_with_light_and_dark_pages() -> None:
    def luminance(colour: str) -> float:
        channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return float(linear @ [0.2126, 0.7152, 0.0722])

    css = (THEME / "theme.css").read_text()
    light, dark = re.findall(r"--paper: (#[0-9a-f]{6})", css)
    for paper, colours in ((light, (*HUES, NEUTRAL)), (dark, (*DARK_HUES, DARK_NEUTRAL))):
        for colour in colours:
            low, high = sorted((luminance(colour), luminance(paper)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, colour
    assert len(HUES) == len(DARK_HUES)


def test_pictures_and_tables_are_inside(report: Path) -> None:
    html = (report / "report.html").read_text()
    shown = {base64.b64decode(x) for x in re.findall(r"data:image/png;base64,([^\"]+)", html)}
    assert shown == {png(s) for s in (0, 1, 2, 77)} | {
        png(100 * n + len(arm["name"])) for n in range(1, 5) for arm in ARMS
    }
    assert html.count(base64.b64encode(png(0)).decode()) == 1  # initial labels are there once
    tables = re.findall(r'download="([^"]+)" href="data:text/csv[^,]*,([^"]+)"', html)
    assert {name for name, _ in tables} == {path.name for path in report.glob("*.csv")}
    for name, data in tables:
        assert base64.b64decode(data).decode() == (report / name).read_text()
    text = Words(html).text
    for word in ("a processor", "abc123", "learning_rate", "core_set", "1197", "elbo"):
        assert word in text
    assert "the same for all arms, " in text  # the initial labels


def test_it_names_the_models_of_all_arms(store: Store, tmp_path: Path) -> None:
    other = {"name": "two", "strategy": "margin", "model": {"name": "linear"}}
    fill(store, spec_of((ARMS[0], other, {**other, "name": "three"})))
    assert " with resnet18, linear: 50 to 250 labels" in page(store, tmp_path / "out")[1]


def test_names_cannot_break_the_page(store: Store, tmp_path: Path) -> None:
    odd = '<b>"$x$"</b> & co'
    fill(store, spec_of((ARMS[0], {"name": odd, "strategy": "margin", "baseline": "random"}), 2))
    html, text = page(store, tmp_path / "out")
    assert "<b>" not in html and odd in text
    for figure in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        assert odd in "".join(ET.fromstring(figure).itertext())


def test_the_same_store_gives_the_same_bytes(store: Store, tmp_path: Path) -> None:
    fill(store, spec_of(ARMS[1:3], seeds=2))
    one, other = (build_report(store, None, tmp_path / name) for name in ("one", "other"))
    assert {p.suffix for p in one.files} == {".csv", ".svg", ".pdf", ".png"}
    figures = ("block-0", "curves", "differences", "twin-1")
    assert {p.stem for p in one.files if p.suffix == ".pdf"} == set(figures)
    for a, b in zip((one.html, *one.files), (other.html, *other.files), strict=True):
        assert a.name == b.name and a.read_bytes() == b.read_bytes(), a.name
    assert not list(tmp_path.rglob("*.partial"))


def test_a_prior_that_ended_as_one_gaussian_is_reported_with_its_seeds(
    store: Store, tmp_path: Path
) -> None:
    def log(arm: str, seed: int) -> dict[str, float]:
        return {"components": 9.0, "distinct": 1.1 if seed == 1 else 8.0}

    fill(store, spec_of(primary="core-set + VAE"), log=log)
    html = build_report(store, None, tmp_path / "out", ("svg",)).html.read_text()
    assert html.count("Collapsed:") == 1
    assert "a single Gaussian, with seed 1." in html


def test_a_run_of_which_one_trial_has_begun_has_a_page(store: Store, tmp_path: Path) -> None:
    fill(
        store,
        spec_of(),
        rounds=lambda arm, seed: 3,
        begins=lambda arm, seed: (arm, seed) == ("random", 0),
    )
    _, text = page(store, tmp_path)
    assert "pending" in text
    assert not re.search(r"\b(nan|None)\b", text)
