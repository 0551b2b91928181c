"""Reports of experiments, made from a store alone.

`results` reads an experiment and computes its tests, `tables` has the DataFrames, `figures` draws
and `sections` says what the page shows; see there for how to add a section.
"""
