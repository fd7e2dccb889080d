"""What the log tells of an answer that was not understood."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from bot.providers import evidence

pytestmark = pytest.mark.anyio


def response(body: str, status: int = 200, **headers: str) -> httpx.Response:
    request = httpx.Request("GET", "http://127.0.0.1/jobs/1", headers=headers)
    kind = {"Content-Type": "text/html; charset=utf-8"}
    return httpx.Response(status, headers=kind, content=body.encode(), request=request)


def told(answer: httpx.Response, *secrets: str, problems: str = "") -> str:
    noted = evidence.begin()
    evidence.note(answer, problems, culprit=True)
    return evidence.told(noted, secrets)


async def test_an_answer_is_told_by_what_is_wrong_its_status_type_length_and_beginning() -> None:
    """That is what an operator needs to see what answered."""
    assert told(response("<h1>Log in</h1>", 203), problems="body: json_invalid") == (
        "body: json_invalid; HTTP 203, text/html; charset=utf-8, 15 bytes: <h1>Log in</h1>"
    )


async def test_only_the_beginning_is_told() -> None:
    """A log is no archive."""
    said = told(response("x" * 100_000))
    assert "100000 bytes" in said
    assert said.count("x") < 310


@pytest.mark.parametrize("place", range(250, 310))
async def test_no_part_of_a_secret_is_told(place: int) -> None:
    """Neither of the connection's, nor of what was sent to sign in, wherever the answer is cut."""
    body = "." * place
    sent = {"X-Auth-Token": "abcdefghijklmnop", "Cookie": "sid=qrstuvwxyz012345"}
    for secret in ("ABCDEFGHIJKL", "abcdefghijklmnop", "qrstuvwxyz012345"):
        said = told(response(body + secret, 200, **sent), "ABCDEFGHIJKL")
        assert secret[:4] not in said


async def test_the_answer_that_was_not_understood_is_kept_whatever_comes_later() -> None:
    """Also from the tasks that a look begins; else it is the last one."""
    noted = evidence.begin()

    async def ask(body: str, *, culprit: bool) -> None:
        evidence.note(response(body), culprit=culprit)

    await asyncio.gather(ask("first", culprit=False), ask("second", culprit=False))
    assert "second" in evidence.told(noted, [])
    await asyncio.gather(ask("bad", culprit=True), ask("later", culprit=False))
    assert "bad" in evidence.told(noted, [])


async def test_where_nobody_collects_nothing_is_noted() -> None:
    """A plugin may be asked by anybody."""
    evidence.note(response("x"))
    assert evidence.told([], []) == ""
