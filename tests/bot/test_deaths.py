"""The bot dies at each of its writes, before or after it: nothing is lost, nothing said twice."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.errors import SlackSilent, StoreError
from plugins.servicestage.script import JobScript, JobStep
from tests.bot.conftest import Stage, staged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bot.playground.messages import Message
    from bot.store import Transaction

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
WRITES = 11  # that the talk below takes
CALLS = ("post", "update", "whisper", "respond", "react", "open_direct", "find")


class DiedError(StoreError):
    """The process was killed here; from now on it does nothing."""


class Mortal:
    """Lets a bot die at its n-th write, with the write or without it."""

    def __init__(self, bot: Bot, at: int, *, after: bool) -> None:
        self._begin = bot.store.begin
        self._at = at
        self._after = after
        self.writes = 0
        self.dead = False
        bot.store.begin = self.begin  # type: ignore[method-assign]
        for name in CALLS:
            setattr(bot.outlet, name, self._while_alive(getattr(bot.outlet, name)))

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """Give a transaction of the store, unless the bot is dead or dies of it."""
        if self.dead:
            raise DiedError("dead")
        async with self._begin() as tx:
            before = await self._changes(tx)
            yield tx
            wrote = await self._changes(tx) != before
            self.writes += wrote
            dies = wrote and self.writes == self._at
            if self.dead or (dies and not self._after):
                self.dead = True
                raise DiedError("died before the commit")
        if dies:
            self.dead = True
            raise DiedError("died after the commit")

    async def _changes(self, tx: Transaction) -> int:
        """Return how many rows were ever changed through the connection."""
        found = await tx.outbox._connection.exec_driver_sql("SELECT total_changes()")
        return int(found.scalar_one())

    def _while_alive(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def called(*given: Any, **named: Any) -> Any:
            if self.dead:
                raise SlackSilent("dead")
            return await call(*given, **named)

        return called


class Life:
    """A bot on its stage that is started again when it has died."""

    def __init__(self, stage: Stage, mortal: Mortal) -> None:
        self.stage = stage
        self.mortal = mortal

    async def goes_on(self, done: Callable[[], Any]) -> Any:
        """Let the time pass until this holds; a dead bot is followed by a living one."""
        async with asyncio.timeout(10):
            while not (found := done()):
                if self.mortal.dead and self.stage.bot.store.begin == self.mortal.begin:
                    await self.stage.bot.__aexit__()
                    self.stage.bot = await Bot(
                        self.stage.settings, clock=self.stage.clock
                    ).__aenter__()
                await self.stage.clock.advance(1)
        return found

    def cards(self) -> list[Message]:
        """Return the cards in the channel."""
        bot = self.stage.slack.workspace.bot.id
        said = self.stage.slack.messages("deploys")
        return [m for m in said if m.user == bot and m.thread_ts is None]

    async def ask(self) -> None:
        """Ask as people do: again, if Slack says that it failed."""
        answer = await self.stage.slack.says(f"/job deploys:{ID}")
        if not answer.ok or answer.payload:
            await self.goes_on(lambda: self.stage.bot.store.begin != self.mortal.begin)
            await self.stage.says(f"/job deploys:{ID}")

    async def turns(self, word: str, number: int) -> None:
        """Let the job change, and its thread hear of it as its n-th reply."""
        [card] = self.cards()
        self.stage.servicestage.finish(ID, word)
        await self.goes_on(lambda: len(self.stage.thread(card)) >= number)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, WRITES + 1))
async def test_a_bot_that_dies_at_a_write_loses_nothing_and_repeats_nothing(
    tmp_path: Path, at: int, *, after: bool
) -> None:
    """One card, each change once and in order, whichever write it was."""
    async with staged(tmp_path) as stage:
        stage.servicestage.add(JobScript(ID, (JobStep("UPGRADE", 90_000),), queued_seconds=0))
        mortal = Mortal(stage.bot, at, after=after)
        life = Life(stage, mortal)
        await life.ask()
        await life.goes_on(life.cards)
        await life.turns("ROLLBACKING", 1)
        await life.turns("FAILED", 2)
        [card] = life.cards()
        await life.goes_on(lambda: "Failed" in str(stage.now(card).blocks))
        for _ in range(60):
            await stage.clock.advance(1)
        told = [message.text for message in stage.thread(card)]
        assert ["ROLLBACKING" in text for text in told] == [True, False]
        assert " failed" in told[1]
        assert len(life.cards()) == 1
        assert mortal.dead or mortal.writes < at  # two writes may have become one
        await stage.bot.__aexit__()
