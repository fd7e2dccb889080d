"""What goes wrong, at random from a seed: Slack's faults, kills, and stops."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import TYPE_CHECKING

from bot.playground.changes import Change, Kind
from bot.playground.faults import Faults, Trouble
from bot.playground.faults import Plan as Planned
from chaos.journal import Absence
from chaos.plan import FAULTY
from chaos.weather import Weather

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.playground import LocalSlack
    from chaos.journal import Journal
    from chaos.plan import Plan
    from chaos.supervisor import Supervisor
    from chaos.threads import Threads

BETWEEN_KILLS = (0.3, 8.5)  # seconds, after the bot is back
BETWEEN_STOPS = (6.0, 18.0)
STOPS = (0.3, 5.0)  # seconds that a stop lasts
LONG_STOP = 33.0  # longer than any claim or lease of a message
LONG_STOPS_EVERY = 240.0  # seconds
REFUSALS_EVERY = 300.0  # seconds, in long runs
REFUSALS = 100.0  # seconds for which Slack takes no post
RETRY_AFTER = 30  # seconds that it then asks for
BETWEEN_TROUBLES = (2.0, 10.0)
DELAYS = (0.2, 1.0, 2.5)
RARER = {  # what happens to connections, envelopes and events, and how often
    Trouble.REFUSE_SOCKET: 0.2,
    Trouble.SWALLOW: 0.03,
    Trouble.DELIVER_TWICE: 0.2,
    Trouble.RETRY_EVENT: 0.2,
}


def faults(plan: Plan) -> Faults:
    """Return faults that hit every method alike: a fifth of all calls."""
    planned = Faults(plan.seed)
    each = FAULTY / 5
    for trouble in (Trouble.RATE_LIMIT, Trouble.LOSE_ANSWER, Trouble.FAIL_BEFORE):
        planned.plan(Planned(trouble, times=None, chance=each))
    planned.plan(Planned(Trouble.FAIL_AFTER, times=None, chance=each, status=500))
    for seconds in DELAYS:
        planned.plan(Planned(Trouble.DELAY, times=None, chance=each / 3, seconds=seconds))
    for trouble, chance in RARER.items():
        planned.plan(Planned(trouble, times=None, chance=chance))
    return planned


class Storm:
    """Lets things go wrong until it is over."""

    def __init__(
        self,
        plan: Plan,
        slack: LocalSlack,
        supervisor: Supervisor,
        journal: Journal,
        threads: Threads,
    ) -> None:
        self._plan = plan
        self._slack = slack
        self._bot = supervisor
        self._journal = journal
        self._lots = Random(f"{plan.seed} storm")
        self._turn = asyncio.Lock()  # a long stop is not cut short by a kill
        self._weather = Weather(plan, slack, supervisor, journal, threads, self._turn)

    async def rage(self) -> None:
        """Do everything at once, until cancelled."""
        works = [self._kill(), self._stop(), self._trouble(), self._weather.change()]
        if self._plan.seconds > LONG_STOPS_EVERY:
            works.extend((self._stop_long(), self._refuse_posts()))
        await asyncio.gather(*works)

    def end(self) -> None:
        """Let nothing more go wrong."""
        self._slack.faults.clear()

    async def _kill(self) -> None:
        """Kill the bot, at any moment, or in the middle of something."""
        while True:
            await self._bot.connected()
            await asyncio.sleep(self._lots.uniform(*BETWEEN_KILLS))
            async with self._turn:
                await self._moment()
                self._bot.kill()

    async def _moment(self) -> None:
        """Wait for the moment to strike: now, at a post, at a call's end, at an envelope's."""
        kind = self._lots.choice((None, Kind.POSTED, Kind.POSTED, Kind.CALLED, Kind.DELIVERED))
        if kind is None:
            return
        struck = asyncio.Event()

        def strike(change: Change) -> None:
            ours = change.message is None or change.message.user == self._slack.workspace.bot.id
            if change.kind is kind and ours and not struck.is_set():
                self._bot.kill()  # before Slack's answer is on its way
                struck.set()

        ends = self._slack.workspace.changes.subscribe(strike)
        try:
            async with asyncio.timeout(1.0):
                await struck.wait()
        except TimeoutError:
            pass
        finally:
            ends()

    async def _stop(self) -> None:
        while True:
            await asyncio.sleep(self._lots.uniform(*BETWEEN_STOPS))
            if self._bot.running and not self._turn.locked():
                await self._bot.freeze(self._lots.uniform(*STOPS))

    async def _stop_long(self) -> None:
        while True:
            await asyncio.sleep(LONG_STOPS_EVERY)
            async with self._turn:
                await self._bot.connected()
                await self._bot.freeze(LONG_STOP)

    async def _refuse_posts(self) -> None:
        """Let Slack answer every post with 429, for minutes."""
        while True:
            await asyncio.sleep(REFUSALS_EVERY)
            refused = Planned(
                Trouble.RATE_LIMIT, "chat.postMessage", times=None, retry_after=RETRY_AFTER
            )
            began_at = time.time()
            self._slack.faults.plan(refused)
            self._journal.troubles["429 for 100 s"] += 1
            try:
                await asyncio.sleep(REFUSALS)
            finally:
                self._slack.faults.withdraw(refused)
                self._journal.silences.append(Absence(began_at, time.time()))

    async def _trouble(self) -> None:
        """Let one thing at a time go wrong between Slack and the bot."""
        slack = self._slack
        troubles: tuple[Callable[[], Awaitable[None] | None], ...] = (
            slack.disconnect,
            lambda: slack.disconnect("warning"),
            slack.cut,
        )
        while True:
            await asyncio.sleep(self._lots.uniform(*BETWEEN_TROUBLES))
            done = self._lots.choice(troubles)()
            if done is not None:
                await done
