"""Selection heuristics, one file each; a new file here is all that a new strategy takes."""

from nextlabel.core.registry import Registry
from nextlabel.core.strategy import Strategy

STRATEGIES: Registry[type[Strategy]] = Registry("strategies", __name__)
register = STRATEGIES.register
