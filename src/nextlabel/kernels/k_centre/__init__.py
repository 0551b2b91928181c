"""Greedy k-centre selection (core-set): each pick is the row farthest from its nearest centre.

`farthest_first` is the algorithm, `state` the state of its loop, `bounds` the upper bounds and the
rows with the largest, `centres` the labelled and picked rows, `initial_bounds` the first bounds,
`candidates` the picks among rows whose bound is exact, `tuning` the sizes of all these. Section
"Greedy k-centre" of `kernels/README.md` has the proof that the picks are those of a full scan.
"""
