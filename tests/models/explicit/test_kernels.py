import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nextlabel.models.explicit.bilinear_form import bilinear_form
from nextlabel.models.explicit.flat_weights import FlatWeights
from nextlabel.models.explicit.kernels import LANES
from nextlabel.models.explicit.layers import MaxPool, Norm
from nextlabel.models.explicit.memory import Memory, Workspace
from nextlabel.models.explicit.small_convolution import SmallConvolution, Sums
from nextlabel.models.networks.base import generator

DOUBLE = Workspace(torch.float64)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


def maps(x):
    """Return x (B, C, H, W) as memory (B, H, W, C)."""
    return Memory(x.permute(0, 2, 3, 1).contiguous())


def images(memory):
    return memory.tensor.permute(0, 3, 1, 2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_sums_are_the_products_with_their_matrix(dtype):
    """Whole numbers that each type holds exactly, and their sums too."""
    rng = np.random.default_rng(0)
    matrix = np.zeros((11, 12))
    for row in range(11):  # from no term in a row to ten
        matrix[row, rng.permutation(12)[:row]] = rng.integers(-2, 3, row)
    sums, x = Sums(matrix, dtype), rng.integers(-4, 5, (5, 12, 128))
    wanted = np.einsum("rp,bpc->rbc", matrix, x)

    def memory(values):
        return Memory(torch.tensor(values).to(dtype).contiguous())

    out = memory(np.full((11, 5, 128), np.nan))
    sums.to_products(memory(x).rows, 5, out.rows)
    np.testing.assert_array_equal(out.tensor.double(), wanted)
    rows, back = memory(x.transpose(1, 0, 2)).rows, memory(np.full((5, 11, 128), np.nan))
    sums.from_products(rows, 5, back.rows)
    np.testing.assert_array_equal(back.tensor.double(), wanted.transpose(1, 0, 2))
    sums.from_products(rows, 5, back.rows, added=True)
    np.testing.assert_array_equal(back.tensor.double(), 2 * wanted.transpose(1, 0, 2))


def test_sums_round_to_bfloat16_as_the_library_does():
    values = normal(1, 4000).float() * 10 ** torch.linspace(-44, 38, 4000)
    bits = torch.arange(0x3F7F_7F00, 0x3F81_8100, 0x80, dtype=torch.int32)  # halves among them
    special = torch.tensor([0, -0.0, np.nan, np.inf, -np.inf, 3.3895e38, -3.4e38, 1e-45])
    values = torch.cat([values, bits.view(torch.float32)[None], special[None]], 1)
    values = F.pad(values, (0, -values.shape[1] % LANES))  # zeros to whole lanes
    rounded = Memory(torch.empty(values.shape, dtype=torch.bfloat16))
    Sums(np.eye(1), torch.bfloat16).to_products(values.numpy(), 1, rounded.rows)
    wanted = values.to(torch.bfloat16)
    assert torch.equal(rounded.tensor.isnan(), wanted.isnan())
    shown = ~wanted.isnan()
    assert torch.equal(rounded.tensor.view(torch.int16)[shown], wanted.view(torch.int16)[shown])


@pytest.mark.parametrize("channels", [(64, 96), (65, 64)])
def test_channels_are_refused_for_which_sums_would_reach_beyond_rows(channels):
    conv = torch.nn.Conv2d(*channels, 3, padding=1, bias=False)
    form = bilinear_form(4, 4, 3, 1)
    with pytest.raises(ValueError, match=f"{channels[0]} to {channels[1]} .*multiples of 64"):
        SmallConvolution(conv, FlatWeights(torch.float32), form, Workspace(torch.float32), "x")


@pytest.mark.parametrize("shortcut", [False, True])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("shape", [(37, 5, 7, 3), (4, 16, 1, 1)])
def test_batch_norm_is_the_library_s(shape, relu, shortcut):
    norms = [torch.nn.BatchNorm2d(shape[1]).double() for _ in range(2)]
    for norm in norms:
        norm.weight.data[:], norm.bias.data[:] = normal(2, shape[1], seed=1)
    weights = FlatWeights(torch.float64)
    ours = Norm(norms[1], weights, DOUBLE, relu)
    weights.join()
    for step in range(2):  # the running statistics of the second step build on the first
        x = (3 * normal(*shape, seed=step) + 100).requires_grad_()
        beside = normal(*shape, seed=2).requires_grad_()
        gradient = normal(*shape, seed=3)
        norms[0].zero_grad()
        wanted = norms[0](x) + (beside if shortcut else 0)
        wanted = torch.relu(wanted) if relu else wanted
        wanted.backward(gradient)
        y = ours.forward(maps(x.detach()), maps(beside.detach()) if shortcut else None)
        torch.testing.assert_close(images(y), wanted.detach(), rtol=0, atol=1e-10)
        given = maps(gradient)
        of_x = images(ours.backward(given))
        torch.testing.assert_close(of_x, x.grad, rtol=0, atol=1e-10)
        if shortcut:
            torch.testing.assert_close(images(given), beside.grad)
    torch.testing.assert_close(ours.weights.gradient, norms[0].weight.grad, rtol=0, atol=1e-8)
    torch.testing.assert_close(ours.bias.gradient, norms[0].bias.grad)
    for mine, wanted in zip(norms[1].buffers(), norms[0].buffers(), strict=True):
        if mine.is_floating_point():
            torch.testing.assert_close(mine, wanted, rtol=1e-10, atol=0)


@pytest.mark.parametrize(("first", "others"), [(1000, 1000), (1000, 0)])
def test_batch_norm_of_far_values_is_precise_in_float32(first, others):
    """A variance as the difference of two means of squares would be lost here."""
    norm = torch.nn.BatchNorm2d(3)
    weights = FlatWeights(torch.float32)
    ours = Norm(norm, weights, Workspace(torch.float32), relu=False)
    weights.join()
    x = normal(500, 3, 5, 5) + 1000
    y = images(ours.forward(maps(x.float())))
    assert (
        float((y - F.batch_norm(x.float().double(), None, None, training=True)).abs().max()) < 1e-3
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_a_number_is_not_hidden(value):
    norm = torch.nn.BatchNorm2d(2)
    weights = FlatWeights(torch.bfloat16)
    space = Workspace(torch.bfloat16)
    ours = Norm(norm, weights, space)
    weights.join()
    x = torch.ones(4, 2, 4, 4, dtype=torch.bfloat16)
    x[1, 0, 2, 2] = value
    y = ours.forward(maps(x))
    assert images(y)[:, 0].isnan().all() and not images(y)[:, 1].isnan().any()
    pooled = images(MaxPool(torch.nn.MaxPool2d(3, 2, 1), space).forward(maps(x)))
    wanted = F.max_pool2d(x, 3, 2, 1)
    assert torch.equal(pooled.isnan(), wanted.isnan()) and torch.equal(
        pooled == wanted, wanted == wanted
    )


@pytest.mark.parametrize("shape", [(5, 3, 14, 14), (2, 4, 7, 9), (1, 1, 1, 1), (3, 2, 2, 5)])
def test_max_pooling_is_the_library_s_with_equal_values(shape):
    x = torch.randint(0, 4, shape, generator=generator(0)).double().requires_grad_()
    library = torch.nn.MaxPool2d(3, 2, 1)
    pool, wanted = MaxPool(library, DOUBLE), library(x)
    gradient = normal(*wanted.shape)
    wanted.backward(gradient)
    assert torch.equal(images(pool.forward(maps(x.detach()))), wanted.detach())
    torch.testing.assert_close(images(pool.backward(maps(gradient))), x.grad)
