"""An image format of another package: one class, found by suffix and by content, and decoded."""

import re
import textwrap
from pathlib import Path

import nextlabel.data.formats
from plugged import install, python

EXAMPLE = nextlabel.data.formats.__doc__ or ""

READ = """
from pathlib import Path
import warnings
from nextlabel.data import load
from nextlabel.data.formats.kinds import kind_of
print(kind_of(Path("photos/b.grey")).format, kind_of(Path("photos/c")).format)
from nextlabel.data.folder.settings import FolderSettings
data = load(FolderSettings(path="photos"), image_size=2)
print(data.train.names, data.train.images.ravel().tolist())
"""


def test_a_format_of_another_package_is_read(tmp_path: Path, monkeypatch) -> None:
    shown = re.search(r"adds a\nformat, for example\n\n(.*?)\nAnother", EXAMPLE, re.DOTALL)
    assert shown is not None
    code = textwrap.dedent(shown[1]).replace('@register("grey")\n', "")
    points = {"nextlabel.formats": {"grey": "plugged_format:GreyMap"}}
    install(tmp_path, {"plugged_format": code}, points)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "b.grey").write_bytes(b"GREY 2 2\n" + bytes([1, 2, 3, 4]))
    (tmp_path / "photos" / "c").write_bytes(b"GREY 2 2\n" + bytes([5, 6, 7, 8]))
    monkeypatch.chdir(tmp_path)
    assert python(READ, tmp_path) == ["grey grey", "('b.grey', 'c') [1, 2, 3, 4, 5, 6, 7, 8]"]
