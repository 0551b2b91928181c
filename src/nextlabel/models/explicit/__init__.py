"""The training pass of ResNet-18 written out, for fast arithmetic on a processor.

Autograd, autocast and calls for small tensors take half of a step of 64 images of 28 pixels. Here
the forward and the backward pass are plain functions, the products are the library's, and numba
compiles the loops between them. Convolutions of small feature maps take fewer products.

`resnet_pass` reads from top to bottom as the network does; `layers` and `small_convolution` have
its layers, `bilinear_form` the algorithm of the latter, `kernels` the loops, `compilation` what
compiles them, and `flat_weights` and `memory` the weights and the feature maps.
"""

from nextlabel.models.explicit.resnet_pass import explicit_pass

__all__ = ["explicit_pass"]
