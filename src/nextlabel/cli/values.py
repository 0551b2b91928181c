"""Reading the values of options: KEY=VALUE pairs and lists of seeds."""

import tomllib
from collections.abc import Sequence
from typing import Any

from nextlabel.core.errors import UsageError


def split(text: str, what: str, example: str) -> tuple[str, str]:
    """Return key and value of "key=value"; UsageError, with the example, for another form."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or not value.strip():
        raise UsageError(
            f"{what} {text!r} is not KEY=VALUE; write it like {example}", code="not-key-value"
        )
    return key.strip(), value.strip()


def parse_options(pairs: Sequence[str]) -> dict[str, Any]:
    """Return options by name, each given once; a value that is not TOML is plain text."""
    options: dict[str, Any] = {}
    for pair in pairs:
        key, value = split(pair, "option", "latent=16")
        if key in options:
            raise UsageError(f"option {key!r} is given twice; give it once", code="option-twice")
        try:
            options[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            options[key] = value
    return options


def parse_weights(text: str | None) -> dict[str, float] | None:
    """Return the weights of "task=1,vae=0.5" by block; UsageError when one is not a number."""
    if text is None:
        return None
    weights: dict[str, float] = {}
    for pair in text.split(","):
        name, value = split(pair, "weight", "vae=1")
        if name in weights:
            raise UsageError(f"block {name!r} has two weights; give it one", code="weight-twice")
        try:
            weights[name] = float(value)
        except ValueError:
            raise UsageError(
                f"weight {value!r} of {name!r} is not a number; write it like 0.5",
                code="weight-not-a-number",
            ) from None
    return weights


def parse_classes(text: str | None) -> tuple[str, ...] | None:
    """Return the names of classes in "cell, debris"; None for None."""
    return None if text is None else tuple(name.strip() for name in text.split(","))


def parse_seeds(text: str) -> list[int]:
    """Return the seeds of "5" (0 to 4), "0-9" or "0,3,7"; UsageError for any other text."""
    from nextlabel.experiment.parse import MOST_SEEDS

    words = text.strip()
    if words.isdecimal():
        if int(words) == 0:
            raise UsageError(
                "seeds '0' are too few; give 1 or more, or 0-0 for seed 0 alone",
                code="too-few-seeds",
            )
        words = f"0-{int(words) - 1}"
    seeds: list[int] = []
    for item in words.removesuffix(",").split(","):
        first, dash, last = (word.strip() for word in item.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(
                f"seeds {text!r} are not a list; give 5, 0-4 or 0,3,7", code="not-a-list-of-seeds"
            )
        low, high = int(first), int(last or first)
        if high < low:
            raise UsageError(
                f"seeds {item.strip()!r} run backwards; give {high}-{low}", code="seeds-backwards"
            )
        if high - low >= MOST_SEEDS:
            raise UsageError(
                f"seeds {text!r} are too many; give at most {MOST_SEEDS}", code="too-many-seeds"
            )
        seeds += range(low, high + 1)
    if len(set(seeds)) < len(seeds):
        raise UsageError(f"seeds {text!r} name one seed twice; name each once", code="seed-twice")
    return seeds


def parse_reading(
    channels: str | None, page: str | None, project: str | None, grey_range: str | None
) -> dict[str, Any]:
    """Return the settings of a folder that --channels, --page, --project and --range give."""
    given: dict[str, Any] = {"project": project, "range": grey_range}
    if channels is not None:
        given["channels"] = [_whole("--channels", word) for word in channels.split(",")]
    if page is not None:
        given["page"] = page if page == "middle" else _whole("--page", page)
    return {name: value for name, value in given.items() if value is not None}


def _whole(option: str, word: str) -> int:
    if not word.strip().isdecimal():
        raise UsageError(
            f"{option} {word!r} is not a whole number from 0; give one", code="not-a-number"
        )
    return int(word)
