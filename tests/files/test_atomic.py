import pytest

from nextlabel.core.errors import StoreError
from nextlabel.data.folder.walk import walk
from nextlabel.files.atomic import replacing, write_files
from refusals import refused


def test_a_file_is_complete_or_stays_as_it_was(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as partial:
        partial.write_text("half")
        assert path.read_text() == "old"
        raise KeyboardInterrupt
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with replacing(path) as partial:
        partial.write_text("new")
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_files_are_written_in_their_order(tmp_path):
    out = tmp_path / "a" / "b"
    assert write_files(out, {"z": b"1", "a": b"2"}) == (out / "z", out / "a")
    assert (out / "a").read_bytes() == b"2"


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with refused(StoreError, "report-not-writable"):
        write_files(tmp_path / "file", {"a": b""})


def test_pictures_written_next_to_a_persons_files_are_no_data(tmp_path):
    (tmp_path / "mine.png").write_bytes(b"mine")
    write_files(tmp_path, {"curves.png": b"ours", "a.csv": b"1"})
    write_files(tmp_path, {"other.png": b"ours"})
    assert walk(tmp_path, lambda file: None).names == ["a.csv", "mine.png"]
    write_files(tmp_path / "new", {"curves.png": b"ours"})
    assert walk(tmp_path, lambda file: None).names == ["a.csv", "mine.png"]
