"""Samples of a posterior, and what they say about the labels of images.

`laplace.py` draws samples of a linear layer; `information.py` measures how much they disagree.
"""
