import unicodedata
import warnings
from pathlib import Path

import pytest

from nextlabel.core.errors import DataError, UnknownId
from nextlabel.data.lists.manifest import Entry, read_labels, read_manifest
from refusals import refused


def read(tmp_path: Path, text: str | bytes):
    path = tmp_path / "m.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_manifest(path)


def test_labels_and_parts(tmp_path: Path) -> None:
    found = read(tmp_path, "path,label,split\na.png,cat,train\nsub\\b.png,,Val\n\nc.png, dog ,\n")
    assert found.task == "multiclass"
    assert found.entries == (
        Entry("a.png", ("cat",), "train"),
        Entry("sub/b.png", None, "validation"),
        Entry("c.png", ("dog",), None),
    )


@pytest.mark.parametrize(
    "text",
    [
        "path,labels\na.png,mass;nodule\nb.png,none\nc.png,\n",
        "Path;Labels\na.png;'mass;nodule'\nb.png;None\nc.png;\n".replace("'", '"'),
        "FILENAME\tlabel\na.png\tmass; nodule ;mass\nb.png\tnone\nc.png\t\n",
        "path,label\na.png,mass|nodule\nb.png,none\nc.png,\n",
        "path;labels\na.png;mass| nodule |\nb.png;none\nc.png;\n",
        "path\tlabels\na.png\tmass|mass;nodule\nb.png\tnone\nc.png\t\n",
        'file|labels\na.png|"mass|nodule"\nb.png|none\nc.png|\n',
        '"file"|"class"\r\n"a.png"|"mass;nodule"\r\nb.png|none\r\nc.png|\r\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.filterwarnings("error")
def test_several_labels_in_any_dialect(tmp_path: Path, text: str, encoding: str) -> None:
    found = read(tmp_path, text.replace("nodule", "nödule").encode(encoding))
    assert found.task == "multilabel"
    assert found.entries == (
        Entry("a.png", ("mass", "nödule"), None),
        Entry("b.png", (), None),
        Entry("c.png", None, None),
    )


def test_one_label_each_may_still_be_multilabel(tmp_path: Path) -> None:
    assert read(tmp_path, "path,labels\na.png,mass\n").task == "multilabel"
    assert read(tmp_path, "path\na.png\n").task == "multiclass"
    assert read(tmp_path, "path,label\na.png,none\n").entries[0].labels == ("none",)


def test_other_columns_are_ignored(tmp_path: Path) -> None:
    head = "path,label,patient id,sex,age,date,site,view,rater,label 2,tile"
    found = read(tmp_path, f"{head}\na.png,cat,7,f,40,1.2.,x,PA,me,dog,3\n")
    assert found.entries == (Entry("a.png", ("cat",), None),)


@pytest.mark.parametrize(
    "column",
    [
        "art",
        "party",
        "Parts",
        "sets",
        "label_1",
        "label 1",
        "Labeled",
        "labeller",
        "class_id",
        "fil",
    ],
)
def test_a_column_that_begins_as_a_known_one_or_is_near_a_short_one_is_another(
    tmp_path: Path, column: str
) -> None:
    assert read(tmp_path, f"path,{column}\na.png,x\n").entries == (Entry("a.png", None, None),)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "manifest-empty", "is empty; give a head"),
        ("\n  \n", "manifest-empty", None),
        ("path,label\n", "manifest-empty", None),
        (
            "name,label\na.png,cat\n",
            "manifest-column-missing",
            "lacks .* 'path'; it has 'name', 'label'; add it, or rename",
        ),
        (
            "path,label,Label\na,b,c\n",
            "manifest-column-twice",
            "has the column 'label' twice; keep one",
        ),
        (
            "path,lable\na.png,cat\n",
            "manifest-column-unknown",
            "unknown column 'lable'; did you mean 'label.. rename it to 'label', or",
        ),
        ("path,labl\na.png,cat\n", "manifest-column-unknown", "'labl'.*'label'"),
        ("filname,label\na.png,cat\n", "manifest-column-unknown", "'filname'.*'filename'"),
        ("imge,label\na.png,cat\n", "manifest-column-unknown", "'imge'.*'image'"),
        ("path,spilt\na.png,val\n", "manifest-column-unknown", "'spilt'.*'split'"),
        ("path,splti\na.png,val\n", "manifest-column-unknown", "'splti'.*'split'"),
        ("path,label,Splt\na.png,cat,val\n", "manifest-column-unknown", "'Splt'.*'split'"),
        ("file;lables\na.png;cat\n", "manifest-column-unknown", "'lables'.*'labels'"),
        ("pth,label\na.png,cat\n", "manifest-column-missing", "'path'.*'pth'.*'label'"),
        ("file_name,label\na.png,cat\n", "manifest-column-unknown", "'file_name'.*'filename'"),
        (
            "path,label,labels\na,b,c\n",
            "manifest-two-label-columns",
            "has both 'label' and 'labels'",
        ),
        (
            "path,label\na.png,cat,extra\n",
            "manifest-line-length",
            "line 2: 3 cells under 2 columns",
        ),
        ("path,label\na.png\n", "manifest-line-length", "line 2.*1.*2"),
        (
            "path,label\na.png,cat\n\na.png,dog\n",
            "manifest-image-twice",
            "line 4: 'a.png' is in line 2 already",
        ),
        ("path,label\n,cat\n", "manifest-path-empty", "line 2: the path is empty"),
        (
            "path\n../secret.png\n",
            "manifest-path-outside",
            "'../secret.png' leads out of the folder",
        ),
        ("path\n/etc/a.png\n", "manifest-path-outside", None),
        ("path\nC:\\a.png\n", "manifest-path-outside", None),
        (
            "path,split\na.png,holdout\n",
            "split-unknown",
            "split 'holdout' is unknown; give train, validation",
        ),
        ('path,label\n"a.png,cat\n', "manifest-not-csv", "line 2: unexpected end of data"),
    ],
)
def test_what_does_not_fit(tmp_path: Path, text: str, code: str, message: str | None) -> None:
    with refused(DataError, code, match=message) as failure:
        read(tmp_path, text)
    assert "m.csv" in str(failure.value)


