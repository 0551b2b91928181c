import io
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.errors import DataError, NextlabelError, UnknownId, UsageError
from nextlabel.data.lists.id_list import read_ids
from nextlabel.data.lists.image_names import as_path
from refusals import refused


def ids_file(tmp_path, text):
    path = tmp_path / "ids.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_ids_are_numbers_or_names_with_comments(tmp_path):
    path = ids_file(tmp_path, "\ufeff# done on Monday\n\n2\n b.png \r\n0\n")
    assert read_ids(path, ("a.png", "b.png", "c.png")).tolist() == [2, 1, 0]
    assert read_ids(ids_file(tmp_path, ""), None).tolist() == []


def test_a_name_that_looks_like_a_number_is_a_name(tmp_path):
    assert read_ids(ids_file(tmp_path, "7\n1\n"), ("9", "7", "1")).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("text", "names", "error", "code", "says"),
    [
        ("0\nx\n", None, UsageError, "not-an-id", "line 2: 'x' is not an id"),
        ("1.5\n", None, UsageError, "not-an-id", "line 1: '1.5' is not an id"),
        ("9" * 30, None, UsageError, "not-an-id", "is not an id"),
        (
            "0\nx.png\n",
            ("a.png",),
            UnknownId,
            "unknown-image-name",
            "line 2: 'x.png' is not among the names",
        ),
        (b"\xff\xfe\x00", None, DataError, "file-not-text", "is not a text file"),
    ],
)
def test_ids_that_are_none_are_named_by_line(text, names, error, code, says, tmp_path):
    with refused(error, code, match=says):
        read_ids(ids_file(tmp_path, text), names)


@given(st.binary(max_size=40))
def test_no_file_of_ids_ends_in_a_surprise(tmp_path_factory, content):
    path = ids_file(tmp_path_factory.mktemp("ids"), content)
    try:
        ids = read_ids(path, None)
    except NextlabelError:
        return
    assert ids.dtype == np.int64


def test_a_file_may_be_called_like_a_comment_or_with_spaces(tmp_path):
    names = ("#7 scan.png", " lead.png", "a.png")
    path = ids_file(tmp_path, "#7 scan.png\n# a remark\n lead.png\r\n")
    assert read_ids(path, names).tolist() == [0, 1]
    assert read_ids(ids_file(tmp_path, "a\u2028b.png\n"), ("a\u2028b.png",)).tolist() == [0]


