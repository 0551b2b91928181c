"""The selection algorithms: arrays in, ids out.

`README.md` in this folder gives each algorithm, its bound and the proof in short.
"""
