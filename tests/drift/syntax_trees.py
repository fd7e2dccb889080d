"""Syntax trees of the project's modules, each parsed once for all tests."""

import ast
from functools import cache
from pathlib import Path


@cache
def syntax_tree(path: Path) -> ast.Module:
    """Return a module's syntax tree; callers must not change it."""
    return ast.parse(path.read_text("utf-8"))
