"""Dispatcher: sends commands, events and interactions to the app; retries events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from localslack.state.events import EventKind, WorkspaceEvent
from localslack.state.faults import FaultKind
from localslack.state.timing import RETRY_SECONDS
from localslack.transport import payloads
from localslack.transport.envelopes import Ack, Envelope, Transport

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any

    from localslack.state.faults import Faults
    from localslack.state.messages import Json, Message
    from localslack.state.workspace import Workspace


class EventDispatcher:
    """Sends envelopes to the app and retries events that were not acknowledged."""

    def __init__(
        self,
        workspace: Workspace,
        transport: Transport,
        faults: Faults,
        *,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
    ) -> None:
        self._workspace = workspace
        self._transport = transport
        self._faults = faults
        self._retry_seconds = tuple(retry_seconds)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def send(self, kind: str, payload: Json) -> Ack:
        """Send a command or an interaction, once."""
        ack = await self._transport.deliver(Envelope(kind, payload))
        self._workspace.events.publish(WorkspaceEvent(EventKind.ENVELOPE_SETTLED))
        return ack

    async def send_event(self, inner: Json) -> Ack:
        """Send an event; retries run in the background."""
        payload = payloads.event(self._workspace, inner)
        subject = str(inner["type"])
        ack = await self.send("events_api", payload)
        if self._faults.consume(FaultKind.DELIVER_TWICE, subject):
            self.run_in_background(self.send("events_api", payload))
        if self._faults.consume(FaultKind.RETRY_EVENT, subject):
            self.run_in_background(self._retry(payload, self._retry_seconds[:1], "timeout"))
        elif not ack.ok and not ack.no_retry:
            self.run_in_background(self._retry(payload, self._retry_seconds, ack.reason))
        return ack

    def run_in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run the coroutine in the background; `close` cancels it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel all background work."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _retry(self, payload: Json, delays: Sequence[float], reason: str) -> None:
        for attempt, seconds in enumerate(delays, start=1):
            if seconds:
                await self._workspace.clock.sleep(seconds)
            ack = await self._transport.deliver(Envelope("events_api", payload, attempt, reason))
            self._workspace.events.publish(WorkspaceEvent(EventKind.ENVELOPE_SETTLED))
            if ack.ok or ack.no_retry:
                return
            reason = ack.reason


class EventSubscriptions:
    """Turns workspace events into the Events API events that the app subscribed to."""

    def __init__(
        self, workspace: Workspace, dispatcher: EventDispatcher, subscribed: frozenset[str]
    ) -> None:
        self._workspace = workspace
        self._dispatcher = dispatcher
        self._subscribed = subscribed
        workspace.events.subscribe(self._on_change)

    async def deliver_message(self, message: Message) -> Ack:
        """Send every event that a user's message causes; return the first failed ack, if any."""
        acks = await asyncio.gather(
            *(self._dispatcher.send_event(e) for e in self._events(message))
        )
        return next((ack for ack in acks if not ack.ok), Ack())

    async def deliver_home_opened(self, inner: Json) -> Ack:
        """Send `app_home_opened`, if the app subscribed to it."""
        subscribed = "app_home_opened" in self._subscribed
        return await self._dispatcher.send_event(inner) if subscribed else Ack()

    def _events(self, message: Message) -> list[Json]:
        channel = self._workspace.channels[message.channel]
        if self._workspace.bot.id not in channel.members:
            return []
        events = []
        # A mention in a direct message makes no `app_mention`.
        mentioned = f"<@{self._workspace.bot.id}" in message.text and not channel.is_im
        if mentioned and "app_mention" in self._subscribed:
            events.append(payloads.mention(self._workspace, message))
        if channel.subscription in self._subscribed:
            events.append(payloads.message(self._workspace, channel, message))
        return events

    def _on_change(self, change: WorkspaceEvent) -> None:
        message = change.before or change.message
        if message is None or message.ephemeral_for or not self._is_subscribed(message):
            return
        inner = self._event_for(change)
        if inner:
            self._dispatcher.run_in_background(self._dispatcher.send_event(inner))

    def _is_subscribed(self, message: Message) -> bool:
        channel = self._workspace.channels[message.channel]
        joined = self._workspace.bot.id in channel.members
        return joined and channel.subscription in self._subscribed

    def _event_for(self, change: WorkspaceEvent) -> Json | None:
        before, message = change.before, change.message
        if message is None:
            return None
        channel = self._workspace.channels[message.channel]
        if change.kind is EventKind.POSTED and message.user == self._workspace.bot.id:
            return payloads.message(self._workspace, channel, message)
        if change.kind is EventKind.EDITED and before:
            return payloads.message_changed(self._workspace, channel, message, before)
        if change.kind is EventKind.DELETED and before:
            return payloads.message_deleted(self._workspace, channel, before)
        return None
