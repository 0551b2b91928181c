import inspect
import os
import sys
from pathlib import Path

import pytest

from nextlabel.core.errors import DataError
from nextlabel.data.folder.walk import Walk, walk
from nextlabel.files.output_mark import MARK, TAG, is_output, make_output
from refusals import refused


def lay(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def link(path: Path, target: Path | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def found(root: Path, follow_links: bool = False) -> Walk:
    return walk(root, lambda path: None if path.suffix == ".png" else "odd", follow_links)


def test_files_at_all_depths_sorted_and_the_rest_counted_by_kind(tmp_path: Path) -> None:
    lay(tmp_path, "b.png", "a/x.png", "a/b/c/y.png", "a-b/z.png", "n.txt", "a/M.TXT", "README")
    lay(tmp_path, ".hidden.png", ".git/x.png", "__MACOSX/x.png")
    result = found(tmp_path)
    assert result.names == ["a-b/z.png", "a/b/c/y.png", "a/x.png", "b.png"]
    kinds = {kind: (group.count, group.first) for kind, group in result.unread.items()}
    assert kinds == {(".txt", "odd"): (2, "a/M.TXT"), ("", "odd"): (1, "README")}
    assert not (result.outside.count or result.repeated.count or result.outputs.count)


def test_a_link_to_what_is_read_already_is_left_out(tmp_path: Path) -> None:
    lay(tmp_path, "cats/1.png", "2.png")
    link(tmp_path / "again", tmp_path / "cats")
    link(tmp_path / "cats" / "up", tmp_path)
    link(tmp_path / "here.png", "2.png")
    for follow in (False, True):
        result = found(tmp_path, follow)
        assert result.names == ["2.png", "cats/1.png"]
        assert result.repeated.count == 3 and result.repeated.first == "again"
        assert result.outside.count == 0


def test_a_link_to_hidden_files_is_followed_once(tmp_path: Path) -> None:
    lay(tmp_path, ".store/x", ".store/y/z.png")
    for name in ("a.png", "b.png"):
        link(tmp_path / name, ".store/x")
    link(tmp_path / "d", ".store/y")
    link(tmp_path / "c", ".store/y")
    result = found(tmp_path)
    assert result.names == ["a.png", "c/z.png"]
    assert result.repeated.count == 2 and result.repeated.first == "b.png"


def test_links_out_of_the_folder_are_followed_when_that_is_asked(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", "own.png")
    lay(tmp_path / "root-other", "o.png", "deep/p.png", "notes.txt")
    link(root / "out", tmp_path / "root-other")
    link(root / "single.png", tmp_path / "root-other" / "o.png")
    link(tmp_path / "root-other" / "back", root)
    link(root / "up", "..")
    result = found(root)
    assert result.names == ["own.png"]
    assert result.outside.count == 3 and result.outside.first == "out"
    result = found(root, follow_links=True)
    assert result.names == ["out/deep/p.png", "out/o.png", "own.png"]
    assert result.outside.count == 0


def test_circles_and_links_to_nothing_end(tmp_path: Path) -> None:
    link(tmp_path / "a" / "b", tmp_path / "a")
    link(tmp_path / "x.png", "x.png")
    link(tmp_path / "gone.png", "nowhere.png")
    link(tmp_path / "gone", "nowhere")
    result = found(tmp_path, follow_links=True)
    assert result.names == ["gone.png", "x.png"]  # reading them says why they cannot be read
    assert result.unread[("", "odd")].count == 1


def test_a_root_that_is_a_link_is_read(tmp_path: Path) -> None:
    lay(tmp_path / "real", "a.png")
    link(tmp_path / "alias", "real")
    assert found(tmp_path / "alias").names == ["a.png"]


def test_a_tree_deeper_than_the_stack_is_walked(tmp_path: Path) -> None:
    deep = "/".join("d" * 200)
    lay(tmp_path, f"{deep}/x.png")
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        assert found(tmp_path).names == [f"{deep}/x.png"]
    finally:
        sys.setrecursionlimit(before)


def test_folders_that_the_tool_wrote_are_left_out(tmp_path: Path) -> None:
    make_output(tmp_path / "runs" / "one")
    make_output(tmp_path / "cache", cache=True)
    lay(tmp_path, "a.png", "runs/one/f.png", "cache/c.png", "old/store.db", "old/report.html")
    lay(tmp_path, "old/figures/f.png", "mine/report.html", "mine/b.png")
    result = found(tmp_path)
    assert result.names == ["a.png", "mine/b.png"]
    assert result.outputs.count == 3 and result.outputs.first == "cache"
    assert found(tmp_path / "runs" / "one").names == ["f.png"]


def test_only_a_new_or_empty_folder_is_marked(tmp_path: Path) -> None:
    make_output(tmp_path / "new" / "deep")
    assert (tmp_path / "new" / "deep" / MARK).is_file() and not is_output(["new"])
    lay(tmp_path, "photos/a.png")
    make_output(tmp_path / "photos")
    assert found(tmp_path).names == ["photos/a.png"]
    make_output(tmp_path / "cache", cache=True)
    assert (tmp_path / "cache" / TAG).read_text().startswith("Signature: 8a477f597d28d172789f0688")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    lay(tmp_path, "a/x.png")
    (tmp_path / "a").chmod(0)
    with refused(DataError, "folder-unreadable"):
        found(tmp_path)
    (tmp_path / "a").chmod(0o700)
