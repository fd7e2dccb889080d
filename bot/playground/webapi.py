"""The Web API over HTTP: reads a call, lets it go wrong as planned, answers, keeps a journal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.arguments import Arguments
from bot.playground.changes import Change, Kind
from bot.playground.faults import Trouble
from bot.playground.refusals import RefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from bot.playground.faults import Faults
    from bot.playground.messages import Json
    from bot.playground.methods import Methods
    from bot.playground.throttle import Throttle
    from bot.playground.workspace import Workspace

_POSTS = {"chat.postMessage", "chat.postEphemeral"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the Web API; the token is left out."""

    method: str
    at: datetime  # when it came in, on the workspace's clock
    arguments: Json
    answer: Json
    status: int = 200
    lost: bool = False  # the answer never reached the app


@dataclass(frozen=True, slots=True)
class Asked:
    """One call as it came in."""

    method: str
    token: str | None
    arguments: Arguments
    at: datetime


class WebApi:
    """Answers `/api/<method>` and remembers every call."""

    def __init__(
        self, workspace: Workspace, methods: Methods, faults: Faults, throttle: Throttle
    ) -> None:
        self._workspace = workspace
        self._methods = methods
        self._faults = faults
        self._throttle = throttle
        self.calls: list[Call] = []

    async def serve(self, request: web.Request) -> web.Response:
        """Answer one call."""
        asked = await self._read(request)
        hindered = await self._hindered(asked)
        if hindered is not None:
            return hindered
        answer = self._answer(asked)
        if self._faults.take(Trouble.LOSE_ANSWER, asked.method):
            return self._lose(request, asked, answer)
        broken = self._faults.take(Trouble.FAIL_AFTER, asked.method)
        return self._reply(asked, answer, broken.status if broken else 200)

    async def _read(self, request: web.Request) -> Asked:
        at = self._workspace.clock.now()
        values = {**request.query, **await _body(request)}
        token = _bearer(request) or values.pop("token", None)
        values.pop("token", None)
        return Asked(request.match_info["method"], token, Arguments(values), at)

    async def _hindered(self, asked: Asked) -> web.Response | None:
        delay = self._faults.take(Trouble.DELAY, asked.method)
        if delay:
            await self._workspace.clock.sleep(delay.seconds)
        wait = self._wait(asked)
        if wait:
            headers = {"Retry-After": str(wait)}
            return self._reply(asked, {"ok": False, "error": "ratelimited"}, 429, headers)
        broken = self._faults.take(Trouble.FAIL_BEFORE, asked.method)
        if broken:
            return self._reply(asked, {"ok": False, "error": "internal_error"}, broken.status)
        return None

    def _wait(self, asked: Asked) -> int:
        planned = self._faults.take(Trouble.RATE_LIMIT, asked.method)
        if planned:
            return planned.retry_after
        if asked.method not in _POSTS:
            return 0
        channel = self._workspace.find_channel(asked.arguments.text("channel"))
        return self._throttle.wait_for(channel.id) if channel else 0

    def _answer(self, asked: Asked) -> Json:
        planned = self._faults.take(Trouble.REFUSE, asked.method)
        if planned:
            return RefusedError(planned.error).answer()
        try:
            return self._methods.answer(asked.method, asked.token, asked.arguments)
        except RefusedError as refused:
            return refused.answer()

    def _reply(
        self, asked: Asked, answer: Json, status: int, headers: dict[str, str] | None = None
    ) -> web.Response:
        self._write(asked, answer, status)
        scopes = ",".join(self._workspace.app.scopes)
        sent = {"X-OAuth-Scopes": scopes, "X-Slack-Req-Id": str(len(self.calls)), **(headers or {})}
        return web.json_response(answer, status=status, headers=sent)

    def _lose(self, request: web.Request, asked: Asked, answer: Json) -> web.Response:
        self._write(asked, answer, 200, lost=True)
        if request.transport:
            request.transport.abort()
        return web.Response()

    def _write(self, asked: Asked, answer: Json, status: int, *, lost: bool = False) -> None:
        given = asked.arguments.values
        self.calls.append(Call(asked.method, asked.at, given, answer, status, lost))
        self._workspace.changes.tell(Change(Kind.CALLED))


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


async def _body(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        return dict(await request.post())
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        return {}
    # A token inside a JSON body does not count: https://docs.slack.dev/apis/web-api
    return {name: body[name] for name in body if name != "token"} if isinstance(body, dict) else {}
