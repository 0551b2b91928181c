"""Expecting an error of nextlabel by its code, so that tests outlive the wording."""

import pytest

from nextlabel.core.errors import NextlabelError


def refused(kind: type[NextlabelError], code: str, **options):
    """Return `pytest.raises` for an error of exactly this kind and code; options as there."""
    return pytest.raises(
        kind, check=lambda error: type(error) is kind and error.code == code, **options
    )
