import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.data import DataSettings, FolderSettings, load
from refusals import refused


def test_digits_by_default() -> None:
    data = load(DataSettings(name="digits"))
    assert [len(p) for p in (data.train, data.validation, data.test)] == [1197, 300, 300]
    assert data.image_shape == (1, 8, 8) and data.classes == tuple("0123456789")
    assert data.train.images.min() == 0 and data.train.images.max() == 255
    rows = np.concatenate([data.train.origin, data.validation.origin, data.test.origin])
    assert np.array_equal(np.sort(rows), np.arange(1797))


def test_digits_as_sklearn_has_them() -> None:
    from sklearn.datasets import load_digits

    bunch, data = load_digits(), load(DataSettings(name="digits", seed=5))
    want = bunch.images[data.test.origin]
    assert np.abs(data.test.images[:, 0] - want * 255 / 16).max() <= 0.5
    assert np.array_equal(data.test.labels, bunch.target[data.test.origin])


def test_size_and_checksum() -> None:
    settings = DataSettings(name="digits", train=50, validation=10, test=10, channels=3)
    data = load(settings, image_size=16)
    assert data.image_shape == (3, 16, 16)
    assert data.checksum == load(settings, image_size=16).checksum
    assert data.checksum != load(settings.model_copy(update={"seed": 1}), image_size=16).checksum


def test_options_that_do_not_fit() -> None:
    with refused(
        UsageError, "invalid-setting", match=r"'digits': path: 'x' is unknown here; leave it out"
    ):
        load(FolderSettings(name="digits", path="x"))
    with refused(UsageError, "image-size-too-small", match="image_size 0 must be at least 1"):
        load(DataSettings(name="digits"), image_size=0)
    with refused(UsageError, "unknown-name"):
        load(DataSettings(name="digit"))
    with refused(UsageError, "part-too-large"):
        load(DataSettings(name="digits", test=1798))
