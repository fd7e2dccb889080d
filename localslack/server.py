"""Facade `LocalSlack`: a workspace and its server, for tests and demos."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self, TypeVar

from localslack.api.methods import WebApiMethods
from localslack.api.response_urls import ResponseUrls
from localslack.api.views import Views
from localslack.client.user_actions import (
    ActionResult,
    Source,
    UserActions,
    choose,
    click,
    find_element,
)
from localslack.http.fault_injection import FaultInjector
from localslack.http.page import Page
from localslack.http.rate_limit import RateLimiter
from localslack.http.routes import Routes
from localslack.http.web_api import Call, WebApi
from localslack.http.web_server import WebServer
from localslack.state.clock import Clock, SystemClock
from localslack.state.entities import CHANNELS, USER_GROUPS, USERS
from localslack.state.faults import Faults
from localslack.state.timing import Timing
from localslack.state.workspace import Workspace
from localslack.transport import payloads
from localslack.transport.dispatcher import EventDispatcher, EventSubscriptions
from localslack.transport.http import HttpTransport
from localslack.transport.socket_mode import SocketModeServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from localslack.client.modal_actions import SubmissionResult
    from localslack.state.entities import Channel, User, UserGroup
    from localslack.state.messages import Json, Message
    from localslack.state.views import View
    from localslack.transport.envelopes import Envelope

T = TypeVar("T")


class LocalSlack:
    """A Slack workspace on loopback.

    >>> async with LocalSlack() as slack:
    ...     client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    ...     answer = await slack.says("/job deploys:JOB1", channel="deploys")
    """

    bot_token = "xoxb-local-slack"  # noqa: S105  (accepted by the local Slack only)
    app_token = "xapp-local-slack"  # noqa: S105
    signing_secret = "local-slack-signing-secret"  # noqa: S105

    def __init__(  # noqa: PLR0913  (all optional, by keyword)
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
        users: Sequence[User] = USERS,
        channels: Sequence[Channel] = CHANNELS,
        groups: Sequence[UserGroup] = USER_GROUPS,
    ) -> None:
        self._server = WebServer(port)
        self._timing = timing or Timing()
        self.faults = faults or Faults()
        self.workspace = Workspace(
            clock or SystemClock(), users=users, channels=channels, groups=groups
        )
        self.workspace.refused_blocks |= refused_blocks or set()
        self.workspace.post_without_joining = post_without_joining
        self.views = Views(self.workspace)
        self._responses = ResponseUrls(self.workspace)
        self.sockets = self._make_sockets()
        self._injector = FaultInjector(self.workspace, self.sockets, self.faults)
        self._http = self._make_http(request_url)
        transport = self._http or self.sockets
        self._dispatcher = EventDispatcher(
            self.workspace, transport, self.faults, retry_seconds=self._timing.retry_seconds
        )
        self._subscriptions = EventSubscriptions(
            self.workspace, self._dispatcher, frozenset(events)
        )
        self._user_actions = UserActions(
            self.workspace,
            self.views,
            self._responses,
            self._dispatcher,
            self._subscriptions,
            should_escape=should_escape,
        )
        self._api = self._make_api()
        self._page = Page(
            self.workspace,
            self.views,
            self._user_actions,
            connected=lambda: self.connected,
            suggestions=suggestions,
        )

    # Start and stop.

    async def __aenter__(self) -> Self:
        """Start the server."""
        routes = Routes(
            self._api, self.sockets, self._page, self._responses, self._injector, self.faults
        )
        self.workspace.address = await self._server.start(routes.application())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the server; cancel background work."""
        await self._dispatcher.close()
        await self._page.close()
        await self.sockets.close()
        await self._server.stop()

    @property
    def url(self) -> str:
        """Return the page's URL, with a trailing slash."""
        return self.workspace.address

    @property
    def api_url(self) -> str:
        """Return the Web API's URL, for slack_sdk's `base_url`."""
        return f"{self.url}api/"

    @property
    def connected(self) -> bool:
        """Return whether the app is connected; always True in HTTP mode."""
        return self._http is not None or self.sockets.count > 0

    @property
    def calls(self) -> list[Call]:
        """Return every Web API call so far."""
        return self._api.calls

    def calls_of(self, method: str) -> list[Call]:
        """Return every call of this method so far."""
        return [call for call in self._api.calls if call.method == method]

    @property
    def envelopes(self) -> list[Envelope]:
        """Return every envelope sent to the app so far."""
        return (self._http or self.sockets).envelopes

    # User actions.

    async def says(
        self,
        text: str,
        *,
        channel: str = "deploys",
        user: str = "ada",
        thread_ts: str | None = None,
    ) -> ActionResult:
        """Type a command or a message; `@jobthread` and other names become mentions."""
        where, person = self.workspace.channel(channel), self.workspace.user(user)
        if channel == "im":
            where = self.workspace.direct_channel(person.id)
        return await self._user_actions.send_text(text, where, person, thread_ts)

    async def click(
        self,
        source: Source,
        action_id: str,
        *,
        value: str | None = None,
        option: str | None = None,
        user: str = "ada",
    ) -> ActionResult:
        """Click the button of this action id, or open its menu and click the option.

        `value` selects one of several buttons with this action id; `option` is an option's value.
        """
        current = self._user_actions.current(source)
        block, element = find_element(current, action_id, value)
        is_menu = option is not None or element["type"] == "overflow"
        action = choose(block, element, option or "") if is_menu else click(block, element)
        return await self._user_actions.use_element(current, action, self.workspace.user(user))

    async def choose(
        self, source: Source, action_id: str, value: str, *, user: str = "ada"
    ) -> ActionResult:
        """Choose this value in a select or an overflow menu."""
        current = self._user_actions.current(source)
        block, element = find_element(current, action_id, None)
        action = choose(block, element, value)
        return await self._user_actions.use_element(current, action, self.workspace.user(user))

    def react(self, message: Message, name: str, *, user: str = "ada") -> Message:
        """Toggle this user's reaction with the emoji."""
        current = self._user_actions.current_message(message)
        return self._user_actions.react(current, name, self.workspace.user(user))

    async def suggest(
        self, source: Source, action_id: str, typed: str, *, user: str = "ada"
    ) -> list[Json]:
        """Type into an external select; return the options that the app suggests."""
        current, person = self._user_actions.current(source), self.workspace.user(user)
        return await self._user_actions.suggest(current, action_id, typed, person)

    async def shortcut(
        self, callback_id: str, message: Message | None = None, *, user: str = "ada"
    ) -> ActionResult:
        """Use a message shortcut, or a global shortcut if there is no message."""
        return await self._user_actions.shortcut(callback_id, self.workspace.user(user), message)

    async def fill(self, view: View, answers: Mapping[str, Any]) -> View:
        """Fill in the modal, by block id or action id, and return its current version.

        An answer is a text, a number, an option's value or a list of them; None clears the input.
        An external select requests the app's options and picks the matching one.
        """
        return await self._user_actions.fill(view, answers)

    async def submit(self, view: View, values: Json | None = None) -> SubmissionResult:
        """Submit the modal as filled in, after Slack's client-side validation.

        `values`, in Slack's `state.values` shape, are sent without validation.
        """
        return await self._user_actions.modals.submit(self.views.find(view.id), values)

    async def close(self, view: View, *, cleared: bool = False) -> None:
        """Close the modal, or its whole stack if `cleared`."""
        await self._user_actions.modals.close(self.views.find(view.id), cleared=cleared)

    async def opens_home(self, user: str = "ada") -> ActionResult:
        """Open the app's Home."""
        person = self.workspace.user(user)
        inner = payloads.home_opened(self.workspace, person, self.views.home(person.id))
        ack = await self._subscriptions.deliver_home_opened(inner)
        return ActionResult(ack.ok, ack.error)

    # Visible content.

    def messages(self, channel: str = "deploys") -> list[Message]:
        """Return the channel's messages, oldest first; replies only if broadcast."""
        messages = self.workspace.messages(self.workspace.channel(channel).id)
        return [message for message in messages if message.in_channel]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return the thread of any of its messages, root first."""
        return self.workspace.thread(self.workspace.channel(channel).id, ts)

    def ephemerals(self, user: str = "ada", channel: str | None = None) -> list[Message]:
        """Return this user's ephemeral messages, oldest first."""
        person = self.workspace.user(user).id
        channel_id = self.workspace.channel(channel).id if channel else None
        own = [m for m in self.workspace.ephemerals() if m.ephemeral_for == person]
        return [message for message in own if channel_id in {None, message.channel}]

    def modals(self, user: str = "ada") -> list[View]:
        """Return this user's open modals, the top one last."""
        person = self.workspace.user(user).id
        return [v for v in self.views.opened.values() if v.user == person and v.is_modal]

    async def until(self, predicate: Callable[[], T], *, seconds: float = 5) -> T:
        """Wait for a truthy result, evaluated after every event; return it. Raise TimeoutError."""
        changed = asyncio.Event()
        stop = self.workspace.events.subscribe(lambda _: changed.set())
        try:
            async with asyncio.timeout(seconds):
                while not (found := predicate()):
                    await changed.wait()
                    changed.clear()
                return found
        except TimeoutError:
            raise TimeoutError(self._timeout_text(seconds)) from None
        finally:
            stop()

    def _timeout_text(self, seconds: float) -> str:
        messages = [m for id_ in self.workspace.channels for m in self.workspace.messages(id_)]
        last = sorted([*messages, *self.workspace.ephemerals()], key=lambda message: message.ts)[
            -5:
        ]
        shown = "; ".join(f"{m.user} in {m.channel}: {m.text!r}" for m in last) or "nothing"
        return f"It did not happen within {seconds:g} s. Last messages: {shown}."

    # Immediate faults; later ones are planned with `faults`.

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Send `disconnect` to the app: refresh_requested, warning or link_disabled."""
        await self._injector.disconnect(reason)

    def cut(self) -> None:
        """Abort the app's connections without notice."""
        self._injector.cut()

    def archive(self, channel: str) -> None:
        """Archive the channel."""
        self._injector.archive(channel)

    def remove_bot(self, channel: str) -> None:
        """Remove the bot from the channel."""
        self._injector.remove_bot(channel)

    def delete(self, message: Message) -> None:
        """Delete the message, as an authorised user would."""
        self._injector.delete(self._user_actions.current_message(message))

    async def verify_url(self) -> bool:
        """Send `url_verification`, in HTTP mode; return whether the app answered correctly."""
        return self._http is not None and await self._http.verify()

    # Components.

    def _make_sockets(self) -> SocketModeServer:
        seconds, pings = self._timing.ack_seconds, self._timing.ping_seconds
        return SocketModeServer(
            self.workspace, self.faults, ack_seconds=seconds, ping_seconds=pings
        )

    def _make_http(self, request_url: str | None) -> HttpTransport | None:
        if request_url is None:
            return None
        return HttpTransport(request_url, self.signing_secret, ack_seconds=self._timing.ack_seconds)

    def _make_api(self) -> WebApi:
        tokens = {"bot_token": self.bot_token, "app_token": self.app_token}
        methods = WebApiMethods(
            self.workspace, self.views, issue_socket_url=self.sockets.issue_url, **tokens
        )
        rate, burst = self._timing.posts_per_second, self._timing.burst
        rate_limiter = RateLimiter(self.workspace.clock, rate, burst)
        return WebApi(self.workspace, methods, self.faults, rate_limiter)
