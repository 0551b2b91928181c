"""Squared distances between rows of an embedding."""
