"""Data of the pages of a project: pure functions of its state, model, space and images."""
