"""Temporary environment faults: clock, token, disk, channels; deleted cards."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import TYPE_CHECKING

from chaos.journal import Outage
from localslack.state.faults import FaultKind
from localslack.state.faults import PlannedFault as Planned

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from chaos.journal import Journal
    from chaos.plan import Plan
    from chaos.supervisor import Supervisor
    from chaos.threads import BotMessages
    from localslack import LocalSlack

BETWEEN = (1.0, 4.0)  # seconds, between two faults
DURATIONS = (3.0, 7.0)
STEP_SECONDS = 3600.0  # of the clock, forward or back
AFTER_A_KILL = 6.0  # seconds: leases of a killed bot depend on the clock, see docs/chaos.md
AFTER_A_STEP = 3.0
MAX_CLOSED = 5  # channels at once


class EnvironmentFaults:
    """Injects one fault after another, in random order; cancelling ends the current one."""

    def __init__(
        self,
        plan: Plan,
        slack: LocalSlack,
        bot: Supervisor,
        journal: Journal,
        threads: BotMessages,
        lock: asyncio.Lock,
    ) -> None:
        self._slack = slack
        self._bot = bot
        self._journal = journal
        self._threads = threads
        self._lock = lock
        self._random = Random(f"{plan.seed} environment")

    async def run(self) -> None:
        """Inject every kind of fault repeatedly, until cancelled."""
        kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "clock forward": lambda: self._step_clock(STEP_SECONDS),
            "clock back": lambda: self._step_clock(-STEP_SECONDS),
            "token revoked": self._revoke_token,
            "disk full": self._fill_disk,
            "archived": lambda: self._close_channels(archived=True),
            "removed": lambda: self._close_channels(archived=False),
            "card deleted": self._delete_card,
        }
        while True:
            for name in self._random.sample(sorted(kinds), len(kinds)):
                await asyncio.sleep(self._random.uniform(*BETWEEN))
                self._journal.environment_faults[name] += 1
                await kinds[name]()

    async def _wait(self) -> None:
        await asyncio.sleep(self._random.uniform(*DURATIONS))

    async def _step_clock(self, seconds: float) -> None:
        """Set the bot's clock, and reset it."""
        try:
            await self._set_clock(seconds)
            await self._wait()
            await self._set_clock(0.0)
        finally:
            self._bot.set_clock(0.0)

    async def _set_clock(self, ahead: float) -> None:
        async with self._lock:
            since = time.time() - max(self._journal.kills, default=0.0)
            await asyncio.sleep(max(0.0, AFTER_A_KILL - since))
            self._bot.set_clock(ahead)
            await asyncio.sleep(AFTER_A_STEP)

    async def _revoke_token(self) -> None:
        """Make Slack reject the bot's token; a bot that starts meanwhile exits at once."""
        revoked = Planned(FaultKind.REFUSE, times=None, error="token_revoked")
        self._slack.faults.plan(revoked)
        try:
            await self._wait()
        finally:
            self._slack.faults.cancel(revoked)

    async def _fill_disk(self) -> None:
        """Block all file writes; the bot is not killed meanwhile, as its survival is tested."""
        async with self._lock:
            began_at = time.time()
            self._bot.fill_disk(full=True)
            try:
                await self._wait()
            finally:
                self._bot.fill_disk(full=False)
                self._journal.outages.append(Outage(began_at, time.time()))

    async def _close_channels(self, *, archived: bool) -> None:
        """Archive some channels, or remove the bot from them, and undo it."""
        workspace = self._slack.workspace
        busy = sorted({card.channel for card in self._threads.cards[-60:] if card.followed})
        chosen = self._random.sample(busy, min(len(busy), MAX_CLOSED))
        chosen = [name for name in chosen if not workspace.channels[name].is_im]
        try:
            for name in chosen:
                self._journal.closed_channels.setdefault(name, time.time())
                if archived:
                    workspace.archive(name)
                else:
                    workspace.leave(name, workspace.bot.id)
            await self._wait()
        finally:
            for name in chosen:
                workspace.unarchive(name)
                workspace.join(name, workspace.bot.id)

    async def _delete_card(self) -> None:
        """Delete a followed job's card."""
        cards = [card for card in self._threads.cards[-60:] if card.followed]
        if not cards:
            return
        card = self._random.choice(cards)
        message = self._slack.workspace.find(card.channel, card.ts)
        if message is not None and not message.tombstone:
            self._journal.deleted_cards.setdefault((card.channel, card.ts), time.time())
            self._slack.workspace.delete(message)
