"""What an answer that was not understood was like: for the log, with its secrets taken out."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.logs import discreet

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

EXCERPT = 300  # characters of an answer's body
_READ = 10 * EXCERPT  # bytes that are looked at: what is cut off must not halve a secret
_SHORTEST = 8  # characters of a word in a header that may be a secret
_PLAIN = frozenset({"accept", "accept-encoding", "content-length", "content-type", "host"})


@dataclass(frozen=True)
class Answer:
    """An answer, and what was wrong with it as far as that is known."""

    response: httpx.Response
    problems: str
    culprit: bool  # whether it is the one that was not understood


_notes: ContextVar[list[Answer]] = ContextVar("notes")


def begin() -> list[Answer]:
    """Return the list in which the answers of one look are noted from here on: the last of them.

    It is shared with the tasks that the look begins.
    """
    noted: list[Answer] = []
    _notes.set(noted)
    return noted


def note(response: httpx.Response, problems: str = "", *, culprit: bool = False) -> None:
    """Note an answer, if anybody collects them; one that was not understood is kept."""
    noted = _notes.get(None)
    if noted is not None and (culprit or not any(answer.culprit for answer in noted)):
        noted[:] = [Answer(response, problems, culprit)]


def told(noted: Iterable[Answer], secrets: Iterable[str]) -> str:
    """Return status, type, length, problems and beginning of an answer, without these secrets."""
    return "".join(_told(answer, frozenset(secrets)) for answer in noted)


def _told(answer: Answer, secrets: frozenset[str]) -> str:
    response = answer.response
    kind = response.headers.get("Content-Type", "without a type")
    head = f"HTTP {response.status_code}, {kind}, {len(response.content)} bytes"
    body = response.content[:_READ].decode("utf-8", "replace")
    for secret in sorted(secrets | _sent(response), key=len, reverse=True):
        body = body.replace(secret, "…") if secret else body
    wrong = f"{answer.problems}; " if answer.problems else ""
    return f"{wrong}{discreet(head)}: {discreet(body)[:EXCERPT]}"


def _sent(response: httpx.Response) -> frozenset[str]:
    """Return what the request signed in with, which an answer may repeat."""
    headers = response.request.headers.items()
    said = " ".join(value for name, value in headers if name.lower() not in _PLAIN)
    return frozenset(word for word in re.split(r"[\s=;,:\"]+", said) if len(word) >= _SHORTEST)
