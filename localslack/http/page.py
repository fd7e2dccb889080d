"""Routes of the browser page: its files, its JSON API and its event stream."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from localslack.blockkit.elements import STATEFUL
from localslack.client.user_actions import Source, choose, click, find_element
from localslack.state.events import EventKind, WorkspaceEvent
from localslack.state.views import View

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from localslack.api.views import Views
    from localslack.client.user_actions import ActionResult, UserActions
    from localslack.state.messages import Json, Message
    from localslack.state.workspace import Workspace

STATIC = Path(__file__).parents[1] / "static"
_ERROR_TEXTS = {
    "dispatch_failed": "The app is not connected, so nothing happened.",
    "operation_timeout": "The app did not answer within three seconds.",
}


class Page:
    """Serves the page and runs the actions of its user."""

    def __init__(
        self,
        workspace: Workspace,
        views: Views,
        user_actions: UserActions,
        *,
        connected: Callable[[], bool],
        suggestions: Sequence[Json],
    ) -> None:
        self._workspace = workspace
        self._views = views
        self._user_actions = user_actions
        self._connected = connected
        self._suggestions = list(suggestions)
        self._streams: set[web.WebSocketResponse] = set()

    def routes(self) -> list[web.RouteDef]:
        """Return the page's routes."""
        return [
            web.get("/", self._index),
            web.get("/assets/{path:.+}", self._asset),
            web.get("/archives/{channel}/{message}", self._index),
            web.get("/page/state", self._state),
            web.get("/page/events", self._events),
            web.post("/page/say", self._handler(self._say)),
            web.post("/page/click", self._handler(self._click)),
            web.post("/page/submit", self._handler(self._submit)),
            web.post("/page/close", self._handler(self._close)),
            web.post("/page/shortcut", self._handler(self._shortcut)),
            web.post("/page/options", self._handler(self._options)),
            web.post("/page/react", self._handler(self._react)),
        ]

    async def close(self) -> None:
        """Close every event stream."""
        for stream in tuple(self._streams):
            await stream.close()

    # Files.

    async def _index(self, _: web.Request) -> web.StreamResponse:
        return _file(STATIC / "index.html")

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        return _file(STATIC / "assets" / request.match_info["path"])

    # State and event stream.

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(self._snapshot())

    def _snapshot(self) -> Json:
        workspace = self._workspace
        modals = [
            v for v in self._views.opened.values() if v.is_modal and v.user == workspace.me.id
        ]
        return {
            "team": {"id": workspace.team.id, "name": workspace.team.name},
            "me": {"id": workspace.me.id, "name": workspace.me.name},
            "bot": {
                "id": workspace.bot.id,
                "name": workspace.bot.name,
                "connected": self._connected(),
            },
            "users": [
                {"id": u.id, "name": u.name, "is_bot": u.is_bot} for u in workspace.users.values()
            ],
            "groups": [{"id": g.id, "handle": g.handle} for g in workspace.groups.values()],
            "channels": self._channels(),
            "messages": workspace.visible_messages(workspace.me.id),
            "views": [view.as_page() for view in modals],
            "suggestions": self._suggestions,
        }

    def _channels(self) -> list[Json]:
        bot, me = self._workspace.bot.id, self._workspace.me.id
        return [
            {"id": c.id, "name": c.name, "is_im": c.is_im, "is_member": bot in c.members}
            for c in self._workspace.channels.values()
            if me in c.members
        ]

    async def _events(self, request: web.Request) -> web.StreamResponse:
        stream = web.WebSocketResponse(heartbeat=30)
        await stream.prepare(request)
        queue: asyncio.Queue[Json] = asyncio.Queue()
        stop = self._workspace.events.subscribe(lambda change: self._enqueue(queue, change))
        self._streams.add(stream)
        writer = asyncio.get_running_loop().create_task(_send_queued(stream, queue))
        try:
            async for frame in stream:
                if frame.type is WSMsgType.ERROR:
                    break
        finally:
            stop()
            writer.cancel()
            self._streams.discard(stream)
        return stream

    def _enqueue(self, queue: asyncio.Queue[Json], change: WorkspaceEvent) -> None:
        pushed = self._push_message(change)
        if pushed is not None:
            queue.put_nowait(pushed)

    def _push_message(self, change: WorkspaceEvent) -> Json | None:
        if change.kind is EventKind.CONNECTION_CHANGED:
            return {"type": "bot", "connected": self._connected()}
        if change.view is not None:
            return self._push_view(change)
        message = change.message
        if message is None or message.ephemeral_for not in {None, self._workspace.me.id}:
            return None
        if change.kind is EventKind.DELETED and not message.tombstone:
            return {"type": "deleted", "channel": message.channel, "ts": message.ts}
        return {"type": "message", "message": message.as_page()}

    def _push_view(self, change: WorkspaceEvent) -> Json | None:
        view = change.view
        if view is None or not view.is_modal or view.user != self._workspace.me.id:
            return None
        if change.kind is EventKind.VIEW_CLOSED:
            return {"type": "view_closed", "id": view.id}
        return {"type": "view", "view": view.as_page()}

    # User actions.

    def _handler(
        self, action: Callable[[Json], Awaitable[Json]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                return web.json_response(await action(await _json_body(request)))
            except LookupError as missing:
                return web.json_response({"ok": False, "error": str(missing.args[0])})

        return handle

    async def _say(self, body: Json) -> Json:
        text = str(body.get("text") or "").strip()
        if not text:
            return {"ok": False, "error": "There is nothing to say."}
        channel = self._workspace.channel(str(body.get("channel")))
        me, thread = self._workspace.me, body.get("thread_ts")
        await self._user_actions.send_text(text, channel, me, thread)
        return {"ok": True}  # A failed command is reported in the channel, as in Slack.

    async def _click(self, body: Json) -> Json:
        source = self._source(body)
        if isinstance(source, View):
            source = self._views.save_values(source, body.get("values") or {})
        requested = body.get("action") or {}
        # Several buttons may share an action id; their values differ. An input's value is its text.
        value = None if requested.get("type") in STATEFUL else requested.get("value")
        block, element = find_element(source, str(requested.get("action_id")), value)
        action = _action(block, element, requested)
        return _result(await self._user_actions.use_element(source, action, self._workspace.me))

    async def _submit(self, body: Json) -> Json:
        view = self._views.find(str(body.get("view_id")))
        view = self._views.save_values(view, body.get("values") or {})
        done = await self._user_actions.modals.submit(view)
        if done.ok:
            return {"ok": True}
        error = " ".join(done.errors.values()) or _ERROR_TEXTS.get(done.error or "", done.error)
        return {"ok": False, "error": error, "errors": done.errors}

    async def _close(self, body: Json) -> Json:
        await self._user_actions.modals.close(self._views.find(str(body.get("view_id"))))
        return {"ok": True}

    async def _shortcut(self, body: Json) -> Json:
        message = self._message(body) if body.get("message_ts") else None
        name = str(body.get("callback_id"))
        return _result(await self._user_actions.shortcut(name, self._workspace.me, message))

    async def _react(self, body: Json) -> Json:
        name = str(body.get("name"))
        self._user_actions.react(self._message(body), name, self._workspace.me)
        return {"ok": True}

    async def _options(self, body: Json) -> Json:
        source, typed = self._source(body), str(body.get("value") or "")
        name = str(body.get("action_id"))
        answer = await self._user_actions.request_options(source, name, typed, self._workspace.me)
        offered = answer.payload or {}
        names = ("options", "option_groups")
        return {**_result(answer), **{name: offered.get(name) or [] for name in names}}

    def _source(self, body: Json) -> Source:
        if body.get("view_id"):
            return self._views.find(str(body["view_id"]))
        return self._message(body)

    def _message(self, body: Json) -> Message:
        key = (str(body.get("channel")), str(body.get("message_ts")))
        found = self._workspace.find_ephemeral(*key) or self._workspace.find(*key)
        if found is None:
            raise LookupError("This message was deleted.")
        return found


def _action(block: Json, element: Json, requested: Json) -> Json:
    if element["type"] == "button":
        return click(block, element)
    option = requested.get("selected_option")
    if isinstance(option, dict):
        return choose(block, element, str(option.get("value")))
    plain = {
        name: value
        for name, value in requested.items()
        if name.startswith("selected_") or name == "value"
    }
    own = {"type": element["type"], "action_id": element["action_id"]}
    return {**plain, **own, "block_id": block["block_id"]}


def _result(answer: ActionResult) -> Json:
    if answer.ok:
        return {"ok": True}
    return {"ok": False, "error": _ERROR_TEXTS.get(answer.error or "", str(answer.error))}


async def _json_body(request: web.Request) -> Json:
    try:
        body: Any = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="Send a JSON object.")
    return body


async def _send_queued(stream: web.WebSocketResponse, queue: asyncio.Queue[Json]) -> None:
    while True:
        text = json.dumps(await queue.get())
        if stream.closed:
            return
        await stream.send_str(text)


def _file(path: Path) -> web.FileResponse:
    found = path.resolve()
    if not found.is_relative_to(STATIC.resolve()) or not found.is_file():
        raise web.HTTPNotFound(text="There is no such file; the page may not be built yet.")
    return web.FileResponse(found)
