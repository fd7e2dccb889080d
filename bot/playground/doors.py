"""Every address that the local Slack answers at, and who may knock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.faults import Trouble
from bot.playground.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.playground.messages import Json
    from bot.playground.page import Page
    from bot.playground.responses import Responses
    from bot.playground.server import LocalSlack
    from bot.playground.webapi import WebApi

_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
RESPONSE_URL = "response_url"  # what faults call it
_LARGEST_BODY = 4 * 1024 * 1024  # bytes


class Doors:
    """The web application of a local Slack."""

    def __init__(self, slack: LocalSlack, api: WebApi, page: Page, responses: Responses) -> None:
        self._slack = slack
        self._api = api
        self._page = page
        self._responses = responses

    def application(self) -> web.Application:
        """Return the application, ready to be served."""
        application = web.Application(middlewares=[_guard], client_max_size=_LARGEST_BODY)
        application.add_routes(
            [
                web.route("*", "/api/{method}", self._api.serve),
                web.get("/link/", self._slack.sockets.serve),
                web.post("/respond/{team}/{secret}", self._respond),
                web.post("/faults", self._fault),
                *self._page.routes(),
            ]
        )
        application.on_response_prepare.append(_protect)
        return application

    async def _respond(self, request: web.Request) -> web.Response:
        """Take what is said through a response_url; as a method it goes by RESPONSE_URL."""
        faults = self._slack.faults
        if busy := faults.take(Trouble.RATE_LIMIT, RESPONSE_URL):
            return web.Response(status=429, headers={"Retry-After": str(busy.retry_after)})
        if broken := faults.take(Trouble.FAIL_BEFORE, RESPONSE_URL):
            return web.Response(status=broken.status)
        answer = await self._responded(request)
        if faults.take(Trouble.LOSE_ANSWER, RESPONSE_URL) and request.transport:
            request.transport.abort()
        broken = faults.take(Trouble.FAIL_AFTER, RESPONSE_URL)
        return web.Response(status=broken.status) if broken else answer

    async def _responded(self, request: web.Request) -> web.Response:
        try:
            self._responses.answer(request.path.lstrip("/"), await request.text())
        except RefusedError as refused:
            status = refused.status if refused.status != 200 else 400
            return web.json_response(refused.answer(), status=status)
        return web.Response(text="ok")

    async def _fault(self, request: web.Request) -> web.Response:
        """Plan or do a fault: `{"fault": "rate_limit", "method": "chat.postMessage"}`."""
        given = await request.json()
        name = given.pop("fault", "") if isinstance(given, dict) else ""
        try:
            await self._do(name, given)
        except (LookupError, TypeError) as refused:
            return web.json_response({"ok": False, "error": str(refused)}, status=400)
        return web.json_response({"ok": True})

    async def _do(self, name: str, given: Json) -> None:
        slack, faults = self._slack, self._slack.faults
        planned: dict[str, Callable[..., Any]] = {
            "rate_limit": faults.rate_limit,
            "lose_answer": faults.lose_answer,
            "fail": faults.fail,
            "delay": faults.delay,
            "refuse": faults.refuse,
            "refuse_sockets": faults.refuse_sockets,
            "deliver_twice": faults.deliver_twice,
            "retry_event": faults.retry_event,
            "swallow": faults.swallow,
            "clear": faults.clear,
            "cut": slack.cut,
            "archive": slack.archive,
            "remove_bot": slack.remove_bot,
            "disconnect": slack.disconnect,
            "delete": self._delete,
        }
        if name not in planned:
            raise LookupError(f"There is no fault {name!r}; there are {', '.join(planned)}.")
        done = planned[name](**given)
        if done is not None:
            await done

    def _delete(self, channel: str, ts: str) -> None:
        found = self._slack.workspace.find(self._slack.workspace.channel(channel).id, ts)
        if found is None:
            raise LookupError(f"There is no message {ts} in {channel}.")
        self._slack.delete(found)


@web.middleware
async def _guard(
    request: web.Request,
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],  # aiohttp passes it by name
) -> web.StreamResponse:
    own = {f"{name}:{_port(request)}" for name in ("127.0.0.1", "localhost")}
    # A foreign name for this address is how a web page would reach it by DNS rebinding.
    if request.host not in own:
        raise web.HTTPForbidden(text="This playground answers to 127.0.0.1 only.")
    origin = request.headers.get("Origin")
    if origin is not None and origin not in {f"http://{host}" for host in own}:
        raise web.HTTPForbidden(text="Another site may not use this playground.")
    return await handler(request)


def _port(request: web.Request) -> int:
    place = request.transport.get_extra_info("sockname") if request.transport else None
    return place[1] if place else 0


async def _protect(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
