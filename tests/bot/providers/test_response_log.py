"""Excerpt of an unparseable response for the log."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from bot.providers import response_log

pytestmark = pytest.mark.anyio


def response(body: str, status: int = 200, **headers: str) -> httpx.Response:
    request = httpx.Request("GET", "http://127.0.0.1/jobs/1", headers=headers)
    content_type = {"Content-Type": "text/html; charset=utf-8"}
    return httpx.Response(status, headers=content_type, content=body.encode(), request=request)


def excerpt(response: httpx.Response, *secrets: str, problems: str = "") -> str:
    return response_log.excerpt(response, secrets, problems)


async def test_excerpt_has_problems_status_type_length_and_body() -> None:
    """The operator can see which server sent the response."""
    assert excerpt(response("<h1>Log in</h1>", 203), problems="body: json_invalid") == (
        "body: json_invalid; HTTP 203, text/html; charset=utf-8, 15 bytes: <h1>Log in</h1>"
    )


async def test_excerpt_is_short() -> None:
    """A large body does not fill the log."""
    text = excerpt(response("x" * 100_000))
    assert "100000 bytes" in text
    assert text.count("x") < 310


@pytest.mark.parametrize("position", range(250, 310))
async def test_excerpt_has_no_part_of_a_secret(position: int) -> None:
    """Secrets of the settings and credentials of the request are removed, also at the cut."""
    body = "." * position
    sent = {"X-Auth-Token": "abcdefghijklmnop", "Cookie": "sid=qrstuvwxyz012345"}
    for secret in ("ABCDEFGHIJKL", "abcdefghijklmnop", "qrstuvwxyz012345"):
        text = excerpt(response(body + secret, 200, **sent), "ABCDEFGHIJKL")
        assert secret[:4] not in text


async def test_tasks_record_the_last_response() -> None:
    """They share one list, which holds a single response."""
    recorded = response_log.start_recording()

    async def record(body: str) -> None:
        response_log.record(response(body))

    await asyncio.gather(record("first"), record("second"))
    assert [each.text for each in recorded] == ["second"]


async def test_nothing_is_recorded_before_recording_starts() -> None:
    """A provider can also be called directly."""
    response_log.record(response("x"))
    assert response_log.start_recording() == []
