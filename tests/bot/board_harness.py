"""Test harness for channels with boards."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from plugins.servicestage.script import JobScript, JobStep
from tests.harness import BotHarness, bot_harness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.store import Board, Watch
    from localslack.state.messages import Message

A, B, C = (f"JOB{n}7cb1778-07b1-4c8f-a183-c86cffbe8f9e" for n in (1, 2, 3))
STEPS = (JobStep("PREPARE", 30_000), JobStep("UPGRADE", 90_000))


@dataclass
class BoardHarness(BotHarness):
    """A bot harness with a few long jobs, whose channels can use boards."""

    def start_jobs(self, *ids: str) -> None:
        """Start long jobs."""
        for id_ in ids or (A, B, C):
            self.servicestage.add(JobScript(id_, STEPS, type=f"DEPLOY-{id_[3]}", queued_seconds=0))

    async def enable_boards(self, *channels: str, reactions: bool = False) -> None:
        """Enable boards in the settings of these channels, and reactions for single jobs."""
        values = {"board": True, "reaction": reactions}
        async with self.bot.store.begin() as tx:
            for name in channels or ("deploys",):
                place = self.slack.workspace.channel(name)
                team = self.slack.workspace.team.id
                await tx.channel_settings.replace(team, place.id, values, "U1", self.clock.now())

    async def change_status(self, id_: str, word: str) -> None:
        """Change a job's status, and wait until the bot has polled and posted it."""
        self.servicestage.finish(id_, word)
        await self.poll_times(1)
        await self.advance_poll()
        await self.settle()

    def bot_messages(self, channel: str = "deploys") -> list[Message]:
        """Return the bot's messages in the channel, without thread replies."""
        bot = self.slack.workspace.bot.id
        return [m for m in self.slack.messages(channel) if m.user == bot and not m.thread_ts]

    async def watches_on(self, board: Message) -> list[Watch]:
        """Return the watches of a board's message."""
        known = await self.board(board)
        async with self.bot.store.begin() as tx:
            return [watch for watch, _ in await tx.watches.of_board(known.id)]

    async def board(self, message: Message) -> Board:
        """Return the stored board of a message."""
        team = self.slack.workspace.team.id
        async with self.bot.store.begin() as tx:
            watch = await tx.watches.by_card(team, message.channel, message.ts)
            assert watch is not None
            board = await tx.boards.get(str(watch.board_id))
        assert board is not None
        return board


def table_rows(message: Message) -> list[list[str]]:
    """Return the text of each cell of a board's table, without the header row."""
    [found] = [block for block in message.blocks if block["type"] in ("data_table", "table")]
    return [["".join(_cell_texts(cell)) for cell in row] for row in found["rows"][1:]]


def _cell_texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return [*own, *(text for part in value.values() for text in _cell_texts(part))]
    return [text for part in value for text in _cell_texts(part)] if isinstance(value, list) else []


@pytest.fixture
async def boards_enabled(tmp_path: Path) -> AsyncIterator[BoardHarness]:
    """A bot with boards enabled in #deploys."""
    async with board_harness(tmp_path) as running:
        yield running


@asynccontextmanager
async def board_harness(folder: Path, **slack: Any) -> AsyncIterator[BoardHarness]:
    """Run a bot with long jobs and boards enabled in #deploys."""
    async with bot_harness(folder, **slack) as base:
        harness = BoardHarness(base.slack, base.servicestage, base.clock, base.settings, base.bot)
        harness.start_jobs()
        await harness.enable_boards()
        yield harness
