import pytest


@pytest.fixture(autouse=True, scope="module")
def multiply_in_float32(no_bfloat16):
    """Every test of a model, unless it sets bfloat16 itself."""
