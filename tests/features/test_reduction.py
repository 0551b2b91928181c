import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from nextlabel.core.errors import DataError
from nextlabel.features.reduction import Reduction
from refusals import refused


@pytest.fixture
def rows(rng=None):
    draws = np.random.default_rng(0)
    mixed = draws.standard_normal((60, 12)) @ draws.standard_normal((12, 12))
    return (mixed * 10 ** draws.uniform(-2, 2, 12) + 3).astype(np.float32)


def test_it_is_the_principal_components_of_standardised_columns(rows):
    scaled = StandardScaler().fit_transform(rows.astype(np.float64))
    expected = PCA(4, svd_solver="full").fit_transform(scaled)
    found = Reduction.fit(rows, 4).apply(rows)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_row_alone_comes_out_as_among_others(rows):
    reduction = Reduction.fit(rows, 4)
    np.testing.assert_allclose(reduction.apply(rows[7:8])[0], reduction.apply(rows)[7], atol=1e-6)


def test_it_is_kept_as_arrays(rows):
    reduction = Reduction.fit(rows, 4)
    again = Reduction.of(reduction.state())
    np.testing.assert_array_equal(again.apply(rows), reduction.apply(rows))


def test_there_are_no_more_columns_than_images_or_features(rows):
    assert Reduction.fit(rows, 64).apply(rows).shape == (60, 12)
    assert Reduction.fit(rows[:3], 64).apply(rows).shape == (60, 3)


def test_axes_along_which_nothing_varies_are_zero(rows):
    twice = np.concatenate([rows[:2]] * 5)
    found = Reduction.fit(twice, 6).apply(rows)
    assert found[:, 0].any() and not found[:, 1:].any()


def test_images_that_are_all_alike_are_all_zero(rows):
    alike = np.repeat(rows[:1], 9, axis=0)
    assert not Reduction.fit(alike, 4).apply(alike).any()


def test_a_constant_column_is_left_at_zero(rows):
    rows[:, 3] = 0.1
    reduction = Reduction.fit(rows, 4)
    assert np.isfinite(reduction.apply(rows)).all()
    assert np.abs(reduction.components[:, 3]).max() < 1e-6


def test_features_of_another_network_are_refused(rows):
    with refused(DataError, "features-of-another-network", match="11 columns, and 12"):
        Reduction.fit(rows, 4).apply(rows[:, :11])
