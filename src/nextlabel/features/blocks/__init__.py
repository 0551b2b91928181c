"""Task-agnostic feature blocks, one file each."""

from typing import Any

from nextlabel.core.registry import Registry

BLOCKS: Registry[Any] = Registry("feature block", __name__, "nextlabel.blocks")
register = BLOCKS.register
