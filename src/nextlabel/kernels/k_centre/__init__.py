"""Greedy k-centre selection, equation 1."""
