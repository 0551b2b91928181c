"""Pixels of image files: small, of 8 bit, and read on all cores."""
