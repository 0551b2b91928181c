import os
import warnings
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError, UsageError
from nextlabel.data import FolderSettings, load
from nextlabel.files.output_mark import make_output
from refusals import refused

RNG = np.random.default_rng(0)


def save(path: Path, array: np.ndarray | None = None) -> None:
    array = RNG.integers(0, 256, (10, 12), np.uint8) if array is None else array
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".tif", ".tiff"):
        tifffile.imwrite(path, array, photometric="rgb" if array.ndim == 3 else "minisblack")
    elif array.dtype == np.uint16:
        path.write_bytes(imagecodecs.png_encode(array))
    else:
        Image.fromarray(array).save(path)


def read(path: Path, image_size: int | None = 8, **values: object) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load(
            FolderSettings(path=path, **values),  # type: ignore[arg-type]
            image_size=image_size,
        )


ALL = {"validation": 0, "test": 0}


def test_class_folders(tmp_path: Path) -> None:
    for name in (
        "2/a.png",
        "10/b.JPG",
        "10/deep/c.bmp",
        "2/d.tiff",
        "2/.hidden.png",
        "2/notes.txt",
    ):
        if name.endswith(".txt"):
            (tmp_path / name).write_text("no image")
        else:
            save(tmp_path / name)
    save(tmp_path / "__MACOSX" / "a.png")
    data = read(tmp_path, **ALL)
    assert data.classes == ("2", "10") and data.task == "multiclass"
    assert data.train.names == ("10/b.JPG", "10/deep/c.bmp", "2/a.png", "2/d.tiff")
    assert data.train.labels.tolist() == [1, 1, 0, 0]
    assert data.train.images.shape == (4, 1, 8, 8)
    assert read(tmp_path, None, **ALL).image_shape == (1, 64, 64)
    assert list(data.sources) == [tmp_path.name] and len(data.sources[tmp_path.name]) == 64


def test_parts_are_drawn_by_fraction(tmp_path: Path) -> None:
    for k in range(20):
        save(tmp_path / "ab"[k % 2] / f"{k:02}.png")
    data = read(tmp_path, validation_fraction=0.25, test_fraction=0.1)
    assert [len(p) for p in (data.train, data.validation, data.test)] == [13, 5, 2]
    names = {n for p in (data.train, data.validation, data.test) for n in p.names}
    assert len(names) == 20
    again = read(tmp_path, validation_fraction=0.25, test_fraction=0.1)
    assert again.checksum == data.checksum and again.sources == data.sources
    moved = read(tmp_path, validation=5, test=2, train=4, seed=3)
    assert len(moved.train) == 4 and moved.checksum != data.checksum


def test_top_folders_are_parts(tmp_path: Path) -> None:
    for part, n in (("train", 6), ("val", 3), ("test", 2)):
        for k in range(n):
            save(tmp_path / part / ("cat" if k % 2 else "dog") / f"{k}.png")
    data = read(tmp_path)
    assert [len(p) for p in (data.train, data.validation, data.test)] == [6, 3, 2]
    assert data.classes == ("cat", "dog") and data.validation.names[0] == "val/cat/1.png"
    for k in range(2):
        (tmp_path / "test" / ("cat" if k % 2 else "dog") / f"{k}.png").unlink()
    data = read(tmp_path, test_fraction=0.2)
    assert [len(p) for p in (data.train, data.validation, data.test)] == [5, 3, 1]


def test_a_class_called_train(tmp_path: Path) -> None:
    for name in ("train/a.png", "car/b.png"):
        save(tmp_path / name)
    assert read(tmp_path, **ALL).classes == ("car", "train")
    (tmp_path / "train").rename(tmp_path / "test")
    (tmp_path / "car").rename(tmp_path / "val")
    assert read(tmp_path, **ALL).classes == ("test", "val")


def test_unlabelled_folder(tmp_path: Path) -> None:
    for name in "cab":
        save(tmp_path / f"{name}.png")
    data = read(tmp_path)
    assert data.train.labels is None and data.classes == ()
    assert data.train.names == ("a.png", "b.png", "c.png")
    assert len(data.validation) == len(data.test) == 0


