"""Kinds of image files, manifests and class folders."""
