import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.cli.execution import parse_seeds
from nextlabel.cli.values import parse_options, parse_weights
from nextlabel.core.errors import UsageError


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


def test_weights_are_read():
    assert parse_weights(None) is None
    assert parse_weights("task=1, vae=0.5") == {"task": 1.0, "vae": 0.5}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: parse_options(["latent"]), "option 'latent' is not KEY=VALUE"),
        (lambda: parse_options(["=3"]), "option '=3' is not KEY=VALUE"),
        (lambda: parse_options(["a=1", "a=2"]), "option 'a' is given twice"),
        (lambda: parse_weights("task"), "weight 'task' is not KEY=VALUE"),
        (lambda: parse_weights("task=1,task=2"), "block 'task' has two weights"),
        (lambda: parse_weights("task=much"), "weight 'much' of 'task' is no number"),
        (lambda: parse_seeds("a"), "seeds 'a' are no list"),
        (lambda: parse_seeds(""), "seeds '' are no list"),
        (lambda: parse_seeds("0"), "seeds '0' are too few"),
        (lambda: parse_seeds("5-2"), "seeds '5-2' run backwards; give 2-5"),
        (lambda: parse_seeds("1,0-3"), "name one seed twice"),
        (lambda: parse_seeds("0-99999999"), "too many"),
    ],
)
def test_what_cannot_be_read_is_named(call, says):
    with pytest.raises(UsageError, match=says):
        call()


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
