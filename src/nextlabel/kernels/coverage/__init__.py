"""Selections that cover a pool: by a Gaussian kernel (MaxHerding), by balls (ProbCover).

`max_herding` and `ball_cover` are the algorithms. Of the former, `gains` has the bounds,
`gain_groups` the candidates, `covered_images` the coverage, `rises` the sums over tiles,
`gaussian_kernel` the kernel with its error, `neighbour_lists` lists of pairs and `near_pairs` those
of an earlier round. Of the latter, `ball_counts` has the gains and `ball_members` the images in
each ball. `bandwidth` has the widths read from the images. Section "Coverage" of
`kernels/README.md` has the bounds.
"""
