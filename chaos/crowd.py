"""The people of the run: they ask for jobs, ask again when Slack says it failed, and click."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from bot.playground.people import BOT, Channel, User
from chaos.plan import CHANNELS, SPARE

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from bot.playground import LocalSlack
    from chaos.plan import Plan, Wish
    from chaos.provider import Provider
    from chaos.threads import Threads

MOST_TRIES = 12
PEOPLE_PER_WISH = 8  # everybody asks once, so that whispers tell whom they answer
RETRIES = (0.0, 1.0, 4.0)  # seconds between Slack's own repetitions of an event
CLICKS_PER_SECOND = 2.0
CALL_SECONDS = 10.0  # between two calls in a channel that was shut
BREATH_SECONDS = 1.0  # between calls in two channels


@dataclass(frozen=True)
class Attempt:
    """One person asked once."""

    wish: Wish
    person: str
    channel: str
    key: str  # begins the keys of the messages that answer it
    acknowledged: bool
    at: float  # epoch seconds


def everybody(plan: Plan) -> tuple[User, ...]:
    """Return the bot and enough people for every attempt."""
    number = plan.watches * PEOPLE_PER_WISH + 100
    return (*(User(f"U0P{n:06d}", f"p{n:06d}") for n in range(number)), BOT)


def places(people: tuple[User, ...]) -> tuple[Channel, ...]:
    """Return the channels; everybody is in each."""
    members = frozenset(person.id for person in people)
    return tuple(Channel(f"C0N{n:06d}", f"n{n:06d}", members) for n in range(CHANNELS))


class Crowd:
    """Asks a few times a second until everything was asked."""

    def __init__(self, plan: Plan, slack: LocalSlack, provider: Provider, threads: Threads) -> None:
        self._plan = plan
        self._slack = slack
        self._provider = provider
        self._threads = threads
        self._lots = Random(f"{plan.seed} crowd")
        people = [user for user in slack.workspace.users.values() if not user.is_bot]
        self._clicker = people.pop().id
        self._people = iter(people)
        self._tasks: set[asyncio.Task[None]] = set()
        self.attempts: list[Attempt] = []
        provider.on_ambush = self.look_twice

    async def ask(self) -> None:
        """Ask for everything that the plan says, evenly spread."""
        pause = self._plan.asking_seconds / max(1.0, self._plan.watches * SPARE)
        began, number = time.monotonic(), 0
        for wish, course in self._plan.wishes(self._plan.courses()):
            if course is not None:
                self._provider.add(course)
            self._begin(self._insist(wish))
            number += course is not None
            await asyncio.sleep(max(0.0, began + number * pause - time.monotonic()))

    async def fidget(self) -> None:
        """Click "Refresh" on some card, again and again."""
        while True:
            await asyncio.sleep(self._lots.expovariate(CLICKS_PER_SECOND))
            if self._threads.roots:
                recent = self._threads.roots[-200:]
                self.refresh(self._lots.choice(recent).job)

    def refresh(self, job: str) -> bool:
        """Click "Refresh" on one of a job's cards, if it has any."""
        roots = [root for root in self._threads.roots if root.job == job]
        if roots:
            root = self._lots.choice(roots)
            self._begin(self._click(root.channel, root.ts))
        return bool(roots)

    def look_twice(self, job: str) -> bool:
        """Let two people click "Refresh" in the same instant; False if there is no card yet."""
        return self.refresh(job) and self.refresh(job)

    @property
    def busy(self) -> bool:
        """Whether somebody still waits for an acknowledgement; what went wrong is raised here."""
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            task.result()
        return bool(self._tasks)

    async def call_in(self, channels: Iterable[str]) -> None:
        """Ask for the list in each of these channels, again and again: it is heard there.

        Slack shows so many answers a minute to one person each, and no more.
        """
        while True:
            for name in list(channels):
                await self._slack.says("/job list", channel=name, user=next(self._people).id)
                await asyncio.sleep(BREATH_SECONDS)
            await asyncio.sleep(CALL_SECONDS)

    async def leave(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _click(self, channel: str, ts: str) -> None:
        message = self._slack.workspace.find(channel, ts)
        if message is not None and message.blocks:  # else it was deleted: only its thread stands
            await self._slack.click(message, "refresh", user=self._clicker)

    async def _insist(self, wish: Wish) -> None:
        """Ask, and ask again when Slack says that it failed, as people do."""
        for _ in range(MOST_TRIES):
            while self._is_shut(wish):  # noqa: ASYNC110  nobody can ask there
                await asyncio.sleep(0.5)
            attempt = await self._try(wish)
            self.attempts.append(attempt)
            if attempt.acknowledged:
                return
            # An event that was not acknowledged comes again by itself.
            patience = 1.0 if wish.way == "command" else sum(RETRIES) + 3.0
            await asyncio.sleep(patience * self._lots.uniform(1.0, 1.5))

    def _is_shut(self, wish: Wish) -> bool:
        if wish.way == "direct":
            return False
        workspace = self._slack.workspace
        channel = workspace.channels[f"C0N{wish.channel:06d}"]
        return channel.is_archived or workspace.bot.id not in channel.members

    async def _try(self, wish: Wish) -> Attempt:
        person, at = next(self._people), time.time()
        where = "im" if wish.way == "direct" else f"C0N{wish.channel:06d}"
        line = {"command": "/job deploys:{}", "mention": "@jobthread how is deploys:{} doing?"}
        text = line.get(wish.way, "deploys:{}").format(wish.job)
        answer = await self._slack.says(text, channel=where, user=person.id)
        said = answer.message
        if wish.way == "command" or said is None:
            taken = answer.ok and not answer.payload  # else it says at once that it cannot
            return Attempt(wish, person.id, where, f"command:{answer.trigger_id}:", taken, at)
        key = f"message:{said.channel}:{said.ts}:"
        return Attempt(wish, person.id, said.channel, key, answer.ok, at)
