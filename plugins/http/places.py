"""Where in a recorded answer a value stands, so that another can be put there. Pure."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from plugins.http.expressions import find

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "jobthread-was-here"
MOST_ALIKE = 500  # values that are tried: the start must not take long

Path = tuple[str | int, ...]


def place(expression: str, answer: Any) -> Path | None:
    """Return where the value stands that an expression finds; None if it makes one of its own."""
    found = find(expression, answer)
    mark: Any = [MARK] if isinstance(found, list) else MARK
    alike = (path for path, value in _all(answer) if value == found)
    for path in islice(alike, MOST_ALIKE):
        if find(expression, put(answer, path, mark)) == mark:
            return path
    return None


def put(answer: Any, path: Path, value: Any) -> Any:
    """Return an answer in which another value stands at a place."""
    if not path:
        return value
    copy = answer.copy()
    copy[path[0]] = put(answer[path[0]], path[1:], value)
    return copy


def at(answer: Any, path: Path) -> Any:
    """Return what stands at a place."""
    for step in path:
        answer = answer[step]
    return answer


def _all(answer: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Return every value with its place, at any depth."""
    yield path, answer
    if isinstance(answer, dict | list):
        for step, part in answer.items() if isinstance(answer, dict) else enumerate(answer):
            yield from _all(part, (*path, step))
