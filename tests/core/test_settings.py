"""Settings: what decides a key, and a fault in them as one sentence."""

from typing import ClassVar

import numpy as np
import pytest
from pydantic import Field, ValidationError

from nextlabel.core.errors import UsageError
from nextlabel.core.settings import Settings, check_keys, refusal, refusal_code
from refusals import refused


class Inner(Settings):
    rate: float = Field(1.0, ge=0)


class Outer(Settings):
    later: ClassVar[frozenset[str]] = frozenset({"extra"})

    count: int = 1
    inner: Inner = Inner()
    parts: tuple[Inner, ...] = Field((), strict=False)
    extra: int = 7


class Derived(Outer):
    later: ClassVar[frozenset[str]] = frozenset({"more"})

    more: str = ""


def test_a_later_field_decides_only_beyond_its_default() -> None:
    assert "extra" not in Outer().decisive()
    assert Outer(extra=8).decisive()["extra"] == 8
    assert set(Derived().decisive()) == {"count", "inner", "parts"}  # the base's fields as well
    assert Derived(more="x").decisive()["more"] == "x"


@pytest.mark.parametrize(
    ("values", "key", "near"),
    [
        ({"cuont": 1}, "x.cuont", "count"),
        ({"inner": {"rat": 1}}, "x.inner.rat", "rate"),
        ({"parts": [{"rate": 1}, {"raet": 1}]}, "x.parts.1.raet", "rate"),
        ({"parts": ({"raet": 1},)}, "x.parts.0.raet", "rate"),
    ],
)
def test_an_unknown_key_is_named_with_its_table(values, key, near) -> None:
    with refused(UsageError, "unknown-key", match=f"^unknown key {key}; did you mean '{near}'"):
        check_keys(Outer, values, "x.")


def test_an_unknown_key_is_named_with_its_file_and_the_name_of_its_item() -> None:
    keys = {"parts": [{"name": "a b"}]}
    with refused(UsageError, "unknown-key", match=r"^x\.toml: unknown key parts\.'a b'\.name;"):
        check_keys(Outer, keys, "", file="x.toml")


def test_known_keys_and_what_is_no_table_pass() -> None:
    check_keys(Outer, {"count": 1, "inner": {"rate": 1}, "parts": [{}]}, "")
    check_keys(Outer, 7, "")


def test_a_table_of_another_class_has_the_keys_of_that_class() -> None:
    check_keys(Outer, {"inner": {"count": 1}}, "", {"inner": Outer})
    with refused(UsageError, "unknown-key"):
        check_keys(Outer, {"inner": {"rate": 1}}, "", {"inner": Outer})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"count": "1"}, "t.count: '1' must be a whole number; write it without quotes"),
        ({"count": True}, "t.count: true must be a whole number; write it"),
        ({"inner": {"rate": -1.0}}, "t.inner.rate: -1.0 must be at least 0; raise it"),
        ({"inner": 3}, "t.inner: 3 must be a table; put it in braces"),
        ({"count": []}, "t.count: an empty list must be a whole number"),
        ({"count": None}, "t.count: nothing must be a whole number"),
        ({"count": "x" * 61}, f"t.count: '{'x' * 59}… must be"),
    ],
)
def test_a_fault_is_one_sentence(values, sentence) -> None:
    with pytest.raises(ValidationError) as failure:
        Outer(**values)
    assert refusal(failure.value, "t").startswith(sentence)
    assert refusal_code(failure.value) == "invalid-setting"


class Table(Settings):
    weights: dict[str, float] = Field(default_factory=dict)
    pages: tuple[int, ...] = Field((), strict=False)
    count: int = 1
    rate: float = 1.0


def test_numpy_numbers_are_settings_and_become_python_numbers() -> None:
    numbers = {"count": np.int64(4), "rate": np.float32(0.5), "pages": [np.uint8(2)]}
    table = Table(**numbers, weights={"vae": np.float64(1.5)})
    assert table == Table(count=4, rate=0.5, pages=(2,), weights={"vae": 1.5})
    assert type(table.count) is int and type(table.rate) is float
    with pytest.raises(ValidationError):
        Table(count=np.float64(4))
    with pytest.raises(ValidationError):
        Table(count=np.bool_(True))