def test_manifest(tmp_path: Path) -> None:
    for k in range(5):
        save(tmp_path / f"{k}.png")
    text = "path,labels,split\n0.png,mass;nodule,train\n2.png,none,val\n1.png,nodule,\n3.png,,\n"
    (tmp_path / "list.csv").write_text(text + "4.png,mass,test\n")
    data = read(tmp_path, manifest="list.csv")
    assert data.task == "multilabel" and data.classes == ("mass", "nodule")
    assert data.train.names == ("0.png", "1.png", "3.png")
    assert data.train.labels.tolist() == [[1, 1], [0, 1], [-1, -1]]
    assert data.validation.labels.tolist() == [[0, 0]]
    assert set(data.sources) == {"list.csv", tmp_path.name}
    (tmp_path / "list.csv").rename(tmp_path / "manifest.csv")
    assert read(tmp_path).checksum == data.checksum
    assert read(tmp_path, manifest=tmp_path / "manifest.csv").checksum == data.checksum
    save(tmp_path / "5.png")
    with pytest.warns(UserWarning, match=r"1 image\(s\) of .* \(5.png first\) are not in the"):
        load(FolderSettings(path=tmp_path), image_size=8)
    with refused(
        UsageError,
        "no-such-manifest",
        match=r"manifest gone.csv is neither in .* nor in the working",
    ):
        read(tmp_path, manifest="gone.csv")


def test_grey_and_colour_together_are_colour(tmp_path: Path) -> None:
    grey = np.full((9, 9), 50, np.uint8)
    save(tmp_path / "a" / "1.png", grey)
    save(tmp_path / "a" / "2.png", np.dstack([grey, grey + 1, grey + 2]))
    images = read(tmp_path, **ALL).train.images
    assert images.shape == (2, 3, 8, 8)
    assert images[0].max() == images[0].min() == 50
    assert images[1, :, 0, 0].tolist() == [50, 51, 52]
    assert read(tmp_path, channels=1, **ALL).image_shape == (1, 8, 8)


def test_sixteen_bit_by_the_range_of_all(tmp_path: Path) -> None:
    for k, value in enumerate((1000, 2000, 5000)):
        save(tmp_path / f"{k}.{'png' if k else 'tif'}", np.full((9, 9), value, np.uint16))
    save(tmp_path / "3.png", np.full((9, 9), 77, np.uint8))
    data = read(tmp_path)
    assert data.train.images[:, 0, 0, 0].tolist() == [0, 64, 255, 77]
    assert data.notes == {"16-bit range": "1000 to 5000 in 3 images (p0.1-p99.9)"}


def test_sixteen_bit_colour_is_not_cut_to_eight_first(tmp_path: Path) -> None:
    ramp = np.arange(256, dtype=np.uint16).reshape(16, 16)
    save(tmp_path / "a.png", np.dstack([ramp, ramp, ramp]))
    images = read(tmp_path, 16).train.images
    assert np.array_equal(images[0, 0].ravel(), np.arange(256))


def test_sixteen_bit_constant(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.full((9, 9), 300, np.uint16))
    with refused(DataError, "images-constant", match="every pixel of the 16-bit images is 300"):
        read(tmp_path)


def test_constant_eight_bit_warns(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.full((9, 9), 30, np.uint8))
    with pytest.warns(UserWarning, match="every pixel of every training image is 30; no model"):
        load(FolderSettings(path=tmp_path))


