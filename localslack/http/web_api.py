"""Web API over HTTP: parses calls, injects planned faults, responds, logs every call."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from localslack.api.arguments import Arguments
from localslack.state.errors import SlackApiError
from localslack.state.events import EventKind, WorkspaceEvent
from localslack.state.faults import FaultKind

if TYPE_CHECKING:
    from datetime import datetime

    from localslack.api.methods import WebApiMethods
    from localslack.http.rate_limit import RateLimiter
    from localslack.state.faults import Faults
    from localslack.state.messages import Json
    from localslack.state.workspace import Workspace

_RATE_LIMITED_METHODS = {"chat.postMessage", "chat.postEphemeral"}


@dataclass(frozen=True, slots=True)
class Call:
    """One logged Web API call, without its token."""

    method: str
    received_at: datetime  # time of receipt, on the workspace's clock
    arguments: Json
    response: Json
    status: int = 200
    response_lost: bool = False  # the response never reached the app


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """One call as received."""

    method: str
    token: str | None
    arguments: Arguments
    at: datetime


class WebApi:
    """Serves `/api/<method>` and logs every call."""

    def __init__(
        self,
        workspace: Workspace,
        methods: WebApiMethods,
        faults: Faults,
        rate_limiter: RateLimiter,
    ) -> None:
        self._workspace = workspace
        self._methods = methods
        self._faults = faults
        self._rate_limiter = rate_limiter
        self.calls: list[Call] = []

    async def serve(self, request: web.Request) -> web.Response:
        """Serve one call."""
        call = await self._read(request)
        rejection = await self._reject_by_fault(call)
        if rejection is not None:
            return rejection
        response = self._call_method(call)
        if self._faults.consume(FaultKind.LOSE_ANSWER, call.method):
            return self._lose_response(request, call, response)
        broken = self._faults.consume(FaultKind.FAIL_AFTER, call.method)
        return self._respond(call, response, broken.status if broken else 200)

    async def _read(self, request: web.Request) -> IncomingCall:
        at = self._workspace.clock.now()
        values = {**request.query, **await _body(request)}
        token = _bearer_token(request) or values.pop("token", None)
        values.pop("token", None)
        return IncomingCall(request.match_info["method"], token, Arguments(values), at)

    async def _reject_by_fault(self, call: IncomingCall) -> web.Response | None:
        delay = self._faults.consume(FaultKind.DELAY, call.method)
        if delay:
            await self._workspace.clock.sleep(delay.seconds)
        wait = self._retry_after(call)
        if wait:
            headers = {"Retry-After": str(wait)}
            return self._respond(call, {"ok": False, "error": "ratelimited"}, 429, headers)
        broken = self._faults.consume(FaultKind.FAIL_BEFORE, call.method)
        if broken:
            return self._respond(call, {"ok": False, "error": "internal_error"}, broken.status)
        return None

    def _retry_after(self, call: IncomingCall) -> int:
        planned = self._faults.consume(FaultKind.RATE_LIMIT, call.method)
        if planned:
            return planned.retry_after
        if call.method not in _RATE_LIMITED_METHODS:
            return 0
        channel = self._workspace.find_channel(call.arguments.text("channel"))
        return self._rate_limiter.acquire(channel.id) if channel else 0

    def _call_method(self, call: IncomingCall) -> Json:
        planned = self._faults.consume(FaultKind.REFUSE, call.method)
        if planned:
            return SlackApiError(planned.error).as_slack()
        try:
            return self._methods.call(call.method, call.token, call.arguments)
        except SlackApiError as refused:
            return refused.as_slack()

    def _respond(
        self, call: IncomingCall, response: Json, status: int, headers: dict[str, str] | None = None
    ) -> web.Response:
        self._log(call, response, status)
        scopes = ",".join(self._workspace.app.scopes)
        sent_headers = {
            "X-OAuth-Scopes": scopes,
            "X-Slack-Req-Id": str(len(self.calls)),
            **(headers or {}),
        }
        return web.json_response(response, status=status, headers=sent_headers)

    def _lose_response(
        self, request: web.Request, call: IncomingCall, response: Json
    ) -> web.Response:
        self._log(call, response, 200, lost=True)
        if request.transport:
            request.transport.abort()
        return web.Response()

    def _log(self, call: IncomingCall, response: Json, status: int, *, lost: bool = False) -> None:
        values = call.arguments.values
        self.calls.append(Call(call.method, call.at, values, response, status, lost))
        self._workspace.events.publish(WorkspaceEvent(EventKind.API_CALLED))


def _bearer_token(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


async def _body(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        return dict(await request.post())
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        return {}
    # A token in a JSON body is ignored: https://docs.slack.dev/apis/web-api
    return {name: body[name] for name in body if name != "token"} if isinstance(body, dict) else {}
