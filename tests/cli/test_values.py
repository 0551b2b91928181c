import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.cli.values import parse_classes, parse_options, parse_seeds, parse_weights
from nextlabel.core.errors import UsageError
from refusals import refused


def test_options_are_read_as_toml_and_else_as_text():
    given_as = ["latent=16", "beta = 0.5", "deep=true", "name=plain text", 'quoted="7"', "l=[1,2]"]
    assert parse_options(given_as) == {
        "latent": 16,
        "beta": 0.5,
        "deep": True,
        "name": "plain text",
        "quoted": "7",
        "l": [1, 2],
    }


def test_names_of_classes_are_read_without_the_spaces_between_them():
    assert parse_classes("cell, cell debris ,empty") == ("cell", "cell debris", "empty")
    assert parse_classes(None) is None


def test_weights_are_read():
    assert parse_weights(None) is None
    assert parse_weights("task=1, vae=0.5") == {"task": 1.0, "vae": 0.5}


@pytest.mark.parametrize(
    ("parse", "text", "code", "says"),
    [
        (
            parse_options,
            ["latent"],
            "not-key-value",
            "option 'latent' is not KEY=VALUE; write it like latent=16",
        ),
        (parse_options, ["=3"], "not-key-value", ""),
        (parse_options, ["a=1", "a=2"], "option-twice", "option 'a' is given twice"),
        (parse_weights, "task", "not-key-value", "write it like vae=1$"),
        (parse_weights, "task=1,task=2", "weight-twice", "block 'task' has two weights"),
        (parse_weights, "task=much", "weight-not-a-number", "'much' of 'task' is not a number"),
        (parse_seeds, "a", "not-a-list-of-seeds", "seeds 'a' are not a list"),
        (parse_seeds, "", "not-a-list-of-seeds", ""),
        (parse_seeds, "0", "too-few-seeds", "seeds '0' are too few"),
        (parse_seeds, "5-2", "seeds-backwards", "seeds '5-2' run backwards; give 2-5"),
        (parse_seeds, "1,0-3", "seed-twice", "name one seed twice"),
        (parse_seeds, "0-99999999", "too-many-seeds", "are too many"),
    ],
)
def test_what_cannot_be_read_is_named(parse, text, code, says):
    with refused(UsageError, code, match=says):
        parse(text)


def test_seeds_are_counts_ranges_and_lists():
    assert parse_seeds("3") == [0, 1, 2]
    assert parse_seeds("3-5") == [3, 4, 5]
    assert parse_seeds("0-1, 7") == [0, 1, 7]
    assert parse_seeds("7,") == [7]


@given(st.text(alphabet="0123456789-, x", max_size=8))
def test_seeds_never_end_in_anything_but_a_list_or_a_sentence(text):
    try:
        seeds = parse_seeds(text)
    except UsageError:
        return
    assert seeds
    assert len(set(seeds)) == len(seeds)
