"""Names in any script are drawn with fonts that have them, where some are installed."""

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, fontManager

from nextlabel.report import figures
from nextlabel.report.fonts import families


def make_font(file: Path, name: str, characters: str) -> FontEntry:
    """Write a font whose characters are filled squares."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 1000), (1000, 1000), (1000, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square, glyphs = pen.glyph(), [f"glyph{n}" for n in range(len(characters))]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *glyphs])
    builder.setupCharacterMap({ord(c): g for c, g in zip(characters, glyphs, strict=True)})
    builder.setupGlyf({g: square for g in (".notdef", *glyphs)})
    builder.setupHorizontalMetrics({g: (1000, 0) for g in (".notdef", *glyphs)})
    builder.setupHorizontalHeader(ascent=1000, descent=0)
    builder.setupNameTable({"familyName": name, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(file)
    return FontEntry(fname=str(file), name=name, style="normal", weight=400, size="scalable")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install these fonts and no others but the house's own."""
    house = [font for font in fontManager.ttflist if font.name == "DejaVu Sans"]

    def fonts(**characters):
        made = [make_font(tmp_path / f"{n}.ttf", n, text) for n, text in characters.items()]
        monkeypatch.setattr(fontManager, "ttflist", house + made)

    return fonts


def render(words: str, kind: str) -> bytes:
    with figures.house_style(words):
        figure = Figure(figsize=(3, 2), layout="constrained")
        figure.add_subplot().set_title(words)
        return figures.render(figure, kind)


def test_the_fewest_fonts_that_have_all_follow_the_houses_own(install):
    install(AHan="核", BHan="核心集", Kana="カ集", Box="核心集カ")
    fontManager.ttflist[-1] = replace(fontManager.ttflist[-1], name="Last Resort")
    assert families("core-set α") == ["DejaVu Sans"]
    assert families("core 核") == ["DejaVu Sans", "AHan"]
    assert families("核心集 カ") == ["DejaVu Sans", "BHan", "Kana"]
    assert families("핵 核") == ["DejaVu Sans", "AHan"]


def test_slanted_bold_and_broken_fonts_are_left_aside(install, tmp_path):
    install(Slanted="核", Bold="核", Broken="核")
    slanted, bold, broken = fontManager.ttflist[-3:]
    fontManager.ttflist[-3:] = replace(slanted, style="italic"), replace(bold, weight=700), broken
    Path(broken.fname).write_bytes(b"no font")
    assert families("核") == ["DejaVu Sans"]


@pytest.mark.parametrize("kind", figures.FORMATS)
def test_a_figure_shows_the_characters_of_another_font(kind, install):
    install()
    without = render("core 核心", kind)
    install(Han="核心")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = render("core 核心", kind)
    assert drawn != without
    if kind == "svg":
        assert b"'DejaVu Sans', 'Han'" in drawn and ">core 核心<".encode() in drawn


@pytest.mark.parametrize("kind", figures.FORMATS)
def test_without_such_a_font_nobody_is_warned_and_svg_keeps_the_text(kind, install, recwarn):
    install()
    drawn = render("core 核心", kind)
    assert not recwarn.list
    assert kind != "svg" or ">core 核心<".encode() in drawn


def test_the_report_looks_for_the_names_of_arms(install, store, tmp_path):
    from studies import fill, spec_of

    from nextlabel.report.page import build_report

    install(Han="核心集")
    arm = {"name": "核心集", "strategy": "core_set"}
    fill(store, spec_of(arms=[arm], primary=None))
    build_report(store, None, tmp_path / "out", ("svg",))
    assert "'Han'" in (tmp_path / "out" / "curves.svg").read_text()
