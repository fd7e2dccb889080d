"""The page's own door: its files, its JSON and its stream of changes; same origin only."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from bot.playground.changes import Change, Kind
from bot.playground.controls import STATEFUL
from bot.playground.gestures import Source, choose, click, find_element
from bot.playground.views import View

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.playground.gestures import Answer, Gestures
    from bot.playground.messages import Json, Message
    from bot.playground.views import Views
    from bot.playground.workspace import Workspace

STATIC = Path(__file__).parent / "static"
_SENTENCES = {
    "dispatch_failed": "The app is not connected, so nothing happened.",
    "operation_timeout": "The app did not answer within three seconds.",
}


class Page:
    """Serves the page and does what its reader does."""

    def __init__(
        self,
        workspace: Workspace,
        views: Views,
        gestures: Gestures,
        *,
        connected: Callable[[], bool],
        suggestions: Sequence[Json],
    ) -> None:
        self._workspace = workspace
        self._views = views
        self._gestures = gestures
        self._connected = connected
        self._suggestions = list(suggestions)
        self._streams: set[web.WebSocketResponse] = set()

    def routes(self) -> list[web.RouteDef]:
        """Return the page's addresses."""
        return [
            web.get("/", self._index),
            web.get("/assets/{path:.+}", self._asset),
            web.get("/archives/{channel}/{message}", self._index),
            web.get("/page/state", self._state),
            web.get("/page/events", self._events),
            web.post("/page/say", self._deed(self._say)),
            web.post("/page/click", self._deed(self._click)),
            web.post("/page/submit", self._deed(self._submit)),
            web.post("/page/close", self._deed(self._close)),
            web.post("/page/shortcut", self._deed(self._shortcut)),
            web.post("/page/options", self._deed(self._options)),
            web.post("/page/react", self._deed(self._react)),
        ]

    async def close(self) -> None:
        """End every stream."""
        for stream in tuple(self._streams):
            await stream.close()

    # Files.

    async def _index(self, _: web.Request) -> web.StreamResponse:
        return _file(STATIC / "index.html")

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        return _file(STATIC / "assets" / request.match_info["path"])

    # What there is to see.

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(self._shown())

    def _shown(self) -> Json:
        here = self._workspace
        own = [v for v in self._views.opened.values() if v.is_modal and v.user == here.me.id]
        return {
            "team": {"id": here.team.id, "name": here.team.name},
            "me": {"id": here.me.id, "name": here.me.name},
            "bot": {"id": here.bot.id, "name": here.bot.name, "connected": self._connected()},
            "users": [
                {"id": u.id, "name": u.name, "is_bot": u.is_bot} for u in here.users.values()
            ],
            "groups": [{"id": g.id, "handle": g.handle} for g in here.groups.values()],
            "channels": self._channels(),
            "messages": here.state_for(here.me.id),
            "views": [view.as_page() for view in own],
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
        waiting: asyncio.Queue[Json] = asyncio.Queue()
        stop = self._workspace.changes.subscribe(lambda change: self._offer(waiting, change))
        self._streams.add(stream)
        writer = asyncio.get_running_loop().create_task(_write(stream, waiting))
        try:
            async for frame in stream:
                if frame.type is WSMsgType.ERROR:
                    break
        finally:
            stop()
            writer.cancel()
            self._streams.discard(stream)
        return stream

    def _offer(self, waiting: asyncio.Queue[Json], change: Change) -> None:
        seen = self._pushed(change)
        if seen is not None:
            waiting.put_nowait(seen)

    def _pushed(self, change: Change) -> Json | None:
        if change.kind is Kind.CONNECTED:
            return {"type": "bot", "connected": self._connected()}
        if change.view is not None:
            return self._pushed_view(change)
        message = change.message
        if message is None or message.ephemeral_for not in {None, self._workspace.me.id}:
            return None
        if change.kind is Kind.DELETED and not message.tombstone:
            return {"type": "deleted", "channel": message.channel, "ts": message.ts}
        return {"type": "message", "message": message.as_page()}

    def _pushed_view(self, change: Change) -> Json | None:
        view = change.view
        if view is None or not view.is_modal or view.user != self._workspace.me.id:
            return None
        if change.kind is Kind.VIEW_CLOSED:
            return {"type": "view_closed", "id": view.id}
        return {"type": "view", "view": view.as_page()}

    # What the reader does.

    def _deed(
        self, do: Callable[[Json], Awaitable[Json]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def deed(request: web.Request) -> web.Response:
            try:
                return web.json_response(await do(await _given(request)))
            except LookupError as missing:
                return web.json_response({"ok": False, "error": str(missing.args[0])})

        return deed

    async def _say(self, given: Json) -> Json:
        text = str(given.get("text") or "").strip()
        if not text:
            return {"ok": False, "error": "There is nothing to say."}
        channel = self._workspace.channel(str(given.get("channel")))
        me, thread = self._workspace.me, given.get("thread_ts")
        await self._gestures.say(text, channel, me, thread)
        return {"ok": True}  # A command that fails says so in the channel, as in Slack.

    async def _click(self, given: Json) -> Json:
        source = self._source(given)
        if isinstance(source, View):
            source = self._views.remember(source, given.get("values") or {})
        wanted = given.get("action") or {}
        # A button's value tells twins apart; what is typed into an input tells nothing of the kind.
        twin = None if wanted.get("type") in STATEFUL else wanted.get("value")
        block, element = find_element(source, str(wanted.get("action_id")), twin)
        action = _action(block, element, wanted)
        return _outcome(await self._gestures.act(source, action, self._workspace.me))

    async def _submit(self, given: Json) -> Json:
        view = self._views.find(str(given.get("view_id")))
        view = self._views.remember(view, given.get("values") or {})
        done = await self._gestures.modals.submit(view)
        if done.ok:
            return {"ok": True}
        sentence = " ".join(done.errors.values()) or _SENTENCES.get(done.error or "", done.error)
        return {"ok": False, "error": sentence, "errors": done.errors}

    async def _close(self, given: Json) -> Json:
        await self._gestures.modals.close(self._views.find(str(given.get("view_id"))))
        return {"ok": True}

    async def _shortcut(self, given: Json) -> Json:
        message = self._message(given) if given.get("message_ts") else None
        name = str(given.get("callback_id"))
        return _outcome(await self._gestures.shortcut(name, self._workspace.me, message))

    async def _react(self, given: Json) -> Json:
        name = str(given.get("name"))
        self._gestures.react(self._message(given), name, self._workspace.me)
        return {"ok": True}

    async def _options(self, given: Json) -> Json:
        source, typed = self._source(given), str(given.get("value") or "")
        name = str(given.get("action_id"))
        answer = await self._gestures.offer(source, name, typed, self._workspace.me)
        offered = answer.payload or {}
        names = ("options", "option_groups")
        return {**_outcome(answer), **{name: offered.get(name) or [] for name in names}}

    def _source(self, given: Json) -> Source:
        if given.get("view_id"):
            return self._views.find(str(given["view_id"]))
        return self._message(given)

    def _message(self, given: Json) -> Message:
        place = (str(given.get("channel")), str(given.get("message_ts")))
        found = self._workspace.find_whisper(*place) or self._workspace.find(*place)
        if found is None:
            raise LookupError("This message was deleted.")
        return found


def _action(block: Json, element: Json, wanted: Json) -> Json:
    if element["type"] == "button":
        return click(block, element)
    option = wanted.get("selected_option")
    if isinstance(option, dict):
        return choose(block, element, str(option.get("value")))
    plain = {
        name: wanted[name] for name in wanted if name.startswith("selected_") or name == "value"
    }
    own = {"type": element["type"], "action_id": element["action_id"]}
    return {**plain, **own, "block_id": block["block_id"]}


def _outcome(answer: Answer) -> Json:
    if answer.ok:
        return {"ok": True}
    return {"ok": False, "error": _SENTENCES.get(answer.error or "", str(answer.error))}


async def _given(request: web.Request) -> Json:
    try:
        body: Any = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="Send a JSON object.")
    return body


async def _write(stream: web.WebSocketResponse, waiting: asyncio.Queue[Json]) -> None:
    while True:
        text = json.dumps(await waiting.get())
        if stream.closed:
            return
        await stream.send_str(text)


def _file(path: Path) -> web.FileResponse:
    found = path.resolve()
    if not found.is_relative_to(STATIC.resolve()) or not found.is_file():
        raise web.HTTPNotFound(text="There is no such file; the page may not be built yet.")
    return web.FileResponse(found)
