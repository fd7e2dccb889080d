"""Keeps an excerpt of an unparseable response for the log, without secrets."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.logs import redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

EXCERPT_LENGTH = 300  # characters of a response body
_BYTES_READ = 10 * EXCERPT_LENGTH  # secrets are removed before the cut, which could split one
_MIN_SECRET_LENGTH = 8  # characters of a word in a header
_HARMLESS_HEADERS = frozenset(
    {"accept", "accept-encoding", "content-length", "content-type", "host"}
)


@dataclass(frozen=True)
class RecordedResponse:
    """A response and its validation problems, if they are known."""

    response: httpx.Response
    problems: str
    unparseable: bool  # whether this response could not be parsed


_recorded: ContextVar[list[RecordedResponse]] = ContextVar("recorded")


def start_recording() -> list[RecordedResponse]:
    """Start recording in this context; return the list, which holds at most one response.

    Tasks that are started from here record into the same list.
    """
    recorded: list[RecordedResponse] = []
    _recorded.set(recorded)
    return recorded


def record(response: httpx.Response, problems: str = "", *, unparseable: bool = False) -> None:
    """Record a response, if recording was started; an unparseable one is not replaced by others."""
    recorded = _recorded.get(None)
    if recorded is not None and (unparseable or not any(each.unparseable for each in recorded)):
        recorded[:] = [RecordedResponse(response, problems, unparseable)]


def excerpt(recorded: Iterable[RecordedResponse], secrets: Iterable[str]) -> str:
    """Return problems, status, type, length and first characters of a response, without secrets.

    Credentials of the request are removed as well.
    """
    return "".join(_excerpt(each, frozenset(secrets)) for each in recorded)


def _excerpt(recorded: RecordedResponse, secrets: frozenset[str]) -> str:
    response = recorded.response
    content_type = response.headers.get("Content-Type", "no content type")
    summary = f"HTTP {response.status_code}, {content_type}, {len(response.content)} bytes"
    body = response.content[:_BYTES_READ].decode("utf-8", "replace")
    for secret in sorted(secrets | _request_credentials(response), key=len, reverse=True):
        body = body.replace(secret, "…") if secret else body
    problems = f"{recorded.problems}; " if recorded.problems else ""
    return f"{problems}{redact(summary)}: {redact(body)[:EXCERPT_LENGTH]}"


def _request_credentials(response: httpx.Response) -> frozenset[str]:
    """Return the words of the request's headers that may be credentials."""
    headers = response.request.headers.items()
    values = " ".join(value for name, value in headers if name.lower() not in _HARMLESS_HEADERS)
    words = re.split(r"[\s=;,:\"]+", values)
    return frozenset(word for word in words if len(word) >= _MIN_SECRET_LENGTH)
