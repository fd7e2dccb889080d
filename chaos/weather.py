"""What goes wrong for a while around the bot: clock, token, disk, channels, and deleted cards."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import TYPE_CHECKING

from bot.playground.faults import Plan as Planned
from bot.playground.faults import Trouble
from chaos.journal import Absence

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.playground import LocalSlack
    from chaos.journal import Journal
    from chaos.plan import Plan
    from chaos.supervisor import Supervisor
    from chaos.threads import Threads

BETWEEN = (1.0, 4.0)  # seconds, between one trouble and the next
LASTS = (3.0, 7.0)
STEP_SECONDS = 3600.0  # that the clock is set forward or back
AFTER_A_KILL = 6.0  # seconds: whose claims a dead bot left is told by the clock, see docs/chaos.md
AFTER_A_STEP = 3.0
SHUT_AT_ONCE = 5  # channels


class Weather:
    """One trouble after the other, in an order drawn by lot; each ends when it is cancelled."""

    def __init__(
        self,
        plan: Plan,
        slack: LocalSlack,
        bot: Supervisor,
        journal: Journal,
        threads: Threads,
        turn: asyncio.Lock,
    ) -> None:
        self._slack = slack
        self._bot = bot
        self._journal = journal
        self._threads = threads
        self._turn = turn
        self._lots = Random(f"{plan.seed} weather")

    async def change(self) -> None:
        """Let every kind of trouble come, again and again, until cancelled."""
        kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "clock forward": lambda: self._clock(STEP_SECONDS),
            "clock back": lambda: self._clock(-STEP_SECONDS),
            "token revoked": self._token,
            "disk full": self._disk,
            "archived": lambda: self._channels(archived=True),
            "removed": lambda: self._channels(archived=False),
            "card deleted": self._delete,
        }
        while True:
            for name in self._lots.sample(sorted(kinds), len(kinds)):
                await asyncio.sleep(self._lots.uniform(*BETWEEN))
                self._journal.troubles[name] += 1
                await kinds[name]()

    async def _last(self) -> None:
        await asyncio.sleep(self._lots.uniform(*LASTS))

    async def _clock(self, seconds: float) -> None:
        """Set the bot's clock, and set it right again."""
        try:
            await self._step(seconds)
            await self._last()
            await self._step(0.0)
        finally:
            self._bot.set_clock(0.0)

    async def _step(self, ahead: float) -> None:
        async with self._turn:
            since = time.time() - max(self._journal.kills, default=0.0)
            await asyncio.sleep(max(0.0, AFTER_A_KILL - since))
            self._bot.set_clock(ahead)
            await asyncio.sleep(AFTER_A_STEP)

    async def _token(self) -> None:
        """Let Slack refuse the bot's token; a bot that starts meanwhile ends at once."""
        revoked = Planned(Trouble.REFUSE, times=None, error="token_revoked")
        self._slack.faults.plan(revoked)
        try:
            await self._last()
        finally:
            self._slack.faults.withdraw(revoked)

    async def _disk(self) -> None:
        """Let no file grow or change; the bot lives, as that is what is tried."""
        async with self._turn:
            began_at = time.time()
            self._bot.fill_disk(full=True)
            try:
                await self._last()
            finally:
                self._bot.fill_disk(full=False)
                self._journal.absences.append(Absence(began_at, time.time()))

    async def _channels(self, *, archived: bool) -> None:
        """Archive some channels, or remove the bot from them, and take that back."""
        workspace = self._slack.workspace
        busy = sorted({root.channel for root in self._threads.roots[-60:] if root.followed})
        chosen = self._lots.sample(busy, min(len(busy), SHUT_AT_ONCE))
        chosen = [name for name in chosen if not workspace.channels[name].is_im]
        try:
            for name in chosen:
                self._journal.shut.setdefault(name, time.time())
                if archived:
                    workspace.archive(name)
                else:
                    workspace.leave(name, workspace.bot.id)
            await self._last()
        finally:
            for name in chosen:
                workspace.unarchive(name)
                workspace.join(name, workspace.bot.id)

    async def _delete(self) -> None:
        """Delete a card whose job is followed."""
        roots = [root for root in self._threads.roots[-60:] if root.followed]
        if not roots:
            return
        root = self._lots.choice(roots)
        message = self._slack.workspace.find(root.channel, root.ts)
        if message is not None and not message.tombstone:
            self._journal.deleted.setdefault((root.channel, root.ts), time.time())
            self._slack.workspace.delete(message)
