import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nextlabel.core.errors import DataError, UsageError
from nextlabel.data.lists.number_table import read_number_table
from refusals import refused

ROWS = np.array([[0.1, 1e-9, 3.0], [4.0, -5.5, 6.25]])
NAMES = ("cats/0.png", "cats/1.png")

needs_parquet = pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is missing")


def table(path: Path, text: str | bytes):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_number_table(path)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b,c\n0.1,1e-9,3\n4,-5.5,6.25\n", None),
        ("0.1,1e-9,3\n4,-5.5,6.25\n", None),
        ("0.1;1e-9;3\r\n\r\n4;-5.5;6.25", None),
        ("0,1e-9;1e-9;3\n4;-5,5;6,25".replace("0,1e-9", "0,1"), None),
        ("# made on Monday\n0.1 1e-9 3\n4 -5.5 6.25\n", None),
        ("0,1,2\n0.1,1e-9,3\n4,-5.5,6.25\n", None),
        (",0,1,2\n0,0.1,1e-9,3\n1,4,-5.5,6.25\n", None),
        ("id,x,y,z\n0,0.1,1e-9,3\n1,4,-5.5,6.25\n", None),
        (",0,1,2\ncats/0.png,0.1,1e-9,3\ncats/1.png,4,-5.5,6.25\n", NAMES),
        ("cats/0.png,0.1,1e-9,3\ncats/1.png,4,-5.5,6.25\n", NAMES),
        ("x\tfile\ty\tz\n0.1\tcats/0.png\t1e-9\t3\n4\tcats/1.png\t-5.5\t6.25\n", NAMES),
        ("picture,x,y,z\ncats/0.png,0.1,1e-9,3\ncats/1.png,4,-5.5,6.25\n", NAMES),
        ("x y z\ncats/0.png 0.1 1e-9 3\ncats/1.png 4 -5.5 6.25\n", NAMES),
        ("id,x,y,z\n7,0.1,1e-9,3\n8,4,-5.5,6.25\n", ("7", "8")),
        ("name,x,y,z\nNA,0.1,1e-9,3\nnull,4,-5.5,6.25\n", ("NA", "null")),
    ],
)
def test_rows_and_names_of_a_csv_file(text: str, names: object, tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-16"):
        found = table(tmp_path / "x.csv", text.encode(encoding))
        np.testing.assert_array_equal(found.numbers, ROWS)
        assert found.names == names
        assert found.part is None


def test_a_column_of_labels_is_no_feature_and_a_split_is_the_part(tmp_path: Path) -> None:
    text = "file,label,split,x\na,1,train,0.5\nb,0,test,0.25\n"
    with pytest.warns(UserWarning, match="'label' of .* holds labels"):
        found = table(tmp_path / "x.csv", text)
    assert found.numbers.tolist() == [[0.5], [0.25]]
    assert (found.names, found.part) == (("a", "b"), ("train", "test"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a,b\n1,2\n3,x\n", "table-cell-not-a-number"),
        ("a,b\n1,2\n3,\n", "table-cell-not-a-number"),
        ("1,2\n3,4,5\n", "table-damaged"),
        ("", "table-empty"),
        ("# nothing\n", "table-empty"),
        ("name\na\nb\n", "table-without-numbers"),
        (b"\x93NUMPY\0\0", "file-not-text"),
    ],
)
def test_what_is_no_table_of_numbers_is_named(text: str, code: str, tmp_path: Path) -> None:
    with refused(DataError, code, match=r"x\.csv"):
        table(tmp_path / "x.csv", text)


@needs_parquet
def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with refused(DataError, "file-unreadable"):
        read_number_table(tmp_path / "x.parquet")


@needs_parquet
@pytest.mark.parametrize("index", [None, ["a", "b"], [7, 8]])
def test_a_parquet_file_keeps_types_and_its_index(index: object, tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS.astype(np.float32), columns=list("xyz"), index=index)
    frame.to_parquet(tmp_path / "x.parquet")
    found = read_number_table(tmp_path / "x.parquet")
    np.testing.assert_array_equal(found.numbers, ROWS.astype(np.float32))
    assert found.numbers.dtype == np.float32
    assert found.names == (None if index is None else tuple(map(str, index)))


@needs_parquet
def test_a_parquet_file_may_hold_vectors(tmp_path: Path) -> None:
    frame = pd.DataFrame({"file": NAMES, "embedding": list(ROWS)})
    frame.to_parquet(tmp_path / "x.pq")
    found = read_number_table(tmp_path / "x.pq")
    np.testing.assert_array_equal(found.numbers, ROWS)
    assert found.names == NAMES
    pd.DataFrame({"v": [ROWS[0], ROWS[1, :2]]}).to_parquet(tmp_path / "x.pq")
    with refused(DataError, "rows-of-unequal-lengths"):
        read_number_table(tmp_path / "x.pq")


@needs_parquet
def test_parquet_needs_its_package_and_a_sound_file(tmp_path: Path, monkeypatch) -> None:
    with refused(DataError, "table-damaged"):
        table(tmp_path / "x.parquet", "no table")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with refused(UsageError, "parquet-not-installed", match=r"nextlabel\[parquet\]"):
        table(tmp_path / "x.parquet", "no table")
