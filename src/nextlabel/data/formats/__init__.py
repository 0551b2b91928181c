"""Kinds of image files, and lists of images."""