def test_missing_file(tmp_path: Path) -> None:
    with refused(DataError, "file-unreadable"):
        read_manifest(tmp_path / "gone.csv")


def folder(tmp_path: Path, *names: str) -> Path:
    root = tmp_path / "my photos"
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def names_of(path: Path, root: Path | None = None) -> list[str]:
    return [entry.name for entry in read_manifest(path, root).entries]


def written(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding=encoding)
    return path


def test_paths_may_be_absolute_or_relative_to_the_manifest(tmp_path: Path, monkeypatch) -> None:
    root = folder(tmp_path, "cats/0.png", "cats/1.png", "2.png", "3.png", "4.png", "5.png")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(root)
    lines = [
        "path",
        f"{root}/cats/0.png",
        "~/my photos/cats/1.png",
        f"file://{tmp_path}/my%20photos/2.png",
        "../my photos/3.png",
        "./4.png",
        f"{tmp_path}/link/cats/../5.png",
    ]
    expected = ["cats/0.png", "cats/1.png", "2.png", "3.png", "4.png", "5.png"]
    path = written(tmp_path / "lists" / "m.csv", *lines)
    assert names_of(path, root) == expected
    assert names_of(path, Path("my photos")) == expected
    assert names_of(path, Path("link")) == expected


def test_the_folder_comes_before_the_place_of_the_manifest(tmp_path: Path) -> None:
    root = folder(tmp_path, "a.png", "lists/a.png", "lists/b.png")
    path = written(root / "lists" / "m.csv", "path", "a.png", "b.png", "gone.png")
    assert names_of(path, root) == ["a.png", "lists/b.png", "gone.png"]