NAMES = ("cats/0.png", "cats/1.png", "Köln/ü.png", "7")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "line",
    [
        "cats\\1.png",
        "./cats/1.png",
        "cats//1.png",
        "cats/1.png,cat",
        "cats/1.png;cat;train",
        "cats/1.png\tcat",
        "cats/1.png|cat",
        '"cats/1.png"',
        '"cats/1.png","a cat"',
        "/home/me/photos/cats/1.png",
        "~/photos/cats/1.png",
        "file:///home/me/my%20photos/cats/1.png",
        "file:///C:/photos/cats/1.png",
        "C:\\photos\\cats\\1.png",
    ],
)
def test_a_name_is_found_in_every_spelling(line, tmp_path):
    path = ids_file(tmp_path, f"Köln/ü.png\n{line}\n")
    assert read_ids(path, NAMES).tolist() == [2, 1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_encodings_and_forms_of_letters_do_not_matter(encoding, form, tmp_path):
    text = unicodedata.normalize(form, "cats/1.png\r\nKöln/ü.png\r\n").encode(encoding)
    assert read_ids(ids_file(tmp_path, text), NAMES).tolist() == [1, 2]
    decomposed = [unicodedata.normalize("NFD", name) for name in NAMES]
    assert read_ids(ids_file(tmp_path, text), decomposed).tolist() == [1, 2]


def test_text_that_is_not_utf_8_is_windows_1252(tmp_path):
    assert read_ids(ids_file(tmp_path, "Köln/ü.png".encode("cp1252")), NAMES).tolist() == [2]


def test_a_file_address_of_windows_has_a_drive():
    assert as_path("file:///C:/my%20photos/0.png") == "C:/my photos/0.png"


def test_names_that_differ_in_the_form_of_letters_alone_are_ambiguous(tmp_path):
    names = [unicodedata.normalize(form, "ü.png") for form in ("NFC", "NFD")]
    assert read_ids(ids_file(tmp_path, names[1]), names).tolist() == [1]
    with refused(DataError, "name-ambiguous"):
        read_ids(ids_file(tmp_path, f"./{names[1]}"), names)


@pytest.mark.parametrize(
    "text",
    [
        "label,path,split\ncat,cats/1.png,train\ncat,./cats/0.png,\n",
        "path\ncats/1.png\ncats/0.png\n",
        "# a remark\nfilename;label\ncats/1.png;cat\ncats\\0.png;cat\n",
        "id\n1\n0\n",
    ],
)
def test_a_manifest_is_a_list_too(text, tmp_path):
    assert read_ids(ids_file(tmp_path, text), NAMES).tolist() == [1, 0]


def test_a_head_is_not_a_name_and_its_first_column_of_ids_counts(tmp_path):
    assert read_ids(ids_file(tmp_path, "path\nb\n"), ("b", "path")).tolist() == [1, 0]
    text = "label,name,id\ncat,cats/1.png,0\n"
    assert read_ids(ids_file(tmp_path, text), NAMES).tolist() == [1]


def test_numbers_may_have_labels_next_to_them(tmp_path):
    assert read_ids(ids_file(tmp_path, "row,label\n3,cat\n1,dog\n"), None).tolist() == [3, 1]
    assert read_ids(ids_file(tmp_path, "3,cat\n1,dog\n"), None).tolist() == [3, 1]


def test_an_id_that_comes_again_counts_once_and_is_named_by_line(tmp_path):
    path = ids_file(tmp_path, "cats/1.png\n\n./cats/1.png\ncats/0.png\n1\n")
    with pytest.warns(UserWarning, match=r"line 3: ./cats/1.png is in line 1 already, and 1 more"):
        assert read_ids(path, NAMES).tolist() == [1, 0]


def test_folders_before_all_names_are_left_out_with_a_warning(tmp_path):
    path = ids_file(tmp_path, "photos/cats/1.png\nphotos/Köln/ü.png\n")
    with pytest.warns(UserWarning, match="begin with 'photos/'"):
        assert read_ids(path, NAMES).tolist() == [1, 2]
    for other in ("cats/0.png", "others/cats/0.png"):
        with refused(UnknownId, "unknown-image-name"):
            read_ids(ids_file(tmp_path, f"photos/cats/1.png\n{other}\n"), NAMES)


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("cats/1.jpg", "did you mean 'cats/1.png'?"),
        ("cats/1.PNG", "did you mean 'cats/1.png'?"),
        ("dogs/1.png,dog", "did you mean 'cats/1.png'?"),
        ("kats/0.png", "did you mean 'cats/0.png'?"),
        ("whole/other/folders/x.png", "did you mean '0/X.PNG'?"),
        ("zebra", "correct it"),
    ],
)
def test_the_nearest_name_is_suggested(line, remedy, tmp_path):
    names = [*NAMES[:3], "0/X.PNG"]
    with refused(UnknownId, "unknown-image-name") as refusal:
        read_ids(ids_file(tmp_path, f"cats/0.png\n{line}\n"), names)
    assert str(refusal.value).endswith(
        f"line 2: {line.split(',')[0]!r} is not among the names; {remedy}"
    )


def test_a_dash_is_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"cats/0.png\n7\n")))
    assert read_ids(Path("-"), NAMES).tolist() == [0, 3]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"8\nx\n")))
    with refused(UsageError, "not-an-id", match="standard input, line 2"):
        read_ids(Path("-"), None)
