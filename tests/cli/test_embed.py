import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import image_files as files
from nextlabel.cli import main
from nextlabel.core.dataset import Dataset
from nextlabel.core.space.block import FittedBlock
from nextlabel.data.folder import index as folder_index

QUICK = ("--block", "pca", "--set", "components=2", "--image-size", "8", "--unreadable", "skip")


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Trust files from the moment that they are written, and work in an empty folder."""
    monkeypatch.setattr(folder_index, "SETTLED", -1.0)
    monkeypatch.chdir(tmp_path)


def photos(count: int) -> Path:
    rng = np.random.default_rng(0)
    for k in range(count):
        path = Path("photos", ("", "a", "a/b", "c")[k % 4], f"{k:04}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12, 10), np.uint8)).save(path)
    return Path("photos")


def embed(*words: str) -> int:
    return main(["embed", "photos", *QUICK, "-o", "p.npz", "--cache-dir", "cache", *words])


def summary(err: str) -> str:
    return err.splitlines()[-1]


def test_one_line_says_what_was_read_and_what_was_not(capsys: pytest.CaptureFixture[str]) -> None:
    root = photos(12)
    (root / "copy.png").write_bytes((root / "0000.png").read_bytes())
    (root / "broken.png").write_bytes(b"x")
    for name in ("1.czi", "2.czi", "notes.txt"):
        (root / name).write_bytes(b"no image")
    Path("elsewhere").mkdir()
    (root / "out").symlink_to(Path("elsewhere").resolve())
    assert embed() == 0
    captured = capsys.readouterr()
    assert captured.out == "p.npz\n"
    left = (
        "2 × .czi, 1 × .txt, 1 × link out of the folder, "
        "1 × unreadable: is not an image of a kind that is read"
    )
    assert summary(captured.err) == (
        "13 images, 2 columns; 14 files read now, 0 unchanged since before; "
        f"left out: {left}; 1 image is a copy of others"
    )
    assert captured.err.count("czi") == 3  # once in a warning by its kind and first name
    assert embed() == 0
    assert "0 files read now, 14 unchanged since before" in summary(capsys.readouterr().err)
    os.utime(root / "a" / "0001.png", ns=(1, 1))
    assert embed("--unique", "--follow-links") == 0
    said = summary(capsys.readouterr().err)
    assert "1 file read now, 13 unchanged" in said
    assert "1 × exact copy" in said and "12 images" in said and "link out" not in said


def test_the_numbers_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    photos(4)
    Path("photos/x.txt").touch()
    assert embed("--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["images"] == 4 and facts["decoded"] == 4 and facts["left_out"] == {".txt": 1}


def test_copies_have_equal_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = photos(9)
    for k in range(4):
        shutil.copy(root / "0000.png", root / f"x{k}.png")

    def noisy(block: object, data: Dataset, *_: object) -> FittedBlock:
        """Features that differ between equal images, as they may between batches."""
        rows = np.random.default_rng(0).normal(size=(len(data.train), 2))
        return FittedBlock({"train": rows.astype(np.float32)})

    monkeypatch.setattr("nextlabel.features.embed.fitted_block", noisy)
    assert embed() == 0
    with np.load("p.npz") as file:
        same = np.isin(file["names"], ["0000.png", *(f"x{k}.png" for k in range(4))])
        rows = file["features"]
    assert same.sum() == 5 and (rows[same] == rows[same][0]).all()
    assert len(np.unique(rows, axis=0)) == 9
    capsys.readouterr()
    words = ["select", "--features", "p.npz", "--budget", "9", "--strategy", "typiclust"]
    assert main(words) == 0
    chosen = capsys.readouterr().out.split()
    assert len({"0000.png" if name.startswith("x") else name for name in chosen}) == 9


def test_the_tools_own_outputs_are_not_data(capsys: pytest.CaptureFixture[str]) -> None:
    """Running in the folder of the images, again and again, changes nothing about the data."""
    os.chdir(photos(8))
    words = ["embed", ".", *QUICK, "-o", "out/p.npz", "--cache-dir", "cache"]
    assert main(words) == 0
    assert main(["map", "--features", "out/p.npz", "--out", "maps"]) in (0, 2)
    capsys.readouterr()
    assert main(words) == 0
    said = capsys.readouterr().err
    assert "8 images" in summary(said) and "1 × folder that a program has written" in said
    assert "(cache first)" in said


def test_ctrl_c_leaves_nothing_half_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos(6)

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("numpy.savez", stopped)
        assert embed() == 130
    with monkeypatch.context() as patch:
        patch.setattr("nextlabel.data.read_data.json.dumps", stopped)
        shutil.rmtree("cache/images", ignore_errors=True)
        assert embed() == 130
    assert not Path("p.npz").exists() and not list(Path().rglob("*.partial"))
    capsys.readouterr()
    assert embed() == 0
    assert "0 files read now, 6 unchanged" in summary(capsys.readouterr().err)


def test_training_shows_its_progress(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos(5)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    words = ["--block", "vae", "--set", "latent=2", "--set", "epochs=2", "--image-size", "16"]
    assert main(["embed", "photos", *words, "-o", "p.npz", "--cache-dir", "cache"]) == 0
    said = capsys.readouterr().err
    assert re.search(r"images: +100%.* 5/5 ", said) and re.search(r"training: +100%.* 2/2 ", said)


@pytest.mark.parametrize("name", ["photso", "photos/aa", ""])
def test_a_mistyped_folder_is_said_to_be_none(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    photos(3)
    assert main(["embed", name, "-o", "p.npz"]) == 2
    said = capsys.readouterr().err
    assert "there is neither a folder nor a data set" in said
    assert name != "photso" or "did you mean 'photos'" in said


@pytest.mark.slow
@pytest.mark.skipif(not files.EXTRAS, reason="needs the extras medical and photos")
def test_a_large_folder_of_everything_ends_with_one_summary(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = photos(300)
    sound = files.sound()
    for name, content in sound.items():
        for k in range(4):
            (root / f"{k}-{name}").write_bytes(content)
    unread = {"a.czi": b"ZISRAWFILE", "b.nd2": b"x", "c.psd": b"8BPS", "d.mp4": b"x", "e.xyz": b"x"}
    broken = {"cut.png": (root / "0000.png").read_bytes()[:40], "empty.jpg": b"", "t.png": b"text"}
    for name, content in (unread | broken).items():
        (root / name).write_bytes(content)
    assert embed() == 0
    said = summary(capsys.readouterr().err)
    images, total = 300 + 4 * len(sound), 303 + 4 * len(sound)
    assert said.startswith(f"{images} images, 2 columns; {total} files read now, 0 unchanged")
    for part in (
        *("1 × .czi", "1 × .nd2", "1 × .psd", "1 × .mp4", "1 × .xyz"),
        *("1 × unreadable: the file is empty", "1 × unreadable: its head is damaged"),
        "1 × unreadable: is not an image of a kind that is read, ",
    ):
        assert part in said
    assert embed() == 0
    assert f"0 files read now, {total} unchanged since before" in summary(capsys.readouterr().err)


def test_a_manifest_elsewhere_names_the_images_to_read(capsys: pytest.CaptureFixture[str]) -> None:
    photos(4)
    names = sorted(path.relative_to("photos").as_posix() for path in Path("photos").rglob("*.png"))
    Path("lists").mkdir()
    lines = [f"../photos/{names[0]}", str(Path("photos", names[2]).resolve())]
    Path("lists/some.csv").write_text("\n".join(["path", *lines]))
    assert embed("--manifest", "lists/some.csv") == 0
    assert "left out: 2 × not in the manifest" in summary(capsys.readouterr().err)
    Path("photos/manifest.csv").write_text("\n".join(["path", *names]))
    assert embed() == 0
    assert "left out" not in summary(capsys.readouterr().err)
    assert embed("--manifest", "lists/some.csv") == 0
    with np.load("p.npz") as file:
        assert file["names"].tolist() == [names[0], names[2]]
    assert embed("--manifest", "lists/none.csv") == 2
    assert "lists/none.csv is neither in" in capsys.readouterr().err
