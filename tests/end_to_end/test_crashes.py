"""The bot crashes before or after each of its writes: no message is lost or repeated."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.sdk.errors import SlackUnconfirmed, StoreError
from plugins.servicestage.script import JobScript, JobStep
from tests.bot.store.rows import scalar
from tests.harness import BotHarness, bot_harness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bot.store import Transaction
    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
WRITES = 11  # transactions with a write in the test below
CALLS = ("post", "update", "post_ephemeral", "respond", "set_reaction", "open_direct", "find")


class CrashedError(StoreError):
    """The process crashed; every later call fails."""


class CrashingBot:
    """Crashes a bot before or after the commit of its n-th write."""

    def __init__(self, bot: Bot, at: int, *, after: bool) -> None:
        self._begin = bot.store.begin
        self._at = at
        self._after = after
        self.writes = 0
        self.crashed = False
        bot.store.begin = self.begin  # type: ignore[method-assign]
        for name in CALLS:
            setattr(bot.transport, name, self._unless_crashed(getattr(bot.transport, name)))

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """Open a transaction; crash if it is the n-th that writes."""
        if self.crashed:
            raise CrashedError("crashed")
        async with self._begin() as tx:
            before = await self._changes(tx)
            yield tx
            wrote = await self._changes(tx) != before
            self.writes += wrote
            crashes = wrote and self.writes == self._at
            if self.crashed or (crashes and not self._after):
                self.crashed = True
                raise CrashedError("crashed before the commit")
        if crashes:
            self.crashed = True
            raise CrashedError("crashed after the commit")

    async def _changes(self, tx: Transaction) -> int:
        """Return the total number of rows changed through the connection."""
        return int(await scalar(tx, "SELECT total_changes()"))

    def _unless_crashed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def called(*given: Any, **named: Any) -> Any:
            if self.crashed:
                raise SlackUnconfirmed("crashed")
            return await call(*given, **named)

        return called


class RestartingHarness:
    """A bot that is restarted after its crash."""

    def __init__(self, harness: BotHarness, crashing: CrashingBot) -> None:
        self.harness = harness
        self.crashing = crashing

    async def run_until(self, done: Callable[[], Any]) -> Any:
        """Advance the clock until the condition holds; restart a crashed bot."""
        async with asyncio.timeout(10):
            while not (found := done()):
                if self.crashing.crashed and self.harness.bot.store.begin == self.crashing.begin:
                    await self.harness.bot.__aexit__()
                    self.harness.bot = await Bot(
                        self.harness.settings, clock=self.harness.clock
                    ).__aenter__()
                await self.harness.clock.advance(1)
        return found

    def cards(self) -> list[Message]:
        """Return the cards in the channel."""
        bot = self.harness.slack.workspace.bot.id
        said = self.harness.slack.messages("deploys")
        return [m for m in said if m.user == bot and m.thread_ts is None]

    async def send_command(self) -> None:
        """Send the command; send it again if Slack reports a failure, as users do."""
        answer = await self.harness.slack.says(f"/job deploys:{ID}")
        if not answer.ok or answer.payload:
            await self.run_until(lambda: self.harness.bot.store.begin != self.crashing.begin)
            await self.harness.says(f"/job deploys:{ID}")

    async def change_job(self, word: str, number: int) -> None:
        """Change the job, and wait for the n-th thread reply."""
        [card] = self.cards()
        self.harness.servicestage.finish(ID, word)
        await self.run_until(lambda: len(self.harness.thread(card)) >= number)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, WRITES + 1))
async def test_crash_at_any_write_loses_and_repeats_nothing(
    tmp_path: Path, at: int, *, after: bool
) -> None:
    """There is one card, and each change is posted once and in order."""
    async with bot_harness(tmp_path) as harness:
        harness.servicestage.add(JobScript(ID, (JobStep("UPGRADE", 90_000),), queued_seconds=0))
        crashing = CrashingBot(harness.bot, at, after=after)
        restarting = RestartingHarness(harness, crashing)
        await restarting.send_command()
        await restarting.run_until(restarting.cards)
        await restarting.change_job("ROLLBACKING", 1)
        await restarting.change_job("FAILED", 2)
        [card] = restarting.cards()
        await restarting.run_until(lambda: "Failed" in str(harness.current(card).blocks))
        for _ in range(60):
            await harness.clock.advance(1)
        replies = [message.text for message in harness.thread(card)]
        assert ["ROLLBACKING" in text for text in replies] == [True, False]
        assert " failed" in replies[1]
        assert len(restarting.cards()) == 1
        assert crashing.crashed or crashing.writes < at  # two writes may have become one
        await harness.bot.__aexit__()
