"""Squared distances between the rows of an embedding: exact, and approximate with a bound.

`exact` measures by direct differences, the arithmetic that decides every pick. `products` gives
inner products at BLAS speed with a bound on their rounding, which rules pairs out. `tiles`
measures many rows against many. Section "Distances" of `kernels/README.md` has the bound.
"""
