"""Selections that cover a pool: by a Gaussian kernel (MaxHerding), by balls (ProbCover).

`max_herding` and `ball_cover` are the algorithms, `gains` the bounds of the former,
`gaussian_kernel` the kernel with its error, `neighbour_lists` lists of pairs, `bandwidth` the
widths read from the images. Section "Coverage" of `kernels/README.md` has the bounds.
"""
