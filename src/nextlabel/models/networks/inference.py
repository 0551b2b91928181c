"""Networks as they are quickest when nothing trains them any more."""

import copy
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from nextlabel.models.convolution import CompactConv, small_feature_maps
from nextlabel.models.freed_memory import kept_memory
from nextlabel.models.normalise import normalise

N = TypeVar("N", bound=nn.Module)


class QuickCopies:
    """The last copy of a network that `for_inference` made, for images of one size."""

    def __init__(self) -> None:
        self._last: tuple[torch.Size, nn.Module] | None = None

    def of(self, network: N, images: Tensor, dtype: torch.dtype) -> N:
        """Return the copy for uint8 images (N, C, H, W); the network is always the same."""
        last = self._last
        if last is None or last[0] != images.shape[1:]:
            with kept_memory():
                copied = for_inference(network, normalise(images[:1]), dtype)
            last = self._last = images.shape[1:], copied
        return cast(N, last[1])


def for_inference(network: N, images: Tensor, dtype: torch.dtype) -> N:
    """Return a copy for images of the size of `images` (1, C, H, W), with weights in `dtype`.

    BatchNorm is folded into the convolutions, which leave out the taps that meet only padding. A
    network without our convolutions is returned as it is: its order of layers is not known.
    """
    if not any(isinstance(module, CompactConv) for module in network.modules()):
        return network
    quicker = copy.deepcopy(network).eval().requires_grad_(False)
    fold(quicker)
    for conv, reach in small_feature_maps(quicker, images):
        conv.start(reach)
        conv.fix()
    for module in quicker.modules():
        if isinstance(module, CompactConv):
            module.fast = module.kernel_size[0] == 1 or module.stride[0] == 2
    return quicker.to(dtype)


def fold(module: nn.Module) -> nn.Module:
    """Fold each BatchNorm into the convolution that is registered just before it, in place.

    The module is in evaluation mode, and applies the two one after the other.
    """
    before: tuple[str, nn.Module] = "", nn.Identity()
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and isinstance(before[1], nn.Conv2d):
            setattr(module, before[0], fuse_conv_bn_eval(before[1], child))
            setattr(module, name, nn.Identity())
        else:
            fold(child)
        before = name, child
    return module
