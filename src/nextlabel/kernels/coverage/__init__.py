"""Covering a pool with few images."""