@pytest.mark.parametrize(
    "outside", ["{top}/other/a.png", "../other/a.png", "~/a.png", "file:///a.png", "D:/a.png", "."]
)
def test_paths_that_lead_out_of_the_folder_are_refused(
    outside: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    root = folder(tmp_path, "a.png", "../other/a.png", "../a.png")
    path = written(root / "m.csv", "path", outside.format(top=tmp_path))
    with refused(DataError, "manifest-path-outside", match="line 2"):
        read_manifest(path)


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("listed", ["NFC", "NFD"])
def test_names_are_those_of_the_disk_whichever_form_the_list_has(
    on_disk: str, listed: str, tmp_path: Path
) -> None:
    name = unicodedata.normalize(on_disk, "Köln/ü.png")
    root = folder(tmp_path, name)
    path = written(root / "m.csv", "path,label", unicodedata.normalize(listed, name) + ",cat")
    assert names_of(path) == [name]
    decomposed = unicodedata.normalize("NFD", "Köln/ü.png")
    root = folder(tmp_path, "Köln/" + decomposed[-6:], decomposed)
    path = written(root / "m.csv", "path", "Köln/ü.png")  # the folder of this very name comes first
    assert names_of(path) == (["Köln/ü.png"] if on_disk == "NFC" else ["Köln/" + decomposed[-6:]])


def test_names_of_equal_composed_forms_are_ambiguous(tmp_path: Path) -> None:
    text = "\u1e69.png"  # composed; its two marks may also come decomposed, in part or in full
    partly, fully = "\u1e63\u0307.png", unicodedata.normalize("NFD", text)
    root = folder(tmp_path, partly, fully)
    with refused(DataError, "name-ambiguous"):
        read_manifest(written(root / "m.csv", "path", text))
    assert names_of(written(root / "m.csv", "path", fully)) == [fully]
    with refused(DataError, "manifest-image-twice"):
        (root / partly).unlink()
        read_manifest(written(root / "m.csv", "path", text, fully))


def answers(path: Path, **options) -> list:
    return [entry.labels for entry in read_manifest(path, **options).entries]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("ones", ["10", ("1.0", "0.0"), ("True", "False")])
def test_columns_of_0_and_1_are_classes(ones, tmp_path: Path) -> None:
    one, zero = ones
    head = "path,cat,age,dog,split"
    rows = [f"a.png,{one},7,{zero},train", f"b.png,{zero},8,{one},", "c.png,,9,,test"]
    found = read_manifest(written(tmp_path / "m.csv", head, *rows))
    assert found.task == "multiclass"
    assert [entry.labels for entry in found.entries] == [("cat",), ("dog",), None]
    assert [entry.part for entry in found.entries] == ["train", None, "test"]
    for row, labels in ((f"d.png,{one},1,{one},", ("cat", "dog")), (f"d.png,{zero},1,{zero},", ())):
        path = written(tmp_path / "m.csv", head, *rows, row)
        found = read_manifest(path)
        assert found.task == "multilabel"
        assert found.entries[3].labels == labels
        with refused(DataError, "manifest-several-labels", match="line 5"):
            read_manifest(path, task="multiclass")
    with refused(DataError, "manifest-label-incomplete", match="line 3: column 'dog'"):
        read_manifest(written(tmp_path / "m.csv", head, rows[0], f"b.png,{one},1,,"))


def test_one_column_of_0_and_1_is_not_read_and_said(tmp_path: Path) -> None:
    path = written(tmp_path / "m.csv", "path,tumour", "a.png,0", "b.png,1")
    with pytest.warns(UserWarning, match="the column 'tumour' of 0 and 1"):
        assert answers(path) == [None, None]
    path = written(tmp_path / "m.csv", "path,label,rater 1,rater 2", "a.png,x,0,1")
    assert answers(path) == [("x",)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_head_is_not_needed_when_the_first_path_is_an_image(
    delimiter: str, tmp_path: Path
) -> None:
    root = folder(tmp_path, "cats/0.png")
    path = written(root / "m.csv", f"cats/0.png{delimiter}cat", f"cats/1.png{delimiter}dog")
    assert read_manifest(path).entries == (
        Entry("cats/0.png", ("cat",), None),
        Entry("cats/1.png", ("dog",), None),
    )
    assert answers(written(root / "m.csv", "./cats/0.png", "cats/1.png")) == [None, None]
    for lines in (["cats/0.png{0}cat{0}train"], ["first{0}cat", "cats/0.png{0}cat"]):
        with refused(DataError, "manifest-column-missing"):
            read_manifest(written(root / "m.csv", *(line.format(delimiter) for line in lines)))


@pytest.mark.parametrize("first", ["cats/1.png", "gone/scan.czi", "../my photos/cats/1.JPG"])
def test_a_head_is_not_needed_when_the_first_image_is_missing(first: str, tmp_path: Path) -> None:
    root = folder(tmp_path, "cats/0.png")
    path = written(root / "m.csv", f"{first},dog", "cats/0.png,cat")
    name = first.removeprefix("../my photos/")
    assert read_manifest(path).entries == (
        Entry(name, ("dog",), None),
        Entry("cats/0.png", ("cat",), None),
    )
    with refused(UnknownId, "unknown-image-name", match="line 1: .* is not among the images"):
        read_labels(path, ["cats/0.png"])


def test_one_row_of_several_labels_is_said_and_refused_for_one_label_each(tmp_path: Path) -> None:
    rows = ["path,label", "a.png,cat", "b.png,dog", "c.png,cat; tabby", "d.png,"]
    path = written(tmp_path / "m.csv", *rows)
    with pytest.warns(UserWarning, match=r"because of line 4 \('cat; tabby'\);"):
        found = read_manifest(path)
    assert found.task == "multilabel"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert answers(path, task="multilabel")[2] == ("cat", "tabby")
        with refused(DataError, "manifest-several-labels", match="line 4: 'cat; tabby'"):
            read_manifest(path, task="multiclass")
        path = written(tmp_path / "m.csv", *rows[:3], "d.png,")
        assert read_manifest(path, task="multilabel").task == "multilabel"
        path = written(tmp_path / "m.csv", "path,labels", *rows[1:4])
        assert read_manifest(path).task == "multilabel"
        path = written(tmp_path / "m.csv", "path,labels", *rows[1:3])
        assert read_manifest(path, task="multiclass").task == "multiclass"


NAMES = ("cats/0.png", "Köln/ü.png", "2.png")


@pytest.mark.filterwarnings("error")
def test_labels_are_found_by_name(tmp_path: Path) -> None:
    lines = [unicodedata.normalize("NFD", "/x/photos/Köln/ü.png,dog"), ".\\cats\\0.png,cat"]
    path = written(tmp_path / "labels.csv", "path,label", *lines)
    assert read_labels(path, NAMES) == ("multiclass", [("cat",), ("dog",), None])
    path = written(tmp_path / "labels.csv", *lines)
    assert read_labels(path, NAMES) == ("multiclass", [("cat",), ("dog",), None])
    path = written(tmp_path / "labels.csv", "path,cat,dog", "2.png,1,1")
    assert read_labels(path, NAMES) == ("multilabel", [None, None, ("cat", "dog")])
    with refused(DataError, "manifest-image-twice", match="line 3"):
        read_labels(written(path, "path,label", "2.png,a", "/x/2.png,b"), NAMES)


def test_folders_before_all_labels_are_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "labels.csv", "photos/2.png,cat", "photos/cats/0.png,dog")
    with pytest.warns(UserWarning, match="begin with 'photos/'"):
        assert read_labels(path, NAMES)[1] == [("dog",), None, ("cat",)]
    path = written(tmp_path / "labels.csv", "cats/0.png,dog", "dogs/2.png,cat")
    with refused(UnknownId, "unknown-image-name", match="line 2: 'dogs/2.png'"):
        read_labels(path, NAMES)
    with pytest.warns(UserWarning, match="1 line.* left out.* line 2: 'dogs/2.png'"):
        assert read_labels(path, NAMES, missing="skip")[1] == [("dog",), None, None]


def test_labels_of_images_that_are_gone_are_refused_or_skipped(tmp_path: Path) -> None:
    lines = ["path,label", "cats/0.jpg,cat", "gone.png,cat;dog", "2.png,dog"]
    path = written(tmp_path / "labels.csv", *lines)
    with refused(
        UnknownId, "unknown-image-name", match=r"line 2: 'cats/0.jpg' .* mean 'cats/0.png'\?"
    ):
        read_labels(path, NAMES)
    with pytest.warns(UserWarning, match=r"2 line\(s\) .*line 2: .* did you mean 'cats/0.png'"):
        assert read_labels(path, NAMES, missing="skip") == ("multiclass", [None, None, ("dog",)])
    with refused(UnknownId, "unknown-image-name", match="line 2"):
        read_labels(written(path, *lines[:3]), NAMES, missing="skip")


def test_a_name_without_its_suffix_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "labels.csv", "path,label", "cats/0,cat", "2,dog")
    with refused(UnknownId, "unknown-image-name", match=r"line 2: 'cats/0' .* 'cats/0.png'\?"):
        read_labels(path, NAMES, missing="skip")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["path,kind,author", "cats/0.png,cat,me"], "it has 'path', 'kind', 'author'"),
        (["path", "cats/0.png"], "it has 'path'"),
        (["cats/0.png", "2.png"], "it has 'path'"),
    ],
)
def test_a_file_of_labels_without_a_column_of_them_is_warned_of(
    lines: list[str], says: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "labels.csv", *lines)
    with pytest.warns(UserWarning, match=f"labels no image; {says}: call the column"):
        assert read_labels(path, NAMES) == ("multiclass", [None] * len(NAMES))


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    with refused(DataError, "file-not-text"):
        read(tmp_path, b"path\na.png\0\n")
