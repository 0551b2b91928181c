"""Executors: the places where trials run, one file each."""
