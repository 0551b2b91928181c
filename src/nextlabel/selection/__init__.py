"""Selection from arrays, tables and files that a user has already: no model, no data set."""

from nextlabel.selection.select import select

__all__ = ["select"]
