"""Pictures of a fitted block are drawn once, and only if they are used."""

from nextlabel.core.space.block import LazyPictures


def test_pictures_are_drawn_at_the_first_use_and_then_kept():
    drawn = []

    def draw():
        drawn.append(1)
        return {"a": b"1", "b": b"2"}

    pictures = LazyPictures(draw)
    assert drawn == []
    assert list(pictures) == ["a", "b"] and len(pictures) == 2
    assert pictures["b"] == b"2" and dict(pictures) == {"a": b"1", "b": b"2"}
    assert drawn == [1]
