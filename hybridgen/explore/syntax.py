"""Source text as a syntax tree; what does not parse is an empty one."""

from __future__ import annotations

import ast
from functools import lru_cache


@lru_cache(maxsize=1024)
def tree_of(source: str) -> ast.Module:
    """The tree of a text that is asked for again and again; it is shared, so never change it."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])
