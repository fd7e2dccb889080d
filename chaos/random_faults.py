"""Random faults from a seed: Slack faults, kills and freezes of the bot, disconnects."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import TYPE_CHECKING

from chaos.environment_faults import EnvironmentFaults
from chaos.journal import Outage
from chaos.plan import SLACK_FAULT_RATE
from localslack.state.events import EventKind, WorkspaceEvent
from localslack.state.faults import FaultKind, Faults
from localslack.state.faults import PlannedFault as Planned

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from chaos.journal import Journal
    from chaos.plan import Plan
    from chaos.supervisor import Supervisor
    from chaos.threads import BotMessages
    from localslack import LocalSlack

BETWEEN_KILLS = (0.3, 8.5)  # seconds, after the bot has reconnected
BETWEEN_FREEZES = (6.0, 18.0)
FREEZES = (0.3, 5.0)  # seconds, length of a freeze
LONG_FREEZE = 33.0  # longer than any lease
LONG_FREEZE_EVERY = 240.0  # seconds
POST_OUTAGE_EVERY = 300.0  # seconds, in long runs
POST_OUTAGE = 100.0  # seconds in which Slack accepts no post
RETRY_AFTER = 30  # seconds, of its 429 responses
BETWEEN_DISCONNECTS = (2.0, 10.0)
DELAYS = (0.2, 1.0, 2.5)
EVENT_FAULTS = {  # of connections, envelopes and events, with their probability
    FaultKind.REFUSE_SOCKET: 0.2,
    FaultKind.DROP_ENVELOPE: 0.03,
    FaultKind.DELIVER_TWICE: 0.2,
    FaultKind.RETRY_EVENT: 0.2,
}


def slack_faults(plan: Plan) -> Faults:
    """Return faults that hit a fifth of all calls, of every method."""
    planned = Faults(plan.seed)
    each = SLACK_FAULT_RATE / 5
    for trouble in (FaultKind.RATE_LIMIT, FaultKind.LOSE_ANSWER, FaultKind.FAIL_BEFORE):
        planned.plan(Planned(trouble, times=None, chance=each))
    planned.plan(Planned(FaultKind.FAIL_AFTER, times=None, chance=each, status=500))
    for seconds in DELAYS:
        planned.plan(Planned(FaultKind.DELAY, times=None, chance=each / 3, seconds=seconds))
    for trouble, chance in EVENT_FAULTS.items():
        planned.plan(Planned(trouble, times=None, chance=chance))
    return planned


class RandomFaults:
    """Injects random faults until cancelled."""

    def __init__(
        self,
        plan: Plan,
        slack: LocalSlack,
        supervisor: Supervisor,
        journal: Journal,
        threads: BotMessages,
    ) -> None:
        self._plan = plan
        self._slack = slack
        self._bot = supervisor
        self._journal = journal
        self._random = Random(f"{plan.seed} faults")
        self._lock = asyncio.Lock()  # a kill does not cut a long freeze short
        self._environment = EnvironmentFaults(plan, slack, supervisor, journal, threads, self._lock)

    async def run(self) -> None:
        """Run all kinds of faults concurrently, until cancelled."""
        coroutines = [self._kill(), self._freeze(), self._disconnect(), self._environment.run()]
        if self._plan.seconds > LONG_FREEZE_EVERY:
            coroutines.extend((self._freeze_long(), self._rate_limit_posts()))
        await asyncio.gather(*coroutines)

    def clear(self) -> None:
        """Clear all Slack faults."""
        self._slack.faults.clear()

    async def _kill(self) -> None:
        """Kill the bot at random times, or during a call."""
        while True:
            await self._bot.connected()
            await asyncio.sleep(self._random.uniform(*BETWEEN_KILLS))
            async with self._lock:
                await self._wait_for_moment()
                self._bot.kill()

    async def _wait_for_moment(self) -> None:
        """Choose the time of a kill: now, or at the next post, call or envelope."""
        kind = self._random.choice(
            (
                None,
                EventKind.POSTED,
                EventKind.POSTED,
                EventKind.API_CALLED,
                EventKind.ENVELOPE_SETTLED,
            )
        )
        if kind is None:
            return
        killed = asyncio.Event()

        def kill(change: WorkspaceEvent) -> None:
            from_bot = change.message is None or change.message.user == self._slack.workspace.bot.id
            if change.kind is kind and from_bot and not killed.is_set():
                self._bot.kill()  # before Slack's response is sent
                killed.set()

        unsubscribe = self._slack.workspace.events.subscribe(kill)
        try:
            async with asyncio.timeout(1.0):
                await killed.wait()
        except TimeoutError:
            pass
        finally:
            unsubscribe()

    async def _freeze(self) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(*BETWEEN_FREEZES))
            if self._bot.running and not self._lock.locked():
                await self._bot.freeze(self._random.uniform(*FREEZES))

    async def _freeze_long(self) -> None:
        while True:
            await asyncio.sleep(LONG_FREEZE_EVERY)
            async with self._lock:
                await self._bot.connected()
                await self._bot.freeze(LONG_FREEZE)

    async def _rate_limit_posts(self) -> None:
        """Make Slack answer every post with 429, for minutes."""
        while True:
            await asyncio.sleep(POST_OUTAGE_EVERY)
            rate_limit = Planned(
                FaultKind.RATE_LIMIT, "chat.postMessage", times=None, retry_after=RETRY_AFTER
            )
            began_at = time.time()
            self._slack.faults.plan(rate_limit)
            self._journal.environment_faults["429 for 100 s"] += 1
            try:
                await asyncio.sleep(POST_OUTAGE)
            finally:
                self._slack.faults.cancel(rate_limit)
                self._journal.post_outages.append(Outage(began_at, time.time()))

    async def _disconnect(self) -> None:
        """Break the connection between Slack and the bot, one way at a time."""
        slack = self._slack
        disconnects: tuple[Callable[[], Awaitable[None] | None], ...] = (
            slack.disconnect,
            lambda: slack.disconnect("warning"),
            slack.cut,
        )
        while True:
            await asyncio.sleep(self._random.uniform(*BETWEEN_DISCONNECTS))
            pending = self._random.choice(disconnects)()
            if pending is not None:
                await pending
