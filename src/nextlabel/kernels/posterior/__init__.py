"""Samples of a posterior, and the information in labels that they estimate.

`laplace.py` draws samples of a linear layer; `information.py` measures how much they disagree.
"""
