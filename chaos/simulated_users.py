"""Simulated users: they request jobs, retry failed requests, and click."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from chaos.plan import CHANNELS, OVERSUPPLY
from localslack.state.entities import BOT, Channel, User

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from chaos.plan import Plan, PlannedRequest
    from chaos.provider import SimulatedProvider
    from chaos.threads import BotMessages
    from localslack import LocalSlack

MAX_ATTEMPTS = 12
USERS_PER_REQUEST = 8  # each user sends one request, so ephemerals identify it
RETRIES = (0.0, 1.0, 4.0)  # seconds between Slack's retries of an event
CLICKS_PER_SECOND = 2.0
LIST_ROUND_SECONDS = 10.0  # between two list commands in a reopened channel
LIST_PAUSE_SECONDS = 1.0  # between list commands in two channels


@dataclass(frozen=True)
class Attempt:
    """One request of one user."""

    request: PlannedRequest
    user: str
    channel: str
    key: str  # prefix of the idempotency keys of its answers
    acknowledged: bool
    at: float  # epoch seconds


def all_users(plan: Plan) -> tuple[User, ...]:
    """Return the bot and one user for each attempt."""
    number = plan.watches * USERS_PER_REQUEST + 100
    return (*(User(f"U0P{n:06d}", f"p{n:06d}") for n in range(number)), BOT)


def all_channels(people: tuple[User, ...]) -> tuple[Channel, ...]:
    """Return the channels; each has all users as members."""
    members = frozenset(person.id for person in people)
    return tuple(Channel(f"C0N{n:06d}", f"n{n:06d}", members) for n in range(CHANNELS))


class SimulatedUsers:
    """Sends requests at a steady rate until all are sent."""

    def __init__(
        self, plan: Plan, slack: LocalSlack, provider: SimulatedProvider, threads: BotMessages
    ) -> None:
        self._plan = plan
        self._slack = slack
        self._provider = provider
        self._threads = threads
        self._random = Random(f"{plan.seed} users")
        users = [user for user in slack.workspace.users.values() if not user.is_bot]
        self._clicker = users.pop().id
        self._users = iter(users)
        self._tasks: set[asyncio.Task[None]] = set()
        self.attempts: list[Attempt] = []
        provider.on_overtake = self.refresh_twice

    async def send_requests(self) -> None:
        """Send all requests of the plan, evenly spread."""
        pause = self._plan.request_seconds / max(1.0, self._plan.watches * OVERSUPPLY)
        began, number = time.monotonic(), 0
        for planned, timeline in self._plan.requests(self._plan.timelines()):
            if timeline is not None:
                self._provider.add(timeline)
            self._start(self._request_until_acknowledged(planned))
            number += timeline is not None
            await asyncio.sleep(max(0.0, began + number * pause - time.monotonic()))

    async def click_at_random(self) -> None:
        """Click "Refresh" on random cards, until cancelled."""
        while True:
            await asyncio.sleep(self._random.expovariate(CLICKS_PER_SECOND))
            if self._threads.cards:
                recent = self._threads.cards[-200:]
                self.refresh(self._random.choice(recent).job)

    def refresh(self, job: str) -> bool:
        """Click "Refresh" on one of a job's cards; return False if it has none."""
        cards = [card for card in self._threads.cards if card.job == job]
        if cards:
            card = self._random.choice(cards)
            self._start(self._click(card.channel, card.ts))
        return bool(cards)

    def refresh_twice(self, job: str) -> bool:
        """Click "Refresh" twice at once; return False if there is no card yet."""
        return self.refresh(job) and self.refresh(job)

    @property
    def busy(self) -> bool:
        """Return whether requests or clicks are in progress; raise their exceptions."""
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            task.result()
        return bool(self._tasks)

    async def send_list_commands(self, channels: Iterable[str]) -> None:
        """Send the list command in these channels until cancelled, as channel activity.

        The pauses respect Slack's limit of ephemeral messages a minute.
        """
        while True:
            for name in list(channels):
                await self._slack.says("/job list", channel=name, user=next(self._users).id)
                await asyncio.sleep(LIST_PAUSE_SECONDS)
            await asyncio.sleep(LIST_ROUND_SECONDS)

    async def close(self) -> None:
        """Cancel all requests and clicks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _click(self, channel: str, ts: str) -> None:
        message = self._slack.workspace.find(channel, ts)
        if message is not None and message.blocks:  # else the card was deleted
            await self._slack.click(message, "refresh", user=self._clicker)

    async def _request_until_acknowledged(self, planned: PlannedRequest) -> None:
        """Send a request, and retry while Slack reports a failure."""
        for _ in range(MAX_ATTEMPTS):
            while self._is_closed(planned):  # noqa: ASYNC110  requests fail there
                await asyncio.sleep(0.5)
            attempt = await self._send_request(planned)
            self.attempts.append(attempt)
            if attempt.acknowledged:
                return
            # Slack retries an unacknowledged event by itself.
            delay = 1.0 if planned.kind == "command" else sum(RETRIES) + 3.0
            await asyncio.sleep(delay * self._random.uniform(1.0, 1.5))

    def _is_closed(self, planned: PlannedRequest) -> bool:
        if planned.kind == "direct":
            return False
        workspace = self._slack.workspace
        channel = workspace.channels[f"C0N{planned.channel:06d}"]
        return channel.is_archived or workspace.bot.id not in channel.members

    async def _send_request(self, planned: PlannedRequest) -> Attempt:
        person, at = next(self._users), time.time()
        where = "im" if planned.kind == "direct" else f"C0N{planned.channel:06d}"
        line = {"command": "/job deploys:{}", "mention": "@jobthread how is deploys:{} doing?"}
        text = line.get(planned.kind, "deploys:{}").format(planned.job)
        answer = await self._slack.says(text, channel=where, user=person.id)
        message = answer.message
        if planned.kind == "command" or message is None:
            # A payload is an immediate error message.
            acknowledged = answer.ok and not answer.payload
            return Attempt(
                planned, person.id, where, f"command:{answer.trigger_id}:", acknowledged, at
            )
        key = f"message:{message.channel}:{message.ts}:"
        return Attempt(planned, person.id, message.channel, key, answer.ok, at)
