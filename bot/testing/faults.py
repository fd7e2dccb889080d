"""Make any simulator misbehave on request, and remember every call that reached it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp.typedefs import Handler

    from bot.clock import Clock


@dataclass(frozen=True)
class Fault:
    """One way to answer wrongly; `status` None: the simulator's own answer, after all."""

    status: int | None = None
    body: Any = ""  # str and bytes are sent as they are, the rest as JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    after_seconds: float = 0.0  # of the simulator's clock
    cut: bool = False  # the whole body is promised, half of it is sent
    hangs: bool = False  # no answer ever comes
    respelled: Callable[[Any], Any] | None = None  # makes other JSON of the simulator's own


@dataclass(frozen=True)
class Call:
    """One request as it came over the wire."""

    method: str
    path: str  # raw, with its query: what a signature covers
    headers: Mapping[str, str]
    body: bytes


class Faults:
    """The outermost layer of a simulator; `calls` holds every request, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self.calls: list[Call] = []
        self._clock = clock
        self._planned: list[Fault] = []
        self._lasting: Fault | None = None

    @classmethod
    def of(cls, app: web.Application, clock: Clock) -> Faults:
        """Return the app's faults; an app that has none yet is given some."""
        if FAULTS not in app:
            app[FAULTS] = cls(clock)
            app.middlewares.insert(0, app[FAULTS].answer)
        return app[FAULTS]

    def plan(self, fault: Fault, times: int | None = 1) -> None:
        """Answer the next calls so; times None: every call until `clear`."""
        if times is None:
            self._lasting = fault
        else:
            self._planned += [fault] * times

    def clear(self) -> None:
        """Answer well again."""
        self._planned.clear()
        self._lasting = None

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer as planned, or let the app answer; this is the layer itself."""
        body = await request.read()
        self.calls.append(Call(request.method, request.raw_path, dict(request.headers), body))
        fault = self._planned.pop(0) if self._planned else self._lasting
        if fault is None:
            return await handler(request)
        return await self._misbehave(fault, request, handler)

    async def _misbehave(
        self, fault: Fault, request: web.Request, inner: Handler
    ) -> web.StreamResponse:
        if fault.hangs:
            await asyncio.Event().wait()  # ends when the caller hangs up
        if fault.after_seconds:
            await self._clock.sleep(fault.after_seconds)
        if fault.cut:
            return await _half(request, _bytes(fault.body))
        if fault.status is None:
            return _respelled(await inner(request), fault)
        return web.Response(
            status=fault.status,
            body=_bytes(fault.body),
            headers={"Content-Type": "application/json", **fault.headers},
        )


FAULTS: web.AppKey[Faults] = web.AppKey("faults", Faults)


def _bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def _respelled(answer: web.StreamResponse, fault: Fault) -> web.StreamResponse:
    """Return an answer whose JSON is written in another way; any other stays as it is."""
    json_ = isinstance(answer, web.Response) and answer.content_type == "application/json"
    if fault.respelled and json_ and isinstance(answer, web.Response) and answer.text:
        answer.text = json.dumps(fault.respelled(json.loads(answer.text)))
    return answer


async def _half(request: web.Request, body: bytes) -> web.StreamResponse:
    """Promise the whole body, send half of it, and hang up."""
    response = web.StreamResponse(headers={"Content-Length": str(len(body) + 2)})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
