"""Selection from arrays, tables and files that a user has already: no model, no data set."""

from nextlabel.selection.batch import select

__all__ = ["select"]
