from pathlib import Path

import pytest

from nextlabel.core.errors import DataError
from nextlabel.data.formats.manifest import Entry, read_manifest


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
    ("text", "message"),
    [
        ("", "is empty; give a head"),
        ("\n  \n", "is empty; give a head"),
        ("path,label\n", "does not list an image"),
        ("name,label\na.png,cat\n", "lacks .* 'path'; it has 'name', 'label'; add it, or rename"),
        ("path,label,Label\na,b,c\n", "has the column 'label' twice; keep one"),
        (
            "path,lable\na.png,cat\n",
            "unknown column 'lable'; did you mean 'label.. rename it to 'label', or",
        ),
        ("path,labl\na.png,cat\n", "unknown column 'labl'; did you mean 'label'?"),
        ("filname,label\na.png,cat\n", "'filname'; did you mean 'filename'?"),
        ("imge,label\na.png,cat\n", "unknown column 'imge'; did you mean 'image'?"),
        ("path,spilt\na.png,val\n", "unknown column 'spilt'; did you mean 'split'?"),
        ("path,splti\na.png,val\n", "unknown column 'splti'; did you mean 'split'?"),
        ("path,label,Splt\na.png,cat,val\n", "unknown column 'Splt'; did you mean 'split'?"),
        ("file;lables\na.png;cat\n", "unknown column 'lables'; did you mean 'labels'?"),
        ("pth,label\na.png,cat\n", "lacks the column 'path'; it has 'pth', 'label'"),
        ("file_name,label\na.png,cat\n", "'file_name'; did you mean 'filename'?"),
        ("path,label,labels\na,b,c\n", "has both 'label' and 'labels'"),
        ("path,label\na.png,cat,extra\n", "line 2: 3 cells under 2 columns"),
        ("path,label\na.png\n", "line 2: 1 cells under 2 columns"),
        ("path,label\na.png,cat\n\na.png,dog\n", "line 4: 'a.png' is listed a second time"),
        ("path,label\n,cat\n", "line 2: the path is empty"),
        ("path\n../secret.png\n", "'../secret.png' leads out of the folder"),
        ("path\n/etc/a.png\n", "leads out of the folder"),
        ("path\nC:\\a.png\n", "leads out of the folder"),
        ("path,split\na.png,holdout\n", "split 'holdout' is unknown; give train, validation"),
        ('path,label\n"a.png,cat\n', "line 2: unexpected end of data"),
    ],
)
def test_what_does_not_fit(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as failure:
        read(tmp_path, text)
    assert "m.csv" in str(failure.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"manifest .*gone\.csv cannot be read \(No such file"):
        read_manifest(tmp_path / "gone.csv")
