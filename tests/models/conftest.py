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
