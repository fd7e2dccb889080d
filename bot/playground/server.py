"""The local Slack, put together: one web server on loopback, and hands for tests and demos."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from aiohttp import web

from bot.clock import Clock, SystemClock
from bot.playground import payloads
from bot.playground.deliveries import RETRY_SECONDS, Deliveries, Subscriptions
from bot.playground.doors import Doors
from bot.playground.faults import Faults
from bot.playground.gestures import Answer, Gestures, Source, choose, click, find_element
from bot.playground.httpmode import Post
from bot.playground.methods import Methods
from bot.playground.page import Page
from bot.playground.people import CHANNELS, EVERYBODY, USER_GROUPS
from bot.playground.responses import Responses
from bot.playground.sockets import Sockets
from bot.playground.throttle import Throttle
from bot.playground.views import View, Views
from bot.playground.webapi import Call, WebApi
from bot.playground.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.playground.envelopes import Envelope
    from bot.playground.messages import Json, Message
    from bot.playground.modals import Submitted
    from bot.playground.people import Channel, User, UserGroup

T = TypeVar("T")

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long Slack waits; tests make it shorter."""

    ack_seconds: float = 3.0  # real seconds, whatever the clock says
    ping_seconds: float = 10.0
    retry_seconds: Sequence[float] = RETRY_SECONDS  # on the clock, one for each repetition
    posts_per_second: float | None = None  # in each channel; None is no limit
    burst: int = 4  # posts at once before that limit bites


