"""Finds the path of a value in a recorded answer, and replaces values by path. Pure."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from plugins.http.expressions import find

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKER = "jobthread-was-here"
MAX_CANDIDATES = 500  # equal values that are tried, to limit the start-up time

Path = tuple[str | int, ...]


def find_path(expression: str, answer: Any) -> Path | None:
    """Return the path of the value that an expression finds; None if it computes the value."""
    found = find(expression, answer)
    mark: Any = [MARKER] if isinstance(found, list) else MARKER
    candidates = (path for path, value in _walk(answer) if value == found)
    for path in islice(candidates, MAX_CANDIDATES):
        if find(expression, replace_at(answer, path, mark)) == mark:
            return path
    return None


def replace_at(answer: Any, path: Path, value: Any) -> Any:
    """Return a copy of an answer with another value at a path."""
    if not path:
        return value
    copy = answer.copy()
    copy[path[0]] = replace_at(answer[path[0]], path[1:], value)
    return copy


def value_at(answer: Any, path: Path) -> Any:
    """Return the value at a path."""
    for step in path:
        answer = answer[step]
    return answer


def _walk(answer: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Return every value with its path, at any depth."""
    yield path, answer
    if isinstance(answer, dict | list):
        for step, part in answer.items() if isinstance(answer, dict) else enumerate(answer):
            yield from _walk(part, (*path, step))
