import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits


@pytest.fixture(scope="session")
def digits():
    """Real digits: uint8 tensor (1797, 1, 8, 8) and classes."""
    raw = load_digits()
    images = (raw.images * (255 / 16)).round().astype(np.uint8)[:, None]
    return torch.from_numpy(images), raw.target.astype(np.int64)


@pytest.fixture(autouse=True, scope="module")
def no_bfloat16():
    """Multiply in float32 unless a test asks for bfloat16, so that all machines test the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nextlabel.models.device.has_bfloat16", lambda device: False)
        yield