def broken(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/3.png", "b/4.png"):
        save(tmp_path / name)
    (tmp_path / "a/2.png").write_bytes((tmp_path / "a/2.png").read_bytes()[:60])
    (tmp_path / "b/5.png").symlink_to(tmp_path / "nowhere.png")
    tifffile.imwrite(tmp_path / "b/6.tif", np.zeros((3, 9, 9), np.uint8), photometric="minisblack")
    save(tmp_path / "b/7.png", RNG.integers(0, 256, (101, 100), np.uint8))


def test_unreadable_refused(tmp_path: Path) -> None:
    broken(tmp_path)
    with refused(DataError, "images-unreadable") as failure:
        read(tmp_path, max_pixels=10_000)
    for words in (
        "4 of 7 images cannot be read: a/2.png: ",
        "b/5.png: it cannot be read (No such file",
        "b/6.tif: it has 3 pages",
        "b/7.png: its 100 x 101 pixels exceed the limit of 10000",
        'data.unreadable = "skip"',
    ):
        assert words in str(failure.value)


def test_unreadable_skipped(tmp_path: Path) -> None:
    broken(tmp_path)
    settings = FolderSettings(
        path=tmp_path, unreadable="skip", max_pixels=10_000, validation=0, test=0
    )
    with pytest.warns(UserWarning, match=r"4 of 7 images cannot be read: a/2.png.*are left out"):
        data = load(settings, image_size=8)
    assert data.train.names == ("a/1.png", "b/3.png", "b/4.png")
    assert data.train.labels.tolist() == [0, 1, 1]
    assert data.train.origin.tolist() == [0, 2, 3]
    assert [line.split(":")[0] for line in data.notes["skipped"].split("\n")] == [
        *("a/2.png", "b/5.png", "b/6.tif", "b/7.png")
    ]
    for name in ("a/1.png", "b/3.png", "b/4.png"):
        (tmp_path / name).unlink()
    with refused(
        DataError, "images-unreadable", match=r"4 of 4 images cannot be read.*give at least one"
    ):
        load(settings, image_size=8)


def test_a_pipe_is_no_image_and_is_not_waited_for(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "b.png")
    (tmp_path / "c.png").symlink_to(tmp_path / "c.png")
    with refused(DataError, "images-unreadable"):
        read(tmp_path)
    with pytest.warns(UserWarning, match=r"b\.png: .*pipe.*; c\.png: .*they are left out"):
        data = load(FolderSettings(path=tmp_path, unreadable="skip"), image_size=8)
    assert data.train.names == ("a.png",)


def test_name_that_is_no_text(tmp_path: Path) -> None:
    save(tmp_path / "good.png")
    try:
        (tmp_path / "bad\udcff.png").write_bytes((tmp_path / "good.png").read_bytes())
    except OSError:
        pytest.skip("this file system takes only valid names")
    with refused(DataError, "images-unreadable"):
        read(tmp_path)


@pytest.mark.parametrize("between", ["\n", "\r"])
def test_name_of_two_lines(tmp_path: Path, between: str) -> None:
    save(tmp_path / "good.png")
    save(tmp_path / f"one{between}two.png")
    shown = r"one\\[nr]two.png: its name holds a line break"
    with refused(DataError, "images-unreadable", match=shown):
        read(tmp_path)
    with pytest.warns(UserWarning, match=shown):
        data = load(FolderSettings(path=tmp_path, unreadable="skip"))
    assert data.train.names == ("good.png",) and len(data.notes["skipped"].splitlines()) == 1


@pytest.mark.parametrize("kind", ["pipe", "broken link", "folder"])
def test_own_manifest_that_is_no_file_is_not_passed_over(tmp_path: Path, kind: str) -> None:
    save(tmp_path / "a.png")
    manifest = tmp_path / "manifest.csv"
    if kind == "pipe":
        os.mkfifo(manifest)
    elif kind == "folder":
        manifest.mkdir()
    else:
        manifest.symlink_to("gone.csv")
    with refused(DataError, "file-unreadable", match=r"manifest\.csv cannot be read \("):
        read(tmp_path)


def test_digest_covers_names_and_bytes(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    first = read(tmp_path).sources
    (tmp_path / "a.png").rename(tmp_path / "b.png")
    second = read(tmp_path).sources
    save(tmp_path / "b.png")
    assert len({str(s) for s in (first, second, read(tmp_path).sources)}) == 3


def test_what_is_no_folder_of_images(tmp_path: Path) -> None:
    with refused(UsageError, "path-missing", match="'folder' needs a path"):
        load(FolderSettings())
    with refused(UsageError, "no-such-folder", match="gone; correct data.path"):
        read(tmp_path / "gone")
    with refused(
        DataError,
        "folder-without-images",
        match=r"does not hold an image that is read \(avif, bmp, dicom",
    ):
        read(tmp_path)
    save(tmp_path / "a" / "1.png")
    save(tmp_path / "loose.png")
    with refused(
        DataError,
        "images-next-to-classes",
        match=r"1 image\(s\) \(loose.png first\) are next to the class",
    ):
        read(tmp_path)
    with refused(UsageError, "not-a-folder", match="is not a folder"):
        read(tmp_path / "loose.png")


def test_one_class_only_is_legal(tmp_path: Path) -> None:
    save(tmp_path / "only" / "1.png")
    assert read(tmp_path).classes == ("only",)


def lay(root: Path, *names: str) -> Path:
    for name in names:
        save(root / name)
    return root


def said(path: Path, **values: object) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load(FolderSettings(path=path, validation=0, test=0, **values), image_size=8)  # type: ignore[arg-type]
    return [str(warning.message) for warning in caught]


def test_images_next_to_class_folders_are_asked_about(tmp_path: Path) -> None:
    lay(tmp_path, "a/1.png", "b/2.png", "loose.png")
    with refused(DataError, "images-next-to-classes", match='data.classes = "folders"'):
        read(tmp_path)
    data = read(tmp_path, classes="folders", **ALL)
    assert data.classes == ("a", "b") and data.train.labels.tolist() == [0, 1, -1]
    data = read(tmp_path, classes="none", **ALL)
    assert data.train.names == ("a/1.png", "b/2.png", "loose.png")
    assert data.train.labels is None and data.classes == ()


def test_no_labels_are_taken_from_a_manifest_either(tmp_path: Path) -> None:
    lay(tmp_path, "1.png", "2.png")
    (tmp_path / "manifest.csv").write_text("path,label,split\n1.png,a;b,train\n2.png,,test\n")
    data = read(tmp_path, classes="none")
    assert data.train.labels is None and data.task == "multiclass"
    assert (data.train.names, data.test.names) == (("1.png",), ("2.png",))


@pytest.mark.parametrize("names", [("Cat", "cat", "cat "), ("ü", "u\u0308")])
def test_classes_of_nearly_one_name_are_named(names: tuple[str, ...], tmp_path: Path) -> None:
    for k, name in enumerate(("dog", *names)):
        save(tmp_path / name / f"{k}.png")
    (warning,) = said(tmp_path)
    shown = ", ".join(repr(name) for name in sorted(names))
    assert f"the classes {shown} are {len(names)} different ones" in warning


def test_classes_in_natural_order(tmp_path: Path) -> None:
    lay(tmp_path, *(f"{name}/a.png" for name in ("10", "2", "x", "1", "x10", "x9", "B")))
    assert read(tmp_path, **ALL).classes == ("1", "2", "10", "B", "x", "x9", "x10")


def test_files_that_nothing_reads_are_counted_by_kind(tmp_path: Path) -> None:
    lay(tmp_path, "a.png")
    for name in ("1.czi", "2.czi", "notes.txt", "raw.xyz"):
        (tmp_path / name).write_bytes(b"no image")
    (warning,) = said(tmp_path)
    assert warning.startswith(f"4 file(s) of {tmp_path.name} are left out: 2 .czi (1.czi first): ")
    assert "1 .xyz (raw.xyz first): not an image" in warning and "1 .txt" in warning
    for name in ("1.czi", "2.czi", "raw.xyz"):
        (tmp_path / name).unlink()
    assert said(tmp_path) == []  # notes lie next to images everywhere
    (tmp_path / "a.png").unlink()
    with refused(DataError, "folder-without-images", match=r"1 \.txt \(notes.txt first\)"):
        read(tmp_path)


def test_links_out_of_the_folder(tmp_path: Path) -> None:
    lay(tmp_path / "store", "x.png", "y.png")
    root = lay(tmp_path / "root", "cat/own.png")
    (root / "dog").symlink_to(tmp_path / "store", target_is_directory=True)
    (root / "cat" / "round").symlink_to(root, target_is_directory=True)
    outside, repeated = said(root)
    assert "1 link(s) (dog first) lead out of the folder" in outside and "follow_links" in outside
    assert "1 link(s) (cat/round first) lead to what is read already" in repeated
    with pytest.warns(UserWarning, match="read already"):
        data = load(FolderSettings(path=root, follow_links=True, **ALL), image_size=8)  # type: ignore[arg-type]
    assert data.train.names == ("cat/own.png", "dog/x.png", "dog/y.png")


def test_what_the_tool_wrote_is_no_class(tmp_path: Path) -> None:
    make_output(tmp_path / "runs" / "photos")
    lay(tmp_path, "cat/1.png", "dog/2.png", "runs/photos/figure.png")
    (warning,) = said(tmp_path)
    assert "1 folder(s) that a program has written (runs/photos first)" in warning


def test_exact_copies_are_left_out_when_that_is_asked(tmp_path: Path) -> None:
    lay(tmp_path, "a/1.png", "a/2.png")
    for name in ("a/3.png", "b/4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((tmp_path / "a/1.png").read_bytes())
    (warning,) = said(tmp_path)
    assert "2 file(s) are exact copies (a/3.png of a/1.png first); a copy in train of" in warning
    assert said(tmp_path, classes="none") == []
    (warning,) = said(tmp_path, unique=True)
    assert "2 file(s) are exact copies (a/3.png of a/1.png first); they are left out" in warning
    assert "1 of them have other labels than their original (b/4.png: b, a/1.png: a)" in warning
    with pytest.warns(UserWarning, match="exact copies"):
        data = load(FolderSettings(path=tmp_path, unique=True, **ALL), image_size=8)  # type: ignore[arg-type]
    assert data.train.names == ("a/1.png", "a/2.png")


def test_a_manifest_reads_no_link_that_leads_out_of_the_folder(tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    save(root / "a.png", np.full((9, 9), 3, np.uint8))
    save(root / "b.png", np.full((9, 9), 9, np.uint8))
    save(tmp_path / "out.png", np.full((9, 9), 200, np.uint8))
    (root / "link.png").symlink_to(tmp_path / "out.png")
    (root / "manifest.csv").write_text("path\na.png\nb.png\nlink.png\n")
    whole = {"validation_fraction": 0, "test_fraction": 0}
    with pytest.warns(UserWarning, match="lead out of the folder"):
        data = load(FolderSettings(path=root, **whole), image_size=4)
    assert data.train.names == ("a.png", "b.png")
    data = load(FolderSettings(path=root, follow_links=True, **whole), image_size=4)
    assert data.train.names == ("a.png", "b.png", "link.png")
