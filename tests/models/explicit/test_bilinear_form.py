import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nextlabel.models.explicit.bilinear_form import LARGEST, bilinear_form

SIDES = range(1, LARGEST + 2)


@pytest.mark.parametrize("side", [3, 1])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("height", SIDES)
def test_a_form_is_the_convolution(height, stride, side):
    rng = np.random.default_rng(0)
    for width in SIDES:
        form = bilinear_form(height, width, side, stride)
        x, w = rng.normal(size=(height, width)), rng.normal(size=(side, side))
        factors, matrices = form.pixels @ x.ravel(), form.taps @ w[form.live].ravel()
        values = np.einsum("ogp,gp->o", form.outputs, factors * matrices[:, None])
        x, w = (torch.from_numpy(each)[None, None] for each in (x, w))
        wanted = F.conv2d(x, w, stride=stride, padding=side // 2)[0, 0].numpy()
        assert form.shape == wanted.shape
        np.testing.assert_allclose(values.reshape(form.shape), wanted, atol=1e-12)


@pytest.mark.parametrize(
    ("size", "stride", "count"),
    [(1, 1, 1), (2, 1, 9), (4, 1, 64), (7, 1, 256), (2, 2, 4), (4, 2, 25)],
)
def test_forms_take_as_few_products_as_they_say(size, stride, count):
    groups, places, _ = bilinear_form(size, size, 3, stride).pixels.shape
    assert groups * places == count
