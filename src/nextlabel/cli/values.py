"""Reading KEY=VALUE arguments."""

import tomllib
from collections.abc import Sequence
from typing import Any

from nextlabel.core.errors import UsageError


def split(text: str, what: str) -> tuple[str, str]:
    """Return key and value of "key=value"; UsageError when it is none."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or not value.strip():
        raise UsageError(f"{what} {text!r} is not KEY=VALUE; write it like latent=16")
    return key.strip(), value.strip()


def parse_options(pairs: Sequence[str]) -> dict[str, Any]:
    """Return options by name, each once; a value is read as TOML, and as plain text otherwise."""
    options: dict[str, Any] = {}
    for pair in pairs:
        key, value = split(pair, "option")
        if key in options:
            raise UsageError(f"option {key!r} is given twice; give it once")
        try:
            options[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            options[key] = value
    return options


def parse_weights(text: str | None) -> dict[str, float] | None:
    """Return the weights of "task=1,vae=0.5" by block; UsageError when they are none."""
    if text is None:
        return None
    weights: dict[str, float] = {}
    for pair in text.split(","):
        name, value = split(pair, "weight")
        if name in weights:
            raise UsageError(f"block {name!r} has two weights; give it one")
        try:
            weights[name] = float(value)
        except ValueError:
            raise UsageError(
                f"weight {value!r} of {name!r} is no number; write it like 0.5"
            ) from None
    return weights