class LocalSlack:
    """A Slack workspace on loopback.

    >>> async with LocalSlack() as slack:
    ...     client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    ...     answer = await slack.says("/job deploys:JOB1", channel="deploys")
    """

    bot_token = "xoxb-playground-bot"  # noqa: S105  (opens nothing but this playground)
    app_token = "xapp-playground-app"  # noqa: S105
    signing_secret = "playground-signing-secret"  # noqa: S105

    def __init__(  # noqa: PLR0913  (each switch is one that a test turns by name)
        self,
        *,
        port: int = 0,
        request_url: str | None = None,
        events: frozenset[str] | set[str] = frozenset({"app_mention", "message.im"}),
        suggestions: Sequence[Json] = (),
        refused_blocks: set[str] | None = None,
        should_escape: bool = True,
        post_without_joining: bool = False,
        clock: Clock | None = None,
        timing: Timing | None = None,
        faults: Faults | None = None,
        people: Sequence[User] = EVERYBODY,
        channels: Sequence[Channel] = CHANNELS,
        groups: Sequence[UserGroup] = USER_GROUPS,
    ) -> None:
        self._port = port
        self._timing = timing or Timing()
        self.faults = faults or Faults()
        self.workspace = Workspace(
            clock or SystemClock(), users=people, channels=channels, groups=groups
        )
        self.workspace.refused_blocks |= refused_blocks or set()
        self.workspace.post_without_joining = post_without_joining
        self.views = Views(self.workspace)
        self._responses = Responses(self.workspace)
        self.sockets = self._make_sockets()
        self._post = self._make_post(request_url)
        carrier = self._post or self.sockets
        self._deliveries = Deliveries(
            self.workspace, carrier, self.faults, retry_seconds=self._timing.retry_seconds
        )
        self._subscriptions = Subscriptions(self.workspace, self._deliveries, frozenset(events))
        self._gestures = Gestures(
            self.workspace,
            self.views,
            self._responses,
            self._deliveries,
            self._subscriptions,
            should_escape=should_escape,
        )
        self._api = self._make_api()
        self._page = Page(
            self.workspace,
            self.views,
            self._gestures,
            connected=lambda: self.connected,
            suggestions=suggestions,
        )
        self._runner: web.AppRunner | None = None

    # Opening and closing.

    async def __aenter__(self) -> Self:
        """Start to serve."""
        doors = Doors(self, self._api, self._page, self._responses)
        self._runner = web.AppRunner(doors.application(), access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.workspace.address = f"http://{HOST}:{port}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop to serve, and give up what is under way."""
        await self._deliveries.close()
        await self._page.close()
        await self.sockets.close()
        if self._runner:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """Return the page's address, with a slash at the end."""
        return self.workspace.address

    @property
    def api_url(self) -> str:
        """Return the Web API's address, for slack_sdk's `base_url`."""
        return f"{self.url}api/"

    @property
    def connected(self) -> bool:
        """Tell whether the app can be reached; in HTTP mode that is taken for granted."""
        return self._post is not None or self.sockets.count > 0

    @property
    def calls(self) -> list[Call]:
        """Return every call of the Web API so far."""
        return self._api.calls

    def called(self, method: str) -> list[Call]:
        """Return every call of this method so far."""
        return [call for call in self._api.calls if call.method == method]

    @property
    def envelopes(self) -> list[Envelope]:
        """Return everything that was sent to the app so far."""
        return (self._post or self.sockets).envelopes

    # What a person does.

    async def says(
        self,
        text: str,
        *,
        channel: str = "deploys",
        user: str = "ada",
        thread_ts: str | None = None,
    ) -> Answer:
        """Type a command or a message; `@jobthread` and other names become mentions."""
        place, person = self.workspace.channel(channel), self.workspace.user(user)
        if channel == "im":
            place = self.workspace.direct(person.id)
        return await self._gestures.say(text, place, person, thread_ts)

    async def click(
        self,
        source: Source,
        action_id: str,
        *,
        value: str | None = None,
        option: str | None = None,
        user: str = "ada",
    ) -> Answer:
        """Click the button of this action id, or open its menu and click the option.

        The value tells twins apart; an option is named by its own value.
        """
        current = self._gestures.current(source)
        block, element = find_element(current, action_id, value)
        is_menu = option is not None or element["type"] == "overflow"
        action = choose(block, element, option or "") if is_menu else click(block, element)
        return await self._gestures.act(current, action, self.workspace.user(user))

    async def choose(
        self, source: Source, action_id: str, value: str, *, user: str = "ada"
    ) -> Answer:
        """Choose this value in a select or an overflow menu."""
        current = self._gestures.current(source)
        block, element = find_element(current, action_id, None)
        action = choose(block, element, value)
        return await self._gestures.act(current, action, self.workspace.user(user))

    def react(self, message: Message, name: str, *, user: str = "ada") -> Message:
        """Press the emoji under the message: it becomes this person's too, or no longer is."""
        current = self._gestures.current(message)
        if isinstance(current, View):
            raise TypeError("A view takes no reactions.")
        return self._gestures.react(current, name, self.workspace.user(user))

    async def suggest(
        self, source: Source, action_id: str, typed: str, *, user: str = "ada"
    ) -> list[Json]:
        """Type into a select with an external source; return the options on offer."""
        current, person = self._gestures.current(source), self.workspace.user(user)
        return await self._gestures.suggest(current, action_id, typed, person)

    async def shortcut(
        self, callback_id: str, message: Message | None = None, *, user: str = "ada"
    ) -> Answer:
        """Use a message shortcut, or a global one when there is no message."""
        return await self._gestures.shortcut(callback_id, self.workspace.user(user), message)

    async def fill(self, view: View, answers: Mapping[str, Any]) -> View:
        """Fill in the modal, by block id or action id, and return it as it is then.

        An answer is a text, a number, an option's value or a list of them; None empties the input.
        A select with an external source asks the app, and takes what it offers.
        """
        return await self._gestures.fill(view, answers)

    async def submit(self, view: View, values: Json | None = None) -> Submitted:
        """Submit the modal as it is filled in; Slack's client refuses what it must not let through.

        Values given here, in Slack's `state.values` shape, are sent as they are.
        """
        return await self._gestures.modals.submit(self.views.find(view.id), values)

    async def close(self, view: View, *, cleared: bool = False) -> None:
        """Close the modal, or clear its whole stack."""
        await self._gestures.modals.close(self.views.find(view.id), cleared=cleared)

    async def opens_home(self, user: str = "ada") -> Answer:
        """Open the app's Home."""
        person = self.workspace.user(user)
        inner = payloads.home_opened(self.workspace, person, self.views.home(person.id))
        ack = await self._subscriptions.home_opened(inner)
        return Answer(ack.ok, ack.error)

    # What there is to see.

    def messages(self, channel: str = "deploys") -> list[Message]:
        """Return what the channel shows, oldest first; replies only if broadcast."""
        said = self.workspace.said(self.workspace.channel(channel).id)
        return [message for message in said if message.in_channel]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return the thread, its root first; any message of it names it."""
        return self.workspace.thread(self.workspace.channel(channel).id, ts)

    def ephemerals(self, user: str = "ada", channel: str | None = None) -> list[Message]:
        """Return what only this person sees, oldest first."""
        person = self.workspace.user(user).id
        place = self.workspace.channel(channel).id if channel else None
        own = [w for w in self.workspace.whispers() if w.ephemeral_for == person]
        return [whisper for whisper in own if place in {None, whisper.channel}]

    def modals(self, user: str = "ada") -> list[View]:
        """Return the modals that this person has open, the top one last."""
        person = self.workspace.user(user).id
        return [v for v in self.views.opened.values() if v.user == person and v.is_modal]

    async def until(self, predicate: Callable[[], T], *, seconds: float = 5) -> T:
        """Wait until this holds, looking again at every change; return what it returned."""
        changed = asyncio.Event()
        stop = self.workspace.changes.subscribe(lambda _: changed.set())
        try:
            async with asyncio.timeout(seconds):
                while not (found := predicate()):
                    await changed.wait()
                    changed.clear()
                return found
        except TimeoutError:
            raise TimeoutError(self._last_words(seconds)) from None
        finally:
            stop()

    def _last_words(self, seconds: float) -> str:
        said = [m for id_ in self.workspace.channels for m in self.workspace.said(id_)]
        last = sorted([*said, *self.workspace.whispers()], key=lambda message: message.ts)[-5:]
        seen = "; ".join(f"{m.user} in {m.channel}: {m.text!r}" for m in last) or "nothing"
        return f"It did not happen within {seconds:g} s. Last said: {seen}."

    # What goes wrong at once; what goes wrong later is planned with `faults`.

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell the app's connections to go: refresh_requested, warning or link_disabled."""
        self.faults.note("disconnect", reason)
        await self.sockets.disconnect(reason)

    def cut(self) -> None:
        """Break the app's connections with no word of it."""
        self.faults.note("cut", "sockets")
        self.sockets.cut()

    def archive(self, channel: str) -> None:
        """Archive the channel."""
        self.faults.note("archive", channel)
        self.workspace.archive(channel)

    def remove_bot(self, channel: str) -> None:
        """Take the bot out of the channel."""
        self.faults.note("remove_bot", channel)
        self.workspace.leave(channel, self.workspace.bot.id)

    def delete(self, message: Message) -> None:
        """Delete the message, as a person with the right to would."""
        self.faults.note("delete", message.ts)
        current = self._gestures.current(message)
        if not isinstance(current, View):
            self.workspace.delete(current)

    async def verify_url(self) -> bool:
        """Send `url_verification`, in HTTP mode; tell whether the app answered as it should."""
        return self._post is not None and await self._post.verify()

    # Parts.

    def _make_sockets(self) -> Sockets:
        seconds, pings = self._timing.ack_seconds, self._timing.ping_seconds
        return Sockets(self.workspace, self.faults, ack_seconds=seconds, ping_seconds=pings)

    def _make_post(self, request_url: str | None) -> Post | None:
        if request_url is None:
            return None
        return Post(request_url, self.signing_secret, ack_seconds=self._timing.ack_seconds)

    def _make_api(self) -> WebApi:
        tokens = {"bot_token": self.bot_token, "app_token": self.app_token}
        methods = Methods(self.workspace, self.views, ticket=self.sockets.ticket, **tokens)
        rate, burst = self._timing.posts_per_second, self._timing.burst
        throttle = Throttle(self.workspace.clock, rate, burst)
        return WebApi(self.workspace, methods, self.faults, throttle)
