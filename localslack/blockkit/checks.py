"""Validation combinators for Block Kit's schema. Pure.

A check takes a value and its JSON pointer, and yields each violation in Slack's words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Check = Callable[[Any, str], Iterator[str]]


def problem(what: str, path: str) -> str:
    """Return a violation as Slack writes it."""
    return f"{what} [json-pointer:{path}]"


def string(max_length: int | None = None, min_length: int = 1) -> Check:
    """Return a check for a string of a length in characters; by default non-empty."""

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must be a string", path)
        elif len(value) < min_length:
            yield problem(f"must be more than {min_length - 1} characters", path)
        elif max_length is not None and len(value) > max_length:
            yield problem(f"must be less than {max_length + 1} characters", path)

    return check


def pattern(expression: str, what: str) -> Check:
    """Return a check for a string that matches the expression; `what` names the format."""

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str) or not re.fullmatch(expression, value):
            yield problem(f"must be {what}", path)

    return check


def boolean(value: Any, path: str) -> Iterator[str]:
    """Check for a boolean."""
    if not isinstance(value, bool):
        yield problem("must be a boolean", path)


def anything(_: Any, __: str) -> Iterator[str]:
    """Accept any value."""
    yield from ()


def number(minimum: float | None = None, maximum: float | None = None) -> Check:
    """Return a check for a number within these inclusive bounds."""

    def check(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield problem("must be a number", path)
        elif (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
            yield problem(f"must be between {minimum} and {maximum}", path)

    return check


def one_of(*allowed: str) -> Check:
    """Return a check for one of these strings."""

    def check(value: Any, path: str) -> Iterator[str]:
        if value not in allowed:
            yield problem("must be a valid enum value", path)

    return check


def items(inner: Check, min_items: int = 1, max_items: int | None = None) -> Check:
    """Return a check for a list: its length and each item."""

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, list | tuple):
            yield problem("must be an array", path)
            return
        if len(value) < min_items:
            yield problem(f"no fewer than {min_items} items allowed", path)
        if max_items is not None and len(value) > max_items:
            yield problem(f"no more than {max_items} items allowed", path)
        for position, each in enumerate(value):
            yield from inner(each, f"{path}/{position}")

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Return a check for an object with these fields and no others."""
    fields = {**required, **(optional or {})}

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must be an object", path)
            return
        for name in required:
            if value.get(name) is None:
                yield problem(f"missing required field: {name}", path)
        for name, held in value.items():
            if name not in fields:
                yield problem(f"invalid additional property: {name}", path)
            elif held is not None or name not in required:
                yield from fields[name](held, f"{path}/{name}")

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """Return a check for an object whose `type` selects one of these checks."""

    def check(value: Any, path: str) -> Iterator[str]:
        name = str(value.get("type")) if isinstance(value, dict) else "none"
        if name in kinds:
            yield from kinds[name](value, path)
        else:
            yield problem(f"unsupported type: {name}", f"{path}/type")

    return check


def any_field(*names: str) -> Check:
    """Return a check that at least one of these fields is set."""

    def check(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, dict) and all(value.get(name) is None for name in names):
            yield problem(f"missing required field: {' or '.join(names)}", path)

    return check


def all_of(*checks: Check) -> Check:
    """Return a check that runs all of these."""

    def check(value: Any, path: str) -> Iterator[str]:
        for each in checks:
            yield from each(value, path)

    return check


def typed_object(name: str, required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """Return a check for an object of this `type` with these fields."""
    return shape({"type": one_of(name), **required}, optional)


def plain_text(max_length: int) -> Check:
    """Return a check for a plain_text object."""
    return typed_object("plain_text", {"text": string(max_length)}, {"emoji": boolean})


def text_object(max_length: int) -> Check:
    """Return a check for a plain_text or mrkdwn object."""
    marked = typed_object("mrkdwn", {"text": string(max_length)}, {"verbatim": boolean})
    return by_type({"plain_text": plain_text(max_length), "mrkdwn": marked})
