"""Fault injection for simulators; records every call."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp.typedefs import Handler

    from bot.sdk.clock import Clock


@dataclass(frozen=True)
class Fault:
    """One faulty response; `status` None: the simulator's own response."""

    status: int | None = None
    body: Any = ""  # str and bytes are sent unchanged, other values as JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    after_seconds: float = 0.0  # of the simulator's clock
    truncated: bool = False  # Content-Length covers the body, of which half is sent
    hangs: bool = False  # never responds
    rewrite_json: Callable[[Any], Any] | None = (
        None  # rewrites the JSON of the simulator's response
    )


@dataclass(frozen=True)
class Call:
    """One received request."""

    method: str
    path: str  # raw, with query: signatures cover it
    headers: Mapping[str, str]
    body: bytes


class Faults:
    """Middleware of a simulator; `calls` holds every request, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self.calls: list[Call] = []
        self._clock = clock
        self._planned: list[Fault] = []
        self._permanent: Fault | None = None

    @classmethod
    def of(cls, app: web.Application, clock: Clock) -> Faults:
        """Return the app's fault middleware; install it if the app has none."""
        if FAULTS not in app:
            app[FAULTS] = cls(clock)
            app.middlewares.insert(0, app[FAULTS].middleware)
        return app[FAULTS]

    def plan(self, fault: Fault, times: int | None = 1) -> None:
        """Respond to the next calls with this fault; times None: to every call until `clear`."""
        if times is None:
            self._permanent = fault
        else:
            self._planned += [fault] * times

    def clear(self) -> None:
        """Respond normally again."""
        self._planned.clear()
        self._permanent = None

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Respond with the planned fault, or else pass the request to the app."""
        body = await request.read()
        self.calls.append(Call(request.method, request.raw_path, dict(request.headers), body))
        fault = self._planned.pop(0) if self._planned else self._permanent
        if fault is None:
            return await handler(request)
        return await self._respond(fault, request, handler)

    async def _respond(
        self, fault: Fault, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        if fault.hangs:
            await asyncio.Event().wait()  # ends when the caller disconnects
        if fault.after_seconds:
            await self._clock.sleep(fault.after_seconds)
        if fault.truncated:
            return await _send_half(request, _to_bytes(fault.body))
        if fault.status is None:
            return _rewrite_json(await handler(request), fault)
        return web.Response(
            status=fault.status,
            body=_to_bytes(fault.body),
            headers={"Content-Type": "application/json", **fault.headers},
        )


FAULTS: web.AppKey[Faults] = web.AppKey("faults", Faults)


def _to_bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def _rewrite_json(response: web.StreamResponse, fault: Fault) -> web.StreamResponse:
    """Return the response with rewritten JSON; other content is unchanged."""
    is_json = isinstance(response, web.Response) and response.content_type == "application/json"
    if fault.rewrite_json and is_json and isinstance(response, web.Response) and response.text:
        response.text = json.dumps(fault.rewrite_json(json.loads(response.text)))
    return response


async def _send_half(request: web.Request, body: bytes) -> web.StreamResponse:
    """Announce the complete body, send half of it, and disconnect."""
    response = web.StreamResponse(headers={"Content-Length": str(len(body) + 2)})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
