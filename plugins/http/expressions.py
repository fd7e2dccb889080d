"""Evaluates JMESPath expressions on a response. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jmespath
from jmespath.exceptions import JMESPathError, ParseError
from jmespath.functions import Functions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_compiled = lru_cache(maxsize=1024)(jmespath.compile)


def find(expression: str, answer: Any) -> Any:
    """Return what an expression finds; None if it is empty, finds nothing or does not fit."""
    if not expression:
        return None
    try:
        return _compiled(expression).search(answer)
    except (ArithmeticError, TypeError, ValueError):  # such as a function applied to another type
        return None


def syntax_problem(expression: str) -> str:
    """Return why a text is not a valid expression; empty if it is valid."""
    try:
        parsed = jmespath.compile(expression).parsed
    except ParseError as error:
        return f"it cannot be read on from column {error.lex_position + 1}"
    except JMESPathError:
        return "it cannot be read"
    unknown = sorted(set(_functions(parsed)) - set(Functions.FUNCTION_TABLE))
    return f"there is no function {unknown[0]}" if unknown else ""


def _functions(node: Mapping[str, Any]) -> Iterator[str]:
    """Return the functions that an expression calls: unknown ones fail only at run time."""
    if node["type"] == "function_expression":
        yield node["value"]
    for child in node["children"]:
        if isinstance(child, dict):  # the children of a slice are numbers
            yield from _functions(child)
