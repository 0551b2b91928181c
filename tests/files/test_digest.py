import hashlib
import json

from nextlabel.files.digest import content_digest, file_digest, file_digests, values_digest


def test_a_file_has_the_digest_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert file_digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
    assert file_digest(tmp_path / "a", "md5") == hashlib.md5(b"abc").hexdigest()
    assert content_digest(b"abc") == file_digest(tmp_path / "a")
    assert file_digests(tmp_path / "a", ["sha1", "md5"]) == {
        name: file_digest(tmp_path / "a", name) for name in ("sha1", "md5")
    }


def test_values_have_one_digest_in_any_order_of_keys():
    one, other = {"a": 1, "b": [2, "ü"]}, {"b": [2, "ü"], "a": 1}
    assert values_digest(one) == values_digest(other) != values_digest({"a": 1, "b": [2]})
    spaced = hashlib.sha256(json.dumps(one, sort_keys=True).encode()).hexdigest()
    assert values_digest(one, compact=False) == spaced != values_digest(one)
