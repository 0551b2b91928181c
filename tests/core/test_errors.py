"""Errors carry a code that outlives the wording."""

import pickle

import pytest

from nextlabel.core.errors import (
    DataError,
    NextlabelError,
    OutOfMemory,
    UsageError,
    hide_passwords,
    near,
    nearest,
    out_of_memory,
)
from refusals import refused


def test_an_error_has_the_code_that_it_was_raised_with():
    error = UsageError("budget 9 exceeds 5; lower it", code="budget-too-large")
    assert (str(error), error.code) == ("budget 9 exceeds 5; lower it", "budget-too-large")
    assert DataError("x").code == NextlabelError.code == "error"
    assert OutOfMemory("x", code="too-big").code == "too-big"


def test_a_code_comes_back_from_another_process():
    again = pickle.loads(pickle.dumps(UsageError("no", code="refused")))
    assert (str(again), again.code, type(again)) == ("no", "refused", UsageError)


def test_a_refusal_is_expected_by_kind_and_code():
    def refuse():
        raise UsageError("no", code="refused")

    with refused(UsageError, "refused"):
        refuse()
    for kind, code in ((UsageError, "other"), (NextlabelError, "refused")):
        with pytest.raises(AssertionError), refused(kind, code):
            refuse()


@pytest.mark.parametrize("kind", [UsageError, DataError])
def test_a_wrong_argument_is_a_value_error(kind):
    with pytest.raises(ValueError):
        raise kind("no", code="refused")


@pytest.mark.parametrize(
    ("word", "known", "similar"),
    [
        ("vea", ("vae", "task"), "vae"),
        ("coreset", ("core_set", "medal"), "core_set"),
        ("vae", ("a",), None),  # "a" is half of it by chance
        ("b", ("a",), None),
        ("ab", ("abc",), None),
        ("xyz", ("abc",), None),
    ],
)
def test_a_similar_word_is_suggested_only_when_it_has_letters_to_compare(word, known, similar):
    assert near(word, known) == similar
    said = f"did you mean {similar!r}?" if similar else f"known: {', '.join(known)}"
    assert nearest(word, known) == said


@pytest.mark.parametrize(
    ("error", "out"),
    [
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("shapes do not fit\nallocate"), False),
        (RuntimeError(""), False),
        (OSError("cannot allocate"), False),
    ],
)
def test_memory_that_ran_out_is_told_from_other_errors(error, out):
    assert out_of_memory(error) is out


def test_wrong_usage_and_other_failures_have_codes_of_their_own():
    assert (UsageError("a", code="b").exit_code, DataError("a", code="b").exit_code) == (2, 1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:s3cret@host:5432/db", "postgresql://me:***@host:5432/db"),
        ("postgresql://me:s3/cr@et@host/db", "postgresql://me:***@host/db"),
        ("--store=tcp://:s3cret@host and more", "--store=tcp://:***@host and more"),
        ("postgresql://host/db?sslpassword=s3cret&x=1", "postgresql://host/db?sslpassword=***&x=1"),
        ("postgresql://host/db?passwrd=s3cret", "postgresql://host/db?passwrd=***"),
        ("postgresql://host:5432/db", "postgresql://host:5432/db"),
        ("mail me@host: now", "mail me@host: now"),
    ],
)
def test_no_message_shows_the_password_of_a_url(text, shown):
    assert hide_passwords(text) == shown


def test_a_word_that_is_not_text_and_one_among_none_have_a_remedy() -> None:
    assert nearest(1, ["core_set"]) == "known: core_set"  # type: ignore[arg-type]
    assert nearest("core_set", []).endswith("leave it out")
